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

package cn.authing.wechat.sample;

import java.time.Duration;
import java.time.Instant;

import cn.authing.wechat.WechatMpAccessToken;

/**
 * A token as this application shows it.
 *
 * @param account the account's name
 * @param accessToken the token, or just its beginning
 * @param expiresAt when it expires
 * @param expiresInSeconds the seconds up to then by this machine's clock, never negative
 */
record TokenView(String account, String accessToken, Instant expiresAt, long expiresInSeconds) {

	private static final int SHOWN_CHARACTERS = 6;

	static TokenView masked(String account, WechatMpAccessToken token) {
		// Real tokens have more than a hundred characters; of a short one even less
		// shows.
		int shown = Math.min(SHOWN_CHARACTERS, token.accessToken().length() / 2);
		return of(account, token, token.accessToken().substring(0, shown) + "\u2026");
	}

	static TokenView revealed(String account, WechatMpAccessToken token) {
		return of(account, token, token.accessToken());
	}

	private static TokenView of(String account, WechatMpAccessToken token, String shown) {
		long seconds = Math.max(0, Duration.between(Instant.now(), token.expiresAt()).toSeconds());
		return new TokenView(account, shown, token.expiresAt(), seconds);
	}

}
