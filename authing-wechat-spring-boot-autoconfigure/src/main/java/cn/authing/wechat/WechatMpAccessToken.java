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

package cn.authing.wechat;

import java.time.Instant;

import org.springframework.util.Assert;

/**
 * A WeChat access token and its expiry.
 *
 * @param accessToken the token, as WeChat takes it in {@code access_token}; it is not
 * part of {@link #toString()}
 * @param expiresAt when the token expires, in the time of Authing's clock. An application
 * need not look at it: what the {@link WechatMpTokenService} hands out is valid, or the
 * best that can be had. If Authing did not say, it is the moment up to which the token is
 * kept
 * @since 1.0.0
 */
public record WechatMpAccessToken(String accessToken, Instant expiresAt) {

	public WechatMpAccessToken {
		Assert.hasText(accessToken, "'accessToken' must not be blank");
		Assert.notNull(expiresAt, "'expiresAt' must not be null");
	}

	@Override
	public String toString() {
		return "WechatMpAccessToken[accessToken=***, expiresAt=" + this.expiresAt + "]";
	}

}
