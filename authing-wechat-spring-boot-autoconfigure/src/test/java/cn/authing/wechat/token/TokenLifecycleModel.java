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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.BaseSubscriber;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * What must hold of a service, whatever happens to it. Knows no more than what Authing
 * answered and what was reported; where the two cannot tell (the last seconds of a token,
 * in which rounded dates and the tolerated difference of clocks decide), it allows
 * either.
 */
final class TokenLifecycleModel {

	// The margin, the tolerated difference of the clocks, and the whole second of a Date.
	private static final long UNCERTAIN = Duration.ofSeconds(16).toNanos();

	// The tolerated difference of the clocks, and the whole second of a Date.
	private static final Duration SKEW = Duration.ofSeconds(6);

	private static final long LONGEST_LIFE = Duration.ofHours(2).toNanos();

	private static final long MIN_SPACING = POLICY.initialBackoff().toNanos();

	private static final long MAX_BACKOFF = POLICY.maxBackoff().toNanos();

	private static final Duration PATIENCE = Duration.ofMillis(10_200);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	private final Map<String, Issued> issued = new HashMap<>();

	private final Map<WechatMpCredentials, Pair> pairs = new HashMap<>();

	private final List<Waiter> waiters = new ArrayList<>();

	private Pair current = pair(CREDENTIALS);

	// Its token serves until a changed secret has produced one.
	private @Nullable Pair predecessor;

	private @Nullable String lastHandedOut;

	private @Nullable AssertionError violation;

	private boolean stopping;

	TokenLifecycleModel() {
		this.fixture.client.onCall((call) -> observe(() -> started(call)));
	}

	private long now() {
		return this.fixture.time.nanoTime();
	}

	private Pair pair(WechatMpCredentials credentials) {
		return this.pairs.computeIfAbsent(credentials, (key) -> new Pair());
	}

	// What happens.

	void advance(Duration duration) {
		this.fixture.advance(duration);
	}

	void ask(boolean atRunTime) {
		boolean valid = this.current.isCertainlyValid() || (!atRunTime && isPredecessorValid());
		Waiter waiter = new Waiter(valid);
		this.waiters.add(waiter);
		WechatMpCredentials credentials = this.fixture.accounts.values().iterator().next();
		(atRunTime ? this.fixture.service.account(credentials) : this.fixture.service).getAccessToken()
			.subscribe(waiter);
		assertThat(valid && waiter.waits).as("waits though a valid token is held").isFalse();
	}

	void askBlocking() {
		boolean valid = this.current.isCertainlyServable() || isPredecessorValid();
		try {
			WechatMpAccessToken token = this.fixture.service.getAccessTokenSync();
			this.fixture.time.runDue();
			handedOut(token, this.current);
		}
		catch (AuthingException | IllegalStateException ex) {
			assertThat(valid).as("fails though a valid token is held: " + ex).isFalse();
		}
	}

	void cancel(int choice) {
		List<Waiter> waiting = this.waiters.stream().filter((waiter) -> waiter.waits).toList();
		if (!waiting.isEmpty()) {
			Waiter waiter = waiting.get(choice % waiting.size());
			waiter.waits = false;
			waiter.cancel();
		}
	}

	void answerNew(Duration life) {
		answer("T" + this.issued.size(), this.fixture.time.authingTime().plus(life));
	}

	/**
	 * Answer with the last token of that pair once more.
	 */
	void answerSame() {
		this.fixture.client.openCalls().stream().findFirst().ifPresent((call) -> {
			String last = pair(call.credentials()).lastIssued;
			if (last != null) {
				answer(last, issued(last).expiresAt);
			}
			else {
				answerNew(Duration.ofHours(2));
			}
		});
	}

