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
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests with real threads and real time: callers are let loose together and counted.
 */
@Timeout(120)
class SingleFlightStressTests {

	private static final int THREADS = 8;

	private static final WechatMpRefreshPolicy QUICK = new WechatMpRefreshPolicy(POLICY.refreshAhead(),
			POLICY.minRefreshInterval(), POLICY.expiryMargin(), Duration.ofNanos(1), Duration.ofNanos(1),
			POLICY.timeout());

	private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

	private final CountingClient client = new CountingClient();

	@AfterEach
	void stop() {
		this.threads.shutdownNow();
	}

	private TestTokenService newService(WechatMpRefreshPolicy policy) {
		return new TestTokenService(this.client, null, () -> Map.of("default", CREDENTIALS), policy, 10, List.of());
	}

	private <T> List<T> together(Callable<T> task) throws Exception {
		CyclicBarrier gate = new CyclicBarrier(THREADS);
		List<Future<T>> results = new ArrayList<>();
		for (int thread = 0; thread < THREADS; thread++) {
			results.add(this.threads.submit(() -> {
				gate.await();
				return task.call();
			}));
		}
		List<T> values = new ArrayList<>();
		for (Future<T> result : results) {
			values.add(result.get(60, TimeUnit.SECONDS));
		}
		return values;
	}

	@Test
	void getAccessTokenWhenTenThousandSubscribeFirstShouldFetchOnce() throws Exception {
		this.client.gate();
		try (TestTokenService service = newService(POLICY)) {
			CountDownLatch answered = new CountDownLatch(10_000);
			AtomicInteger wrong = new AtomicInteger();
			together(() -> {
				for (int caller = 0; caller < 10_000 / THREADS; caller++) {
					service.getAccessToken()
						.subscribe((token) -> answered.countDown(), (ex) -> wrong.incrementAndGet());
				}
				return true;
			});
			this.client.open();
			assertThat(answered.await(30, TimeUnit.SECONDS)).isTrue();
			assertThat(wrong).hasValue(0);
			assertThat(this.client.fetches).hasValue(1);
			assertThat(service.registry().requestCounts("default"))
				.isEqualTo(new WechatMpRequestCounts(0, 0, 0, 10_000, 0));
		}
	}

	@Test
	void getAccessTokenSyncWhenThousandsOfThreadsBlockFirstShouldFetchOnce() throws Exception {
		this.client.gate();
		ExecutorService callers = manyThreads();
		try (TestTokenService service = newService(POLICY)) {
			int count = (callers instanceof ThreadPoolExecutor) ? 200 : 10_000;
			CountDownLatch started = new CountDownLatch(count);
			List<Future<WechatMpAccessToken>> answers = new ArrayList<>();
			for (int caller = 0; caller < count; caller++) {
				answers.add(callers.submit(() -> {
					started.countDown();
					return service.getAccessTokenSync();
				}));
			}
			assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
			this.client.open();
			for (Future<WechatMpAccessToken> answer : answers) {
				assertThat(answer.get(30, TimeUnit.SECONDS).accessToken()).isEqualTo("T1");
			}
			assertThat(this.client.fetches).hasValue(1);
		}
		finally {
			callers.shutdownNow();
		}
	}

	// Virtual threads where there are any.
	private static ExecutorService manyThreads() throws ReflectiveOperationException {
		try {
			return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
		}
		catch (NoSuchMethodException ex) {
			return Executors.newFixedThreadPool(200);
		}
	}

	@RepeatedTest(300)
	void getAccessTokenSyncWhenAllComeFirstShouldFetchOnce() throws Exception {
		try (TestTokenService service = newService(POLICY)) {
			assertThat(together(service::getAccessTokenSync)).extracting(WechatMpAccessToken::accessToken)
				.containsOnly("T1");
			assertThat(this.client.fetches).hasValue(1);
		}
	}

	@RepeatedTest(300)
	void invalidateWhenAllReportTheSameTokenShouldDropItOnceAndFetchOnce() throws Exception {
		try (TestTokenService service = newService(QUICK)) {
			String dead = service.getAccessTokenSync().accessToken();
			AtomicInteger dropped = new AtomicInteger();
			List<String> next = together(() -> {
				dropped.addAndGet(service.invalidate(dead) ? 1 : 0);
				return service.getAccessTokenSync().accessToken();
			});
			assertThat(dropped).hasValue(1);
			assertThat(next).containsOnly("T2");
			assertThat(this.client.fetches).hasValue(2);
		}
	}

