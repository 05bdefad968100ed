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

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;

/**
 * Which properties are secrets, and what secrets are made of: the value of a header may
 * be {@code Bearer ${GATEWAY_TOKEN}}, and the variable is a secret as well.
 */
final class SecretNames {

	private static final Pattern NOT_ALPHANUMERIC = Pattern.compile("[^a-z0-9]");

	private static final Pattern SECRET = Pattern.compile("authing(headers|.*secret|.*encryption.*key)");

	private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^:{}]+)");

	private SecretNames() {
	}

	/**
	 * Return whether the value of a property is a secret.
	 * @param name the name, however it is written
	 */
	static boolean isSecret(String name) {
		return SECRET.matcher(NOT_ALPHANUMERIC.matcher(lowerCase(name)).replaceAll("")).find();
	}

	static String lowerCase(String name) {
		return name.toLowerCase(Locale.ROOT);
	}

	static Set<String> secrets(Map<ConfigurationPropertyName, Object> values, Environment environment) {
		Set<String> secrets = new HashSet<>();
		values.forEach((name, value) -> {
			if (isSecret(name.toString())) {
				((value instanceof Collection<?> list) ? list : List.of(value))
					.forEach((secret) -> secrets.add(secret.toString()));
				ConfigurationProperty property = BoundProperties.find(environment, name);
				addParts((property != null) ? property.getValue() : null, environment, secrets);
			}
		});
		return Set.copyOf(secrets);
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

}
