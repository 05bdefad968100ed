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

import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;

/**
 * The uncached operation, as in Authing's SDKs: every subscription asks Authing.
 * Applications use the {@link WechatMpTokenService}, which asks only when it must.
 * <p>
 * An implementation should not block the thread that subscribes, although the token
 * service uses threads of its own for that. It must end, one way or the other, when
 * {@code authing.timeout} has passed; the token service waits no longer.
 *
 * @since 1.0.0
 */
public interface AuthingWechatClient {

	/**
	 * Ask Authing for the current token of an account. Nothing happens until a
	 * subscription; each subscription is one request, repeated where the failure is of a
	 * kind that passes. Cancelling ends the request.
	 * @param credentials the WeChat app id and secret
	 * @return the token, never empty. Errors are {@link AuthingException}s
	 */
	Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials);

	/**
	 * Same as {@link #getWechatMpAccessToken(WechatMpCredentials)}, with the whole
	 * answer: status code, message, request id, data and Authing's time. This is what the
	 * token service calls.
	 * @param credentials the WeChat app id and secret
	 * @return the answer, never empty. Errors are {@link AuthingException}s
	 */
	default Mono<AuthingTokenResponse> fetch(WechatMpCredentials credentials) {
		return getWechatMpAccessToken(credentials).map((token) -> new AuthingTokenResponse(token, null, null));
	}

}
