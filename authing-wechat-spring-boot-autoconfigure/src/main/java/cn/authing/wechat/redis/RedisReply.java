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

package cn.authing.wechat.redis;

import org.jspecify.annotations.Nullable;

import org.springframework.util.Assert;

/**
 * The answer of a script.
 *
 * @param time the time by Redis's clock, in milliseconds; zero if Redis did not tell
 * @param outcome what became of it, in the script's words
 * @param life the time to live of the value, in milliseconds; negative if it has no end
 * or there is no value
 * @param value the value that was found
 */
record RedisReply(long time, String outcome, long life, @Nullable String value) {

	static final String DONE = "done";

	static final String HELD = "held";

	static final String LOST = "lost";

	static final String LATE = "late";

	static final String NEWER = "newer";

	/**
	 * There is no answer.
	 */
	static final RedisReply NONE = new RedisReply(0, "none", -1, null);

	static RedisReply parse(String text) {
		String[] parts = text.split(" ", 4);
		Assert.state(parts.length == 2 || parts.length == 4, "Unexpected script reply");
		boolean found = parts.length == 4;
		return new RedisReply(Long.parseLong(parts[0]), parts[1], found ? Long.parseLong(parts[2]) : -1,
				found ? parts[3] : null);
	}

	/**
	 * Take into account that the answer was on its way, during which time passed.
	 * @param roundTrip the time from the question to the answer, in milliseconds
	 */
	RedisReply receivedAfter(long roundTrip) {
		return new RedisReply(this.time + roundTrip, this.outcome,
				(this.life >= 0) ? Math.max(this.life - roundTrip, 0) : this.life, this.value);
	}

	boolean is(String outcome) {
		return this.outcome.equals(outcome);
	}

	/**
	 * Return whether the script has done what it is there for, or found that it need not.
	 */
	boolean isExecuted() {
		return this != NONE && !is(LATE);
	}

}
