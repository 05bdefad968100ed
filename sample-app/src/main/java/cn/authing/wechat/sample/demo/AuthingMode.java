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

package cn.authing.wechat.sample.demo;

import java.util.Locale;

/**
 * How the demo's Authing behaves.
 *
 * @since 1.0.0
 */
public enum AuthingMode {

	/**
	 * It works.
	 */
	UP,

	/**
	 * It closes every connection without an answer.
	 */
	DOWN,

	/**
	 * It works, but takes three seconds for it.
	 */
	SLOW,

	/**
	 * It answers that there are too many requests.
	 */
	THROTTLED,

	/**
	 * It answers with a web page, as a gateway in front of it may.
	 */
	HTML;

	/**
	 * Return the name that the page uses.
	 * @return the name, in lower case
	 */
	public String id() {
		return name().toLowerCase(Locale.ROOT);
	}

}
