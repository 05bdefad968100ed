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

import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * {@link AbstractFailureAnalyzer} for a value where there must be names with values, as
 * in {@code authing.headers=Bearer abc}. Comes before Spring Boot's own, which would show
 * the secret.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class SecretMapFailureAnalyzer extends AbstractFailureAnalyzer<BindException> {

	private static final Map<String, String> EXAMPLES = Map.of("authing.headers", "authing.headers.authorization",
			"authing.wechat.accounts",
			"authing.wechat.accounts.shop.app-id and authing.wechat.accounts.shop.app-secret");

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BindException cause) {
		String property = cause.getName().toString();
		String example = EXAMPLES.get(property);
		if (example == null) {
			return null;
		}
		return new FailureAnalysis(
				property + " has a value of its own" + origin(cause.getProperty()) + ", which is not shown here.",
				"Write the value behind a name, such as " + example + ".", cause);
	}

	private static String origin(@Nullable ConfigurationProperty property) {
		return (property != null && property.getOrigin() != null) ? " (set in " + property.getOrigin() + ")" : "";
	}

}
