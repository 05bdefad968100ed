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
 * When a token is refreshed, when callers wait for another, and how long to back off
 * after a failure. A {@code with…} method refuses the values that the constructor
 * refuses.
 *
 * @param refreshAhead how long before its real expiry a token is refreshed in the
 * background (soft expiry)
 * @param minRefreshInterval the least time between two background fetches
 * @param expiryMargin how long before its real expiry callers wait for another token
 * (hard expiry)
 * @param initialBackoff the back-off after a first failure, and the cool-down: the least
 * time between any two fetches of an account (but for {@code refreshAccessToken()} and
 * one repeat after a rejection)
 * @param maxBackoff the longest back-off
 * @param timeout how long a fetch takes and a caller waits at most
 * @since 1.0.0
 */
public record WechatMpRefreshPolicy(Duration refreshAhead, Duration minRefreshInterval, Duration expiryMargin,
		Duration initialBackoff, Duration maxBackoff, Duration timeout) {

	/**
	 * The longest time for which a token is cached, in nanoseconds: WeChat documents
	 * 7,200 seconds. What claims to live longer was dated by a wrong clock.
	 */
	static final long MAX_LIFE = Duration.ofHours(2).toNanos();

	/**
	 * Create a new policy.
	 * @throws IllegalArgumentException if a time is negative, {@code initialBackoff} or
	 * {@code timeout} is zero, {@code refreshAhead} is less than {@code expiryMargin}, or
	 * {@code maxBackoff} is less than {@code initialBackoff}
	 */
	public WechatMpRefreshPolicy {
		Assert.isTrue(refreshAhead.compareTo(expiryMargin) >= 0, "'refreshAhead' must not be less than 'expiryMargin'");
		Assert.isTrue(!minRefreshInterval.isNegative(), "'minRefreshInterval' must not be negative");
		Assert.isTrue(!expiryMargin.isNegative(), "'expiryMargin' must not be negative");
		Assert.isTrue(initialBackoff.compareTo(Duration.ZERO) > 0, "'initialBackoff' must be positive");
		Assert.isTrue(maxBackoff.compareTo(initialBackoff) >= 0, "'maxBackoff' must not be less than 'initialBackoff'");
		Assert.isTrue(timeout.compareTo(Duration.ZERO) > 0, "'timeout' must be positive");
	}

	/**
	 * Return the defaults, which are those of the properties: refresh 5 minutes ahead, at
	 * most every 30 seconds, with an expiry margin of 10 seconds, a back-off of 1 second
	 * growing to 30 seconds, and a timeout of 10 seconds.
	 * @return the defaults
	 */
	public static WechatMpRefreshPolicy defaults() {
		return new WechatMpRefreshPolicy(Duration.ofMinutes(5), Duration.ofSeconds(30), Duration.ofSeconds(10),
				Duration.ofSeconds(1), Duration.ofSeconds(30), Duration.ofSeconds(10));
	}

	/**
	 * Return a policy with another refresh-ahead.
	 * @param refreshAhead how long before its real expiry a token is refreshed
	 * @return the policy
	 */
	public WechatMpRefreshPolicy withRefreshAhead(Duration refreshAhead) {
		return new WechatMpRefreshPolicy(refreshAhead, this.minRefreshInterval, this.expiryMargin, this.initialBackoff,
				this.maxBackoff, this.timeout);
	}

	/**
	 * Return a policy with another least time between background fetches.
	 * @param minRefreshInterval the least time
	 * @return the policy
	 */
	public WechatMpRefreshPolicy withMinRefreshInterval(Duration minRefreshInterval) {
		return new WechatMpRefreshPolicy(this.refreshAhead, minRefreshInterval, this.expiryMargin, this.initialBackoff,
				this.maxBackoff, this.timeout);
	}

	/**
	 * Return a policy with another expiry margin.
	 * @param expiryMargin how long before its real expiry callers wait for another token
	 * @return the policy
	 */
	public WechatMpRefreshPolicy withExpiryMargin(Duration expiryMargin) {
		return new WechatMpRefreshPolicy(this.refreshAhead, this.minRefreshInterval, expiryMargin, this.initialBackoff,
				this.maxBackoff, this.timeout);
	}

	/**
	 * Return a policy with another back-off.
	 * @param initial the back-off after a first failure
	 * @param max the longest back-off
	 * @return the policy
	 */
	public WechatMpRefreshPolicy withBackoff(Duration initial, Duration max) {
		return new WechatMpRefreshPolicy(this.refreshAhead, this.minRefreshInterval, this.expiryMargin, initial, max,
				this.timeout);
	}

	/**
	 * Return a policy with another timeout.
	 * @param timeout how long a fetch takes and a caller waits at most
	 * @return the policy
	 */
	public WechatMpRefreshPolicy withTimeout(Duration timeout) {
		return new WechatMpRefreshPolicy(this.refreshAhead, this.minRefreshInterval, this.expiryMargin,
				this.initialBackoff, this.maxBackoff, timeout);
	}

	/**
	 * Return how long a token is served without a wait. The margin is at most a fifth of
	 * the token's life: to keep more of a short one would be to fetch all the time.
	 * @param life the time to its real expiry, in nanoseconds
	 * @return the time to its hard expiry, in nanoseconds
	 */
	long untilHardExpiry(long life) {
		return life - Math.min(this.expiryMargin.toNanos(), life / 5);
	}

	/**
	 * Return how long a token need not be refreshed. One that arrives with less life than
	 * twice {@code refreshAhead} is refreshed in the last fifth of the time to its hard
	 * expiry. The moment is moved earlier at random, by up to a tenth of
	 * {@code refreshAhead}, or of that fifth, so that a fleet does not refresh in step.
	 * @param life the time to its real expiry, in nanoseconds
	 * @param random a number from 0 (inclusive) to 1 (exclusive)
	 * @return the time to its soft expiry, in nanoseconds
	 */
	long untilSoftExpiry(long life, double random) {
		long untilHardExpiry = untilHardExpiry(life);
		long ahead = this.refreshAhead.toNanos();
		long window = (life < 2 * ahead) ? untilHardExpiry / 5 : ahead - (life - untilHardExpiry);
		long spread = (life < 2 * ahead) ? window / 10 : ahead / 10;
		return Math.max(untilHardExpiry - window - (long) (spread * random), 0);
	}

	/**
	 * Return the back-off after a failure: doubled each time, shortened at random by up
	 * to a fifth, never less than {@code initialBackoff} nor more than
	 * {@code maxBackoff}.
	 * @param failures how many failures in a row there were, at least 1
	 * @param retryAfter the pause that Authing asked for
	 * @param random a number from 0 (inclusive) to 1 (exclusive)
	 * @return the back-off, in nanoseconds
	 */
	long backoff(int failures, @Nullable Duration retryAfter, double random) {
		long initial = this.initialBackoff.toNanos();
		long max = this.maxBackoff.toNanos();
		int doublings = Math.min(failures - 1, Long.numberOfLeadingZeros(initial) - 2);
		long backoff = Math.min(initial << doublings, max);
		backoff = Math.max(backoff - (long) (backoff / 5 * random), initial);
		if (retryAfter != null && retryAfter.compareTo(this.maxBackoff) < 0) {
			return Math.max(backoff, retryAfter.toNanos());
		}
		return (retryAfter != null) ? max : backoff;
	}

}
