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

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;

import cn.authing.wechat.autoconfigure.InvalidAuthingPropertiesException.Problem;

/**
 * Analyzes an {@link InvalidAuthingPropertiesException}: what is wrong, where it was set
 * and what to write.
 */
final class InvalidAuthingPropertiesFailureAnalyzer extends AbstractFailureAnalyzer<InvalidAuthingPropertiesException> {

	private static final String ACTION = """
			Correct the properties. The least that is needed, in application.yaml:

			    authing:
			      app-id: 1234567890abcdef12345678
			      app-secret: ${AUTHING_APP_SECRET}
			      app-host: https://example.authing.cn

			To start without WeChat access tokens, set authing.wechat.enabled=false.""";

	private final @Nullable Environment environment;

	InvalidAuthingPropertiesFailureAnalyzer(@Nullable Environment environment) {
		this.environment = environment;
	}

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, InvalidAuthingPropertiesException cause) {
		StringBuilder description = new StringBuilder("The configuration of Authing is not usable:%n".formatted());
		for (Problem problem : cause.getProblems()) {
			description.append("%n    %s %s%s.%n        %s%n".formatted(problem.property(), problem.reason(),
					origin(problem.property(), this.environment), problem.remedy()));
		}
		return new FailureAnalysis(description.toString(), ACTION, cause);
	}

	static String origin(String property, @Nullable Environment environment) {
		ConfigurationProperty found = (environment != null)
				? BoundProperties.find(environment, ConfigurationPropertyName.adapt(property, '.')) : null;
		return (found != null && found.getOrigin() != null) ? " (set in " + found.getOrigin() + ")" : "";
	}

}
