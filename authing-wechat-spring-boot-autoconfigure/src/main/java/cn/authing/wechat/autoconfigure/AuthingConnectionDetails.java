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

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * Where Authing is and as which of its applications it is called. Without a bean of this
 * type it is what {@link AuthingProperties} say; with one, the application need not set
 * {@code authing.app-host}, {@code authing.app-id} and {@code authing.app-secret}.
 *
 * @since 1.0.0
 */
public interface AuthingConnectionDetails extends ConnectionDetails {

	/**
	 * Return the base URL of the Authing application. The rules of
	 * {@code authing.app-host} apply: {@code http} is refused, except on loopback, unless
	 * {@code authing.allow-http} is set.
	 * @return the URL, such as {@code https://example.authing.cn}
	 */
	String getAppHost();

	/**
	 * Return the app id of the Authing application.
	 * @return the app id
	 */
	String getAppId();

	/**
	 * Return the app secret of the Authing application. It is only needed where it stands
	 * in for the app secret of the default WeChat account.
	 * @return the app secret, or {@code null}
	 */
	default @Nullable String getAppSecret() {
		return null;
	}

}
