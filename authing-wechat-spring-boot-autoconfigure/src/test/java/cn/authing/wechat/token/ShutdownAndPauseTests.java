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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests for a service that is closed.
 */
class ShutdownAndPauseTests {

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Test
	void closeWhenCallersWaitShouldReleaseThemAndEndTheRequest() {
		Caller waiting = this.fixture.ask();
		Caller refreshing = this.fixture.refresh();
		ScriptedClient.Call call = this.fixture.client.call();
		this.fixture.close();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class).hasMessageContaining("was stopped");
		assertThat(refreshing.failure()).isInstanceOf(IllegalStateException.class);
		assertThat(call.isCancelled()).isTrue();
		assertThat(this.fixture.time.pendingTasks()).isZero();
	}

	@Test
	void closeWhenCallersWaitForAStaleTokensSuccessorShouldGiveThemTheStaleOne() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_STALE);
		Caller waiting = this.fixture.ask();
		assertThat(waiting.isWaiting()).isTrue();
		this.fixture.registry.stop();
		assertThat(waiting.accessToken()).isEqualTo("A");
		assertThat(this.fixture.ask().accessToken()).as("while stopped").isEqualTo("A");
	}

	@Test
	void closeWhenFetchIsOverdueShouldReleaseWhoCameAfterTheExpiry() {
		this.fixture.hold("A");
		this.fixture.advance(LIFE.minusSeconds(4));
		this.fixture.ask();
		this.fixture.advance(Duration.ofSeconds(4));
		Caller waiting = this.fixture.ask();
		assertThat(waiting.isWaiting()).isTrue();
		this.fixture.registry.stop();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class);
	}

	@Test
	void fetchWhileATokenWorksShouldLeaveNoTimer() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_STALE);
		this.fixture.ask();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.time.pendingTasks()).isZero();
	}

	@Test
	void closeWhenFetchHasNotStartedYetShouldReleaseCallers() {
		Caller waiting = Caller.of(this.fixture.service.getAccessToken());
		this.fixture.close();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class);
		this.fixture.advance(Duration.ofMinutes(1));
		assertThat(this.fixture.fetches()).isZero();
	}

	@Test
	void stopWhenFetchWaitsForTheCoolDownShouldReleaseCallersAndNotAsk() {
		this.fixture.hold("A");
		this.fixture.service.invalidate("A");
		Caller waiting = this.fixture.ask();
		this.fixture.registry.stop();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class);
		this.fixture.advance(Duration.ofMinutes(1));
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void stopJustAsAuthingIsToBeAskedShouldLeaveItAlone() {
		this.fixture.registry.keepWarm();
		Caller waiting = Caller.of(this.fixture.service.getAccessToken());
		this.fixture.time.onReading(1, this.fixture.time::runDue);
		this.fixture.registry.stop();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class);
		assertThat(this.fixture.fetches()).isZero();
		this.fixture.registry.start();
		this.fixture.advance(Duration.ofMillis(10));
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 3, 4, 5, 6, 7, 8 })
	void stopWhileAFetchIsStartedShouldReleaseTheCallerAndLeaveNoTimer(int reading) {
		this.fixture.time.onReading(reading, this.fixture.registry::stop);
		Caller waiting = Caller.of(this.fixture.service.getAccessToken());
		this.fixture.registry.stop();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class);
		this.fixture.time.runDue();
		assertThat(this.fixture.fetches()).isZero();
		assertThat(this.fixture.time.pendingTasks()).isZero();
	}

	@Test
	void closeWhileAListenerHangsShouldReleaseCallers() throws Exception {
		CountDownLatch notified = new CountDownLatch(1);
		CountDownLatch gate = new CountDownLatch(1);
		FetchContext.Executors executors = this.fixture.time.newExecutors();
		ExecutorService callbacks = Executors.newCachedThreadPool();
		try {
			FetchContext context = new FetchContext(this.fixture.time,
					new FetchContext.Executors(executors.timer(), executors.fetches(), callbacks), () -> 0, POLICY,
					List.of((event) -> {
						notified.countDown();
						await(gate);
					}));
			TestTokenService service = new TestTokenService(this.fixture.client, null, () -> this.fixture.accounts, 10,
					context);
			CompletableFuture<?> waiting = service.getAccessToken().toFuture();
			this.fixture.time.runDue();
			this.fixture.client.call().succeed("A", LIFE);
			notified.await();
			service.close();
			assertThat(waiting).succeedsWithin(Duration.ofSeconds(30));
		}
		finally {
			gate.countDown();
			callbacks.shutdown();
		}
	}

	@Test
	void closeWhenKeptWarmShouldStop() {
		this.fixture.registry.keepWarm();
		this.fixture.time.runDue();
		this.fixture.client.call().succeed("A", LIFE);
		this.fixture.close();
		this.fixture.close();
		this.fixture.advance(LIFE.multipliedBy(2));
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenClosedShouldFailClearlyWhereItHadToWait() {
		this.fixture.close();
		assertThatIllegalStateException().isThrownBy(this.fixture::held).withMessageContaining("was stopped");
		assertThat(this.fixture.ask().failure()).isInstanceOf(IllegalStateException.class);
		assertThat(this.fixture.refresh().failure()).isInstanceOf(IllegalStateException.class);
		assertThat(this.fixture.fetches()).isZero();
	}

	@Test
	void getAccessTokenWhenClosedShouldStillReturnHeldToken() {
		this.fixture.hold("A");
		this.fixture.close();
		this.fixture.advance(UNTIL_DUE);
		assertThat(this.fixture.held()).isEqualTo("A");
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void closeWhenBlockedThreadWaitsShouldReleaseItAndLeaveNoThread() throws Exception {
		CompletableFuture<Thread> fetchThread = new CompletableFuture<>();
		AuthingWechatClient silent = new AuthingWechatClient() {

			@Override
			public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
				fetchThread.complete(Thread.currentThread());
				return Mono.never();
			}

		};
		TestTokenService service = new TestTokenService(silent, null, () -> this.fixture.accounts, POLICY, 10,
				List.of());
		CompletableFuture<WechatMpAccessToken> blocked = CompletableFuture.supplyAsync(service::getAccessTokenSync);
		Thread thread = fetchThread.get(30, TimeUnit.SECONDS);
		service.close();
		assertThat(blocked).failsWithin(Duration.ofSeconds(30))
			.withThrowableThat()
			.havingCause()
			.isInstanceOf(IllegalStateException.class)
			.withMessageContaining("was stopped");
		assertThat(thread.isDaemon()).isTrue();
		thread.join(30_000);
		assertThat(thread.isAlive()).isFalse();
	}

	@Test
	void stopWhenCallersWaitShouldReleaseThemAndStartShouldResume() {
		Caller waiting = this.fixture.ask();
		this.fixture.registry.stop();
		assertThat(waiting.failure()).isInstanceOf(IllegalStateException.class).hasMessageContaining("was stopped");
		assertThat(this.fixture.registry.isRunning()).isFalse();
		assertThat(this.fixture.ask().failure()).isInstanceOf(IllegalStateException.class);
		this.fixture.registry.start();
		assertThat(this.fixture.registry.isRunning()).isTrue();
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.hold("A");
		assertThat(this.fixture.held()).isEqualTo("A");
	}

	@Test
	void fetchThatStopEndsShouldCountForTheCoolDown() {
		this.fixture.ask();
		this.fixture.registry.stop();
		this.fixture.registry.start();
		Caller caller = this.fixture.ask();
		assertThat(this.fixture.fetches()).isEqualTo(1);
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@Test
	void stopWhenKeptWarmShouldEndItAndStartShouldResumeIt() {
		this.fixture.client.onCall((call) -> call.succeed("T" + this.fixture.fetches(), LIFE));
		this.fixture.registry.keepWarm();
		this.fixture.time.runDue();
		this.fixture.registry.stop();
		assertThat(this.fixture.time.pendingTasks()).isZero();
		this.fixture.advance(LIFE.multipliedBy(2));
		assertThat(this.fixture.fetches()).isEqualTo(1);
		this.fixture.registry.start();
		this.fixture.time.runDue();
		assertThat(this.fixture.held()).isEqualTo("T2");
		this.fixture.advance(UNTIL_DUE);
		assertThat(this.fixture.fetches()).isEqualTo(3);
	}

	@Test
	void stopWhenChangedCredentialsArePendingShouldPauseThem() {
		this.fixture.hold("A");
		this.fixture.client.onCall((call) -> call.fail());
		this.fixture.accounts.put("default", new WechatMpCredentials(CREDENTIALS.appId(), "changed"));
		this.fixture.registry.reload();
		this.fixture.time.runDue();
		this.fixture.registry.stop();
		int before = this.fixture.fetches();
		this.fixture.advance(Duration.ofMinutes(10));
		assertThat(this.fixture.fetches()).isEqualTo(before);
		this.fixture.client.onCall((call) -> call.succeed("B", LIFE));
		this.fixture.registry.start();
		this.fixture.time.runDue();
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void stopWhileChangedCredentialsAreFetchedShouldEndThatAndStartShouldRepeatIt(CapturedOutput output) {
		this.fixture.hold("A");
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.accounts.put("default", new WechatMpCredentials(CREDENTIALS.appId(), "changed"));
		this.fixture.registry.reload();
		this.fixture.time.runDue();
		this.fixture.registry.stop();
		assertThat(this.fixture.time.pendingTasks()).isZero();
		assertThat(output).as("a stop is no failure").doesNotContain("changed credentials");
		this.fixture.registry.start();
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	void stopAndStartShouldEndAndResumeNotificationsOfTheStore() {
		ManualTime time = new ManualTime();
		SharedTestStore store = new SharedTestStore(time);
		TokenServiceFixture one = new TokenServiceFixture(
				(setup) -> setup.withTime(time).withStore(store.newInstance()));
		TokenServiceFixture other = new TokenServiceFixture(
				(setup) -> setup.withTime(time).withStore(store.newInstance()));
		one.hold("A");
		other.ask();
		one.registry.stop();
		time.advance(Duration.ofMinutes(1));
		other.registry.invalidateCurrent("default");
		assertThat(one.held()).as("not told while stopped").isEqualTo("A");
		other.hold("B");
		one.registry.start();
		other.registry.invalidateCurrent("default");
		other.refresh();
		other.client.call().succeed("C", LIFE);
		assertThat(one.ask().accessToken()).isEqualTo("C");
	}

	@Test
	void stopShouldWaitUntilWhatWasFetchedIsPublished() throws Exception {
		CompletableFuture<WechatMpTokenStore.StoredToken> publishing = new CompletableFuture<>();
		CountDownLatch started = new CountDownLatch(1);
		AtomicBoolean published = new AtomicBoolean();
		WechatMpTokenStore store = new SharedTestStore(this.fixture.time).new Instance() {

			@Override
			public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
				started.countDown();
				return Mono.fromFuture(publishing).doOnSuccess((done) -> published.set(true));
			}

		};
		AuthingWechatClient client = (credentials) -> Mono
			.fromSupplier(() -> new WechatMpAccessToken("A", Instant.now().plusSeconds(7200)));
		TestTokenService service = new TestTokenService(client, store, () -> this.fixture.accounts, POLICY, 10,
				List.of());
		service.getAccessTokenSync();
		started.await();
		Thread closing = new Thread(service::close);
		closing.start();
		while (closing.isAlive() && closing.getState() != Thread.State.TIMED_WAITING) {
			Thread.onSpinWait();
		}
		assertThat(closing.isAlive()).isTrue();
		publishing.complete(null);
		closing.join();
		assertThat(published).isTrue();
	}

	@Test
	void closeBeforeALeaseIsGrantedShouldGiveItBack() throws Exception {
		CompletableFuture<WechatMpTokenStore.Lease> granted = new CompletableFuture<>();
		CountDownLatch asked = new CountDownLatch(1);
		CountDownLatch released = new CountDownLatch(1);
		WechatMpTokenStore store = new SharedTestStore(this.fixture.time).new Instance() {

			@Override
			public Mono<Lease> lease(WechatMpCredentials credentials) {
				asked.countDown();
				return Mono.fromFuture(granted);
			}

			@Override
			public Duration maxWait() {
				return Duration.ofHours(1);
			}

		};
		TestTokenService service = new TestTokenService((credentials) -> Mono.never(), store,
				() -> this.fixture.accounts, POLICY, 10, List.of());
		service.getAccessToken().onErrorComplete().subscribe();
		asked.await();
		service.close();
		granted.complete(new TestLease(null, Mono.fromRunnable(released::countDown)));
		assertThat(released.await(30, TimeUnit.SECONDS)).isTrue();
	}

}
