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

package cn.authing.wechat.test.program;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

import org.springframework.core.annotation.AnnotatedElementUtils;

/**
 * Looks for the program of {@link RequiresProgram}.
 */
class RequiresProgramCondition implements ExecutionCondition {

	@Override
	public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
		return context.getElement()
			.map((element) -> AnnotatedElementUtils.findMergedAnnotation(element, RequiresProgram.class))
			.filter((required) -> Programs.find(required.value()).isEmpty())
			.map((required) -> missing(String.join(" or ", required.value()), required.install()))
			.orElseGet(() -> ConditionEvaluationResult.enabled("The program is there"));
	}

	private static ConditionEvaluationResult missing(String program, String install) {
		return ConditionEvaluationResult
			.disabled(Programs.missing("no " + program + " on the path", "apt-get install " + install));
	}

}
