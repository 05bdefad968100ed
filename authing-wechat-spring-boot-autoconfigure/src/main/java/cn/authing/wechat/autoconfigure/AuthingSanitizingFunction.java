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

import java.util.function.Supplier;
import java.util.stream.Stream;

import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;

/**
 * Masks our secrets by the names of their properties, however these are written, and by
 * their values: a secret may come from a variable of any name by way of a placeholder,
 * and is part of {@code sun.java.command} if it was given on the command line.
 */
class AuthingSanitizingFunction implements SanitizingFunction {

	// Shorter ones would be found in values that have nothing to do with them
	private static final int MIN_LENGTH = 8;

	private final Supplier<Stream<BoundProperties>> properties;

	AuthingSanitizingFunction(Supplier<Stream<BoundProperties>> properties) {
		this.properties = properties;
	}

	@Override
	public SanitizableData apply(SanitizableData data) {
		Object value = data.getValue();
		return (value != null && (SecretNames.isSecret(data.getKey()) || holdsSecret(value.toString())))
				? data.withSanitizedValue() : data;
	}

	private boolean holdsSecret(String value) {
		return this.properties.get()
			.flatMap((properties) -> properties.secrets().stream())
			.anyMatch((secret) -> (secret.length() >= MIN_LENGTH) ? value.contains(secret) : value.equals(secret));
	}

}
