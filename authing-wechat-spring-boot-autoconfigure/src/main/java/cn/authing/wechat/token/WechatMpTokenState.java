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

package cn.authing.wechat.token;

/**
 * State of an account's cached token at one moment, which says what a caller gets.
 *
 * @since 1.0.0
 */
public enum WechatMpTokenState {

	/**
	 * There has been no token yet; a caller waits for the single flight.
	 */
	EMPTY,

	/**
	 * A valid token is cached that need not be refreshed yet; a caller gets it at once.
	 */
	FRESH,

	/**
	 * The token is past its soft expiry; a caller gets it at once while it is refreshed
	 * in the background.
	 */
	DUE,

	/**
	 * The token is past its hard expiry but not past its real one; or it arrived expired
	 * or was rejected, and there is none better yet; or it has expired, and an earlier
	 * token lives longer. A caller waits for the single flight and gets this token (or
	 * that earlier one) if the flight fails or takes too long; during a back-off at once.
	 */
	STALE,

	/**
	 * The token is past its real expiry or was rejected; a caller waits for the single
	 * flight.
	 */
	EXPIRED,

	/**
	 * The last fetch failed and there is no token to fall back on; a caller gets the
	 * cached failure at once until the back-off has passed, unless a fetch is in flight
	 * all the same: then it waits for that.
	 */
	FAILING

}
