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

import java.util.Set;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;
import org.springframework.util.function.SingletonSupplier;

/**
 * {@link EnableAutoConfiguration Auto-configuration} that keeps the secrets of
 * {@link AuthingProperties} off the actuator's pages, also where those show values. It
 * applies even when the tokens are {@linkplain AuthingWechatProperties#isEnabled()
 * disabled}: the properties are there all the same.
 *
 * @since 1.0.0
 */
@AutoConfiguration
@ConditionalOnClass(SanitizingFunction.class)
public final class AuthingSanitizingAutoConfiguration {

	// Shorter secrets would be found in values that have nothing to do with them
	private static final int MIN_LENGTH = 8;

	AuthingSanitizingAutoConfiguration() {
	}

	/**
	 * Masks our secrets by the names of their properties, however these are written, and
	 * by their values: a secret may come from a variable of any name by way of a
	 * placeholder, and is part of {@code sun.java.command} if it was given on the command
	 * line.
	 */
	@Bean
	@Lazy
	@ConditionalOnMissingBean(name = "authingSanitizingFunction")
	SanitizingFunction authingSanitizingFunction(ObjectProvider<ValidatedProperties> properties,
			Environment environment) {
		SingletonSupplier<Set<String>> unvalidated = SingletonSupplier.of(() -> secrets(environment));
		return (data) -> {
			if (data.getValue() == null) {
				return data;
			}
			String value = data.getValue().toString();
			boolean secret = BoundProperties.isSecret(data.getKey()) || properties.stream()
				.findFirst()
				.map(ValidatedProperties::secrets)
				.orElseGet(unvalidated::obtain)
				.stream()
				.anyMatch((text) -> (text.length() >= MIN_LENGTH) ? value.contains(text) : value.equals(text));
			return secret ? data.withSanitizedValue() : data;
		};
	}

	// Where nothing of ours exists, nobody has cared for whether they can be bound
	private static Set<String> secrets(Environment environment) {
		Set<String> secrets = BoundProperties.unboundSecrets(environment);
		try {
			secrets.addAll(BoundProperties.from(environment).secrets(environment));
		}
		catch (BindException ex) {
			// Those that were found have to do
		}
		return secrets;
	}

}
