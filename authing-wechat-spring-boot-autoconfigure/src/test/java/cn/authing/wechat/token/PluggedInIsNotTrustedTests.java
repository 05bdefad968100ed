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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.awaitility.Awaitility;
import org.hamcrest.Matchers;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.mock;

/**
 * Rule 11: what is plugged in is not trusted. A client, store, listener or account
 * provider that throws, returns {@code null}, hangs or blocks is contained.
 */
@Timeout(60)
class PluggedInIsNotTrustedTests {

	private static final Duration SOON = Duration.ofSeconds(30);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Test
	void fetchWhenClientCompletesEmptyShouldFailClearly() {
		Caller caller = this.fixture.ask();
		this.fixture.client.call().completeEmpty();
		assertThat(caller.failure()).isInstanceOf(AuthingException.class).hasMessageContaining("without a token");
	}

	@Test
	void fetchWhenClientFailsWithForeignExceptionShouldNotQuoteIt() {
		Caller caller = this.fixture.ask();
		this.fixture.client.call().fail(new IllegalArgumentException("secret " + CREDENTIALS.appSecret()));
		assertThat(caller.failure()).isInstanceOf(AuthingTransportException.class)
			.message()
			.contains("IllegalArgumentException")
			.doesNotContain(CREDENTIALS.appSecret());
	}

