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
import java.util.Map;
import java.util.Set;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.log.LogMessage;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.util.StringUtils;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.registry.HttpServiceGroup;
import org.springframework.web.service.registry.HttpServiceProxyRegistry;
import org.springframework.web.service.registry.ImportHttpServices;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpRequestAttributes;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for the groups of
 * {@link ImportHttpServices} that {@code authing.wechat.api.service-groups} gives the
 * tokens of an account.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = { AuthingWechatWebClientAutoConfiguration.class,
		AuthingWechatRestClientAutoConfiguration.class, HttpServiceClientPropertiesAutoConfiguration.class })
@ConditionalOnClass(ImportHttpServices.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
@Conditional(AuthingWechatServiceGroupsAutoConfiguration.OnServiceGroups.class)
@ConditionalOnBean(WechatMpTokenService.class)
@EnableConfigurationProperties(AuthingWechatApiProperties.class)
@Import(WechatServiceGroupConnectors.class)
public final class AuthingWechatServiceGroupsAutoConfiguration {

	private static final String PREFIX = "authing.wechat.api.service-groups";

	private static final String REST_CLIENT_GROUPS = "authingWechatRestClientServiceGroups";

	private static final Log logger = LogFactory.getLog(AuthingWechatServiceGroupsAutoConfiguration.class);

	AuthingWechatServiceGroupsAutoConfiguration() {
	}

	@Bean
	static BeanFactoryPostProcessor authingWechatServiceGroupDefaults(ConfigurableEnvironment environment) {
		return (beanFactory) -> addDefaults(environment);
	}

	// Only now, since each group is made when the first of its interfaces is needed
	@Bean
	SmartInitializingSingleton authingWechatServiceGroupsCheck(ObjectProvider<HttpServiceProxyRegistry> registries,
			AuthingWechatApiProperties properties) {
		return () -> {
			HttpServiceProxyRegistry registry = registries.getIfAvailable();
			Set<String> groups = (registry != null) ? registry.getGroupNames() : Set.of();
			for (String name : properties.getServiceGroups().keySet()) {
				if (!groups.contains(name)) {
					logger.warn(LogMessage
						.format("%s is set, but there is no HTTP service group '%s', only %s. Write the group of an "
								+ "@ImportHttpServices as it is written there", property(name), name, groups));
				}
			}
		};
	}

	// Nothing else gives their clients a base URL and keeps them from following redirects
	@Bean(REST_CLIENT_GROUPS)
	@ConditionalOnMissingClass("org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration")
	@ConditionalOnMissingBean(name = REST_CLIENT_GROUPS)
	RestClientHttpServiceGroupConfigurer authingWechatMissingRestClient(AuthingWechatApiProperties properties) {
		return (groups) -> groups.filterByName(names(properties)).forEachClient((group, builder) -> {
			throw InvalidAuthingPropertiesException.of(property(group.name()),
					"is for a group that is called with RestClient, and spring-boot-restclient is not on the class path",
					"Add the dependency spring-boot-starter-restclient, or write clientType = "
							+ "HttpServiceGroup.ClientType.WEB_CLIENT in @ImportHttpServices.");
		});
	}

	@Bean(REST_CLIENT_GROUPS)
	@ConditionalOnBean(name = AuthingWechatRestClientAutoConfiguration.NAME)
	@ConditionalOnMissingBean(name = REST_CLIENT_GROUPS)
	RestClientHttpServiceGroupConfigurer authingWechatRestClientServiceGroups(AuthingWechatApiProperties properties,
			WechatMpTokenService tokens,
			@Qualifier(AuthingWechatRestClientAutoConfiguration.NAME) WechatMpTokenClientHttpRequestInterceptor interceptor) {
		return (groups) -> groups.filterByName(names(properties)).forEachClient((group, builder) -> {
			group.httpServiceTypes().forEach((type) -> validate(group, type));
			String account = findAccount(group, properties, tokens);
			if (account != null) {
				builder.defaultRequest((request) -> request.attribute(WechatMpRequestAttributes.ACCOUNT, account));
			}
			builder.requestInterceptor(interceptor);
		});
	}

	private static String property(String group) {
		return PREFIX + AuthingPropertiesValidator.key(group);
	}

	static String[] names(AuthingWechatApiProperties properties) {
		return StringUtils.toStringArray(properties.getServiceGroups().keySet());
	}

	/**
	 * Add what applies to these groups unless the application sets it: WeChat's address,
	 * and that no redirect takes a token elsewhere.
	 */
	private static void addDefaults(ConfigurableEnvironment environment) {
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

	/**
	 * Return the account of a group, or {@code null} for the default one.
	 */
	private static @Nullable String findAccount(HttpServiceGroup group, AuthingWechatApiProperties properties,
			WechatMpTokenService tokens) {
		String account = properties.getServiceGroups().getOrDefault(group.name(), WechatMpTokenService.DEFAULT_ACCOUNT);
		if (account.equals(WechatMpTokenService.DEFAULT_ACCOUNT)) {
			return null;
		}
		// A service that is not ours, such as a mock, need not know names
		Set<String> names = tokens.accountNames();
		if (!names.isEmpty() && !names.contains(account)) {
			throw InvalidAuthingPropertiesException.of(property(group.name()),
					"is '" + account + "', which is not the name of an account",
					"Write one of " + String.join(", ", names)
							+ ", or configure the account below authing.wechat.accounts; a "
							+ "WechatMpTokenService of the application's own must have it by itself.");
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

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(WebClient.class)
	@ConditionalOnBean(name = AuthingWechatWebClientAutoConfiguration.NAME)
	static class WebClientConfiguration {

		@Bean
		@ConditionalOnMissingBean(name = "authingWechatWebClientServiceGroups")
		WebClientHttpServiceGroupConfigurer authingWechatWebClientServiceGroups(AuthingWechatApiProperties properties,
				WechatMpTokenService tokens,
				@Qualifier(AuthingWechatWebClientAutoConfiguration.NAME) WechatMpTokenExchangeFilterFunction filter) {
			return (groups) -> groups.filterByName(names(properties)).forEachClient((group, builder) -> {
				String account = findAccount(group, properties, tokens);
				if (account != null) {
					builder.defaultRequest((request) -> request.attribute(WechatMpRequestAttributes.ACCOUNT, account));
				}
				builder.filter(filter);
			});
		}

	}

	static class OnServiceGroups extends SpringBootCondition {

		@Override
		public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
			// Not by the class that does the work, which few applications need
			boolean bound = Binder.get(context.getEnvironment())
				.bind(PREFIX, Bindable.mapOf(String.class, String.class))
				.isBound();
			return new ConditionOutcome(bound, ConditionMessage.forCondition("Authing WeChat service groups")
				.because((bound) ? "there are some" : "there are none"));
		}

	}

}
