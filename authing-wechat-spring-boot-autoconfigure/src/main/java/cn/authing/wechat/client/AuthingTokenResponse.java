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

import java.time.Instant;

import org.jspecify.annotations.Nullable;

import org.springframework.util.Assert;

import cn.authing.wechat.WechatMpAccessToken;

/**
 * A successful answer of Authing.
 *
 * @param token the token and its expiry, the answer's {@code data}
 * @param serverTime the time by Authing's clock when it answered (the {@code Date}
 * header), or {@code null} if the answer did not tell
 * @param requestId Authing's id of the request, or {@code null}
 * @param statusCode the {@code statusCode} of the answer's body
 * @param message the {@code message} of the answer's body, fit for a log, or {@code null}
 * @since 1.0.0
 */
public record AuthingTokenResponse(WechatMpAccessToken token, @Nullable Instant serverTime, @Nullable String requestId,
		int statusCode, @Nullable String message) {

	public AuthingTokenResponse {
		Assert.notNull(token, "'token' must not be null");
	}

	/**
	 * Create a new answer with status code 200 and no message.
	 * @param token the token and its expiry
	 * @param serverTime the time by Authing's clock
	 * @param requestId Authing's id of the request
	 */
	public AuthingTokenResponse(WechatMpAccessToken token, @Nullable Instant serverTime, @Nullable String requestId) {
		this(token, serverTime, requestId, 200, null);
	}

}
