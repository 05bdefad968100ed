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
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingWechatClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Refreshes by instances that share a store, while Authing has no other token.
 */
class FleetRefreshTests {

	private static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx1", "secret");

	private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final WechatMpRefreshPolicy POLICY = new WechatMpRefreshPolicy(Duration.ofMinutes(5),
			Duration.ofSeconds(30), Duration.ofSeconds(10), Duration.ofSeconds(1), Duration.ofSeconds(30), PATIENCE);

	private final AtomicLong time = new AtomicLong();

	private final AtomicInteger fetches = new AtomicInteger();

	private final SharedStore store = new SharedStore();

	private volatile WechatMpAccessToken token = new WechatMpAccessToken("72_same", START.plusSeconds(3600));

	private final List<TestTokenService> fleet = Stream.generate(this::instance).limit(3).toList();

	@AfterEach
	void close() {
		this.fleet.forEach(TestTokenService::close);
	}

	@Test
	void refreshWhenAuthingHasNoNewsShouldNotBeRepeatedByTheOtherInstances() {
		fetchEverywhere();
		assertThat(this.fetches).hasValue(1);
		pass(Duration.ofMinutes(56));
		this.fleet.forEach((instance) -> refresh(instance, 2));
		assertThat(this.fetches).hasValue(2);
		pass(Duration.ofSeconds(31));
		this.fleet.forEach((instance) -> refresh(instance, 3));
		assertThat(this.fetches).hasValue(3);
	}

	@Test
	void refreshWhenTheSameTokenLivesLongerShouldBeTakenOver() {
		fetchEverywhere();
		pass(Duration.ofMinutes(56));
		WechatMpAccessToken before = this.token;
		this.token = new WechatMpAccessToken("72_same", START.plusSeconds(7200));
		assertThat(before.accessToken()).isEqualTo(this.token.accessToken());
		this.fleet.forEach((instance) -> refresh(instance, 2));
		assertThat(this.fetches).hasValue(2);
		assertThat(this.fleet).extracting((instance) -> instance.registry().status().get(0).state())
			.containsOnly(WechatMpTokenState.FRESH);
	}

	private void fetchEverywhere() {
		this.fleet.forEach((instance) -> {
			instance.getAccessToken().block(PATIENCE);
			awaitPublication(() -> true);
		});
	}

	private void awaitPublication(BooleanSupplier condition) {
		long end = System.nanoTime() + PATIENCE.toNanos();
		while (!condition.getAsBoolean() || this.store.published.get() < this.fetches.get()) {
			assertThat(System.nanoTime()).as("time").isLessThan(end);
			Thread.onSpinWait();
		}
	}

	private void pass(Duration time) {
		this.time.addAndGet(time.toNanos());
	}

	private void refresh(TestTokenService instance, long fetch) {
		assertThat(instance.registry().status().get(0).state()).isEqualTo(WechatMpTokenState.DUE);
		assertThat(instance.getAccessTokenSync().accessToken()).isEqualTo("72_same");
		awaitPublication(() -> instance.registry().status().get(0).fetches() >= fetch);
	}

	private TestTokenService instance() {
		AuthingWechatClient client = (credentials) -> Mono.fromSupplier(() -> {
			this.fetches.incrementAndGet();
			return this.token;
		});
		return new TestTokenService(client, this.store, () -> Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, CREDENTIALS),
				10, new FetchContext(new MovedClock(), FetchContext.Executors.create(), () -> 0, POLICY, List.of()));
	}

	private final class MovedClock implements TokenClock {

		@Override
		public long nanoTime() {
			return FleetRefreshTests.this.time.get();
		}

		@Override
		public Instant instant() {
			return START.plusNanos(nanoTime());
		}

	}

	/**
	 * A store that holds what was published last.
	 */
	private final class SharedStore implements WechatMpTokenStore {

		private final AtomicInteger published = new AtomicInteger();

		private final AtomicReference<@Nullable StoredToken> stored = new AtomicReference<>();

		private @Nullable StoredToken current() {
			StoredToken stored = this.stored.get();
			return (stored != null) ? new StoredToken(stored.token(),
					Duration.between(new MovedClock().instant(), stored.token().expiresAt()), stored.fetchedAt())
					: null;
		}

		@Override
		public Mono<StoredToken> read(WechatMpCredentials credentials) {
			return Mono.defer(() -> Mono.justOrEmpty(current()));
		}

		@Override
		public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
			return Mono.fromSupplier(() -> {
				this.stored.set(token);
				this.published.incrementAndGet();
				return token;
			});
		}

		@Override
		public Mono<Void> drop(WechatMpCredentials credentials, String accessToken) {
			return Mono.empty();
		}

		@Override
		public Mono<Lease> lease(WechatMpCredentials credentials) {
			return Mono.fromSupplier(() -> new TestLease(current(), Mono.empty()));
		}

		@Override
		public Flux<Change> changes() {
			return Flux.never();
		}

	}

}