	@Test
	void fetchWhenClientThrowsShouldFail() {
		this.fixture.client.onCall((call) -> {
			throw new IllegalStateException("broken");
		});
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingTransportException.class);
	}

	@Test
	void clientWhenJarsDoNotFitTogetherShouldFailAtOnce() {
		AuthingWechatClient client = (credentials) -> {
			throw new NoSuchMethodError("of another version");
		};
		try (TestTokenService service = new TestTokenService(client, null, () -> this.fixture.accounts, POLICY, 10,
				List.of())) {
			assertThatExceptionOfType(AuthingException.class).isThrownBy(service::getAccessTokenSync)
				.withMessageContaining("NoSuchMethodError");
		}
	}

	@Test
	void listenerShouldBeToldOfEachFetch() {
		List<String> told = new ArrayList<>();
		TokenServiceFixture fixture = new TokenServiceFixture(
				(setup) -> setup.withListener((event) -> told.add(event.toString())));
		fixture.ask();
		fixture.advance(Duration.ofMillis(300));
		fixture.client.call().fail();
		fixture.advance(Duration.ofSeconds(1));
		fixture.hold("A");
		assertThat(told).hasSize(2);
		assertThat(told.get(0)).startsWith("Failed[account=default, duration=PT0.3S").contains("Authing is busy");
		assertThat(told.get(1)).isEqualTo("Fetched[account=default, duration=PT0S, origin=AUTHING]");
		assertThat(fixture.status().fetches()).isEqualTo(2);
	}

	@Test
	void listenerShouldNotBeToldOnceClosed() throws Exception {
		BlockingQueue<Thread> told = new LinkedBlockingQueue<>();
		CountDownLatch closed = new CountDownLatch(1);
		Thread listening;
		try (TestTokenService service = service((credentials) -> Mono.just(token()), null, POLICY, (event) -> {
			told.add(Thread.currentThread());
			await(closed);
		})) {
			service.getAccessTokenSync();
			listening = told.take();
			assertThat(service.refreshAccessToken().toFuture()).succeedsWithin(SOON);
		}
		closed.countDown();
		listening.join();
		assertThat(told).as("the second event comes too late").isEmpty();
	}

	@Test
	void listenerWhenItFailsWithAnErrorShouldNotStrandThoseWhoWait() {
		TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withListener((event) -> {
			throw new AssertionError("broken listener");
		}));
		Caller caller = fixture.ask();
		fixture.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void listenerWhenItThrowsShouldNotStrandThoseWhoWait(boolean linkage) {
		TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withListener((event) -> {
			if (linkage) {
				throw new NoClassDefFoundError("of another version");
			}
			throw new IllegalStateException("broken listener");
		}));
		Caller first = fixture.ask();
		fixture.client.call().fail();
		assertThat(first.failure()).isInstanceOf(AuthingApiException.class);
		fixture.advance(Duration.ofSeconds(1));
		Caller second = fixture.ask();
		fixture.client.call().succeed("A", LIFE);
		assertThat(second.accessToken()).isEqualTo("A");
	}

	private static WechatMpAccessToken token() {
		return new WechatMpAccessToken("A", java.time.Instant.now().plusSeconds(7200));
	}

	private TestTokenService service(AuthingWechatClient client, @Nullable WechatMpTokenStore store,
			WechatMpRefreshPolicy policy, WechatMpTokenListener... listeners) {
		return new TestTokenService(client, store, () -> Map.of("default", CREDENTIALS), policy, 100,
				List.of(listeners));
	}

	static Stream<Error> errors() {
		return Stream.of(new StackOverflowError(), new OutOfMemoryError("test"), new InternalError(),
				new NoSuchMethodError(), new AssertionError());
	}

	@ParameterizedTest
	@MethodSource("errors")
	void clientWhenItThrowsAnErrorShouldBeToldAtOnce(Error error) {
		try (TestTokenService service = service((credentials) -> Mono.fromSupplier(() -> {
			throw error;
		}), null, POLICY.withTimeout(Duration.ofHours(1)))) {
			assertThatExceptionOfType(AuthingTransportException.class).isThrownBy(service::getAccessTokenSync)
				.withMessageContaining(error.getClass().getName());
		}
	}

	@ParameterizedTest
	@MethodSource("errors")
	void clientWhenThereIsAStoreAndItThrowsAnErrorShouldBeToldAtOnce(Error error) {
		WechatMpTokenStore store = new BrokenStore("fails", () -> Mono.error(new Exception()));
		try (TestTokenService service = service((credentials) -> Mono.fromSupplier(() -> {
			throw error;
		}), store, POLICY.withTimeout(Duration.ofHours(1)))) {
			assertThat(service.getAccessToken().toFuture()).failsWithin(SOON)
				.withThrowableThat()
				.withCauseInstanceOf(AuthingTransportException.class)
				.withMessageContaining(error.getClass().getName());
		}
	}

	@Test
	@SuppressWarnings("NullAway") // what a client without null checks may do
	void clientWhenItReturnsNullShouldBeToldAtOnce() {
		try (TestTokenService service = service((credentials) -> null, null, POLICY.withTimeout(Duration.ofHours(1)))) {
			assertThatExceptionOfType(AuthingTransportException.class).isThrownBy(service::getAccessTokenSync)
				.withMessageContaining("AuthingWechatClient");
		}
	}

	@Test
	void clientWhenItBlocksShouldDelayNoOtherFetch() throws Exception {
		int accounts = 20;
		CountDownLatch allIn = new CountDownLatch(accounts);
		try (TestTokenService service = service((credentials) -> Mono.fromCallable(() -> {
			allIn.countDown();
			// Nobody gets further before all have started
			assertThat(allIn.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
			return token();
		}), null, POLICY)) {
			List<CompletableFuture<WechatMpAccessToken>> answers = IntStream.range(0, accounts)
				.mapToObj((i) -> service.account(new WechatMpCredentials("wx" + i, "s")).getAccessToken().toFuture())
				.toList();
			assertThat(answers).allSatisfy((answer) -> assertThat(answer).succeedsWithin(SOON));
		}
	}

	static Stream<Mono<WechatMpTokenStore.Lease>> leases() {
		WechatMpTokenStore.Lease lease = mock(WechatMpTokenStore.Lease.class);
		given(lease.release()).willReturn(Mono.empty());
		return Stream.of(Mono.never(), Mono.just(lease).publishOn(Schedulers.parallel()));
	}

	@ParameterizedTest
	@MethodSource("leases")
	void clientWhenThereIsAStoreShouldBeCalledOnAThreadThatItMayBlock(Mono<WechatMpTokenStore.Lease> lease) {
		WechatMpTokenStore store = mock(WechatMpTokenStore.class);
		given(store.maxWait()).willReturn(Duration.ofMillis(10));
		given(store.read(any())).willReturn(Mono.empty());
		given(store.lease(any())).willReturn(lease);
		given(store.publish(any(), any())).willReturn(Mono.empty());
		try (TestTokenService service = service((credentials) -> {
			assertThat(Schedulers.isInNonBlockingThread()).isFalse();
			return Mono.fromSupplier(() -> token());
		}, store, POLICY.withTimeout(SOON))) {
			assertThat(service.getAccessToken().toFuture()).succeedsWithin(SOON);
		}
	}

	@Test
	void clientWhenItBlocksShouldEndAtTheDeadlineAndBeInterrupted() throws Exception {
		CountDownLatch asked = new CountDownLatch(1);
		CountDownLatch interrupted = new CountDownLatch(1);
		ManualTime time = new ManualTime();
		try (TestTokenService service = serviceWithThreads(time, (credentials) -> {
			try {
				asked.countDown();
				new CountDownLatch(1).await();
			}
			catch (InterruptedException ex) {
				interrupted.countDown();
			}
			return Mono.empty();
		})) {
			CompletableFuture<?> answer = service.getAccessToken().toFuture();
			await(asked);
			time.advance(POLICY.timeout().multipliedBy(2));
			assertThat(answer).failsWithin(SOON)
				.withThrowableThat()
				.withCauseInstanceOf(AuthingTransportException.class)
				.withMessageContaining("authing.timeout");
			await(interrupted);
		}
	}

	private static TestTokenService serviceWithThreads(ManualTime time, AuthingWechatClient client) {
		ExecutorService threads = FetchContext.Executors.create().fetches();
		return new TestTokenService(client, null, () -> Map.of("default", CREDENTIALS), 10, new FetchContext(time,
				new FetchContext.Executors(time.newExecutors().timer(), threads, threads), () -> 0, POLICY, List.of()));
	}

	@Test
	void clientWhoseCancellationThrowsShouldNotStrandThoseWhoWait() {
		ManualTime time = new ManualTime();
		TestTokenService service = new TestTokenService((credentials) -> neverUntil(() -> {
			throw new IllegalStateException("cannot be cancelled");
		}), null, () -> Map.of("default", CREDENTIALS), 10,
				new FetchContext(time, time.newExecutors(), () -> 0, POLICY, List.of()));
		List<Caller> callers = Stream.of("wx-1", "wx-2")
			.map((appId) -> Caller.of(service.account(new WechatMpCredentials(appId, "secret")).getAccessToken()))
			.toList();
		time.runDue();
		service.close();
		assertThat(callers)
			.allSatisfy((caller) -> assertThat(caller.failure()).isInstanceOf(IllegalStateException.class)
				.hasMessageContaining("was stopped"));
	}

	@Test
	void clientWhoseCancellationBlocksShouldNotDelayTimersOfOthers() {
		CountDownLatch asked = new CountDownLatch(2);
		CountDownLatch cancelled = new CountDownLatch(2);
		CountDownLatch gate = new CountDownLatch(1);
		ManualTime time = new ManualTime();
		try (TestTokenService service = serviceWithThreads(time, (credentials) -> {
			asked.countDown();
			return neverUntil(() -> {
				cancelled.countDown();
				await(gate);
			});
		})) {
			List<CompletableFuture<?>> answers = List.of(service.getAccessToken().toFuture(),
					service.account(new WechatMpCredentials("another", "secret")).getAccessToken().toFuture());
			await(asked);
			time.advance(POLICY.timeout().multipliedBy(2));
			assertThat(answers).allSatisfy((answer) -> assertThat(answer).failsWithin(SOON));
			await(cancelled);
		}
		finally {
			gate.countDown();
		}
	}

	private static Mono<WechatMpAccessToken> neverUntil(Runnable cancelled) {
		return Mono.from((subscriber) -> subscriber.onSubscribe(new Subscription() {

			@Override
			public void request(long count) {
			}

			@Override
			public void cancel() {
				cancelled.run();
			}

		}));
	}

	@Test
	void loggerThatThrowsShouldNotStrandThoseWhoWait() {
		LoggerContext loggers = (LoggerContext) LoggerFactory.getILoggerFactory();
		TurboFilter broken = new TurboFilter() {

			@Override
			public FilterReply decide(@Nullable Marker marker, Logger logger, Level level, @Nullable String format,
					Object @Nullable [] arguments, @Nullable Throwable failure) {
				if (format != null && logger.getName().startsWith("cn.authing")) {
					throw new IllegalStateException("The application has been stopped already");
				}
				return FilterReply.NEUTRAL;
			}

		};
		broken.start();
		loggers.addTurboFilter(broken);
		try {
			Caller first = this.fixture.ask();
			this.fixture.client.call().succeed("A", LIFE);
			assertThat(first.accessToken()).isEqualTo("A");
			this.fixture.advance(LIFE);
			Caller second = this.fixture.ask();
			this.fixture.client.call().fail();
			assertThat(second.failure()).isInstanceOf(AuthingException.class);
		}
		finally {
			loggers.getTurboFilterList().remove(broken);
		}
	}

	@Test
	void listenerWhenItBlocksShouldKeepNobodyWaiting() {
		CountDownLatch gate = new CountDownLatch(1);
		AtomicInteger told = new AtomicInteger();
		try (TestTokenService service = service((credentials) -> Mono.fromSupplier(() -> token()), null, POLICY,
				(event) -> {
					told.incrementAndGet();
					await(gate);
				})) {
			for (int account = 0; account < 5; account++) {
				assertThat(service.account(new WechatMpCredentials("wx" + account, "s")).getAccessToken().toFuture())
					.succeedsWithin(SOON);
			}
			Awaitility.await().until(() -> told.get() > 0);
			assertThat(told).hasValue(1);
		}
		finally {
			gate.countDown();
		}
	}

	@Test
	void listenerWhenItBlocksShouldNotDelayOthersNorFillTheMemoryWithEvents() {
		CountDownLatch gate = new CountDownLatch(1);
		AtomicInteger told = new AtomicInteger();
		AtomicInteger others = new AtomicInteger();
		int fetches = 1200;
		try (TestTokenService service = service((credentials) -> Mono.fromSupplier(() -> token()), null, POLICY,
				(event) -> {
					told.incrementAndGet();
					await(gate);
				}, (event) -> others.incrementAndGet())) {
			for (int fetch = 0; fetch < fetches; fetch++) {
				assertThat(service.refreshAccessToken().toFuture()).succeedsWithin(SOON);
			}
			Awaitility.await().untilAtomic(others, Matchers.equalTo(fetches));
			gate.countDown();
			Awaitility.await().untilAtomic(told, Matchers.equalTo(1000));
			assertThat(service.refreshAccessToken().toFuture()).succeedsWithin(SOON);
			Awaitility.await().untilAtomic(told, Matchers.equalTo(1001));
		}
		finally {
			gate.countDown();
		}
	}

	@Test
	void listenerThatFellBehindShouldBeToldOfNoMoreUntilItHasCaughtUp() {
		Semaphore permits = new Semaphore(0);
		AtomicInteger told = new AtomicInteger();
		try (TestTokenService service = service((credentials) -> Mono.fromSupplier(() -> token()), null, POLICY,
				(event) -> {
					permits.acquireUninterruptibly();
					told.incrementAndGet();
				})) {
			for (int fetch = 0; fetch < 1001; fetch++) {
				assertThat(service.refreshAccessToken().toFuture()).succeedsWithin(SOON);
			}
			permits.release(2);
			Awaitility.await().untilAtomic(told, Matchers.equalTo(2));
			// One of them has been counted out by now.
			assertThat(service.refreshAccessToken().toFuture()).succeedsWithin(SOON);
			permits.release(998);
			Awaitility.await().untilAtomic(told, Matchers.equalTo(1000));
			permits.release(2);
			assertThat(service.refreshAccessToken().toFuture()).succeedsWithin(SOON);
			Awaitility.await().untilAtomic(told, Matchers.equalTo(1001));
			Awaitility.await().untilAsserted(() -> assertThat(permits.availablePermits()).isEqualTo(1));
		}
		finally {
			permits.release(10_000);
		}
	}

	@Test
	@SuppressWarnings("NullAway") // what a provider without null checks may do
	void accountProviderWhenItReturnsNullShouldBeToldAndKeepTheAccounts() {
		List<Map<String, WechatMpCredentials>> accounts = new ArrayList<>(List.of(Map.of("default", CREDENTIALS)));
		WechatMpAccountRegistry registry = new WechatMpAccountRegistry(
				(credentials) -> Mono.fromSupplier(() -> token()), null,
				() -> accounts.isEmpty() ? null : accounts.get(0), POLICY, 10, List.of());
		accounts.clear();
		assertThatIllegalStateException().isThrownBy(registry::reload).withMessageContaining("WechatMpAccountProvider");
		Map<String, WechatMpCredentials> withoutName = new HashMap<>(Map.of("default", CREDENTIALS));
		withoutName.put(null, CREDENTIALS);
		accounts.add(withoutName);
		assertThatIllegalStateException().isThrownBy(registry::reload)
			.withMessageContaining("WechatMpAccountProvider must return a map with name and credentials");
		assertThat(registry.account("default").getAccessTokenSync().accessToken()).isEqualTo("A");
		registry.close();
	}

	static Stream<WechatMpTokenStore> stores() {
		return Stream.of(new BrokenStore("throws", () -> {
			throw new IllegalStateException("broken store");
		}), new BrokenStore("throws an Error", () -> {
			throw new StackOverflowError();
		}), new BrokenStore("returns null", () -> null), new BrokenStore("fails", () -> Mono.error(new Exception())),
				new BrokenStore("hangs", Mono::never), new BrokenStore("blocks", () -> {
					await(new CountDownLatch(1));
					return Mono.empty();
				}));
	}

	@ParameterizedTest
	@MethodSource("stores")
	void storeThatIsBrokenShouldBeAsGoodAsNone(WechatMpTokenStore store) {
		AtomicInteger number = new AtomicInteger();
		AuthingWechatClient client = (credentials) -> Mono
			.fromSupplier(() -> new WechatMpAccessToken("T" + number.incrementAndGet(),
					java.time.Instant.now().plusSeconds(7200)));
		try (TestTokenService service = service(client, store,
				POLICY.withBackoff(Duration.ofMillis(1), Duration.ofMillis(1)))) {
			assertThat(service.getAccessToken().map(WechatMpAccessToken::accessToken).toFuture()).succeedsWithin(SOON)
				.isEqualTo("T1");
			assertThat(service.invalidate("T1")).isTrue();
			assertThat(service.getAccessToken().map(WechatMpAccessToken::accessToken).toFuture()).succeedsWithin(SOON)
				.isEqualTo("T2");
			assertThat(service.refreshAccessToken().map(WechatMpAccessToken::accessToken).toFuture())
				.succeedsWithin(SOON)
				.isEqualTo("T3");
			assertThat(service.registry().storeStatus()).isNull();
		}
	}

	@Test
	void storeWhoseChangesEndWithAnErrorShouldBeAskedForThemAgain() throws Exception {
		CountDownLatch asked = new CountDownLatch(2);
		WechatMpTokenStore store = new BrokenStore("no memory", () -> Mono.fromSupplier(() -> {
			asked.countDown();
			throw new OutOfMemoryError("test");
		}));
		try (TestTokenService service = service((credentials) -> Mono.empty(), store, POLICY)) {
			assertThat(asked.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
			assertThat(service.registry().isRunning()).isTrue();
		}
	}

	@Test
	void storeWhoseChangesBlockShouldLearnThatTheyAreNotWantedAnyMore() throws Exception {
		CountDownLatch asked = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		WechatMpTokenStore store = new BrokenStore("blocks", () -> Mono.create((sink) -> {
			sink.onCancel(cancelled::countDown);
			asked.countDown();
			awaitUninterruptibly(cancelled);
		}));
		try (TestTokenService service = service((credentials) -> Mono.empty(), store, POLICY)) {
			assertThat(asked.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
			assertThat(service.registry().isRunning()).isTrue();
		}
		assertThat(cancelled.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void clientThatBlocksShouldBeCancelledWhereThereIsAStore() throws Exception {
		CountDownLatch asked = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		WechatMpTokenStore store = new BrokenStore("fails", () -> Mono.error(new Exception()));
		try (TestTokenService service = service((credentials) -> Mono.create((sink) -> {
			sink.onCancel(cancelled::countDown);
			asked.countDown();
			awaitUninterruptibly(cancelled);
		}), store, POLICY.withTimeout(Duration.ofMillis(1)))) {
			// The time may be up before the client is asked
			while (asked.getCount() > 0) {
				assertThat(service.refreshAccessToken().toFuture()).failsWithin(SOON);
			}
			assertThat(cancelled.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
		}
	}

	private static void awaitUninterruptibly(CountDownLatch latch) {
		while (latch.getCount() > 0) {
			try {
				latch.await();
			}
			catch (InterruptedException ex) {
				// As those do that have a loop of their own.
			}
		}
	}

	@Test
	void leaseThatIsBrokenShouldBeAsGoodAsNone() {
		ManualTime time = new ManualTime();
		WechatMpTokenStore store = new BrokenStore("lease", Mono::empty) {

			@Override
			public Mono<Lease> lease(WechatMpCredentials credentials) {
				return Mono.just(new Lease() {

					@Override
					public @Nullable StoredToken shared() {
						throw new IllegalStateException("broken lease");
					}

					@Override
					public Mono<Void> release() {
						throw new IllegalStateException("broken lease");
					}

				});
			}

		};
		try (TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withTime(time).withStore(store))) {
			Caller caller = fixture.ask();
			fixture.client.call().succeed("A", LIFE);
			assertThat(caller.accessToken()).isEqualTo("A");
		}
	}

	/**
	 * A store of which each operation does the same.
	 */
	private static class BrokenStore implements WechatMpTokenStore {

		private final String name;

		private final Supplier<? extends @Nullable Mono<?>> operation;

		BrokenStore(String name, Supplier<? extends @Nullable Mono<?>> operation) {
			this.name = name;
			this.operation = operation;
		}

		@SuppressWarnings({ "unchecked", "NullAway" }) // what a broken store may do
		private <T> Mono<T> operate() {
			return (Mono<T>) this.operation.get();
		}

		@Override
		public Mono<StoredToken> read(WechatMpCredentials credentials) {
			return operate();
		}

		@Override
		public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
			return operate();
		}

		@Override
		public Mono<Void> drop(WechatMpCredentials credentials, String accessToken) {
			return operate();
		}

		@Override
		public Mono<Lease> lease(WechatMpCredentials credentials) {
			return operate();
		}

		@Override
		public Flux<Change> changes() {
			return this.<Change>operate().flux();
		}

		@Override
		public @Nullable WechatMpTokenStoreStatus status() {
			if (this.name.startsWith("throws")) {
				this.operation.get();
			}
			return null;
		}

		@Override
		public String toString() {
			return this.name;
		}

	}

}
