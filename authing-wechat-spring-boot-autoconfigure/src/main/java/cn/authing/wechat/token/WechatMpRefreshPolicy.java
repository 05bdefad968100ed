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

import org.jspecify.annotations.Nullable;

import org.springframework.util.Assert;

/**
 * When a token is renewed, when it counts as expired and how long to pause between
 * fetches. All the arithmetic of time is here.
 *
 * @param refreshAhead how long before its expiry a token is renewed in the background
 * @param minRefreshInterval the least time between two background fetches
 * @param expiryMargin how long before its expiry a token is treated as expired
 * @param initialBackoff the pause after a first failure, and the least time between any
 * two fetches of one entry
 * @param maxBackoff the longest pause
 * @param timeout how long a caller waits at most
 * @since 1.0.0
 */
public record WechatMpRefreshPolicy(Duration refreshAhead, Duration minRefreshInterval, Duration expiryMargin,
		Duration initialBackoff, Duration maxBackoff, Duration timeout) {

	/**
	 * The longest that a token is held: WeChat documents 7,200 seconds. What claims to
	 * live longer was dated by a wrong clock.
	 */
	static final long MAX_LIFE = Duration.ofHours(2).toNanos();

	public WechatMpRefreshPolicy {
		Assert.isTrue(refreshAhead.compareTo(expiryMargin) >= 0, "'refreshAhead' must not be less than 'expiryMargin'");
		Assert.isTrue(!minRefreshInterval.isNegative(), "'minRefreshInterval' must not be negative");
		Assert.isTrue(!expiryMargin.isNegative(), "'expiryMargin' must not be negative");
		Assert.isTrue(initialBackoff.compareTo(Duration.ZERO) > 0, "'initialBackoff' must be positive");
		Assert.isTrue(maxBackoff.compareTo(initialBackoff) >= 0, "'maxBackoff' must not be less than 'initialBackoff'");
		Assert.isTrue(timeout.compareTo(Duration.ZERO) > 0, "'timeout' must be positive");
	}

	/**
	 * Return how long a token with so much life left may be handed out.
	 * @param life the time to its expiry, in nanoseconds
	 * @return the usable part, in nanoseconds; zero or less if it has come too late
	 */
	long usable(long life) {
		return life - this.expiryMargin.toNanos();
	}

	/**
	 * Return how long a token with so much life left need not be renewed. A token that
	 * arrives with less life than twice {@code refreshAhead} is renewed in the last fifth
	 * of its usable time. The moment is moved earlier at random, by up to a tenth of the
	 * time that is left for the renewal, so that a fleet does not renew in step.
	 * @param life the time to its expiry, in nanoseconds
	 * @param random a number from 0 (inclusive) to 1 (exclusive)
	 * @return the time to the renewal, in nanoseconds
	 */
	long untilRefresh(long life, double random) {
		long usable = usable(life);
		long ahead = this.refreshAhead.toNanos();
		long window = (life < 2 * ahead) ? usable / 5 : ahead - this.expiryMargin.toNanos();
		long spread = (life < 2 * ahead) ? window / 10 : ahead / 10;
		return Math.max(usable - window - (long) (spread * random), 0);
	}

	/**
	 * Return the pause after a failure: doubled each time, shortened at random by up to a
	 * fifth, never less than {@code initialBackoff} nor more than {@code maxBackoff}.
	 * @param attempt which failure in a row this is, from 1
	 * @param retryAfter the pause that the other end asked for
	 * @param random a number from 0 (inclusive) to 1 (exclusive)
	 * @return the pause, in nanoseconds
	 */
	long pause(int attempt, @Nullable Duration retryAfter, double random) {
		long initial = this.initialBackoff.toNanos();
		long max = this.maxBackoff.toNanos();
		int doublings = Math.min(attempt - 1, Long.numberOfLeadingZeros(initial) - 2);
		long pause = Math.min(initial << doublings, max);
		pause = Math.max(pause - (long) (pause / 5 * random), initial);
		if (retryAfter != null && retryAfter.compareTo(this.maxBackoff) < 0) {
			return Math.max(pause, retryAfter.toNanos());
		}
		return (retryAfter != null) ? max : pause;
	}

}
