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

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.BindContext;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.IgnoreTopLevelConverterNotFoundBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.Environment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import cn.authing.wechat.autoconfigure.AuthingWechatProperties.Account;

/**
 * All properties below {@code authing}, as they were bound at one time.
 *
 * @param authing the connection to Authing
 * @param wechat the WeChat accounts
 * @param cache the cache of tokens
 * @param api the calls of WeChat
 * @param names the names of all properties that exist
 * @param values the values of those that are set
 * @param secrets the secrets among the values, and those that these are made of
 */
record BoundProperties(AuthingProperties authing, AuthingWechatProperties wechat, AuthingWechatCacheProperties cache,
		AuthingWechatApiProperties api, Set<ConfigurationPropertyName> names,
		Map<ConfigurationPropertyName, Object> values, Set<String> secrets) {

	static BoundProperties from(Environment environment) {
		Recorder recorder = new Recorder();
		Binder binder = Binder.get(environment, recorder);
		AuthingProperties authing = bind(binder, new AuthingProperties());
		AuthingWechatProperties wechat = bind(binder, new AuthingWechatProperties());
		AuthingWechatCacheProperties cache = bind(binder, new AuthingWechatCacheProperties());
		AuthingWechatApiProperties api = bind(binder, new AuthingWechatApiProperties());
		authing.setHeaders(mergeHeaders(authing.getHeaders(), environment));
		wechat.setAccounts(mergeAccounts(wechat.getAccounts()));
		return new BoundProperties(authing, wechat, cache, api, recorder.names, recorder.values,
				SecretNames.secrets(recorder.values, environment));
	}

	private static <T extends Object> T bind(Binder binder, T properties) {
		String prefix = properties.getClass().getAnnotation(ConfigurationProperties.class).value();
		return binder.bind(prefix, Bindable.ofInstance(properties)).orElse(properties);
	}

	/**
	 * Return the names of the properties whose values are others than in the given ones.
	 */
	Set<String> changedSince(BoundProperties before) {
		Set<String> changed = new TreeSet<>();
		Stream.concat(this.values.keySet().stream(), before.values.keySet().stream())
			.filter((name) -> !Objects.equals(this.values.get(name), before.values.get(name)))
			.forEach((name) -> changed.add(name.toString()));
		return changed;
	}

	/**
	 * Return where a property is set.
	 */
	static @Nullable ConfigurationProperty find(Environment environment, ConfigurationPropertyName name) {
		return sources(environment).map((source) -> source.getConfigurationProperty(name))
			.filter(Objects::nonNull)
			.findFirst()
			.orElse(null);
	}

	static Stream<ConfigurationPropertySource> sources(Environment environment) {
		return StreamSupport.stream(ConfigurationPropertySources.get(environment).spliterator(), false);
	}

	// The names of environment variables have neither hyphens nor upper case. What is
	// bound from one is merged with what is the same name, written with them.

	private static Map<String, String> mergeHeaders(Map<String, String> bound, Environment environment) {
		Map<String, String> spellings = new HashMap<>();
		Map<String, String> headers = new LinkedHashMap<>();
		bound.forEach((name, value) -> {
			String header = (name.indexOf('.') != -1 && isEnvironmentVariable(name, environment))
					? name.replace('.', '-') : name;
			String other = spellings.get(uniform(header));
			if (other == null || header.length() > other.length()) {
				// The first one has precedence
				String first = (other != null) ? headers.remove(other) : null;
				spellings.put(uniform(header), header);
				headers.put(header, (first != null) ? first : value);
			}
		});
		return headers;
	}

	private static boolean isEnvironmentVariable(String header, Environment environment) {
		ConfigurationProperty property = find(environment,
				ConfigurationPropertyName.of("authing.headers").append(header));
		ConfigurationPropertySource source = (property != null) ? property.getSource() : null;
		return source != null && source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
	}

	private static Map<String, Account> mergeAccounts(Map<String, Account> bound) {
		Map<String, String> spellings = new HashMap<>();
		bound.keySet()
			.stream()
			.filter((name) -> !name.equals(uniform(name)))
			.forEach((name) -> spellings.put(uniform(name), name));
		Map<String, Account> accounts = new LinkedHashMap<>(bound);
		spellings.forEach((uniform, name) -> {
			Account duplicate = accounts.remove(uniform);
			Account account = accounts.get(name);
			if (duplicate != null && account != null) {
				account.setAppId((account.getAppId() != null) ? account.getAppId() : duplicate.getAppId());
				account
					.setAppSecret((account.getAppSecret() != null) ? account.getAppSecret() : duplicate.getAppSecret());
			}
		});
		return accounts;
	}

	private static String uniform(String name) {
		return SecretNames.lowerCase(name).replace("-", "");
	}

	/**
	 * Records which properties exist and which of them are set.
	 */
	private static final class Recorder extends IgnoreTopLevelConverterNotFoundBindHandler {

		private final Set<ConfigurationPropertyName> names = new HashSet<>();

		private final Map<ConfigurationPropertyName, Object> values = new HashMap<>();

		@Override
		public <T> @Nullable Bindable<T> onStart(ConfigurationPropertyName name, Bindable<T> target,
				BindContext context) {
			this.names.add(name);
			return super.onStart(name, target, context);
		}

		@Override
		public @Nullable Object onSuccess(ConfigurationPropertyName name, Bindable<?> target, BindContext context,
				Object result) {
			if (context.getConfigurationProperty() != null) {
				this.values.put(name, result);
			}
			return super.onSuccess(name, target, context, result);
		}

	}

}
