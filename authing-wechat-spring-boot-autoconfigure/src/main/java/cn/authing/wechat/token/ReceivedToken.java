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

import cn.authing.wechat.WechatMpAccessToken;

/**
 * A token as a fetch brings it, or as another instance has shared it.
 *
 * @param token the token
 * @param life the time to its real expiry, in nanoseconds
 * @param askedAt when Authing was asked for it, a reading of
 * {@link TokenClock#nanoTime()}
 * @param origin where it came from
 * @param redelivered whether this is the cached token returned unchanged rather than a
 * new response
 */
record ReceivedToken(WechatMpAccessToken token, long life, long askedAt, WechatMpTokenOrigin origin,
		boolean redelivered) {

	boolean isExpired() {
		return this.life <= 0;
	}

}
