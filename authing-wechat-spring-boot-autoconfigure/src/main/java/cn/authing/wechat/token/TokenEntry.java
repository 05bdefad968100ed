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

import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

import org.springframework.util.Assert;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.TokenFetch.ReceivedToken;
import cn.authing.wechat.token.TokenFetch.SharedResult;
import cn.authing.wechat.token.TokenSnapshot.Change;

/**
 * The cache of one credentials pair. Its state is one volatile field, the snapshot; what
 * becomes of it is decided there.
 */
final class TokenEntry extends CachedTokenSource implements TokenFetch.Recipient, TokenLoader.Cache {

	private static final AtomicReferenceFieldUpdater<TokenEntry, TokenSnapshot> SNAPSHOT = AtomicReferenceFieldUpdater
		.newUpdater(TokenEntry.class, TokenSnapshot.class, "snapshot");

	private final TokenLoader loader;

	private final TokenClock clock;

	private final WechatMpCredentials credentials;

	// Not volatile, as it is read with each request: a thread that sees a change late
	// counts for the previous account a little longer.
	private AccountMonitor monitor;

	private volatile TokenSnapshot snapshot;

	private volatile @Nullable TokenWarmer warmer;

	private volatile boolean evicted;

	TokenEntry(FetchContext context, TokenLoader loader, WechatMpCredentials credentials, AccountMonitor monitor) {
		super(context);
		this.loader = loader;
		this.clock = context.clock();
		this.credentials = credentials;
		this.monitor = monitor;
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

	AccountMonitor monitor() {
		return this.monitor;
	}

	void countFor(AccountMonitor monitor) {
		this.monitor = monitor;
	}

	@Override
	void recordOutcome(boolean success) {
		this.monitor.countAwaited(success, this.snapshot.state(this.clock.nanoTime()));
	}

	@Override
	public @Nullable WechatMpAccessToken staleIfError() {
		return this.snapshot.staleIfError(this.clock.nanoTime());
	}

	@Override
	@Nullable WechatMpAccessToken held() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		// FRESH, the one state that is worth a shortcut.
		if (now < snapshot.softExpiry()) {
			this.monitor.fresh.increment();
			return snapshot.token();
		}
		return heldPastSoftExpiry(snapshot, now);
	}

	private @Nullable WechatMpAccessToken heldPastSoftExpiry(TokenSnapshot snapshot, long now) {
		WechatMpTokenState state = snapshot.state(now);
		if (state == WechatMpTokenState.DUE && !endLost(snapshot, now) && snapshot.mayRefresh(now)) {
			tryFetch(snapshot, newBackgroundFetch(), 0);
		}
		WechatMpAccessToken token = snapshot.held(now);
		if (token != null) {
			this.monitor.countHeld(state);
		}
		return token;
	}

