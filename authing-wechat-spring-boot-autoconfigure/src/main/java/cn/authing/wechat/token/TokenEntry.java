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

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.core.log.LogMessage;
import org.springframework.util.Assert;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;

/**
 * The token of one credentials pair. Holds one {@link TokenSnapshot} and swaps it; all
 * that it decides it decides from a snapshot and the time.
 */
final class TokenEntry extends CachedTokenSource {

	private static final Log logger = LogFactory.getLog(TokenEntry.class);

	private static final VarHandle SNAPSHOT;

	private static final VarHandle NEXT_WARM_UP;

	static {
		try {
			MethodHandles.Lookup lookup = MethodHandles.lookup();
			SNAPSHOT = lookup.findVarHandle(TokenEntry.class, "snapshot", TokenSnapshot.class);
			NEXT_WARM_UP = lookup.findVarHandle(TokenEntry.class, "nextWarmUp", Future.class);
		}
		catch (ReflectiveOperationException ex) {
			throw new ExceptionInInitializerError(ex);
		}
	}

	private final TokenCache cache;

	private final TokenClock clock;

	private final WechatMpCredentials credentials;

	private final boolean retired;

	// Not volatile: it is read with each request, and a thread that sees it late counts
	// for the run-time accounts a little longer.
	private AccountStatistics statistics;

	private volatile TokenSnapshot snapshot;

	private volatile boolean warm;

	private volatile @Nullable Future<?> nextWarmUp;

	TokenEntry(TokenCache cache, WechatMpCredentials credentials, AccountStatistics statistics) {
		this(cache, credentials, statistics, TokenSnapshot.EMPTY, false);
	}

	private TokenEntry(TokenCache cache, WechatMpCredentials credentials, AccountStatistics statistics,
			TokenSnapshot snapshot, boolean retired) {
		this.cache = cache;
		this.clock = cache.clock();
		this.credentials = credentials;
		this.statistics = statistics;
		this.snapshot = snapshot;
		this.retired = retired;
	}

	/**
	 * Return an entry that hands out the token held here for as long as it is valid and
	 * renews it no more.
	 */
	TokenEntry retired() {
		return new TokenEntry(this.cache, this.credentials, this.statistics, this.snapshot.fetching(null), true);
	}

	WechatMpCredentials credentials() {
		return this.credentials;
	}

	TokenSnapshot snapshot() {
		return this.snapshot;
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
	void answered(boolean success) {
		(success ? this.statistics.waited : this.statistics.failed).increment();
	}

	@Override
	@Nullable WechatMpAccessToken held() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		if (now < snapshot.refreshAt()) {
			this.statistics.fresh.increment();
			return snapshot.token();
		}
		return heldButDue(snapshot, now);
	}

	private @Nullable WechatMpAccessToken heldButDue(TokenSnapshot snapshot, long now) {
		boolean usable = snapshot.isUsable(now);
		if (usable && !this.retired && snapshot.mayRenew(now)) {
			tryFetch(snapshot, new TokenFetch(this, this.cache, true, false), 0);
		}
		if (usable || snapshot.isHeldThroughRejections(now, this.cache.policy().initialBackoff().toNanos())) {
			this.statistics.due.increment();
			return snapshot.token();
		}
		return null;
	}

