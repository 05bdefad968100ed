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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.core.log.LogMessage;
import org.springframework.util.Assert;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.token.TokenFetch.ReceivedToken;
import cn.authing.wechat.token.TokenFetch.SharedResult;

/**
 * The cache of one credentials pair. Its state is one volatile field, the snapshot; what
 * becomes of it is decided there.
 */
final class TokenEntry extends CachedTokenSource implements TokenFetch.Recipient, TokenLoader.Cache {

	private static final Log logger = LogFactory.getLog(TokenEntry.class);

	private static final AtomicReferenceFieldUpdater<TokenEntry, TokenSnapshot> SNAPSHOT = AtomicReferenceFieldUpdater
		.newUpdater(TokenEntry.class, TokenSnapshot.class, "snapshot");

	private final TokenLoader loader;

	private final TokenClock clock;

	private final WechatMpCredentials credentials;

	// Not volatile: it is read with each request, and a thread that sees it late counts
	// for the account before a little longer.
	private AccountStatistics statistics;

	private volatile TokenSnapshot snapshot;

	private volatile @Nullable TokenWarmer warmer;

	private volatile boolean evicted;

	TokenEntry(FetchContext context, TokenLoader loader, WechatMpCredentials credentials,
			AccountStatistics statistics) {
		super(context);
		this.loader = loader;
		this.clock = context.clock();
		this.credentials = credentials;
		this.statistics = statistics;
		this.snapshot = TokenSnapshot.EMPTY;
	}

	@Override
	public WechatMpCredentials credentials() {
		return this.credentials;
	}

	@Override
	public TokenSnapshot snapshot() {
		return this.snapshot;
	}

	boolean isServing() {
		return staleIfError() != null;
	}

	AccountStatistics statistics() {
		return this.statistics;
	}

	/**
	 * Count for an account from now on.
	 */
	void countFor(AccountStatistics statistics) {
		this.statistics = statistics;
	}

	@Override
	void recordOutcome(boolean success) {
		if (!success) {
			this.statistics.failed.increment();
		}
		else if (this.snapshot.state(this.clock.nanoTime()) == WechatMpTokenState.STALE) {
			this.statistics.stale.increment();
		}
		else {
			this.statistics.waited.increment();
		}
	}

	@Override
	public @Nullable WechatMpAccessToken staleIfError() {
		return this.snapshot.staleIfError(this.clock.nanoTime());
	}

	@Override
	public @Nullable WechatMpAccessToken working() {
		return this.snapshot.working(this.clock.nanoTime());
	}

