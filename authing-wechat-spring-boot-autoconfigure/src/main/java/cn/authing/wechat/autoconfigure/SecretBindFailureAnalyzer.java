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

import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * {@link AbstractFailureAnalyzer} for a secret that could not be bound, and for a value
 * where there must be further names, which may be a secret. Comes before Spring Boot's
 * own, which would show the value, and hides the exception, which may contain it.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class SecretBindFailureAnalyzer extends AbstractFailureAnalyzer<BindException> {

	private static final String ACCOUNTS = "authing.wechat.accounts";

	private static final Map<String, String> REMEDIES = Map.of("authing.headers",
			"Write the value behind the name of a header, such as authing.headers.authorization.",
			"authing.wechat.cache.redis.encryption-keys",
			"Write a comma-separated list, or number the keys from [0] on without a gap.");

	private static final String ACCOUNT_REMEDY = "Write the accounts as " + ACCOUNTS + ".shop.app-id and " + ACCOUNTS
			+ ".shop.app-secret. A name that has other than ASCII letters, digits and hyphens goes into brackets: "
			+ ACCOUNTS + "[旗舰店].app-id; in YAML, write the name as \"[旗舰店]\".";

	private static final List<ConfigurationPropertyName> SECRETS = List.of(
			ConfigurationPropertyName.of("authing.app-secret"), ConfigurationPropertyName.of("authing.headers"),
			ConfigurationPropertyName.of("authing.wechat.cache.redis.encryption-keys"));

	private static final ConfigurationPropertyName ACCOUNTS_NAME = ConfigurationPropertyName.of(ACCOUNTS);

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BindException cause) {
		ConfigurationPropertyName name = cause.getName();
		boolean account = ACCOUNTS_NAME.equals(name) || ACCOUNTS_NAME.isAncestorOf(name);
		if (!account && !SecretNames.isSecret(name.toString())
				&& SECRETS.stream().noneMatch((secret) -> name.isAncestorOf(secret))) {
			return null;
		}
		String remedy = account ? ACCOUNT_REMEDY
				: REMEDIES.getOrDefault(name.toString(), "Write one value, without names or numbers below it.");
		InvalidAuthingPropertiesException shown = InvalidAuthingPropertiesException.of(name.toString(),
				"cannot be bound", remedy);
		return new FailureAnalysis(name + " cannot be bound" + origin(cause) + ". The value is not shown here.", remedy,
				shown);
	}

	private static String origin(BindException cause) {
		ConfigurationProperty property = cause.getProperty();
		if (property == null && cause.getCause() instanceof UnboundConfigurationPropertiesException unbound) {
			property = StreamSupport.stream(unbound.getUnboundProperties().spliterator(), false)
				.findFirst()
				.orElse(null);
		}
		return (property != null && property.getOrigin() != null)
				? ": " + property.getName() + " is set in " + property.getOrigin() : "";
	}

}