	@Override
	CompletableFuture<WechatMpAccessToken> join() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			long now = this.clock.nanoTime();
			switch (snapshot.state(now)) {
				case FRESH, DUE, STALE -> {
					return CompletableFuture.completedFuture(snapshot.requiredToken());
				}
				case FAILING -> {
					return CompletableFuture.failedFuture(snapshot.attempts().requiredFailure());
				}
				case EMPTY, EXPIRED -> {
					TokenFetch fetch = snapshot.fetch();
					if (fetch != null) {
						return fetch.answer();
					}
					fetch = new TokenFetch(this, this.cache, false, false);
					// Never sooner after the last fetch than the policy allows; a caller
					// can wait for that, as it is short.
					long pause = Math.max(snapshot.attempts().fetchFrom(), now) - now;
					if (tryFetch(snapshot, fetch, Math.min(pause, this.cache.policy().initialBackoff().toNanos()))) {
						return fetch.answer();
					}
				}
			}
		}
	}

	@Override
	CompletableFuture<WechatMpAccessToken> refresh() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			TokenFetch fetch = snapshot.fetch();
			if (fetch != null) {
				return fetch.outcome();
			}
			fetch = new TokenFetch(this, this.cache, false, true);
			if (tryFetch(snapshot, fetch, 0)) {
				return fetch.outcome();
			}
		}
	}

	private boolean tryFetch(TokenSnapshot snapshot, TokenFetch fetch, long delay) {
		if (!SNAPSHOT.compareAndSet(this, snapshot, snapshot.fetching(fetch))) {
			return false;
		}
		fetch.start(delay);
		return true;
	}

	@Override
	public boolean invalidate(String accessToken) {
		Assert.notNull(accessToken, "'accessToken' must not be null");
		boolean dropped = reject(accessToken::equals, 0);
		if (dropped) {
			this.statistics.rejections.increment();
			this.cache.publish(new WechatMpTokenEvent.Rejected(this.statistics.account));
			this.cache.loader().drop(this.credentials, accessToken);
		}
		return dropped;
	}

	/**
	 * Drop the token held, if it is the one that was rejected.
	 * @param rejected tells which one was
	 * @param since for how long that may be known elsewhere already, in nanoseconds
	 */
	boolean reject(Predicate<String> rejected, long since) {
		TokenSnapshot snapshot;
		do {
			snapshot = this.snapshot;
			if (snapshot.token() == null || snapshot.standing() == TokenSnapshot.Standing.REJECTED
					|| !rejected.test(snapshot.token().accessToken())) {
				return false;
			}
		}
		while (!SNAPSHOT.compareAndSet(this, snapshot,
				snapshot.rejected(this.clock.nanoTime(), since, this.cache.policy(), this.cache.random())));
		logger.debug(LogMessage.format("The token of %s was rejected by WeChat", this));
		scheduleWarmUp();
		return true;
	}

	@Override
	long patience() {
		return this.cache.patience();
	}

	/**
	 * Take in what a fetch brought.
	 * @return what those get who waited for it
	 */
	WechatMpAccessToken received(ReceivedToken received, TokenFetch fetch) {
		TokenSnapshot before;
		TokenSnapshot after;
		do {
			before = this.snapshot;
			after = before.received(received, fetch.isInBackground(), this.clock.nanoTime(), this.cache.policy(),
					this.cache.random());
		}
		while (!SNAPSHOT.compareAndSet(this, before, after));
		if (after.attempts().warned() && !before.attempts().warned()) {
			logger.warn(LogMessage.format(
					"The token of %s keeps arriving with too little left of its life (%d s) and is asked for again:"
							+ " either Authing hands out old ones, or the clock of one of the machines is wrong",
					this, TimeUnit.NANOSECONDS.toSeconds(received.life())));
		}
		logRecovery(before, after);
		logger.debug(LogMessage.format("Received %s of %s from %s; it expires in %d s",
				before.holds(received.token().accessToken()) ? "the same token" : "a new token", this,
				received.origin(), TimeUnit.NANOSECONDS.toSeconds(received.life())));
		scheduleWarmUp();
		return after.requiredToken();
	}

	private void logRecovery(TokenSnapshot before, TokenSnapshot after) {
		if (before.attempts().warned() && !after.attempts().warned()) {
			logger.info(LogMessage.format("The token of %s is renewed again, after %d failed attempts", this,
					before.attempts().failures()));
		}
	}

	/**
	 * Take in that a fetch failed.
	 * @return the valid token that is held all the same, if there is one
	 */
	@Nullable WechatMpAccessToken failed(AuthingException failure, TokenFetch fetch) {
		TokenSnapshot before;
		TokenSnapshot after;
		long now;
		do {
			before = this.snapshot;
			now = this.clock.nanoTime();
			after = before.failed(failure, fetch.isInBackground(), now, this.cache.policy(), this.cache.random());
		}
		while (!SNAPSHOT.compareAndSet(this, before, after));
		if (after.attempts().warned() && !before.attempts().warned()) {
			// Whoever waits is told by the exception; of this one nobody else hears.
			logger.warn(LogMessage.format(
					"The token of %s could not be renewed and is tried again; it is valid for another %d s: %s", this,
					TimeUnit.NANOSECONDS.toSeconds(after.isUsable(now) ? after.usableUntil() - now : 0),
					failure.getMessage()));
		}
		else {
			logger.debug(LogMessage.format("Attempt %d to fetch the token of %s failed: %s",
					after.attempts().failures(), this, failure.getMessage()));
		}
		scheduleWarmUp();
		return after.isUsable(now) ? after.token() : null;
	}

	/**
	 * Take in that a fetch ended without a result.
	 */
	void abandoned() {
		TokenSnapshot snapshot;
		do {
			snapshot = this.snapshot;
		}
		while (!SNAPSHOT.compareAndSet(this, snapshot, snapshot.fetching(null)));
	}

	/**
	 * Return whether a shared token is of use: a valid one other than the one held, and
	 * not an older one; or the one held, when it was given a longer life.
	 */
	boolean wants(ReceivedToken shared) {
		TokenSnapshot snapshot = this.snapshot;
		if (this.cache.policy().usable(shared.life()) <= 0) {
			return false;
		}
		if (snapshot.holds(shared.token().accessToken())) {
			return snapshot.standing() != TokenSnapshot.Standing.REJECTED && snapshot.isOutlivedBy(shared.token());
		}
		return !snapshot.isUsable(this.clock.nanoTime())
				|| !shared.token().expiresAt().isBefore(snapshot.requiredToken().expiresAt());
	}

	/**
	 * Return whether a shared token is the one that WeChat has rejected, which Authing
	 * has handed out again since. Then it is useless to ask once more.
	 * @param shared the token
	 * @param age how long ago Authing was asked for it
	 */
	boolean isHandedOutAgain(ReceivedToken shared, Duration age) {
		TokenSnapshot snapshot = this.snapshot;
		return snapshot.standing() == TokenSnapshot.Standing.REJECTED && snapshot.holds(shared.token().accessToken())
				&& this.cache.policy().usable(shared.life()) > 0
				&& age.compareTo(Duration.ofNanos(this.clock.nanoTime() - snapshot.attempts().rejectedAt())) <= 0;
	}

	/**
	 * Return whether the token held was received longer ago than a time.
	 */
	boolean isReceivedBefore(Duration time) {
		return this.snapshot.attempts().receivedAt() < this.clock.nanoTime() - time.toNanos();
	}

	/**
	 * Return the valid token held, as if it had been received once more.
	 */
	@Nullable ReceivedToken heldAgain() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		return snapshot.isUsable(now) ? new ReceivedToken(snapshot.requiredToken(),
				snapshot.usableUntil() - now + this.cache.policy().expiryMargin().toNanos(), WechatMpTokenOrigin.STORE,
				true) : null;
	}

	/**
	 * Return the token held, as if it had been received once more, if it need not be
	 * renewed (any more).
	 */
	@Nullable ReceivedToken freshAgain() {
		return (this.snapshot.state(this.clock.nanoTime()) == WechatMpTokenState.FRESH) ? heldAgain() : null;
	}

	/**
	 * Take over a token that another instance has shared.
	 */
	void adopt(ReceivedToken shared) {
		TokenSnapshot before;
		TokenSnapshot after;
		do {
			before = this.snapshot;
			if (!wants(shared)) {
				return;
			}
			after = before.received(shared, false, this.clock.nanoTime(), this.cache.policy(), this.cache.random())
				.fetching(before.fetch());
		}
		while (!SNAPSHOT.compareAndSet(this, before, after));
		logRecovery(before, after);
		this.cache.publish(new WechatMpTokenEvent.Adopted(this.statistics.account));
		logger.debug(LogMessage.format("Took over the token of %s that another instance has fetched", this));
		scheduleWarmUp();
	}

	/**
	 * Fetch now in the background, where that is due or nothing usable is held, and from
	 * then on whenever it is.
	 */
	void keepWarm() {
		this.warm = true;
		warmUp();
	}

	/**
	 * Fetch only when asked again.
	 */
	void letCool() {
		this.warm = false;
		cancel((Future<?>) NEXT_WARM_UP.getAndSet(this, null));
	}

	private void warmUp() {
		if (!this.warm) {
			return;
		}
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		if (snapshot.fetch() == null && now >= nextFetch(snapshot, now)) {
			tryFetch(snapshot, new TokenFetch(this, this.cache, true, false), 0);
		}
		else {
			scheduleWarmUp();
		}
	}

	private void scheduleWarmUp() {
		TokenSnapshot snapshot = this.snapshot;
		if (!this.warm || snapshot.fetch() != null) {
			return;
		}
		long now = this.clock.nanoTime();
		long delay = Math.max(nextFetch(snapshot, now) - now, 0);
		cancel((Future<?>) NEXT_WARM_UP.getAndSet(this, this.cache.schedule(this::warmUp, delay)));
	}

	private static long nextFetch(TokenSnapshot snapshot, long now) {
		long fetchFrom = snapshot.attempts().fetchFrom();
		if (!snapshot.isUsable(now)) {
			return Math.max(fetchFrom, now);
		}
		// A renewal that may only come after the expiry comes with the expiry.
		return Math.min(Math.max(snapshot.refreshAt(), snapshot.attempts().renewFrom()),
				Math.max(snapshot.usableUntil(), fetchFrom));
	}

	private static void cancel(@Nullable Future<?> task) {
		if (task != null) {
			task.cancel(false);
		}
	}

	@Override
	public String toString() {
		String account = this.statistics.account;
		return AccountStatistics.DYNAMIC_ACCOUNTS.equals(account) ? "WeChat app '" + this.credentials.appId() + "'"
				: "account '" + account + "'";
	}

}
