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
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for the fetch that belongs to no caller, and for those who block on it.
 */
@Timeout(60)
class SingleFlightTests {

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Test
	void cancelWhenFirstOfElevenCancelsShouldAnswerTheOthersWithOneFetch() {
		Caller first = this.fixture.ask();
		List<Caller> others = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			others.add(this.fixture.ask());
		}
		first.cancel();
		assertThat(this.fixture.client.call().isCancelled()).isFalse();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(others).extracting(Caller::accessToken).containsOnly("A");
		assertThat(first.accessToken()).isNull();
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void cancelWhenAllCancelShouldStillLetFetchEnd() {
		this.fixture.ask().cancel();
		this.fixture.ask().cancel();
		assertThat(this.fixture.client.call().isCancelled()).isFalse();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(this.fixture.held()).isEqualTo("A");
	}

	@Test
	void cancelWhenOneRefreshIsCancelledShouldAnswerTheOther() {
		Caller first = this.fixture.refresh();
		Caller second = this.fixture.refresh();
		first.cancel();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(second.accessToken()).isEqualTo("A");
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void failureWhenSharedByManyShouldBeAnExceptionForEach() {
		Caller first = this.fixture.ask();
		Caller second = this.fixture.ask();
		this.fixture.client.call().fail();
		Caller late = this.fixture.ask();
		AuthingException sync = catchFailure();
		assertThat(List.of(failure(first), failure(second), failure(late), sync)).doesNotHaveDuplicates()
			.allSatisfy((failure) -> {
				assertThat(failure).isInstanceOf(AuthingApiException.class).hasMessage("Authing is busy");
				assertThat(((AuthingException) failure).getRequestId()).isEqualTo("request-1");
			});
		assertThat(sync.getStackTrace())
			.anySatisfy((frame) -> assertThat(frame.getClassName()).isEqualTo(SingleFlightTests.class.getName()));
		assertThat(sync.getCause()).isSameAs(failure(first).getCause());
	}

	@Test
	void fetchWhenNoAnswerComesShouldEndAtDeadlineForAll() {
		Caller first = this.fixture.ask();
		ScriptedClient.Call call = this.fixture.client.call();
		this.fixture.advance(Duration.ofSeconds(9));
		Caller late = this.fixture.ask();
		this.fixture.advance(Duration.ofMillis(1200));
		assertThat(first.failure()).isInstanceOf(AuthingTransportException.class)
			.hasMessageContaining("10000 ms (authing.timeout): check authing.app-host");
		assertThat(late.failure()).isInstanceOf(AuthingTransportException.class);
		assertThat(call.isCancelled()).isTrue();
	}

	@Test
	void fetchWhenAnswerComesAfterDeadlineShouldIgnoreIt() {
		this.fixture.ask();
		ScriptedClient.Call late = this.fixture.client.call();
		this.fixture.advance(Duration.ofSeconds(12));
		Caller next = this.fixture.ask();
		late.succeed("late", LIFE);
		assertThat(next.isWaiting()).isTrue();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(next.accessToken()).isEqualTo("A");
	}

	@Test
	void fetchWhenDeadlineComesJustAsItIsAnsweredShouldEndOnce() {
		Caller caller = this.fixture.ask();
		this.fixture.meanwhile(() -> this.fixture.advance(POLICY.timeout().plusSeconds(1)));
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(failure(caller)).isInstanceOf(AuthingTransportException.class);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FAILING);
		assertThat(this.fixture.status().fetches()).isEqualTo(1);
	}

