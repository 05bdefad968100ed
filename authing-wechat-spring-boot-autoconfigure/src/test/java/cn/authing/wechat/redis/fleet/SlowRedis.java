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

package cn.authing.wechat.redis.fleet;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import reactor.core.publisher.Mono;

import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.redis.RedisServer;
import cn.authing.wechat.redis.RedisTokenStoreSettings;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;
import cn.authing.wechat.test.LoopbackServer;
import cn.authing.wechat.token.TestTokenService;
import cn.authing.wechat.token.WechatMpRefreshPolicy;

/**
 * Measures for how long a Redis that is slow keeps a caller from asking Authing, when
 * nothing is held: in an instance that has just started, and in one whose token was
 * rejected.
 */
final class SlowRedis implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofMillis(100);

	private static final int ROUNDS = 20;

	private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();

	private final LoopbackServer server = new LoopbackServer("slow-redis");

	private final Duration delay;

	private SlowRedis(int port, Duration delay) {
		this.delay = delay;
		this.server.accept((client) -> {
			try (Socket redis = new Socket(InetAddress.getLoopbackAddress(), port)) {
				this.server.start(() -> redis.getInputStream().transferTo(client.getOutputStream()));
				pass(client.getInputStream(), redis.getOutputStream());
			}
		});
	}

	/**
	 * Print the longest and the median wait, in milliseconds, by the time that Redis
	 * takes for an answer.
	 * @param args the times, in milliseconds
	 */
	public static void main(String[] args) {
		LoggingSystem.get(SlowRedis.class.getClassLoader()).setLogLevel(LoggingSystem.ROOT_LOGGER_NAME, LogLevel.OFF);
		try (RedisServer redis = RedisServer.up()) {
			new SlowRedis(redis.port(), Duration.ZERO).measure();
			for (String delay : args) {
				try (SlowRedis slow = new SlowRedis(redis.port(), Duration.ofMillis(Integer.parseInt(delay)))) {
					System.out.println(delay + " ms: " + slow.measure());
				}
			}
		}
		System.exit(0);
	}

	private String measure() {
		long[] cold = new long[ROUNDS];
		long[] rejected = new long[ROUNDS];
		for (int i = 0; i < ROUNDS; i++) {
			LettuceConnectionFactory connections = new LettuceConnectionFactory(
					new RedisStandaloneConfiguration("127.0.0.1", this.server.port()));
			connections.afterPropertiesSet();
			RedisWechatMpTokenStore store = new RedisWechatMpTokenStore(connections, new RedisTokenStoreSettings(
					"slow-%d-%d:".formatted(this.server.port(), i), TIMEOUT, List.of(), 10, Duration.ofSeconds(10)));
			Clock clock = new Clock();
			TestTokenService service = new TestTokenService((credentials) -> Mono.fromSupplier(clock::ask), store,
					() -> Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, FleetInstance.CREDENTIALS),
					new WechatMpRefreshPolicy(Duration.ofMinutes(5), Duration.ofMillis(1), Duration.ofSeconds(10),
							Duration.ofMillis(1), Duration.ofMillis(1), Duration.ofSeconds(10)),
					10, List.of());
			cold[i] = clock.time(service);
			awaitConnection(store);
			service.invalidate(service.getAccessTokenSync().accessToken());
			rejected[i] = clock.time(service);
			service.close();
			store.destroy();
			connections.destroy();
		}
		return "just started " + describe(cold) + ", rejected " + describe(rejected);
	}

	/**
	 * Wait for Redis to be in use, unless it is too slow for that.
	 */
	private static void awaitConnection(RedisWechatMpTokenStore store) {
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
		while ((store.status().succeeded() == 0 || !store.status().isAvailable()) && System.nanoTime() < end) {
			store.read(FleetInstance.CREDENTIALS).block();
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
		}
	}

	private static String describe(long[] waits) {
		Arrays.sort(waits);
		return "%d (median %d)".formatted(waits[waits.length - 1], waits[waits.length / 2]);
	}

	private void pass(InputStream in, OutputStream out) throws IOException {
		byte[] buffer = new byte[8192];
		for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
			byte[] bytes = Arrays.copyOf(buffer, read);
			this.executor.schedule(() -> {
				out.write(bytes);
				return null;
			}, this.delay.toMillis(), TimeUnit.MILLISECONDS);
		}
	}

	@Override
	public void close() {
		this.server.close();
		this.executor.shutdownNow();
	}

	/**
	 * Authing, which answers at once: how long it takes until it is asked.
	 */
	private static final class Clock {

		private volatile long askedAt;

		private int tokens;

		WechatMpAccessToken ask() {
			this.askedAt = System.nanoTime();
			return new WechatMpAccessToken("token-" + ++this.tokens, Instant.now().plus(Duration.ofHours(2)));
		}

		long time(WechatMpTokenService service) {
			long startedAt = System.nanoTime();
			service.getAccessTokenSync();
			return TimeUnit.NANOSECONDS.toMillis(this.askedAt - startedAt);
		}

	}

}
