/*
 * Copyright 2026-present the original author or authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 *      https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

package cn.authing.wechat.autoconfigure;

import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.http.MediaType;
import org.springframework.http.codec.json.JacksonJsonDecoder;
import org.springframework.http.converter.json.JacksonJsonHttpMessageConverter;
import org.springframework.util.StringUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.service.registry.HttpServiceGroup;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpRequestAttributes;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

/**
 * The HTTP service groups of {@code authing.wechat.api.service-groups}: what makes their
 * clients ones that call WeChat for an account.
 */
final class WechatServiceGroups {

	static final String PREFIX = "authing.wechat.api.service-groups";

	private final Map<String, String> accounts;

	private final WechatMpTokenService tokens;

	WechatServiceGroups(AuthingWechatApiProperties properties, WechatMpTokenService tokens) {
		this.accounts = properties.getServiceGroups();
		this.tokens = tokens;
	}

	static String property(String group) {
		return PREFIX + AuthingPropertiesValidator.key(group);
	}

	static String[] names(AuthingWechatApiProperties properties) {
		return StringUtils.toStringArray(properties.getServiceGroups().keySet());
	}

	/**
	 * Add what applies to these groups unless the application sets it: WeChat's address,
	 * and that no redirect takes a token elsewhere.
	 */
	static void addDefaults(ConfigurableEnvironment environment) {
		Map<String, Object> defaults = new LinkedHashMap<>();
		Map<String, String> groups = Binder.get(environment)
			.bind(PREFIX, Bindable.mapOf(String.class, String.class))
			.orElseGet(Map::of);
		for (String group : groups.keySet()) {
			String prefix = "spring.http.serviceclient" + AuthingPropertiesValidator.key(group);
			defaults.put(prefix + ".base-url", "https://api.weixin.qq.com");
			defaults.put(prefix + ".redirects", "dont-follow");
		}
		environment.getPropertySources().addLast(new MapPropertySource(PREFIX, defaults));
	}

	void configure(HttpServiceGroup group, WebClient.Builder builder, WechatMpTokenExchangeFilterFunction filter,
			JsonMapper jsonMapper) {
		String account = findAccount(group);
		if (account != null) {
			builder.defaultRequest((request) -> request.attribute(WechatMpRequestAttributes.ACCOUNT, account));
		}
		builder.codecs((codecs) -> codecs.customCodecs()
			.registerWithDefaultConfig(new JacksonJsonDecoder(jsonMapper, MediaType.TEXT_PLAIN)));
		builder.filter(filter);
	}

	void configure(HttpServiceGroup group, RestClient.Builder builder,
			WechatMpTokenClientHttpRequestInterceptor interceptor, JsonMapper jsonMapper) {
		group.httpServiceTypes().forEach((type) -> validate(group, type));
		String account = findAccount(group);
		JacksonJsonHttpMessageConverter converter = new JacksonJsonHttpMessageConverter(jsonMapper);
		converter.setSupportedMediaTypes(
				List.of(MediaType.APPLICATION_JSON, MediaType.TEXT_PLAIN, new MediaType("application", "*+json")));
		if (account != null) {
			builder.defaultRequest((request) -> request.attribute(WechatMpRequestAttributes.ACCOUNT, account));
		}
		builder.configureMessageConverters((converters) -> converters.withJsonConverter(converter));
		builder.requestInterceptor(interceptor);
	}

	/**
	 * Return the account of a group, or {@code null} for the default one.
	 */
	private @Nullable String findAccount(HttpServiceGroup group) {
		String account = this.accounts.getOrDefault(group.name(), WechatMpTokenService.DEFAULT_ACCOUNT);
		if (account.equals(WechatMpTokenService.DEFAULT_ACCOUNT)) {
			return null;
		}
		// A service that is not ours, such as a mock, need not know names
		Set<String> names = this.tokens.accountNames();
		if (!names.isEmpty() && !names.contains(account)) {
			throw InvalidAuthingPropertiesException.of(property(group.name()),
					"is '" + account + "', which is not the name of an account", "Write one of "
							+ String.join(", ", names) + ", or configure the account below authing.wechat.accounts.");
		}
		return account;
	}

	private static void validate(HttpServiceGroup group, Class<?> type) {
		for (Method method : type.getMethods()) {
			if (Publisher.class.isAssignableFrom(method.getReturnType())) {
				throw InvalidAuthingPropertiesException.of(property(group.name()),
						"is for a group that is called with RestClient, which cannot return the "
								+ method.getReturnType().getSimpleName() + " of " + type.getSimpleName() + "."
								+ method.getName() + "()",
						"Write clientType = HttpServiceGroup.ClientType.WEB_CLIENT in @ImportHttpServices, or let "
								+ "the method return the value itself.");
			}
		}
	}

}