	@Test
	void fetchWhenStoppedJustAsItIsAnsweredShouldEndOnce() {
		Caller caller = this.fixture.ask();
		this.fixture.meanwhile(this.fixture.registry::stop);
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(failure(caller)).isInstanceOf(IllegalStateException.class);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EMPTY);
	}

	@Test
	void fetchWhenStartedByCallerShouldCarryNothingOfIt() throws Exception {
		ThreadLocal<@Nullable String> threadLocal = new ThreadLocal<>();
		InheritableThreadLocal<@Nullable String> inheritable = new InheritableThreadLocal<>();
		ContextRegistry.getInstance().registerThreadLocalAccessor(new TestAccessor(threadLocal));
		Hooks.enableAutomaticContextPropagation();
		ClassLoader callersLoader = new ClassLoader(getClass().getClassLoader()) {
		};
		BlockingQueue<List<Object>> seen = new LinkedBlockingQueue<>();
		AuthingWechatClient client = new ObservingClient((context) -> {
			List<Object> leaked = new ArrayList<>(
					context.stream().filter((entry) -> !entry.getKey().toString().startsWith("reactor.")).toList());
			addIfPresent(leaked, threadLocal.get());
			addIfPresent(leaked, inheritable.get());
			if (Thread.currentThread().getContextClassLoader() == callersLoader) {
				leaked.add(callersLoader);
			}
			seen.add(leaked);
		});
		ClassLoader original = Thread.currentThread().getContextClassLoader();
		try (TestTokenService service = new TestTokenService(client, null, () -> this.fixture.accounts, POLICY, 10,
				List.of())) {
			threadLocal.set("caller");
			inheritable.set("caller");
			Thread.currentThread().setContextClassLoader(callersLoader);
			service.getAccessToken().contextWrite((context) -> context.put("user", "caller")).block();
			service.refreshAccessToken().contextWrite((context) -> context.put("user", "caller")).block();
			service.account(new WechatMpCredentials("other", "secret")).getAccessTokenSync();
			for (int fetch = 0; fetch < 3; fetch++) {
				assertThat(seen.poll(10, TimeUnit.SECONDS)).isEmpty();
			}
		}
		finally {
			Thread.currentThread().setContextClassLoader(original);
			threadLocal.remove();
			inheritable.remove();
			Hooks.disableAutomaticContextPropagation();
			ContextRegistry.getInstance().removeThreadLocalAccessor(TestAccessor.KEY);
		}
	}

	@Test
	void getAccessTokenSyncWhenInCallbackOfAnotherShouldWait() throws Exception {
		CompletableFuture<Boolean> subscribed = new CompletableFuture<>();
		AuthingWechatClient client = new ObservingClient(
				(context) -> subscribed.orTimeout(30, TimeUnit.SECONDS).join());
		try (TestTokenService service = new TestTokenService(client, null, () -> this.fixture.accounts, POLICY, 10,
				List.of())) {
			CompletableFuture<?> nested = service.getAccessToken()
				.map((token) -> service.account(new WechatMpCredentials("other", "secret")).getAccessTokenSync())
				.toFuture();
			subscribed.complete(true);
			assertThat(nested).succeedsWithin(Duration.ofSeconds(30));
		}
	}

	private static void addIfPresent(List<Object> leaked, @Nullable String value) {
		if (value != null) {
			leaked.add(value);
		}
	}

	private static Throwable failure(Caller caller) {
		return Objects.requireNonNull(caller.failure());
	}

	private AuthingException catchFailure() {
		try {
			this.fixture.service.getAccessTokenSync();
			throw new AssertionError("There was no failure");
		}
		catch (AuthingException ex) {
			return ex;
		}
	}

	private static final class TestAccessor implements ThreadLocalAccessor<String> {

		static final String KEY = "test";

		private final ThreadLocal<@Nullable String> threadLocal;

		TestAccessor(ThreadLocal<@Nullable String> threadLocal) {
			this.threadLocal = threadLocal;
		}

		@Override
		public Object key() {
			return KEY;
		}

		@Override
		public @Nullable String getValue() {
			return this.threadLocal.get();
		}

		@Override
		public void setValue(String value) {
			this.threadLocal.set(value);
		}

		@Override
		public void setValue() {
			this.threadLocal.remove();
		}

	}

	private record ObservingClient(Consumer<ContextView> observer) implements AuthingWechatClient {

		@Override
		public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
			return Mono.deferContextual((context) -> {
				this.observer.accept(context);
				return Mono.just(new WechatMpAccessToken("A", Instant.now().plusSeconds(7200)));
			});
		}

	}

	@Test
	void subscribersThatBlockInTheirCallbackShouldDelayNobodyElse() throws Exception {
		CountDownLatch subscribed = new CountDownLatch(1);
		CountDownLatch gate = new CountDownLatch(1);
		AuthingWechatClient client = new ObservingClient((context) -> await(subscribed));
		try (TestTokenService service = new TestTokenService(client, null, () -> this.fixture.accounts, POLICY, 10,
				List.of())) {
			List<CompletableFuture<WechatMpAccessToken>> others = new ArrayList<>();
			for (int caller = 0; caller < 30; caller++) {
				if (caller % 3 == 0) {
					service.getAccessToken().subscribe((token) -> await(gate));
				}
				else {
					others.add(service.getAccessToken().toFuture());
				}
			}
			CompletableFuture<WechatMpAccessToken> blocking = CompletableFuture
				.supplyAsync(service::getAccessTokenSync);
			subscribed.countDown();
			assertThat(blocking).succeedsWithin(Duration.ofSeconds(30));
			assertThat(CompletableFuture.allOf(others.toArray(CompletableFuture[]::new)))
				.succeedsWithin(Duration.ofSeconds(30));
		}
		finally {
			gate.countDown();
		}
	}

	@Test
	void callerWhoseStackEndsBeforeTheFetchIsStartedShouldNotKeepOthersFromFetching() {
		this.fixture.time.onReading(4, () -> {
			throw new StackOverflowError();
		});
		assertThatExceptionOfType(StackOverflowError.class).isThrownBy(this.fixture.service::getAccessTokenSync);
		Caller waiting = this.fixture.ask();
		assertThat(waiting.isWaiting()).isTrue();
		this.fixture.advance(POLICY.maxBackoff());
		assertThat(this.fixture.ask().failure()).hasMessageContaining("authing.timeout");
		assertThat(waiting.failure()).hasMessageContaining("authing.timeout");
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.hold("A");
		assertThat(this.fixture.held()).isEqualTo("A");
	}

	@Test
	void callerWhoseStackEndsBeforeARefreshIsStartedShouldNotKeepTheTokenFromIt() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.time.onReading(3, () -> {
			throw new StackOverflowError();
		});
		assertThatExceptionOfType(StackOverflowError.class).isThrownBy(this.fixture.service::getAccessTokenSync);
		this.fixture.advance(POLICY.maxBackoff());
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.advance(POLICY.minRefreshInterval());
		this.fixture.ask();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	void refreshWhenTheFetchInFlightIsLostShouldFetch() {
		this.fixture.time.onReading(4, () -> {
			throw new StackOverflowError();
		});
		assertThatExceptionOfType(StackOverflowError.class).isThrownBy(this.fixture.service::getAccessTokenSync);
		this.fixture.advance(POLICY.maxBackoff());
		Caller caller = this.fixture.refresh();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

}