	/**
	 * Return the token while it works at all. Starts no fetch, since a token of the
	 * account's changed credentials is being fetched instead.
	 */
	@Nullable WechatMpAccessToken heldWithoutRefresh() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		this.monitor.countHeld(snapshot.state(now));
		return snapshot.staleIfError(now);
	}

	@Override
	SharedResult join() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			long now = this.clock.nanoTime();
			if (endLost(snapshot, now)) {
				continue;
			}
			SharedResult answer = snapshot.answer(now);
			if (answer != null) {
				return answer;
			}
			TokenFetch fetch = newFetch();
			if (tryFetch(snapshot, fetch, snapshot.fetchDelay(now, this.context.policy()))) {
				return fetch.resultOrStale();
			}
		}
	}

	@Override
	SharedResult refresh() {
		while (true) {
			TokenSnapshot snapshot = this.snapshot;
			TokenFetch fetch = snapshot.fetch();
			if (fetch != null && !endLost(snapshot, this.clock.nanoTime())) {
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

	/**
	 * End a fetch whose deadline got lost, as what schedules or runs it may run out of
	 * stack or memory half-way. Without this, nothing would ever be fetched again.
	 * @return whether there was such a fetch; then the snapshot has changed
	 */
	private static boolean endLost(TokenSnapshot snapshot, long now) {
		TokenFetch fetch = snapshot.fetch();
		if (fetch == null || !fetch.isLost(now)) {
			return false;
		}
		fetch.timeout();
		return true;
	}

	// The operator may run several times, each time with what the snapshot is then.
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
	 * Apply an end of a fetch. Only the first end finds the fetch in the snapshot.
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
	 * Drop the current token or the fallback, whichever was rejected. Never blocks.
	 * @param rejected tells which one was
	 * @param delay how long ago the rejection may have happened (propagation delay), in
	 * nanoseconds; zero where this instance noticed it
	 * @return whether callers were given that token, and no longer are
	 */
	boolean reject(Predicate<String> rejected, long delay) {
		Change change = update((snapshot) -> snapshot.rejected(rejected, this.clock.nanoTime(), delay,
				this.context.policy(), this.context.random()));
		if (!change.rejects(this.clock.nanoTime())) {
			return false;
		}
		rearm();
		// One with a delay was counted and published by the instance that noticed it.
		if (delay == 0) {
			this.context.publish(this.monitor.countRejection());
		}
		this.monitor.logRejection(this, change);
		return true;
	}

	@Override
	public void received(ReceivedToken received, TokenFetch fetch) {
		Change change = updateIfInFlight(fetch,
				(snapshot) -> (!fetch.isRepeated() && snapshot.isOutdated(received.token(), fetch.loadStartedAt()))
						? snapshot : snapshot.received(received, fetch.isInBackground(), this.clock.nanoTime(),
								this.context.policy(), this.context.random()));
		if (!change.happened()) {
			if (change.before().fetch() == fetch) {
				// Rejected since Authing was asked for it.
				fetch.repeat();
			}
			return;
		}
		WechatMpAccessToken value = change.after().staleIfError(this.clock.nanoTime());
		report(() -> this.monitor.tokenReceived(this, received, change, fetch.duration(), this.clock.instant()));
		fetch.end((value != null) ? value : change.after().requiredToken(), received.token(), null);
	}

	@Override
	public boolean failed(AuthingException failure, TokenFetch fetch) {
		// Credentials can be made up: their caller is told, and nobody can fill the log.
		boolean log = fetch.isInBackground() || !this.monitor.isDynamic();
		Change change = updateIfInFlight(fetch, (snapshot) -> snapshot.failed(failure, log, this.clock.nanoTime(),
				this.context.policy(), this.context.random()));
		if (!change.happened()) {
			return false;
		}
		long now = this.clock.nanoTime();
		report(() -> this.monitor.fetchFailed(this, failure, change, now, fetch.duration(), this.clock.instant()));
		fetch.end(change.after().staleIfError(now), null, failure);
		return true;
	}

	// Callers get their answer although a logger throws, or no thread can be had.
	private void report(Supplier<WechatMpTokenEvent> event) {
		try {
			rearm();
			this.context.publish(event.get());
		}
		catch (Throwable ex) {
			// Nobody is left to be told.
		}
	}

	// The timers depend on the back-off and the expiries, which have just changed.
	private void rearm() {
		if (this.evicted) {
			keepReachable();
		}
		scheduleWarmUp();
	}

	@Override
	public boolean abandoned(TokenFetch fetch) {
		Change change = updateIfInFlight(fetch,
				(snapshot) -> snapshot.abandoned(fetch.isInBackground(), fetch.loadStartedAt(), this.context.policy()));
		if (change.happened()) {
			rearm();
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
		if (change.happened()) {
			report(() -> this.monitor.adopted(this, change));
		}
	}

	/**
	 * Tell the entry that the registry refers to it only weakly. It keeps itself
	 * reachable during a back-off, since a new entry for the same credentials would know
	 * of none.
	 */
	void evict() {
		this.evicted = true;
		keepReachable();
	}

	/**
	 * Tell the entry that the registry refers to it strongly again.
	 */
	void keep() {
		this.evicted = false;
	}

	// The timer is there to refer to this entry; what it runs does not matter. During a
	// fetch the context refers to it.
	private void keepReachable() {
		TokenSnapshot snapshot = this.snapshot;
		long now = this.clock.nanoTime();
		if (snapshot.isBackingOff(now)) {
			this.context.schedule(this::scheduleWarmUp, snapshot.backOff().until() - now);
		}
	}

	/**
	 * From now on fetch in the background whenever that is due: for the first time, where
	 * no token is cached, when it is this account's turn.
	 */
	synchronized void keepWarm() {
		TokenWarmer warmer = this.warmer;
		if (warmer == null) {
			warmer = new TokenWarmer(this.context, this::fetchInBackground, () -> untilNextFetch(this.snapshot));
			this.warmer = warmer;
		}
		warmer.resume();
	}

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

	// Negative while a fetch is in flight, as the warmer takes it.
	private long untilNextFetch(TokenSnapshot snapshot) {
		long now = this.clock.nanoTime();
		return (snapshot.fetch() == null) ? Math.max(snapshot.nextFetchAt(), now) - now : -1;
	}

	@Override
	public String toString() {
		return this.monitor.describe(this.credentials);
	}

}
