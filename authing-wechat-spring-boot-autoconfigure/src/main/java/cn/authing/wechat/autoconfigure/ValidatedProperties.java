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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;
import org.springframework.core.log.LogMessage;

import cn.authing.wechat.client.DefaultAuthingWechatClient;

/**
 * The properties below {@code authing}, which are valid or this bean does not exist. What
 * is made of properties asks this bean for them, since the beans that Spring Boot binds
 * may be bound again in place, by Spring Cloud, and are not validated.
 */
class ValidatedProperties {

	private static final Log logger = LogFactory.getLog(ValidatedProperties.class);

	private final Environment environment;

	private final boolean connectionRequired;

	private final boolean accountsRequired;

	private final boolean pairRequired;

	private final Set<String> secrets = ConcurrentHashMap.newKeySet();

	private List<String> reported = List.of();

	private final BoundProperties initial;

	private volatile BoundProperties current;

	ValidatedProperties(Environment environment, ListableBeanFactory beans) {
		this.environment = environment;
		boolean ownDetails = isDefined(PropertiesAuthingConnectionDetails.class, beans);
		this.connectionRequired = ownDetails && isDefined(DefaultAuthingWechatClient.class, beans);
		this.accountsRequired = isDefined(PropertiesWechatMpAccountProvider.class, beans);
		this.pairRequired = ownDetails && this.accountsRequired;
		this.initial = bind();
		this.current = this.initial;
	}

	private static boolean isDefined(Class<?> type, ListableBeanFactory beans) {
		return beans.getBeanNamesForType(type, true, false).length > 0;
	}

	/**
	 * Return the properties as they were bound last.
	 */
	BoundProperties current() {
		return this.current;
	}

	/**
	 * Return the properties as they were bound at start-up.
	 */
	BoundProperties initial() {
		return this.initial;
	}

	/**
	 * Return all secrets since start-up, also those of properties that were not valid.
	 */
	Set<String> secrets() {
		return this.secrets;
	}

	/**
	 * Return why properties cannot be bound, and what to write.
	 */
	@Nullable String explain(BindException failure) {
		FailureAnalysis analysis = new AuthingFailureAnalyzer(null, this.environment).analyze(failure);
		return (analysis != null) ? analysis.getDescription() + " " + analysis.getAction() : failure.getMessage();
	}

	/**
	 * Bind the properties again, since their sources may have changed.
	 * @throws InvalidAuthingPropertiesException if they are no longer valid; then those
	 * that were bound before remain the current ones
	 */
	BoundProperties rebind() {
		this.current = bind();
		return this.current;
	}

	private BoundProperties bind() {
		this.secrets.addAll(BoundProperties.unboundSecrets(this.environment));
		BoundProperties properties = BoundProperties.from(this.environment);
		this.secrets.addAll(properties.secrets(this.environment));
		PropertyScan scan = new PropertyScan(this.environment, properties);
		reportUnknown(scan.unknown());
		new AuthingPropertiesValidator(properties, scan.problems()).validate(this.connectionRequired,
				this.accountsRequired, this.pairRequired);
		return properties;
	}

	private synchronized void reportUnknown(List<String> unknown) {
		if (!unknown.isEmpty() && !unknown.equals(this.reported)) {
			logger.warn(LogMessage.format("Configuration properties that nothing of Authing's reads: %s",
					String.join(", ", unknown)));
		}
		this.reported = unknown;
	}

}