	@Override
	@Nullable WechatMpAccessToken held() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		// FRESH, the one state that is worth a shortcut.
		if (now < snapshot.softExpiry()) {
			this.statistics.fresh.increment();
			return snapshot.token();
		}
		return heldPastSoftExpiry(snapshot, now);
	}

	private @Nullable WechatMpAccessToken heldPastSoftExpiry(TokenSnapshot snapshot, long now) {
		return switch (snapshot.state(now)) {
			case FRESH, DUE -> {
				if (snapshot.mayRefresh(now)) {
					tryFetch(snapshot, newBackgroundFetch(), 0);
				}
				this.statistics.due.increment();
				yield snapshot.token();
			}
			case STALE -> {
				if (snapshot.fetch() != null || !snapshot.isBackingOff(now)) {
					yield null;
				}
				this.statistics.stale.increment();
				yield snapshot.staleIfError(now);
			}
			case EMPTY, EXPIRED, FAILING -> null;
		};
	}

	/**
	 * Return the token while it works at all. Starts no fetch: the account's changed
	 * credentials are fetched instead.
	 */
	@Nullable WechatMpAccessToken heldWithoutRefresh() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		switch (snapshot.state(now)) {
			case FRESH -> this.statistics.fresh.increment();
			case DUE -> this.statistics.due.increment();
			case STALE -> this.statistics.stale.increment();
			case EMPTY, EXPIRED, FAILING -> {
			}
		}
		return snapshot.staleIfError(now);
	}

	@Override
	SharedResult join() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			long now = this.clock.nanoTime();
			WechatMpTokenState state = snapshot.state(now);
			if (state == WechatMpTokenState.FRESH || state == WechatMpTokenState.DUE) {
				return SharedResult.of(snapshot.requiredToken());
			}
			TokenFetch fetch = snapshot.fetch();
			if (fetch != null) {
				WechatMpAccessToken working = snapshot.working(now);
				return (fetch.isOverdue() && working != null) ? SharedResult.of(working) : fetch.resultOrStale();
			}
			WechatMpAccessToken stale = snapshot.staleIfError(now);
			if (stale != null && snapshot.isBackingOff(now)) {
				return SharedResult.of(stale);
			}
			AuthingException failure = snapshot.failures().last();
			if (state == WechatMpTokenState.FAILING && failure != null) {
				return SharedResult.failed(failure);
			}
			fetch = newFetch();
			// A caller waits for no more than the cool-down. A longer back-off is left
			// only where expired tokens came while a valid one was held.
			long pause = Math.max(snapshot.backOff().until(), now) - now;
			if (tryFetch(snapshot, fetch, Math.min(pause, this.context.policy().initialBackoff().toNanos()))) {
				return fetch.resultOrStale();
			}
		}
	}

	@Override
	SharedResult refresh() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			TokenFetch fetch = snapshot.fetch();
			if (fetch != null) {
				return fetch.result();
			}
			fetch = newForcedFetch();
			if (tryFetch(snapshot, fetch, 0)) {
				return fetch.result();
			}
		}
	}

	private TokenFetch newFetch() {
		return newFetch(false, false);
	}

	private TokenFetch newForcedFetch() {
		return newFetch(false, true);
	}

	private TokenFetch newBackgroundFetch() {
		return newFetch(true, false);
	}

	private TokenFetch newFetch(boolean inBackground, boolean forced) {
		return new TokenFetch(this.context, (force) -> this.loader.load(this, force), this, inBackground, forced);
	}

	private boolean tryFetch(TokenSnapshot snapshot, TokenFetch fetch, long delay) {
		if (!SNAPSHOT.compareAndSet(this, snapshot, snapshot.withFetch(fetch))) {
			return false;
		}
		fetch.start(delay, snapshot.maxWaitWhileWorking(this.clock.nanoTime()));
		return true;
	}

	private Change update(UnaryOperator<TokenSnapshot> operator) {
		while (true) {
			TokenSnapshot before = this.snapshot;
			TokenSnapshot after = operator.apply(before);
			if (before == after || SNAPSHOT.compareAndSet(this, before, after)) {
				return new Change(before, after);
			}
		}
	}

	/**
	 * Take in an end of a fetch: only the first one finds it in the snapshot.
	 */
	private Change updateIfInFlight(TokenFetch fetch, UnaryOperator<TokenSnapshot> end) {
		return update((snapshot) -> (snapshot.fetch() == fetch) ? end.apply(snapshot) : snapshot);
	}

	@Override
	public boolean invalidate(String accessToken) {
		Assert.notNull(accessToken, "'accessToken' must not be null");
		if (!reject(accessToken::equals, 0)) {
			return false;
		}
		this.loader.drop(this.credentials, accessToken);
		return true;
	}

	/**
	 * Drop the current token or the fallback, whichever was rejected.
	 * @param rejected tells which one was
	 * @param delay how long ago the rejection may have happened (propagation delay), in
	 * nanoseconds
	 */
	boolean reject(Predicate<String> rejected, long delay) {
		Change change = update((snapshot) -> {
			WechatMpAccessToken token = snapshot.token();
			if (token != null && snapshot.validity() != TokenSnapshot.Validity.REJECTED
					&& rejected.test(token.accessToken())) {
				return snapshot.rejected(this.clock.nanoTime(), delay, this.context.policy(), this.context.random());
			}
			TokenSnapshot.Fallback fallback = snapshot.fallback();
			return (fallback != null && rejected.test(fallback.token().accessToken())) ? snapshot.withoutFallback()
					: snapshot;
		});
		long now = this.clock.nanoTime();
		boolean dropped = change.after().validity() == TokenSnapshot.Validity.REJECTED
				&& change.before().validity() != TokenSnapshot.Validity.REJECTED;
		boolean droppedFallback = change.before().fallback() != change.after().fallback()
				&& now >= change.before().staleUntil();
		if (!dropped && !droppedFallback) {
			return false;
		}
		// A rejection with a delay was counted and published by the instance that noticed
		// it.
		if (delay == 0) {
			this.statistics.rejections.increment();
			this.context.publish(new WechatMpTokenEvent.Rejected(this.statistics.account));
		}
		logger.debug(LogMessage.format("The token of %s was rejected by WeChat", this));
		logRejections(change);
		scheduleWarmUp();
		return true;
	}

	@Override
	public TokenFetch.@Nullable Outcome received(ReceivedToken received, TokenFetch fetch) {
		Change change = updateIfInFlight(fetch,
				(snapshot) -> (!fetch.isRepeated() && snapshot.isOutdated(received.token(), fetch.loadStartedAt()))
						? snapshot : snapshot.received(received, fetch.isInBackground(), this.clock.nanoTime(),
								this.context.policy(), this.context.random()));
		if (!change.happened()) {
			if (change.before().fetch() == fetch) {
				// Rejected since Authing was asked for it.
				fetch.repeat();
			}
			return null;
		}
		AuthingException setback = setback(received, change.after());
		logReceived(received, change, setback);
		ended();
		WechatMpAccessToken value = change.after().staleIfError(this.clock.nanoTime());
		return new TokenFetch.Outcome((value != null) ? value : change.after().requiredToken(), null,
				record(fetch, received.origin(), setback));
	}

	/**
	 * Return why a token that was received is of no use, if so: a fetch that brings an
	 * expired or rejected one is no success.
	 */
	private static @Nullable AuthingException setback(ReceivedToken received, TokenSnapshot after) {
		if (received.isExpired()) {
			return new AuthingResponseException(
					"Authing returned an expired token (expired %d s ago): it serves stale tokens, or a clock is wrong"
						.formatted(-TimeUnit.NANOSECONDS.toSeconds(received.life())),
					null);
		}
		return (after.validity() == TokenSnapshot.Validity.REISSUED)
				? new AuthingResponseException("Authing returned the token that WeChat had rejected", null) : null;
	}

	private void logReceived(ReceivedToken received, Change change, @Nullable AuthingException setback) {
		if (change.logsStreak()) {
			logger.warn(LogMessage.format(
					"Authing keeps returning an expired token for %s (%d s left); retrying."
							+ " Authing may serve stale tokens, or a clock is wrong",
					this, TimeUnit.NANOSECONDS.toSeconds(received.life())));
		}
		logger.debug(LogMessage.format("Received %s of %s from %s; it expires in %d s",
				change.before().holds(received.token().accessToken()) ? "the same token" : "a new token", this,
				received.origin(), TimeUnit.NANOSECONDS.toSeconds(received.life())));
		logRejections(change);
		if (setback == null) {
			logRecovery(change);
		}
	}

	private void logRejections(Change change) {
		if (change.startsRejectionStreak()) {
			logger.warn(LogMessage
				.format("WeChat rejects one token of %s after the other, or Authing returns the rejected"
						+ " one; retrying with growing pauses. Another program may ask WeChat for tokens of the same app id",
						this));
		}
	}

	private void logRecovery(Change change) {
		boolean first = this.statistics.takeFirstToken();
		if (change.endsLoggedStreak()) {
			logger.info(LogMessage.format("The token of %s is refreshed again, after %d failed attempts", this,
					change.before().failures().count()));
		}
		else if (change.before().validity().wasRejected() && change.after().validity() == TokenSnapshot.Validity.VALID
				&& change.after().rejections().count() == 1) {
			logger.info(LogMessage.format(
					"The token of %s that WeChat had rejected is replaced (rejections reported here so far: %d)", this,
					this.statistics.rejections.sum()));
		}
		else if (first) {
			logger.info(LogMessage.format("Fetched the first token of %s", this));
		}
	}

	@Override
	public TokenFetch.@Nullable Outcome failed(AuthingException failure, TokenFetch fetch) {
		// Credentials can be made up: their caller is told, and nobody can fill the log.
		boolean log = fetch.isInBackground() || !isDynamic();
		Change change = updateIfInFlight(fetch, (snapshot) -> snapshot.failed(failure, log, this.clock.nanoTime(),
				this.context.policy(), this.context.random()));
		if (!change.happened()) {
			return null;
		}
		long now = this.clock.nanoTime();
		if (change.logsStreak()) {
			logger.warn(LogMessage.format("The token of %s could not be fetched; retrying. %s: %s", this,
					describe(change.after(), now), SafeText.messageOf(failure)));
		}
		else {
			logger.debug(LogMessage.format("Attempt %d to fetch the token of %s failed: %s",
					change.after().failures().count(), this, SafeText.messageOf(failure)));
		}
		ended();
		return new TokenFetch.Outcome(change.after().staleIfError(now), failure,
				record(fetch, WechatMpTokenOrigin.AUTHING, failure));
	}

	private static String describe(TokenSnapshot snapshot, long now) {
		long remaining = Math.max(snapshot.workingUntil(), now) - now;
		if (remaining > 0) {
			return "The current one is valid for another %d s".formatted(TimeUnit.NANOSECONDS.toSeconds(remaining));
		}
		return (snapshot.staleIfError(now) != null) ? "Callers get the last one, which has expired or was rejected"
				: "There is no other with these credentials";
	}

	private WechatMpTokenEvent record(TokenFetch fetch, WechatMpTokenOrigin origin,
			@Nullable AuthingException failure) {
		AccountStatistics statistics = this.statistics;
		statistics.recordFetch(failure, this.clock.instant());
		Duration duration = Duration.ofNanos(fetch.duration());
		return (failure == null) ? new WechatMpTokenEvent.Fetched(statistics.account, duration, origin)
				: new WechatMpTokenEvent.Failed(statistics.account, duration, failure);
	}

	private void ended() {
		if (this.evicted) {
			hold();
		}
		scheduleWarmUp();
	}

	@Override
	public boolean abandoned(TokenFetch fetch) {
		Change change = updateIfInFlight(fetch,
				(snapshot) -> snapshot.abandoned(fetch.isInBackground(), fetch.loadStartedAt(), this.context.policy()));
		if (change.happened()) {
			ended();
		}
		return change.happened();
	}

	@Override
	public void adopt(ReceivedToken shared) {
		Change change = update((snapshot) -> {
			long now = this.clock.nanoTime();
			return snapshot.shouldAdopt(shared, now)
					? snapshot.received(shared, false, now, this.context.policy(), this.context.random())
						.withFetch(snapshot.fetch())
					: snapshot;
		});
		if (!change.happened()) {
			return;
		}
		logRecovery(change);
		logger.debug(LogMessage.format("Adopted the token of %s fetched by another instance", this));
		this.context.publish(new WechatMpTokenEvent.Adopted(this.statistics.account));
		scheduleWarmUp();
	}

	/**
	 * Tell the entry that it is only kept for as long as somebody else holds it. While
	 * nothing may be fetched it must not be forgotten.
	 */
	void evict() {
		this.evicted = true;
		hold();
	}

	/**
	 * Tell the entry that it is kept again.
	 */
	void keep() {
		this.evicted = false;
	}

	// The timer is there to hold this entry. A fetch in flight is held by the context.
	private void hold() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		if (snapshot.isBackingOff(now)) {
			this.context.schedule(this::scheduleWarmUp, snapshot.backOff().until() - now);
		}
	}

	/**
	 * Fetch now in the background, where that is due or nothing usable is held, and from
	 * then on whenever it is.
	 */
	synchronized void keepWarm() {
		TokenWarmer warmer = this.warmer;
		if (warmer == null) {
			warmer = new TokenWarmer(this.context, this::fetchInBackground, () -> untilNextFetch(this.snapshot));
			this.warmer = warmer;
		}
		warmer.resume();
	}

	/**
	 * Stop refreshing without demand.
	 */
	void stopWarming() {
		TokenWarmer warmer = this.warmer;
		if (warmer != null) {
			warmer.stop();
		}
	}

	private void scheduleWarmUp() {
		TokenWarmer warmer = this.warmer;
		if (warmer != null) {
			warmer.schedule();
		}
	}

	private void fetchInBackground() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			// After a change by another thread it may no longer be due.
			if (untilNextFetch(snapshot) != 0 || tryFetch(snapshot, newBackgroundFetch(), 0)) {
				return;
			}
		}
	}

	private long untilNextFetch(TokenSnapshot snapshot) {
		long now = this.clock.nanoTime();
		return (snapshot.fetch() == null) ? Math.max(snapshot.nextFetchAt(now) - now, 0) : -1;
	}

	private boolean isDynamic() {
		return AccountStatistics.DYNAMIC_ACCOUNTS.equals(this.statistics.account);
	}

	@Override
	public String toString() {
		String account = this.statistics.account;
		return isDynamic() ? "WeChat app '" + SafeText.of(this.credentials.appId()) + "'"
				: "account '" + SafeText.of(account) + "'";
	}

	/**
	 * A change of the snapshot.
	 */
	private record Change(TokenSnapshot before, TokenSnapshot after) {

		boolean happened() {
			return this.before != this.after;
		}

		boolean logsStreak() {
			return this.after.failures().logged() > this.before.failures().logged();
		}

		boolean startsRejectionStreak() {
			return this.after.rejections().count() > 1 && this.before.rejections().count() <= 1;
		}

		boolean endsLoggedStreak() {
			return this.before.failures().logged() > 0 && this.after.failures().logged() == 0;
		}

	}

}
