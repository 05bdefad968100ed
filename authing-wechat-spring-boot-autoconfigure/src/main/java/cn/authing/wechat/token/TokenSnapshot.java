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
import java.util.Objects;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.token.TokenFetch.ReceivedToken;
import cn.authing.wechat.token.TokenFetch.SharedResult;

/**
 * All that an entry knows, at one moment. Immutable: an entry changes by swapping one
 * snapshot for the next. All decisions about a token are made here, by pure functions of
 * snapshot, policy, time and random number; only the fetch in flight changes by itself.
 * Times are readings of {@link TokenClock#nanoTime()}; {@link TokenClock#LONG_AGO} has
 * always passed.
 *
 * @param token the token, if one was ever received; also when it is expired or rejected
 * @param origin where the token came from
 * @param validity whether the token can be expected to work
 * @param receivedAt when the token was received
 * @param softExpiry until then the token is served without triggering a refresh
 * @param hardExpiry until then the token is served without a wait
 * @param staleUntil until then the token is served if a fetch fails (stale-if-error): its
 * real expiry; of an expired or rejected token that is all there is, about the end of the
 * back-off, after which another may be fetched
 * @param fallback an earlier token that lives longer than this one; served once this one
 * is past {@code staleUntil}
 * @param backOff how soon the next fetch may come
 * @param failures the streak of fetches that brought nothing of use
 * @param rejections the streak of tokens that were rejected soon after they came
 * @param fetch the fetch in flight, if there is one
 */