	private void answer(String accessToken, Instant expiresAt) {
		this.fixture.client.openCalls().stream().findFirst().ifPresent((call) -> {
			Pair pair = pair(call.credentials());
			boolean clocksDiffer = this.fixture.time.wallOffset().abs().compareTo(Duration.ofSeconds(5)) > 0;
			Issued known = this.issued.get(accessToken);
			if (known != null && known.rejected && call.startedAt().toNanos() < known.rejectedAt) {
				// No answer to those who reported it: Authing is asked once more.
				pair.repeated = true;
			}
			else {
				// Where the clocks differ, nobody knows when on its way an answer was
				// dated.
				pair.received(accessToken, expiresAt, clocksDiffer ? now() - call.startedAt().toNanos() : 0);
			}
			boolean dated = clocksDiffer || this.issued.size() % 2 == 0;
			call.succeed(new WechatMpAccessToken(accessToken, expiresAt), dated);
		});
	}

	void answerFailure(@Nullable Duration retryAfter) {
		this.fixture.client.openCalls()
			.stream()
			.findFirst()
			.ifPresent((call) -> call.fail(ScriptedClient.failure(retryAfter)));
	}

	void answerEmpty() {
		this.fixture.client.openCalls().stream().findFirst().ifPresent(ScriptedClient.Call::completeEmpty);
	}

	void moveWallClock(Duration offset) {
		this.fixture.time.setWallOffset(offset);
	}

	void invalidateCurrent() {
		String accessToken = this.lastHandedOut;
		if (accessToken == null) {
			return;
		}
		boolean isCurrent = this.current.isCertainlyValid() && this.predecessor == null
				&& accessToken.equals(this.current.token);
		boolean dropped = report(accessToken);
		assertThat(dropped || !isCurrent).as("the current token was not dropped").isTrue();
		if (dropped) {
			issued(accessToken).pair.rejected(accessToken);
			this.predecessor = null;
		}
	}

	void invalidateOld(int choice) {
		List<String> old = this.issued.keySet().stream().filter((token) -> !token.equals(this.current.token)).toList();
		if (!old.isEmpty() && this.current.isCertainlyValid() && this.predecessor == null) {
			assertThat(report(old.get(choice % old.size()))).as("an old token was dropped").isFalse();
		}
	}

	private boolean report(String accessToken) {
		boolean dropped = this.fixture.service.invalidate(accessToken);
		if (!dropped) {
			issued(accessToken).pair.rejectedOld();
		}
		return dropped;
	}

	void refresh() {
		this.current.forced = true;
		this.fixture.service.refreshAccessToken().subscribe((token) -> {
		}, (failure) -> {
		});
		this.fixture.time.runDue();
		this.current.forced = false;
	}

	void reload() {
		this.fixture.registry.reload();
	}

	void changeSecret() {
		Pair old = this.current;
		WechatMpCredentials changed = new WechatMpCredentials(CREDENTIALS.appId(), "secret-" + this.pairs.size());
		this.current = pair(changed);
		if (!isPredecessorValid()) {
			this.predecessor = old.isCertainlyValid() ? old : null;
		}
		this.fixture.accounts.put("default", changed);
		this.fixture.registry.reload();
		// The changed credentials are asked for a token at once.
		this.fixture.time.runDue();
	}

	/**
	 * Make the bounded cache forget what it may.
	 */
	void evict() {
		for (int filler = 0; filler < 30; filler++) {
			this.fixture.service.account(new WechatMpCredentials("wx-filler-" + filler, "secret"));
		}
	}

	void stopAndStart() {
		this.stopping = true;
		this.fixture.registry.stop();
		this.stopping = false;
		assertThat(this.fixture.client.openCalls()).as("fetches in flight while stopped").isEmpty();
		this.fixture.registry.start();
	}

	void keepWarm() {
		this.fixture.registry.keepWarm();
	}

	// What must hold.

	void check() {
		if (this.violation != null) {
			throw this.violation;
		}
		for (Waiter waiter : this.waiters) {
			assertThat(waiter.waits && now() - waiter.since > PATIENCE.toNanos()).as("a caller waits too long")
				.isFalse();
		}
	}

	void checkRecovery() {
		this.fixture.client.onCall((call) -> {
			observe(() -> started(call));
			this.fixture.time.setWallOffset(Duration.ZERO);
			answerNew(Duration.ofHours(2));
		});
		while (!this.fixture.client.openCalls().isEmpty()) {
			answerNew(Duration.ofHours(2));
		}
		ask(false);
		this.fixture.advance(POLICY.maxBackoff());
		ask(false);
		this.fixture.time.runDue();
		assertThat(this.fixture.state()).as("the state after recovery").isEqualTo(WechatMpTokenState.FRESH);
		askBlocking();
		assertThat(this.waiters).noneMatch((waiter) -> waiter.waits);
		check();
	}

