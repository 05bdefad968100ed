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

package cn.authing.wechat.client;

/**
 * Authing's operations that answer with a WeChat access token. They take the same request
 * and give the same answer.
 *
 * @since 1.0.0
 */
public enum AuthingOperation {

	/**
	 * The operation that all deployments of Authing have.
	 */
	ACCESS_TOKEN("/api/v3/get-wechat-access-token"),

	/**
	 * The newer operation, which Authing's current documents prefer. Old private
	 * deployments do not have it.
	 */
	ACCESS_TOKEN_INFO("/api/v3/get-wechat-access-token-info");

	private final String path;

	AuthingOperation(String path) {
		this.path = path;
	}

	String getPath() {
		return this.path;
	}

}
