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

import java.time.Duration;
import java.time.Instant;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.client.AuthingTokenResponse;

/**
 * A token as it arrives, with the life that it has left.
 *
 * @param token the token
 * @param life the time to its expiry, in nanoseconds; negative if that has passed
 * @param origin where it came from
 * @param echo whether it is the one that is held, which nobody has handed out again
 */
record ReceivedToken(WechatMpAccessToken token, long life, WechatMpTokenOrigin origin, boolean echo) {

	// The Date header counts whole seconds and the answer travels a while: less of a
	// difference says nothing about the clocks.
	private static final Duration CLOCKS_AGREE = Duration.ofSeconds(5);

	/**
	 * Judge the expiry in Authing's time, where the local clock is off.
	 */
	static ReceivedToken fromAuthing(AuthingTokenResponse response, Instant localTime) {
		return new ReceivedToken(response.token(), life(response.token(), authingTime(response, localTime)),
				WechatMpTokenOrigin.AUTHING, false);
	}

	static Instant authingTime(AuthingTokenResponse response, Instant localTime) {
		Instant serverTime = response.serverTime();
		return (serverTime != null && Duration.between(localTime, serverTime).abs().compareTo(CLOCKS_AGREE) > 0)
				? serverTime : localTime;
	}

	private static long life(WechatMpAccessToken token, Instant now) {
		long seconds = Duration.between(now, token.expiresAt()).getSeconds();
		if (Math.abs(seconds) >= Duration.ofNanos(WechatMpRefreshPolicy.MAX_LIFE).getSeconds()) {
			return (seconds > 0) ? WechatMpRefreshPolicy.MAX_LIFE : -WechatMpRefreshPolicy.MAX_LIFE;
		}
		return Duration.between(now, token.expiresAt()).toNanos();
	}

}