	void checkShutdown() {
		this.fixture.client.onCall((call) -> {
		});
		this.fixture.refresh();
		this.fixture.close();
		assertThat(this.fixture.client.openCalls()).isEmpty();
		assertThat(this.fixture.time.pendingTasks()).isZero();
	}

	// What is thrown within a signal does not get far.
	private void observe(Runnable assertions) {
		try {
			assertions.run();
		}
		catch (AssertionError ex) {
			this.violation = ex;
		}
	}

	private boolean isPredecessorValid() {
		return this.predecessor != null && this.predecessor.isCertainlyValid();
	}

	private void started(ScriptedClient.Call call) {
		Pair pair = pair(call.credentials());
		assertThat(this.fixture.client.openCalls()
			.stream()
			.filter((open) -> open.credentials().equals(call.credentials()))).as("fetches in flight").hasSize(1);
		assertThat(pair.forced || pair.repeated || now() - pair.lastFetch >= MIN_SPACING)
			.as("a fetch too soon after another")
			.isTrue();
		if (pair.isCertainlyValid() && !pair.forced && !pair.suspect) {
			assertThat(now() - pair.lastRefresh).as("time since the last refresh")
				.isGreaterThanOrEqualTo(POLICY.minRefreshInterval().toNanos());
			pair.lastRefresh = now();
		}
		pair.lastFetch = now();
		pair.lastAsked = now();
		pair.repeated = false;
	}

	private void handedOut(WechatMpAccessToken token, Pair asked) {
		this.lastHandedOut = token.accessToken();
		Issued issued = issued(token.accessToken());
		Pair pair = issued.pair;
		Duration late = Duration.between(issued.expiresAt, this.fixture.time.authingTime());
		if (!late.isNegative() && now() > issued.lateUntil) {
			// Only for want of a better one, and where the clocks may differ by as much.
			assertThat(late.compareTo(SKEW) < 0 && (pair.wasAskedLately() || asked.wasAskedLately() || this.stopping))
				.as("%s is handed out though expired", token.accessToken())
				.isTrue();
		}
		assertThat(issued.rejected && pair.rejections == 1).as("%s is handed out though rejected", token.accessToken())
			.isFalse();
		if (pair == this.current && pair.isCertainlyValid()) {
			assertThat(token.accessToken()).as("the token that is held").isEqualTo(pair.token);
		}
		else if (pair != this.current && asked == this.current) {
			// A token of the new secret that came another way is found with the next try.
			assertThat(this.current.isCertainlyValid() && now() - this.current.receivedAt > MAX_BACKOFF)
				.as("%s is of replaced credentials", token.accessToken())
				.isFalse();
		}
	}

	private Issued issued(String accessToken) {
		Issued issued = this.issued.get(accessToken);
		if (issued == null) {
			throw new AssertionError("Authing never issued " + accessToken);
		}
		return issued;
	}

	private static final class Issued {

		private final Pair pair;

		private final Instant expiresAt;

		private long lateUntil = Long.MIN_VALUE;

		private boolean rejected;

		private long rejectedAt = Long.MIN_VALUE;

		Issued(Pair pair, Instant expiresAt) {
			this.pair = pair;
			this.expiresAt = expiresAt;
		}

	}

	/**
	 * What is known of a credentials pair.
	 */
	private final class Pair {

		private @Nullable String token;

		private @Nullable String lastIssued;

		private long certainlyValidUntil = Long.MIN_VALUE;

		private boolean rejected;

		private boolean suspect;

		private int rejections;

		private long receivedAt = Long.MIN_VALUE / 2;

		private long lastFetch = Long.MIN_VALUE / 2;

		private long lastAsked = Long.MIN_VALUE / 2;

		private long lastRefresh = Long.MIN_VALUE / 2;

