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

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingClientSettings;
import cn.authing.wechat.client.AuthingOperation;
import cn.authing.wechat.client.DefaultAuthingWechatClient;
import cn.authing.wechat.redis.RedisTokenStoreSettings;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;
import cn.authing.wechat.token.TestTokenService;
import cn.authing.wechat.token.WechatMpRefreshPolicy;

/**
 * One process of a {@link Fleet}: callers that ask for the token all the time and check
 * what they get. Says {@code ready} when it has come up, begins when it is told to, and
 * from then on tells its counts: calls, errors, expired tokens, longest wait in
 * milliseconds, operations on Redis that failed.
 */
final class FleetInstance {

	static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx-fleet", "fleet-secret");

	private static final WechatMpCredentials WARM_UP = new WechatMpCredentials("wx-warm-up", "warm-up-secret");

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	private static final WechatMpRefreshPolicy POLICY = new WechatMpRefreshPolicy(Duration.ofMillis(1500),
			Duration.ofMillis(300), Duration.ofMillis(400), Duration.ofMillis(100), Duration.ofMillis(500), TIMEOUT);

	private static final int CALLERS = 2;

	private final WechatMpTokenService service;

	private final RedisWechatMpTokenStore store;

	private final PrintStream out;

	private final AtomicLong calls = new AtomicLong();

	private final AtomicLong errors = new AtomicLong();

	private final AtomicLong expired = new AtomicLong();

	private final AtomicLong longestWait = new AtomicLong();

	private FleetInstance(WechatMpTokenService service, RedisWechatMpTokenStore store, PrintStream out) {
		this.service = service;
		this.store = store;
		this.out = out;
	}

	/**
	 * Run an instance until the input ends.
	 * @param args the name of the instance, the port of Authing, the port of Redis, the
	 * time-out for Redis in milliseconds
	 * @throws IOException if the starting process is gone
	 */
	public static void main(String[] args) throws IOException {
		LoggingSystem.get(FleetInstance.class.getClassLoader())
			.setLogLevel(LoggingSystem.ROOT_LOGGER_NAME, LogLevel.ERROR);
		DefaultAuthingWechatClient client = client(args[0], Integer.parseInt(args[1]));
		RedisWechatMpTokenStore store = store(Integer.parseInt(args[2]), Duration.ofMillis(Integer.parseInt(args[3])));
		TestTokenService service = new TestTokenService(client, store,
				() -> Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, CREDENTIALS), POLICY, 10, List.of());
		// Load the classes and make the connections
		service.account(WARM_UP).getAccessTokenSync();
		while (store.status().succeeded() == 0 || !store.status().isAvailable()) {
			store.read(WARM_UP).block(TIMEOUT);
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
		}
		FleetInstance instance = new FleetInstance(service, store, System.out);
		instance.out.println("ready");
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		if (in.readLine() != null) {
			instance.start();
		}
		in.readLine();
		System.exit(0);
	}

	private static DefaultAuthingWechatClient client(String name, int port) {
		return new DefaultAuthingWechatClient(WebClient.create(),
				new AuthingClientSettings(URI.create("http://127.0.0.1:" + port), "app", AuthingOperation.ACCESS_TOKEN,
						"en-US", Map.of(FleetTokens.INSTANCE_HEADER, name), TIMEOUT, Duration.ofSeconds(1),
						AuthingClientSettings.backOff(3, Duration.ofMillis(100), Duration.ofSeconds(1))));
	}

	private static RedisWechatMpTokenStore store(int port, Duration timeout) {
		LettuceConnectionFactory connectionFactory = new LettuceConnectionFactory(
				new RedisStandaloneConfiguration("127.0.0.1", port));
		connectionFactory.afterPropertiesSet();
		return new RedisWechatMpTokenStore(connectionFactory,
				new RedisTokenStoreSettings("fleet:", timeout, List.of(), 100, TIMEOUT));
	}

	private void start() {
		for (int i = 0; i < CALLERS; i++) {
			new Thread(this::callForever, "caller-" + i).start();
		}
		new Thread(this::tellForever, "teller").start();
	}

	private void callForever() {
		while (true) {
			call();
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
		}
	}

	private void call() {
		long now = System.currentTimeMillis();
		try {
			String token = this.service.getAccessTokenSync().accessToken();
			if (Long.parseLong(token.substring(token.lastIndexOf('-') + 1)) <= now) {
				this.expired.incrementAndGet();
			}
		}
		catch (RuntimeException ex) {
			this.errors.incrementAndGet();
			this.out.println("error " + ex);
		}
		this.longestWait.accumulateAndGet(System.currentTimeMillis() - now, Math::max);
		this.calls.incrementAndGet();
	}

	private void tellForever() {
		while (true) {
			this.out.println("counts " + this.calls + " " + this.errors + " " + this.expired + " " + this.longestWait
					+ " " + this.store.status().failed());
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
		}
	}

}