	@Test
	void everythingWhenRacingShouldAnswerEveryCallerAndHaveOneFetchInFlight() throws Exception {
		try (TestTokenService service = newService(QUICK)) {
			AtomicInteger answered = new AtomicInteger();
			int rounds = 3000;
			together(() -> {
				for (int round = 0; round < rounds; round++) {
					WechatMpAccessToken token = service.getAccessTokenSync();
					if (round % 3 == 0) {
						service.invalidate(token.accessToken());
					}
					if (round % 7 == 0) {
						Mono.firstWithSignal(service.refreshAccessToken(), service.getAccessToken())
							.block(Duration.ofSeconds(30));
					}
					if (round % 11 == 0) {
						service.getAccessToken().subscribe().dispose();
					}
					Mono<WechatMpAccessToken> source = service.getAccessToken();
					assertThat(source.block(Duration.ofSeconds(30))).isNotNull();
					answered.incrementAndGet();
				}
				return true;
			});
			assertThat(answered).hasValue(rounds * THREADS);
			assertThat(this.client.mostInFlight).hasValue(1);
		}
	}

	@RepeatedTest(100)
	void closeWhenCallersRaceShouldAnswerEveryOne() throws Exception {
		this.client.gate();
		TestTokenService service = newService(POLICY);
		AtomicInteger turn = new AtomicInteger();
		List<Boolean> released = together(() -> {
			if (turn.getAndIncrement() == THREADS / 2) {
				service.close();
				return true;
			}
			try {
				service.getAccessTokenSync();
				return false;
			}
			catch (IllegalStateException ex) {
				return true;
			}
			catch (AuthingException ex) {
				return false;
			}
		});
		assertThat(released).containsOnly(true);
	}

	@RepeatedTest(20)
	void requestCounterWhenThreadsCountTogetherShouldBeExact() throws Exception {
		RequestCounter counter = new RequestCounter();
		together(() -> {
			for (int i = 0; i < 50_000; i++) {
				counter.increment();
			}
			return true;
		});
		assertThat(counter.sum()).isEqualTo(50_000L * THREADS);
	}

	@Test
	void requestCounterWhenThreadsMeetInOneCellShouldBeExact() throws Exception {
		RequestCounter counter = new RequestCounter();
		CountDownLatch gate = new CountDownLatch(1);
		List<Thread> started = LongStream.range(1, 10_000)
			.filter((id) -> id * 0x9E3779B97F4A7C15L >>> 59 == 0)
			.limit(4)
			.mapToObj((id) -> (Thread) new ThreadWithId(id, () -> {
				await(gate);
				for (int i = 0; i < 5_000_000; i++) {
					counter.increment();
				}
			}))
			.toList();
		started.forEach(Thread::start);
		gate.countDown();
		for (Thread thread : started) {
			thread.join();
		}
		assertThat(counter.sum()).isEqualTo(20_000_000L);
	}

	private static void await(CountDownLatch gate) {
		try {
			gate.await();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static final class ThreadWithId extends Thread {

		private final long id;

		ThreadWithId(long id, Runnable task) {
			super(task);
			this.id = id;
		}

		@Override
		@SuppressWarnings("deprecation") // threadId() comes with Java 19
		public long getId() {
			return this.id;
		}

	}

	/**
	 * Answers with a new token each time, at once or when a gate is opened.
	 */
	private static final class CountingClient implements AuthingWechatClient {

		private final AtomicInteger fetches = new AtomicInteger();

		private final AtomicInteger inFlight = new AtomicInteger();

		private final AtomicInteger mostInFlight = new AtomicInteger();

		private volatile Sinks.Empty<Void> gate = Sinks.empty();

		CountingClient() {
			open();
		}

		void gate() {
			this.gate = Sinks.empty();
		}

		void open() {
			this.gate.tryEmitEmpty();
		}

		@Override
		public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
			return Mono.defer(() -> {
				int number = this.fetches.incrementAndGet();
				this.mostInFlight.accumulateAndGet(this.inFlight.incrementAndGet(), Math::max);
				return this.gate.asMono()
					.then(Mono
						.fromSupplier(() -> new WechatMpAccessToken("T" + number, Instant.now().plusSeconds(7200))))
					.doOnTerminate(this.inFlight::decrementAndGet);
			});
		}

	}

}
