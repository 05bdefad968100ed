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

package cn.authing.wechat.redis;

import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.actuate.WechatMpTokenHealth;
import cn.authing.wechat.actuate.WechatMpTokenMetrics;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.LoopbackServer;
import cn.authing.wechat.token.TestTokenService;
import cn.authing.wechat.token.WechatMpRefreshPolicy;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

import static cn.authing.wechat.redis.TestStore.CREDENTIALS;
import static cn.authing.wechat.redis.TestStore.PATIENCE;
import static cn.authing.wechat.redis.TestStore.key;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Token services that share a Redis, well or ill.
 */
@ExtendWith(OutputCaptureExtension.class)
class SharedTokenServiceTests {

	private static final RedisAccount ACCOUNT = RedisAccount.of(CREDENTIALS, TestStore.PREFIX);

	private static final WechatMpRefreshPolicy POLICY = new WechatMpRefreshPolicy(Duration.ofMinutes(5),
			Duration.ofSeconds(30), Duration.ofSeconds(10), Duration.ofMillis(50), Duration.ofSeconds(1), PATIENCE);

	private static final Duration SHORT = Duration.ofMillis(100);

	private static final Duration SLOW_CONNECTION = Duration.ofMillis(700);

	private static final Mono<?> DOWN = Mono
		.error(new AuthingTransportException("Authing is down", null, null, true, null));

	private static RedisServer server;

	private final List<Instance> instances = new ArrayList<>();

	private final FakeTokenSource authing = FakeTokenSource.numbered("72_");

	@BeforeAll
	static void startServer() {
		server = RedisServer.up();
	}

	@AfterAll
	static void stopServer() {
		server.close();
	}

	@BeforeEach
	void flush() {
		try (RedisServer.Commands redis = server.commands()) {
			redis.sync().flushall();
		}
	}

	@AfterEach
	void closeInstances() {
		this.instances.forEach(Instance::close);
	}

