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

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;

/**
 * All that an entry knows, at one moment. Immutable: an entry changes by swapping one
 * snapshot for the next, and what state it is in follows from a snapshot and the time
 * alone. Times are readings of {@link TokenClock#nanoTime()}.
 *
 * @param token the token, if one was ever received; also when it is expired or rejected
 * @param refreshAt up to when the token is handed out without another thought;
 * {@link #NEVER} if there is none or it was rejected
 * @param usableUntil up to when the token may be handed out
 * @param standing what became of the token
 * @param attempts what the fetches so far mean for the next one
 * @param fetch the fetch in flight, if there is one
 */
record TokenSnapshot(@Nullable WechatMpAccessToken token, long refreshAt, long usableUntil, Standing standing,
		Attempts attempts, @Nullable TokenFetch fetch) {

	/**
	 * A time before all others.
	 */
	static final long NEVER = Long.MIN_VALUE;

	// Some servers compute the whole seconds of an expiry anew for each answer.
	private static final Duration SAME_EXPIRY = Duration.ofSeconds(2);

	static final TokenSnapshot EMPTY = new TokenSnapshot(null, NEVER, NEVER, Standing.GOOD, Attempts.NONE, null);

	/**
	 * Return the state at a time.
	 */
	WechatMpTokenState state(long now) {
		if (now < this.refreshAt) {
			return WechatMpTokenState.FRESH;
		}
		if (isUsable(now)) {
			return WechatMpTokenState.DUE;
		}
		if (this.attempts.failure() != null && now < this.attempts.fetchFrom()) {
			return WechatMpTokenState.FAILING;
		}
		return (this.token != null) ? WechatMpTokenState.EXPIRED : WechatMpTokenState.EMPTY;
	}

	/**
	 * Return whether the token held is a valid one.
	 */
	boolean isUsable(long now) {
		return now < this.usableUntil && this.standing != Standing.REJECTED;
	}

	/**
	 * Return whether anybody has asked for the token yet.
	 */
	boolean isUsed() {
		return this.token != null || this.attempts.failure() != null;
	}

	/**
	 * Return whether a background fetch is wanted and may start.
	 */
	boolean mayRenew(long now) {
		return this.fetch == null && now >= this.attempts.renewFrom() && state(now) == WechatMpTokenState.DUE;
	}

	/**
	 * Return whether callers are given the token although it was rejected: tokens are
	 * being rejected one after the other, and to fetch the next one so soon would be a
	 * loop. WeChat's own answer tells the caller more than a failure of ours would.
	 */
	boolean isHeldThroughRejections(long now, long patience) {
		return this.standing == Standing.REJECTED && this.attempts.rejections() > 1 && this.fetch == null
				&& this.attempts.failure() == null && now < this.usableUntil
				&& this.attempts.fetchFrom() > now + patience;
	}

	boolean holds(String accessToken) {
		return this.token != null && this.token.accessToken().equals(accessToken);
	}

	/**
	 * Return the token where there must be one.
	 */
	WechatMpAccessToken requiredToken() {
		Assert.state(this.token != null, "No token is held");
		return this.token;
	}

	TokenSnapshot fetching(@Nullable TokenFetch fetch) {
		return new TokenSnapshot(this.token, this.refreshAt, this.usableUntil, this.standing, this.attempts, fetch);
	}

	/**
	 * Take in a token that a fetch brought.
	 */
	TokenSnapshot received(ReceivedToken received, boolean inBackground, long now, WechatMpRefreshPolicy policy,
			double random) {
		long usable = policy.usable(received.life());
		if (received.echo() && this.standing == Standing.REJECTED) {
			// Rejected since it was taken for what there is.
			return fetching(null);
		}
		boolean same = holds(received.token().accessToken());
		if (usable <= 0) {
			return receivedTooLate(received, now, policy, random);
		}
		if (same && this.standing != Standing.GOOD) {
			// Rejected, yet handed out again: the authority may know better.
			Attempts next = this.attempts.suspectAgain(received.origin(), now, policy, random);
			return new TokenSnapshot(received.token(), Math.min(next.renewFrom(), now + usable), now + usable,
					Standing.SUSPECT, next, null);
		}
		if (same && isUsable(now) && expiresAsKnown(received.token())) {
			return new TokenSnapshot(this.token, this.refreshAt, this.usableUntil, Standing.GOOD,
					this.attempts.noNews(received.echo(), now, policy), null);
		}
		Attempts next = this.attempts.received(received.origin(), inBackground || same, now, policy);
		return new TokenSnapshot(received.token(), now + policy.untilRefresh(received.life(), random), now + usable,
				Standing.GOOD, next, null);
	}

	private TokenSnapshot receivedTooLate(ReceivedToken received, long now, WechatMpRefreshPolicy policy,
			double random) {
		Attempts next = this.attempts.expiredOnArrival(received.origin(), now, policy, random);
		if (isUsable(now)) {
			return new TokenSnapshot(this.token, this.refreshAt, this.usableUntil, this.standing, next, null);
		}
		// There is none better: callers get it, and the other end is left alone for as
		// long as after a failure.
		return new TokenSnapshot(received.token(), next.fetchFrom(), next.fetchFrom(), Standing.GOOD, next, null);
	}

	/**
	 * Return whether a token expires later than the one held, by more than the expiry of
	 * one and the same token may differ.
	 */
	boolean isOutlivedBy(WechatMpAccessToken other) {
		return this.token != null && other.expiresAt().isAfter(this.token.expiresAt()) && !expiresAsKnown(other);
	}

	private boolean expiresAsKnown(WechatMpAccessToken received) {
		return this.token != null
				&& Duration.between(this.token.expiresAt(), received.expiresAt()).abs().compareTo(SAME_EXPIRY) <= 0;
	}

	/**
	 * Take in the failure of a fetch. A token that is held stays as it is.
	 */
	TokenSnapshot failed(AuthingException failure, boolean warned, long now, WechatMpRefreshPolicy policy,
			double random) {
		return new TokenSnapshot(this.token, this.refreshAt, this.usableUntil, this.standing,
				this.attempts.failed(failure, warned, now, policy, random), null);
	}

	/**
	 * Take in that WeChat rejected the token held.
	 */
	TokenSnapshot rejected(long now, long since, WechatMpRefreshPolicy policy, double random) {
		return new TokenSnapshot(this.token, NEVER, this.usableUntil, Standing.REJECTED,
				this.attempts.rejected(now, since, policy, random), this.fetch);
	}

	/**
	 * What became of a token.
	 */
	enum Standing {

		GOOD,

		/**
		 * Rejected by WeChat, and handed out by the authority again.
		 */
		SUSPECT,

		/**
		 * Rejected by WeChat.
		 */
		REJECTED

	}

	/**
	 * What the fetches so far mean for the next one.
	 *
	 * @param origin where the last token came from
	 * @param receivedAt when the last token came
	 * @param fetchFrom before this time nothing is fetched
	 * @param renewFrom before this time nothing is fetched in the background
	 * @param failure the failure of the last fetch, if it failed
	 * @param failures how many fetches in a row brought nothing of use
	 * @param rejections how many tokens in a row were rejected soon after they came
	 * @param rejectedAt when the last of them was rejected
	 * @param warned whether the streak of fetches that brought nothing of use was logged
	 */
	record Attempts(@Nullable WechatMpTokenOrigin origin, long receivedAt, long fetchFrom, long renewFrom,
			@Nullable AuthingException failure, int failures, int rejections, long rejectedAt, boolean warned) {

		static final Attempts NONE = new Attempts(null, NEVER, NEVER, NEVER, null, 0, 0, NEVER, false);

		AuthingException requiredFailure() {
			Assert.state(this.failure != null, "No failure is remembered");
			return this.failure;
		}

		Attempts received(@Nullable WechatMpTokenOrigin origin, boolean spaced, long now,
				WechatMpRefreshPolicy policy) {
			long fetchFrom = now + policy.initialBackoff().toNanos();
			long renewFrom = Math.max(fetchFrom, spaced ? now + policy.minRefreshInterval().toNanos() : this.renewFrom);
			return new Attempts(origin, now, fetchFrom, renewFrom, null, 0, this.rejections, this.rejectedAt, false);
		}

		// That another instance asks ends no streak of failures of this one.
		Attempts noNews(boolean echo, long now, WechatMpRefreshPolicy policy) {
			Attempts next = received(this.origin, true, now, policy);
			return new Attempts(this.origin, this.receivedAt, next.fetchFrom, next.renewFrom,
					echo ? this.failure : null, echo ? this.failures : 0, this.rejections, this.rejectedAt,
					echo && this.warned);
		}

		Attempts expiredOnArrival(WechatMpTokenOrigin origin, long now, WechatMpRefreshPolicy policy, double random) {
			int setbacks = this.failures + 1;
			long fetchFrom = now + policy.pause(setbacks, null, random);
			long renewFrom = Math.max(fetchFrom, now + policy.minRefreshInterval().toNanos());
			return new Attempts(origin, now, fetchFrom, renewFrom, null, setbacks, this.rejections, this.rejectedAt,
					this.warned || setbacks > 1);
		}

		Attempts suspectAgain(WechatMpTokenOrigin origin, long now, WechatMpRefreshPolicy policy, double random) {
			long from = now + policy.pause(this.rejections, null, random);
			return new Attempts(origin, now, from, from, null, 0, this.rejections + 1, this.rejectedAt, false);
		}

		Attempts failed(AuthingException failure, boolean warned, long now, WechatMpRefreshPolicy policy,
				double random) {
			int failures = this.failures + 1;
			long fetchFrom = now + policy.pause(failures, failure.getRetryAfter(), random);
			long renewFrom = Math.max(fetchFrom, now + policy.minRefreshInterval().toNanos());
			return new Attempts(this.origin, this.receivedAt, fetchFrom, renewFrom, failure, failures, this.rejections,
					this.rejectedAt, this.warned || warned);
		}

		Attempts rejected(long now, long since, WechatMpRefreshPolicy policy, double random) {
			boolean soon = this.rejections > 0 && now - this.receivedAt < policy.maxBackoff().toNanos();
			int rejections = soon ? this.rejections + 1 : 1;
			long from = Math.max(this.fetchFrom, this.receivedAt + policy.pause(rejections, null, random));
			return new Attempts(this.origin, this.receivedAt, from, Math.max(from, this.renewFrom), this.failure,
					this.failures, rejections, now - since, this.warned);
		}

	}

}
