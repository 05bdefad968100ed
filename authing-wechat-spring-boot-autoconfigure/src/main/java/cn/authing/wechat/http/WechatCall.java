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

package cn.authing.wechat.http;

import java.util.Set;

import org.jspecify.annotations.Nullable;

import org.springframework.util.backoff.BackOff;
import org.springframework.util.backoff.BackOffExecution;

import cn.authing.wechat.WechatMpTokenSource;

/**
 * What happens to one call after each of its answers. Not safe for use by several threads
 * at a time.
 */
final class WechatCall {

	/**
	 * Answer to {@link #pauseBeforeRepeat} if the call is not to be repeated.
	 */
	static final long STOP = BackOffExecution.STOP;

	/**
	 * Does not repeat a call that WeChat is too busy for.
	 */
	static final BackOff NO_BACK_OFF = () -> () -> BackOffExecution.STOP;

	private static final int SYSTEM_BUSY = -1;

	// Invalid credential or not the latest, invalid access_token, expired.
	private static final Set<Integer> TOKEN_REJECTED = Set.of(40001, 40014, 42001);

	private final WechatMpTokenSource tokens;

	private final BackOff busyBackOff;

	private @Nullable BackOffExecution busy;

	private boolean rejected;

	WechatCall(WechatMpTokenSource tokens, BackOff busyBackOff) {
		this.tokens = tokens;
		this.busyBackOff = busyBackOff;
	}

	/**
	 * Take note of an answer: a rejected token is reported, whether or not the call can
	 * be repeated.
	 * @param errcode the answer's {@code errcode}, if it has one
	 * @param accessToken the token that the call was made with
	 * @param repeatable whether the request can be sent again
	 * @return the milliseconds to wait before the call is repeated, or {@link #STOP} if
	 * the answer is to be passed on
	 */
	long pauseBeforeRepeat(@Nullable Integer errcode, String accessToken, boolean repeatable) {
		if (errcode == null) {
			return STOP;
		}
		if (TOKEN_REJECTED.contains(errcode)) {
			this.tokens.invalidate(accessToken);
			boolean first = !this.rejected;
			this.rejected = true;
			return (first && repeatable) ? 0 : STOP;
		}
		return (errcode == SYSTEM_BUSY && repeatable) ? nextBusyBackOff() : STOP;
	}

	private long nextBusyBackOff() {
		if (this.busy == null) {
			this.busy = this.busyBackOff.start();
		}
		return this.busy.nextBackOff();
	}

}