	@Test
	void getAccessTokenWhenAllInstancesAreColdShouldFetchOnce() {
		Sinks.Empty<Void> gate = Sinks.empty();
		this.authing.fetchAfter(gate.asMono());
		List<Instance> fleet = List.of(instance(), instance(), instance(), instance());
		Mono<List<WechatMpAccessToken>> answers = Flux.fromIterable(fleet)
			.flatMap((instance) -> instance.service.getAccessToken())
			.collectList()
			.cache();
		answers.subscribe();
		awaitTrue(() -> this.authing.fetches() == 1);
		gate.tryEmitEmpty();
		assertThat(answers.block(PATIENCE)).hasSize(4)
			.extracting(WechatMpAccessToken::accessToken)
			.containsOnly("72_1");
		assertThat(this.authing.fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenTheFirstConnectionIsSlowShouldFetchOnce(CapturedOutput output) {
		try (LoopbackServer proxy = new LoopbackServer("slow-redis")) {
			proxy.accept((client) -> {
				try (Socket redis = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
					// By far the longest that a caller waits for an answer
					LockSupport.parkNanos(SLOW_CONNECTION.toNanos());
					proxy.start(() -> redis.getInputStream().transferTo(client.getOutputStream()));
					client.getInputStream().transferTo(redis.getOutputStream());
				}
			});
			List<Instance> fleet = Stream
				.generate(() -> register(new Instance(new TestStore(proxy.port(), SHORT), this.authing)))
				.limit(4)
				.toList();
			fleet.forEach((instance) -> instance.store.store.start());
			assertThat(Flux.fromIterable(fleet)
				.flatMap((instance) -> instance.service.getAccessToken())
				.collectList()
				.block(PATIENCE)).extracting(WechatMpAccessToken::accessToken).hasSize(4).containsOnly("72_1");
			assertThat(this.authing.fetches()).isEqualTo(1);
			assertThat(output).doesNotContain("Redis did not", "Redis could not");
		}
	}

	@Test
	void getAccessTokenWhenTheFirstAnswersAreSlowShouldShareAllTheSame(CapturedOutput output) {
		try (LoopbackServer proxy = new LoopbackServer("slow-redis")) {
			proxy.accept((client) -> {
				try (Socket redis = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
					proxy.start(() -> {
						byte[] answer = new byte[8192];
						for (int length; (length = redis.getInputStream().read(answer)) != -1;) {
							// Longer than a caller waits for an answer, but the first one
							LockSupport.parkNanos(SHORT.multipliedBy(2).toNanos());
							client.getOutputStream().write(answer, 0, length);
						}
					});
					client.getInputStream().transferTo(redis.getOutputStream());
				}
			});
			Instance one = register(new Instance(new TestStore(proxy.port(), SHORT), this.authing));
			one.store.store.start();
			assertThat(token(one)).isEqualTo("72_1");
			// Read, lease, publish, release
			awaitTrue(() -> one.status().succeeded() == 4);
			assertThat(one.status().failed()).isZero();
			assertThat(output).doesNotContain("Redis did not", "Redis could not");
		}
	}

	@Test
	void keepWarmWhenAllInstancesAreColdShouldFetchOnce() {
		Sinks.Empty<Void> gate = Sinks.empty();
		this.authing.fetchAfter(gate.asMono());
		List<Instance> fleet = List.of(instance(), instance(), instance());
		fleet.forEach((instance) -> instance.service.registry().keepWarm());
		awaitTrue(() -> this.authing.fetches() == 1);
		gate.tryEmitEmpty();
		awaitTrue(() -> fleet.stream()
			.allMatch((instance) -> instance.service.registry().status().get(0).expiresAt() != null));
		assertThat(this.authing.fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenAuthingIsDownShouldServeTheTokenOfTheFleet() {
		token(instance());
		this.authing.fetchAfter(DOWN);
		assertThat(token(instance())).isEqualTo("72_1");
	}

	@Test
	void getAccessTokenWhenTheLeaseHolderIsDeadShouldFetch() {
		Instance instance = instance();
		try (RedisServer.Commands redis = server.commands()) {
			redis.sync().psetex(ACCOUNT.leaseKey(), 1500, "dead");
		}
		assertThat(token(instance)).isEqualTo("72_1");
	}

	@Test
	void refreshAccessTokenShouldReachTheOtherInstances() {
		Instance one = instance();
		Instance other = instance();
		awaitListeners(server, 2);
		token(one);
		token(other);
		one.service.refreshAccessToken().block(PATIENCE);
		awaitTrue(() -> token(other).equals("72_2"));
		assertThat(this.authing.fetches()).isEqualTo(2);
	}

	@Test
	void invalidateShouldReachTheOtherInstancesAndFetchOnce() {
		Instance one = instance();
		Instance other = instance();
		awaitListeners(server, 2);
		token(one);
		token(other);
		assertThat(one.service.invalidate("72_1")).isTrue();
		assertThat(token(one)).isEqualTo("72_2");
		awaitTrue(() -> token(other).equals("72_2"));
		assertThat(other.service.invalidate("72_1")).isFalse();
		assertThat(this.authing.fetches()).isEqualTo(2);
	}

	@Test
	void getAccessTokenWhenRedisIsDownFromTheStartShouldFetchAndShareWhenItIsUp(CapturedOutput output) {
		try (RedisServer late = RedisServer.down()) {
			Instance one = instance(late, SHORT);
			assertThat(token(one)).isEqualTo("72_1");
			assertThat(one.status().isAvailable()).isFalse();
			assertThat(one.status().reason()).contains("cannot be reached", "127.0.0.1");
			late.start();
			awaitTrue(() -> one.status().isAvailable());
			one.service.refreshAccessToken().block(PATIENCE);
			awaitTrue(() -> exists(late));
			this.authing.fetchAfter(DOWN);
			assertThat(token(instance(late, PATIENCE))).isEqualTo("72_2");
			awaitTrue(() -> output.getOut().contains("Redis has recovered"));
			assertThat(output).containsOnlyOnce("not shared until it recovers").containsOnlyOnce("Redis has recovered");
			assertThat(output).doesNotContain("onErrorDropped", " ERROR ");
		}
	}

	@Test
	void getAccessTokenWhenRedisIsKilledShouldFetchAndShareAgainAfterItsRestart(CapturedOutput output) {
		try (RedisServer mortal = RedisServer.up()) {
			Instance one = instance(mortal, SHORT);
			Instance other = instance(mortal, PATIENCE);
			awaitListeners(mortal, 2);
			token(one);
			token(other);
			mortal.kill();
			one.service.invalidate("72_1");
			assertThat(token(one)).isEqualTo("72_2");
			assertThat(token(other)).isEqualTo("72_1");
			assertThat(one.status().isAvailable()).isFalse();
			mortal.start();
			awaitTrue(() -> one.status().isAvailable());
			awaitListeners(mortal, 2);
			one.service.refreshAccessToken().block(PATIENCE);
			awaitTrue(() -> token(other).equals("72_3"));
			awaitTrue(() -> output.getOut().contains("Redis has recovered"));
			// Once for each instance, and the other one may not have noticed
			assertThat(output.getOut().split("not shared until it recovers")).hasSizeBetween(2, 3);
			assertThat(output).doesNotContain("onErrorDropped", " ERROR ");
		}
	}

	@Test
	void getAccessTokenWhenRedisHangsShouldWaitForOneTimeoutOnly(CapturedOutput output) {
		try (RedisServer slow = RedisServer.up()) {
			Instance one = instance(slow, SHORT);
			awaitListeners(slow, 1);
			one.store.store.read(CREDENTIALS).block(PATIENCE);
			slow.suspend();
			assertThat(token(one)).isEqualTo("72_1");
			assertThat(one.status().reason()).isEqualTo("did not answer within 100 ms");
			assertThat(one.status().failed()).isEqualTo(1);
			assertThat(one.status().skipped()).isPositive();
			slow.resume();
			awaitTrue(() -> one.status().isAvailable());
			one.service.refreshAccessToken().block(PATIENCE);
			awaitTrue(() -> exists(slow));
			assertThat(output).containsOnlyOnce("not shared until it recovers")
				.doesNotContain("onErrorDropped", " ERROR ");
		}
	}

	@Test
	void getAccessTokenWhenRedisHangsFromTheStartShouldFetchAndShareLater(CapturedOutput output) {
		try (RedisServer slow = RedisServer.up()) {
			slow.suspend();
			Instance one = instance(slow, SHORT);
			assertThat(token(one)).isEqualTo("72_1");
			assertThat(one.status().succeeded()).isZero();
			slow.resume();
			awaitListeners(slow, 1);
			awaitTrue(() -> one.status().isAvailable());
			one.service.refreshAccessToken().block(PATIENCE);
			awaitTrue(() -> exists(slow));
			assertThat(output).doesNotContain("onErrorDropped", " ERROR ");
		}
	}

	@Test
	void getAccessTokenWhenRedisIsAReadOnlyReplicaShouldFetch() {
		try (RedisServer replica = RedisServer.up(); RedisServer.Commands redis = replica.commands()) {
			Instance one = instance(replica, PATIENCE);
			awaitListeners(replica, 1);
			redis.sync().replicaof("127.0.0.1", 1);
			assertThat(token(one)).isEqualTo("72_1");
			assertThat(one.status().reason()).isEqualTo("answered with the error READONLY");
			redis.sync().replicaofNoOne();
			awaitTrue(() -> one.status().isAvailable());
			one.service.refreshAccessToken().block(PATIENCE);
			awaitTrue(() -> exists(replica));
		}
	}

	@Test
	void getAccessTokenWhenRedisIsFullShouldFetch() {
		try (RedisServer full = RedisServer.up(); RedisServer.Commands redis = full.commands()) {
			Instance one = instance(full, PATIENCE);
			awaitListeners(full, 1);
			redis.sync().configSet("maxmemory", "1");
			assertThat(token(one)).isEqualTo("72_1");
			assertThat(one.status().reason()).isEqualTo("answered with the error OOM");
			redis.sync().configSet("maxmemory", "0");
			awaitTrue(() -> one.status().isAvailable());
		}
	}

	@Test
	void healthAndMetricsWhenRedisIsKilledShouldTellSoAndStayUp() {
		try (RedisServer mortal = RedisServer.up()) {
			Instance one = instance(mortal, SHORT);
			MeterRegistry meters = new SimpleMeterRegistry();
			new WechatMpTokenMetrics(one.service::registry, () -> meters).bindTo(meters);
			Gauge available = meters.get("authing.wechat.token.store.available").gauge();
			token(one);
			awaitTrue(() -> available.value() == 1);
			mortal.kill();
			one.service.refreshAccessToken().block(PATIENCE);
			awaitTrue(() -> available.value() == 0);
			Health health = health(one);
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(health.getDetails()).extractingByKey("tokenStore", InstanceOfAssertFactories.MAP)
				.containsEntry("available", false)
				.containsKeys("reason", "unavailableSince");
			mortal.start();
			awaitTrue(() -> available.value() == 1);
			assertThat(health(one).getDetails()).extractingByKey("tokenStore", InstanceOfAssertFactories.MAP)
				.containsOnlyKeys("available");
		}
	}

	@Test
	void nothingWhenTracedShouldShowSecretsOrTokens(CapturedOutput output) {
		LoggingSystem logging = LoggingSystem.get(getClass().getClassLoader());
		List<String> loggers = List.of("cn.authing", "org.springframework", "io.lettuce", "reactor");
		loggers.forEach((logger) -> logging.setLogLevel(logger, LogLevel.TRACE));
		try (RedisServer mortal = RedisServer.up()) {
			Instance one = register(new Instance(new TestStore(mortal, SHORT, key(1)), this.authing));
			Instance other = register(new Instance(new TestStore(mortal, PATIENCE, key(1)), this.authing));
			token(one);
			token(other);
			one.service.invalidate("72_1");
			token(one);
			mortal.kill();
			one.service.refreshAccessToken().block(PATIENCE);
			one.service.invalidate("72_3");
			token(one);
		}
		finally {
			loggers.forEach((logger) -> logging.setLogLevel(logger, null));
		}
		assertThat(output).contains("Sent:").doesNotContain(TestStore.SECRET).doesNotContain("72_");
	}

	@Test
	void closeWhenRedisWorksShouldLeaveNoThread() {
		Instance instance = instance();
		token(instance);
		this.instances.remove(instance);
		instance.close();
		awaitTrue(() -> Thread.getAllStackTraces()
			.keySet()
			.stream()
			.noneMatch((thread) -> thread.getName().equals("authing-wechat-redis")));
	}

	@Test
	void stopShouldLeaveRedisAloneWithoutAWord(CapturedOutput output) {
		Instance instance = instance();
		token(instance);
		awaitTrue(() -> exists(server));
		instance.store.store.stop();
		assertThat(instance.store.store.isRunning()).isFalse();
		assertThat(instance.service.refreshAccessToken().block(PATIENCE)).isNotNull();
		assertThat(instance.status().isAvailable()).isTrue();
		instance.store.store.start();
		awaitTrue(() -> instance.store.store.read(CREDENTIALS).block(PATIENCE) != null);
		assertThat(output).doesNotContain(" WARN ");
	}

	private Instance instance() {
		return instance(server, PATIENCE);
	}

	private Instance instance(RedisServer server, Duration timeout) {
		return register(new Instance(new TestStore(server, timeout), this.authing));
	}

	private Instance register(Instance instance) {
		this.instances.add(instance);
		return instance;
	}

	private static String token(Instance instance) {
		return Objects.requireNonNull(instance.service.getAccessToken().block(PATIENCE)).accessToken();
	}

	private static Health health(Instance instance) {
		ReactiveHealthIndicator indicator = (ReactiveHealthIndicator) new WechatMpTokenHealth(
				instance.service.registry())
			.contributor();
		return Objects.requireNonNull(indicator.health().block(PATIENCE));
	}

	private static boolean exists(RedisServer server) {
		try (RedisServer.Commands redis = server.commands()) {
			return redis.sync().exists(ACCOUNT.tokenKey()) == 1;
		}
	}

	private static void awaitListeners(RedisServer server, long count) {
		String channel = TestStore.PREFIX + "changes";
		try (RedisServer.Commands redis = server.commands()) {
			awaitTrue(() -> redis.sync().pubsubNumsub(channel).getOrDefault(channel, 0L) == count);
		}
	}

	private static void awaitTrue(BooleanSupplier condition) {
		long end = System.nanoTime() + PATIENCE.toNanos();
		while (!condition.getAsBoolean()) {
			assertThat(System.nanoTime()).as("time").isLessThan(end);
			Thread.onSpinWait();
		}
	}

	/**
	 * An instance of an application.
	 */
	private static final class Instance implements AutoCloseable {

		private final TestStore store;

		private final TestTokenService service;

		Instance(TestStore store, FakeTokenSource authing) {
			this.store = store;
			this.service = new TestTokenService((credentials) -> authing.refreshAccessToken(), store.store,
					() -> Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, CREDENTIALS), POLICY, 10, List.of());
		}

		WechatMpTokenStoreStatus status() {
			return this.store.store.status();
		}

		@Override
		public void close() {
			this.service.close();
			this.store.close();
		}

	}

}
