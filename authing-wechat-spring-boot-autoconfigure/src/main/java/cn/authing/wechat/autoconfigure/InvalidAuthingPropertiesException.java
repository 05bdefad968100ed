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

import org.springframework.util.StringUtils;

import cn.authing.wechat.client.SafeText;

/**
 * Configuration properties do not allow a start. Says all that is wrong with them, and
 * shows no secret.
 */
final class InvalidAuthingPropertiesException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final transient List<Problem> problems;

	InvalidAuthingPropertiesException(List<Problem> problems) {
		super(StringUtils.collectionToDelimitedString(problems, " "));
		this.problems = List.copyOf(problems);
	}

	static InvalidAuthingPropertiesException of(String property, String reason, String remedy) {
		return new InvalidAuthingPropertiesException(List.of(new Problem(property, reason, remedy)));
	}

	List<Problem> getProblems() {
		return this.problems;
	}

	/**
	 * What is wrong with one property.
	 *
	 * @param property the name
	 * @param reason what is wrong, as a predicate of the name
	 * @param remedy what to write instead, as a sentence
	 */
	record Problem(String property, String reason, String remedy) {

		// Names of accounts, headers and groups are what was written
		Problem {
			property = SafeText.of(property);
			reason = SafeText.of(reason);
			remedy = SafeText.of(remedy);
		}

		@Override
		public String toString() {
			return this.property + " " + this.reason + ". " + this.remedy;
		}

	}

}