		private boolean forced;

		private boolean repeated;

		// Of the last token, and of that or an earlier one that lives longer.
		private long lastServableUntil = Long.MIN_VALUE;

		private long certainlyServableUntil = Long.MIN_VALUE;

		/**
		 * Return whether nobody waits.
		 */
		boolean isCertainlyValid() {
			return !this.suspect && isHeld();
		}

		/**
		 * Return whether nobody is told of a failure.
		 */
		boolean isCertainlyServable() {
			return !this.rejected && now() < this.certainlyServableUntil;
		}

		boolean wasAskedLately() {
			return now() - this.lastAsked <= MAX_BACKOFF + PATIENCE.toNanos();
		}

		private boolean isHeld() {
			return !this.rejected && now() < this.certainlyValidUntil;
		}

		void received(String accessToken, Instant expiresAt, long onItsWay) {
			Issued issued = TokenLifecycleModel.this.issued.computeIfAbsent(accessToken,
					(key) -> new Issued(this, expiresAt));
			this.lastIssued = accessToken;
			issued.rejected = false;
			long life = Duration.between(TokenLifecycleModel.this.fixture.time.authingTime(), expiresAt).toNanos();
			long certainLife = Math.min(life - onItsWay, LONGEST_LIFE);
			if (certainLife <= UNCERTAIN) {
				issued.lateUntil = now() + MAX_BACKOFF;
			}
			boolean same = accessToken.equals(this.token);
			if (isHeld() && (life <= -SKEW.toNanos() || (same && !this.suspect))) {
				this.receivedAt = same ? this.receivedAt : now();
				return;
			}
			this.suspect = same && (this.rejected || this.suspect);
			this.rejections += this.suspect ? 1 : 0;
			// It may have come too late to take the place of one in its last seconds.
			this.token = (certainLife > UNCERTAIN || this.rejected) ? accessToken : null;
			long servableUntil = now() + certainLife - SKEW.toNanos();
			long validUntil = now() + certainLife - UNCERTAIN;
			if (same) {
				// What is known of it may be left as it is.
				servableUntil = Math.min(servableUntil, this.lastServableUntil);
				validUntil = Math.min(validUntil, this.certainlyValidUntil);
			}
			this.lastServableUntil = servableUntil;
			this.certainlyServableUntil = this.rejected ? servableUntil
					: Math.max(servableUntil, this.certainlyServableUntil);
			this.certainlyValidUntil = validUntil;
			this.rejected = false;
			this.receivedAt = now();
			if (this == TokenLifecycleModel.this.current) {
				TokenLifecycleModel.this.predecessor = null;
			}
		}

		void rejected(String accessToken) {
			boolean soon = this.rejections > 0 && now() - this.receivedAt < MAX_BACKOFF;
			this.rejections = soon ? this.rejections + 1 : 1;
			issued(accessToken).rejected = true;
			issued(accessToken).rejectedAt = now();
			this.rejected = true;
		}

		/**
		 * Take in that WeChat rejected a token other than the current one, which may have
		 * been kept for the time when that one has expired.
		 */
		void rejectedOld() {
			this.certainlyServableUntil = Math.min(this.certainlyServableUntil, this.lastServableUntil);
		}

	}

	/**
	 * A caller, who checks what it is answered with at that moment.
	 */
	private final class Waiter extends BaseSubscriber<WechatMpAccessToken> {

		private final long since = now();

		private final Pair asked = TokenLifecycleModel.this.current;

		private final boolean valid;

		private boolean waits = true;

		Waiter(boolean valid) {
			this.valid = valid;
		}

		@Override
		protected void hookOnNext(WechatMpAccessToken token) {
			this.waits = false;
			observe(() -> handedOut(token, this.asked));
		}

		@Override
		protected void hookOnError(Throwable failure) {
			this.waits = false;
			observe(() -> {
				if (TokenLifecycleModel.this.stopping) {
					return;
				}
				assertThat(failure).isInstanceOf(AuthingException.class);
				assertThat(this.valid || this.asked.isCertainlyServable()).as("fails though a valid token is held")
					.isFalse();
			});
		}

	}

}