record TokenSnapshot(@Nullable WechatMpAccessToken token, @Nullable WechatMpTokenOrigin origin, Validity validity,
		long receivedAt, long softExpiry, long hardExpiry, long staleUntil, @Nullable Fallback fallback,
		BackOff backOff, FailureStreak failures, RejectionStreak rejections, @Nullable TokenFetch fetch) {

	// Some servers compute the whole seconds of an expiry anew for each answer.
	private static final Duration SAME_EXPIRY = Duration.ofSeconds(2);

	// A token is in the store a moment after it was received.
	private static final Duration PUBLISH_DELAY = Duration.ofSeconds(1);

	private static final long LONG_AGO = TokenClock.LONG_AGO;

	static final TokenSnapshot EMPTY = new TokenSnapshot(null, null, Validity.VALID, LONG_AGO, LONG_AGO, LONG_AGO,
			LONG_AGO, null, new BackOff(LONG_AGO, LONG_AGO), new FailureStreak(null, 0, 0),
			new RejectionStreak(0, LONG_AGO, LONG_AGO), null);

	WechatMpTokenState state(long now) {
		if (now < this.softExpiry) {
			return WechatMpTokenState.FRESH;
		}
		if (now < this.hardExpiry) {
			return WechatMpTokenState.DUE;
		}
		if (staleIfError(now) != null) {
			return WechatMpTokenState.STALE;
		}
		if (this.failures.last() != null && isBackingOff(now)) {
			return WechatMpTokenState.FAILING;
		}
		return (this.token != null) ? WechatMpTokenState.EXPIRED : WechatMpTokenState.EMPTY;
	}

	/**
	 * Return the token that callers get if a fetch fails: the current one, or the
	 * fallback. An expired or rejected one only where no better one can be had.
	 */
	@Nullable WechatMpAccessToken staleIfError(long now) {
		return (now < this.staleUntil) ? this.token : fallback(now);
	}

	private @Nullable WechatMpAccessToken fallback(long now) {
		return (this.fallback != null && now < this.fallback.until()) ? this.fallback.token() : null;
	}

	/**
	 * Return until when there is a token that can be expected to work.
	 */
	long workingUntil() {
		long until = (this.validity == Validity.VALID) ? this.staleUntil : LONG_AGO;
		return (this.fallback != null) ? Math.max(until, this.fallback.until()) : until;
	}

	/**
	 * Return how long callers wait for a fetch that starts now, while there is a token
	 * that works: for half of what is left of its life past the hard expiry. The other
	 * half is for what they need it for. {@code Long.MAX_VALUE} if there is none.
	 */
	long maxWaitWhileWorking(long now) {
		long until = workingUntil();
		long from = Math.max(this.hardExpiry, now);
		return (from < until) ? from - now + (until - from) / 2 : Long.MAX_VALUE;
	}

	boolean isBackingOff(long now) {
		return now < this.backOff.until();
	}

	/**
	 * Return the token that callers get at once: one before its hard expiry, or a stale
	 * one while nothing may be fetched yet.
	 */
	@Nullable WechatMpAccessToken held(long now) {
		if (now < this.hardExpiry) {
			return this.token;
		}
		return (this.fetch == null && isBackingOff(now)) ? staleIfError(now) : null;
	}

	/**
	 * Return the answer for a caller for whom no token was held a moment ago.
	 * @return the answer, there or still to come; {@code null} if a fetch has to be
	 * started for it
	 */
	@Nullable SharedResult answer(long now) {
		WechatMpAccessToken token = held(now);
		if (token != null) {
			return SharedResult.of(token);
		}
		if (this.fetch != null) {
			// In this order, as it may become overdue in between.
			SharedResult result = this.fetch.resultOrStale();
			WechatMpAccessToken stale = this.fetch.isOverdue() ? staleIfError(now) : null;
			return (stale != null) ? SharedResult.of(stale) : result;
		}
		AuthingException failure = this.failures.last();
		return (failure != null && isBackingOff(now)) ? SharedResult.failed(failure) : null;
	}

	/**
	 * Return the delay of a fetch that a caller waits for. At most the cool-down: there
	 * is a longer back-off without a cached failure only where expired tokens arrived
	 * while a valid one was cached.
	 */
	long fetchDelay(long now, WechatMpRefreshPolicy policy) {
		return Math.min(Math.max(this.backOff.until(), now) - now, policy.initialBackoff().toNanos());
	}

	/**
	 * Return whether the token may be refreshed in the background.
	 */
	boolean mayRefresh(long now) {
		return this.fetch == null && now >= this.backOff.nextRefreshAt();
	}

	/**
	 * Return when the token of an account that is kept warm is fetched the next time.
	 */
	long nextFetchAt() {
		// Where no refresh is allowed before the hard expiry: at that, or when the
		// back-off ends.
		return Math.min(Math.max(this.softExpiry, this.backOff.nextRefreshAt()),
				Math.max(this.hardExpiry, this.backOff.until()));
	}

	boolean isUsed() {
		return this.token != null || this.failures.last() != null;
	}

	boolean holds(String accessToken) {
		return this.token != null && this.token.accessToken().equals(accessToken);
	}

	boolean isRejected(String accessToken) {
		return this.validity == Validity.REJECTED && holds(accessToken);
	}

	WechatMpAccessToken requiredToken() {
		return Objects.requireNonNull(this.token);
	}

	/**
	 * Return whether a token is the rejected one and was asked for before this instance
	 * heard of the rejection, so that asking again may bring another.
	 */
	boolean isOutdated(WechatMpAccessToken received, long askedAt) {
		return isRejected(received.accessToken()) && askedAt < this.rejections.noticedAt();
	}

	/**
	 * Return whether a shared token should be adopted: a valid one other than the current
	 * one, and not an older one; or the current one, when it was given a longer life.
	 */
	boolean shouldAdopt(ReceivedToken shared, long now) {
		if (shared.isExpired()) {
			return false;
		}
		if (holds(shared.token().accessToken())) {
			return this.validity == Validity.EXPIRED_ON_ARRIVAL
					|| (this.validity != Validity.REJECTED && expiresBefore(shared.token()));
		}
		return now >= this.hardExpiry || !shared.token().expiresAt().isBefore(requiredToken().expiresAt());
	}

	/**
	 * Return whether Authing has reissued the rejected token since the rejection, so that
	 * another fetch cannot help.
	 */
	private boolean isReissued(ReceivedToken shared) {
		return isRejected(shared.token().accessToken()) && !shared.isExpired()
				&& shared.askedAt() >= this.rejections.rejectedAt();
	}

	/**
	 * Return the cached token as the (unchanged) result of a fetch, if it is before its
	 * hard expiry.
	 */
	@Nullable ReceivedToken currentAsResult(long now) {
		return (now < this.hardExpiry) ? new ReceivedToken(requiredToken(), this.staleUntil - now, this.staleUntil,
				this.receivedAt, WechatMpTokenOrigin.STORE, true) : null;
	}

	/**
	 * Return the token that makes it needless to ask Authing, if there is one.
	 * @param shared the token that is shared by all instances, if there is one
	 */
	@Nullable ReceivedToken answerOf(@Nullable ReceivedToken shared, long now, WechatMpRefreshPolicy policy) {
		if (shared != null) {
			if (shouldAdopt(shared, now) || isReissued(shared)) {
				return shared;
			}
			if (holds(shared.token().accessToken()) && now - shared.askedAt() < policy.minRefreshInterval().toNanos()
					&& this.receivedAt < shared.askedAt() - PUBLISH_DELAY.toNanos()) {
				// Since then another instance has asked, and Authing has no news yet.
				return currentAsResult(now);
			}
		}
		// One that need not be refreshed may have been adopted meanwhile.
		return (now < this.softExpiry) ? currentAsResult(now) : null;
	}

	TokenSnapshot withFetch(@Nullable TokenFetch fetch) {
		return with(this.fallback, this.backOff, this.failures, fetch);
	}

	private TokenSnapshot ended(BackOff backOff, FailureStreak failures) {
		return with(this.fallback, backOff, failures, null);
	}

	private TokenSnapshot with(@Nullable Fallback fallback, BackOff backOff, FailureStreak failures,
			@Nullable TokenFetch fetch) {
		return new TokenSnapshot(this.token, this.origin, this.validity, this.receivedAt, this.softExpiry,
				this.hardExpiry, this.staleUntil, fallback, backOff, failures, this.rejections, fetch);
	}

	/**
	 * Return the next snapshot, without a fetch: one has brought a token.
	 */
	TokenSnapshot received(ReceivedToken received, boolean inBackground, long now, WechatMpRefreshPolicy policy,
			double random) {
		boolean same = holds(received.token().accessToken());
		if (received.redelivered() && (this.validity == Validity.REJECTED || !same)) {
			// Rejected or replaced since it was taken for the answer. Nothing was asked,
			// so that no back-off is set.
			return withFetch(null);
		}
		if (received.isExpired()) {
			return expiredOnArrival(received, now, policy, random);
		}
		if (same && this.validity.wasRejected()) {
			return reissued(received, now, policy, random);
		}
		BackOff next = this.backOff.afterToken(inBackground || same, now, policy);
		if (same && isServeable(now) && hasSameExpiry(received.token())) {
			// That another instance asks ends no streak of failures of this one.
			return ended(next, received.redelivered() ? this.failures : EMPTY.failures);
		}
		long life = received.life();
		long arrivedAt = received.expiry() - life;
		return new TokenSnapshot(received.token(), received.origin(), Validity.VALID, now,
				arrivedAt + policy.untilSoftExpiry(life, random), arrivedAt + policy.untilHardExpiry(life),
				received.expiry(), longerLived(same, received.expiry(), now), next, EMPTY.failures, this.rejections,
				null);
	}

	// Authing has none better. Callers get this one, unless another still works, for as
	// long as the back-off after a failure lasts.
	private TokenSnapshot expiredOnArrival(ReceivedToken received, long now, WechatMpRefreshPolicy policy,
			double random) {
		// One alone may be an answer that was long on its way.
		FailureStreak streak = this.failures.plus(null, (this.failures.count() > 0) ? FailureStreak.BEGINNING : 0);
		BackOff next = this.backOff.afterFailure(streak.count(), null, now, policy, random);
		if (isServeable(now) || fallback(now) != null) {
			return ended(next, streak);
		}
		Validity validity = isRejected(received.token().accessToken()) ? Validity.REJECTED
				: Validity.EXPIRED_ON_ARRIVAL;
		return new TokenSnapshot(received.token(), received.origin(), validity, now, LONG_AGO, LONG_AGO, next.until(),
				null, next, streak, this.rejections, null);
	}

	// Rejected, yet handed out again: Authing may know better than who reported it.
	private TokenSnapshot reissued(ReceivedToken received, long now, WechatMpRefreshPolicy policy, double random) {
		long until = now + policy.backoff(this.rejections.count(), null, random);
		return new TokenSnapshot(received.token(), received.origin(), Validity.REISSUED, now, LONG_AGO, LONG_AGO,
				received.expiry(), this.fallback, new BackOff(until, until), EMPTY.failures, this.rejections.plus(),
				null);
	}

	// WeChat may let a token live on when it issues another one, with a shorter life.
	private @Nullable Fallback longerLived(boolean same, long expiry, long now) {
		if (this.fallback != null && this.fallback.until() > expiry) {
			return this.fallback;
		}
		return (!same && isServeable(now) && this.staleUntil - expiry > SAME_EXPIRY.toNanos())
				? new Fallback(requiredToken(), this.staleUntil) : null;
	}

	// One that was rejected counts again when it was reissued: it may work after all.
	private boolean isServeable(long now) {
		return now < this.staleUntil && this.validity != Validity.EXPIRED_ON_ARRIVAL
				&& this.validity != Validity.REJECTED;
	}

	private boolean expiresBefore(WechatMpAccessToken other) {
		return timeUntilExpiryOf(other).compareTo(SAME_EXPIRY) > 0;
	}

	private boolean hasSameExpiry(WechatMpAccessToken other) {
		return timeUntilExpiryOf(other).abs().compareTo(SAME_EXPIRY) <= 0;
	}

	private Duration timeUntilExpiryOf(WechatMpAccessToken other) {
		return Duration.between(requiredToken().expiresAt(), other.expiresAt());
	}

	/**
	 * Return the next snapshot, without a fetch: it has failed. The token stays as it is.
	 * @param log whether a failure may be logged at all
	 */
	TokenSnapshot failed(AuthingException failure, boolean log, long now, WechatMpRefreshPolicy policy, double random) {
		int logged = (now < workingUntil()) ? FailureStreak.BEGINNING : FailureStreak.NO_TOKEN_LEFT;
		FailureStreak streak = this.failures.plus(failure, log ? logged : 0);
		return ended(this.backOff.afterFailure(streak.count(), failure.getRetryAfter(), now, policy, random), streak);
	}

	/**
	 * Return the next snapshot, without a fetch: it was stopped before it had a result.
	 * @param askedAt when Authing was asked; {@link TokenClock#LONG_AGO} if it was not
	 */
	TokenSnapshot abandoned(boolean inBackground, long askedAt, WechatMpRefreshPolicy policy) {
		return ended(this.backOff.afterEnd(inBackground, askedAt, policy), this.failures);
	}

	/**
	 * Return the next snapshot: WeChat has rejected the token, or the fallback behind it.
	 * @param rejected tells which one was rejected
	 * @param delay how long ago that may have happened (propagation delay), in
	 * nanoseconds
	 * @return the same snapshot, if neither was
	 */
	TokenSnapshot rejected(Predicate<String> rejected, long now, long delay, WechatMpRefreshPolicy policy,
			double random) {
		if (this.token != null && this.validity != Validity.REJECTED && rejected.test(this.token.accessToken())) {
			return currentRejected(now, delay, policy, random);
		}
		return (this.fallback != null && rejected.test(this.fallback.token().accessToken()))
				? with(null, this.backOff, this.failures, this.fetch) : this;
	}

	// While tokens are rejected one after the other, fetching the next one at once would
	// be a loop. So during the back-off callers get the rejected token, as WeChat's own
	// answer tells them more than a failure of ours; in its last part, a cool-down long,
	// they wait for the next token instead.
	private TokenSnapshot currentRejected(long now, long delay, WechatMpRefreshPolicy policy, double random) {
		boolean soon = now - this.receivedAt < policy.maxBackoff().toNanos();
		RejectionStreak streak = new RejectionStreak(soon ? this.rejections.count() + 1 : 1, now - delay, now);
		long until = Math.max(this.backOff.until(), this.receivedAt + policy.backoff(streak.count(), null, random));
		long staleUntil = (streak.count() > 1 && this.failures.last() == null)
				? Math.min(this.staleUntil, until - policy.initialBackoff().toNanos()) : LONG_AGO;
		return new TokenSnapshot(this.token, this.origin, Validity.REJECTED, this.receivedAt, LONG_AGO, LONG_AGO,
				staleUntil, this.fallback, new BackOff(until, Math.max(until, this.backOff.nextRefreshAt())),
				this.failures, streak, this.fetch);
	}

	/**
	 * A change from one snapshot to the next; the same one twice where nothing changed.
	 */
	record Change(TokenSnapshot before, TokenSnapshot after) {

		boolean happened() {
			return this.before != this.after;
		}

		/**
		 * Return whether this change, a rejection, dropped the very token that callers
		 * were given before: the current one, or the fallback in its place.
		 */
		boolean rejects(long now) {
			return this.before.validity != this.after.validity
					|| (this.before.fallback != this.after.fallback && now >= this.before.staleUntil);
		}

		boolean logsStreak() {
			return this.after.failures.logged() > this.before.failures.logged();
		}

		boolean endsLoggedStreak() {
			return this.before.failures.logged() > 0 && this.after.failures.logged() == 0;
		}

		boolean startsRejectionStreak() {
			return this.after.rejections.count() > 1 && this.before.rejections.count() <= 1;
		}

		/**
		 * Return whether a rejected token, the first one for a while, gives way to
		 * another.
		 */
		boolean replacesRejected() {
			return this.before.validity.wasRejected() && this.after.validity == Validity.VALID
					&& this.after.rejections.count() == 1;
		}

	}

	/**
	 * Whether a token can be expected to work until its expiry.
	 */
	enum Validity {

		VALID,

		/**
		 * Expired when it arrived.
		 */
		EXPIRED_ON_ARRIVAL,

		/**
		 * Rejected by WeChat, and handed out by Authing again.
		 */
		REISSUED,

		/**
		 * Rejected by WeChat.
		 */
		REJECTED;

		boolean wasRejected() {
			return this == REISSUED || this == REJECTED;
		}

	}

	/**
	 * An earlier token that lives longer than the current one.
	 *
	 * @param token the token
	 * @param until its real expiry
	 */
	record Fallback(WechatMpAccessToken token, long until) {

	}

	/**
	 * How soon the next fetch may come.
	 *
	 * @param until before this time nothing is fetched
	 * @param nextRefreshAt before this time nothing is fetched in the background
	 */
	record BackOff(long until, long nextRefreshAt) {

		/**
		 * Return what follows a token.
		 * @param spaced whether the next background fetch must be
		 * {@code minRefreshInterval} away
		 */
		BackOff afterToken(boolean spaced, long now, WechatMpRefreshPolicy policy) {
			long until = now + policy.initialBackoff().toNanos();
			return new BackOff(until,
					Math.max(until, spaced ? now + policy.minRefreshInterval().toNanos() : this.nextRefreshAt));
		}

		// Not sooner than before: Authing may have asked for a pause.
		BackOff afterEnd(boolean spaced, long askedAt, WechatMpRefreshPolicy policy) {
			BackOff next = afterToken(spaced, askedAt, policy);
			return new BackOff(Math.max(this.until, next.until), Math.max(this.nextRefreshAt, next.nextRefreshAt));
		}

		BackOff afterFailure(int count, @Nullable Duration retryAfter, long now, WechatMpRefreshPolicy policy,
				double random) {
			long until = now + policy.backoff(count, retryAfter, random);
			return new BackOff(until, Math.max(until, now + policy.minRefreshInterval().toNanos()));
		}

	}

	/**
	 * Fetches in a row that brought nothing of use.
	 *
	 * @param last the cached failure; {@code null} if there is none, or the last fetch
	 * brought an expired token
	 * @param count how many there were
	 * @param logged what of it was logged: 0 for nothing, {@code BEGINNING}, or
	 * {@code NO_TOKEN_LEFT}, which includes it
	 */
	record FailureStreak(@Nullable AuthingException last, int count, int logged) {

		private static final int BEGINNING = 1;

		private static final int NO_TOKEN_LEFT = 2;

		FailureStreak plus(@Nullable AuthingException last, int logged) {
			return new FailureStreak(last, this.count + 1, Math.max(this.logged, logged));
		}

	}

	/**
	 * Tokens in a row that were rejected soon after they came.
	 *
	 * @param count how many there were, plus how often the last one was reissued
	 * @param rejectedAt the earliest time at which the last of them may have been
	 * rejected
	 * @param noticedAt when this instance heard of it
	 */
	record RejectionStreak(int count, long rejectedAt, long noticedAt) {

		RejectionStreak plus() {
			return new RejectionStreak(this.count + 1, this.rejectedAt, this.noticedAt);
		}

	}

}
