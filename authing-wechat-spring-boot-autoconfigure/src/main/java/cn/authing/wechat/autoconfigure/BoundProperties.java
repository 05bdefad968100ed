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

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * All properties below {@code authing}, as they were bound at one time.
 *
 * @param authing the connection to Authing
 * @param wechat the WeChat accounts
 * @param cache the cache of tokens
 * @param api the calls of WeChat
 * @param names the names of all properties that exist, without those of groups
 * @param values the values of those that are set
 * @param withoutUnit the names of durations that are set to a mere number
 */
record BoundProperties(AuthingProperties authing, AuthingWechatProperties wechat, AuthingWechatCacheProperties cache,
		AuthingWechatApiProperties api, Set<ConfigurationPropertyName> names,
		Map<ConfigurationPropertyName, Object> values, Set<ConfigurationPropertyName> withoutUnit) {

	private static final Pattern NOT_ALPHANUMERIC = Pattern.compile("[^a-z0-9]");

	private static final Pattern SECRET = Pattern.compile("authing(headers|.*secret|.*encryption.*key)");

	private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^:{}]+)");

	static BoundProperties from(Environment environment) {
		Recorder recorder = new Recorder();
		Binder binder = Binder.get(environment, recorder);
		AuthingProperties authing = bind(binder, new AuthingProperties());
		AuthingWechatProperties wechat = bind(binder, new AuthingWechatProperties());
		AuthingWechatCacheProperties cache = bind(binder, new AuthingWechatCacheProperties());
		AuthingWechatApiProperties api = bind(binder, new AuthingWechatApiProperties());
		authing.setHeaders(withoutVariants(hyphenate(authing.getHeaders(), environment)));
		wechat.setAccounts(withoutVariants(wechat.getAccounts()));
		return new BoundProperties(authing, wechat, cache, api, recorder.names, recorder.values, recorder.withoutUnit);
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
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
			ConfigurationProperty property = source.getConfigurationProperty(name);
			if (property != null) {
				return property;
			}
		}
		return null;
	}

	// In the names of environment variables there are neither hyphens nor capitals, and
	// dots in place of hyphens

	private static Map<String, String> hyphenate(Map<String, String> headers, Environment environment) {
		Map<String, String> hyphenated = new LinkedHashMap<>();
		headers.forEach((name, value) -> hyphenated
			.putIfAbsent(isEnvironmentVariable(name, environment) ? name.replace('.', '-') : name, value));
		return hyphenated;
	}

	private static boolean isEnvironmentVariable(String header, Environment environment) {
		ConfigurationProperty property = (header.indexOf('.') != -1)
				? find(environment, ConfigurationPropertyName.adapt("authing.headers." + header, '.')) : null;
		return property != null && property.getSource() != null
				&& property.getSource().getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
	}

	/**
	 * Leave out names that are others, written as an environment variable. Spring Boot
	 * has read the variable for those as well. Hyphens and capitals come first.
	 */
	private static <V> Map<String, V> withoutVariants(Map<String, V> bound) {
		Map<String, V> unique = new LinkedHashMap<>(bound);
		unique.keySet().removeIf((name) -> bound.keySet().stream().anyMatch((other) -> isVariant(name, other)));
		return unique;
	}

	// In brackets my_shop and my-shop are two names
	private static boolean isVariant(String name, String other) {
		return other.compareTo(name) < 0
				&& (withoutHyphens(other).equals(withoutHyphens(name)) || uniform(other).equals(name));
	}

	/**
	 * Return a name as Spring Boot compares it.
	 */
	static String uniform(String name) {
		return withoutHyphens(name).replace("_", "");
	}

	private static String withoutHyphens(String name) {
		return lowerCase(name).replace("-", "");
	}

	/**
	 * Return whether the value of a property is a secret.
	 * @param name the name, however it is written
	 */
	static boolean isSecret(String name) {
		return SECRET.matcher(NOT_ALPHANUMERIC.matcher(lowerCase(name)).replaceAll("")).find();
	}

	private static String lowerCase(String name) {
		return name.toLowerCase(Locale.ROOT);
	}

	/**
	 * Return the secrets among the values, and those that these are made of: the value of
	 * a header may be {@code Bearer ${GATEWAY_TOKEN}}, and the variable is a secret as
	 * well.
	 */
	Set<String> secrets(Environment environment) {
		Set<String> secrets = new HashSet<>();
		this.values.forEach((name, value) -> {
			if (isSecret(name.toString())) {
				((value instanceof Collection<?> list) ? list : List.of(value))
					.forEach((secret) -> secrets.add(secret.toString()));
				ConfigurationProperty property = find(environment, name);
				addParts((property != null) ? property.getValue() : null, environment, secrets);
			}
		});
		return secrets;
	}

	/**
	 * Return the secrets that can be found by the names of their properties, whether
	 * these can be bound or not.
	 */
	static Set<String> unboundSecrets(Environment environment) {
		Set<String> secrets = new HashSet<>();
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
			if (source instanceof IterableConfigurationPropertySource iterable) {
				iterable.stream()
					.filter((name) -> PropertyScan.ROOT.isAncestorOf(name) && isSecret(name.toString()))
					.forEach((name) -> addSecret(source, name, environment, secrets));
			}
		}
		secrets.remove("");
		return secrets;
	}

	private static void addSecret(ConfigurationPropertySource source, ConfigurationPropertyName name,
			Environment environment, Set<String> secrets) {
		try {
			ConfigurationProperty property = source.getConfigurationProperty(name);
			if (property != null && property.getValue() instanceof CharSequence value) {
				addParts(value, environment, secrets);
				secrets.add(environment.resolvePlaceholders(value.toString()));
			}
		}
		catch (RuntimeException ex) {
			// What cannot be decrypted or resolved is shown to nobody
		}
	}

	private static void addParts(@Nullable Object value, Environment environment, Set<String> secrets) {
		Matcher placeholder = PLACEHOLDER.matcher((value instanceof CharSequence text) ? text : "");
		while (placeholder.find()) {
			String part = environment.getProperty(placeholder.group(1));
			if (part != null && secrets.add(part) && environment instanceof ConfigurableEnvironment configurable) {
				for (PropertySource<?> source : configurable.getPropertySources()) {
					addParts(source.getProperty(placeholder.group(1)), environment, secrets);
				}
			}
		}
	}

	/**
	 * Records which properties exist and which of them are set.
	 */
	private static final class Recorder extends IgnoreTopLevelConverterNotFoundBindHandler {

		private final Set<ConfigurationPropertyName> names = new HashSet<>();

		private final Map<ConfigurationPropertyName, Object> values = new TreeMap<>();

		private final Set<ConfigurationPropertyName> withoutUnit = new HashSet<>();

		@Override
		public <T> @Nullable Bindable<T> onStart(ConfigurationPropertyName name, Bindable<T> target,
				BindContext context) {
			Class<?> type = target.getType().resolve(Object.class);
			if (type.isEnum() || !type.getPackageName().equals(BoundProperties.class.getPackageName())) {
				this.names.add(name);
			}
			return super.onStart(name, target, context);
		}

		@Override
		public @Nullable Object onSuccess(ConfigurationPropertyName name, Bindable<?> target, BindContext context,
				Object result) {
			ConfigurationProperty property = context.getConfigurationProperty();
			if (result instanceof Collection<?>) {
				this.values.put(name, result);
			}
			else if (property != null && !(result instanceof Map)
					&& !name.isNumericIndex(name.getNumberOfElements() - 1)) {
				this.values.put(name, result);
				if (result instanceof Duration && property.getValue().toString().matches("\\d+")) {
					this.withoutUnit.add(name);
				}
			}
			return super.onSuccess(name, target, context, result);
		}

	}

}
