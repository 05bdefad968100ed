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

import java.util.ArrayList;
import java.util.List;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.autoconfigure.DefaultAccountCheck.DefaultAccountException;

/**
 * Analyzes a {@link DefaultAccountException}: what Authing answered and what to change.
 */
final class DefaultAccountFailureAnalyzer extends AbstractFailureAnalyzer<DefaultAccountException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, DefaultAccountException cause) {
		StringBuilder description = new StringBuilder("""
				The access token of the default WeChat account could not be fetched, and authing.wechat.fail-fast is \
				set:

				    %s
				""".formatted(cause.getMessage()));
		List<String> facts = new ArrayList<>();
		if (cause.getCause() instanceof AuthingException exception) {
			if (exception instanceof AuthingApiException api) {
				facts.add("statusCode: " + api.getStatusCode());
				facts.add("apiCode: " + ((api.getApiCode() != null) ? api.getApiCode() : "none"));
			}
			facts.add("requestId: " + ((exception.getRequestId() != null) ? exception.getRequestId() : "none"));
			facts.add(exception.isRetryable() ? "It may succeed later." : "It will not succeed without a change.");
		}
		facts.forEach((fact) -> description.append("\n    ").append(fact));
		return new FailureAnalysis(description.append('\n').toString(), """
				Correct what the message names: authing.app-host and authing.app-id, or authing.wechat.app-id and \
				authing.wechat.app-secret (without those the pair of the Authing application is sent). Authing's \
				support asks for the requestId.

				To start all the same, remove authing.wechat.fail-fast.""", cause);
	}

}
