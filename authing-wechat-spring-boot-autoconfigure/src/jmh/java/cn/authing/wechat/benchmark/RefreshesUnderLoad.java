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

package cn.authing.wechat.benchmark;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.TestTokenService;
import cn.authing.wechat.token.WechatMpRefreshPolicy;

/**
 * Constant load while tokens are refreshed again and again from an upstream that takes 300
 * ms: how many calls take longer than 50 ms, end in an error or bring an expired token.
 * Once with tokens that need no refresh, to tell what the machine does by itself, once
 * with tokens of 5 s, and once with those while two of three fetches fail.
 */
public final class RefreshesUnderLoad {

	private static final Duration RUN = Duration.ofSeconds(20);

	// More than twice the time to refresh ahead, in which three attempts have to fit: a
	// caller that waited for an expired token would no longer be the load.
	private static final Duration LIFE = Duration.ofSeconds(5);

	private static final Duration FETCH = Duration.ofMillis(300);

	private static final WechatMpRefreshPolicy POLICY = new WechatMpRefreshPolicy(Duration.ofSeconds(2), Duration.ofMillis(100),
			Duration.ofMillis(100), Duration.ofMillis(100), Duration.ofMillis(400), Duration.ofSeconds(2));

	private static final int ACCOUNTS = 20;

	private static final int CALLERS = 4;

	private static final long CALL_EVERY = Duration.ofMillis(2).toNanos();

	private static final long LONG = Duration.ofMillis(50).toNanos();

	private final Upstream upstream;

	private final AtomicInteger calls = new AtomicInteger();

	private final AtomicInteger longCalls = new AtomicInteger();

	private final AtomicLong longest = new AtomicLong();

	private final AtomicInteger errors = new AtomicInteger();

	private final AtomicInteger expired = new AtomicInteger();

	private RefreshesUnderLoad(Upstream upstream) {
		this.upstream = upstream;
	}

	public static void main(String[] args) throws InterruptedException {
		System.out.println("| run | calls | refreshes | failed fetches | most in flight for one account"
				+ " | calls > 50 ms | longest call | errors | expired tokens |");
		System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
		new RefreshesUnderLoad(new Upstream(Duration.ofHours(2), false)).run("control: no refreshes");
		new RefreshesUnderLoad(new Upstream(LIFE, false)).run("refreshes");
		new RefreshesUnderLoad(new Upstream(LIFE, true)).run("refreshes of which two of three fail");
	}

	private void run(String name) throws InterruptedException {
		List<WechatMpTokenSource> accounts = new ArrayList<>();
		List<Thread> callers = new ArrayList<>();
		try (TestTokenService service = Samples.service(this.upstream, POLICY, ACCOUNTS)) {
			for (int i = 0; i < ACCOUNTS; i++) {
				accounts.add(service.account(Samples.credentials(i)));
			}
			Mono.when(accounts.stream().map(WechatMpTokenSource::getAccessToken).toList()).block();
			for (int i = 0; i < CALLERS; i++) {
				callers.add(new Thread(() -> callAll(accounts)));
			}
			callers.forEach(Thread::start);
			for (Thread caller : callers) {
				caller.join();
			}
		}
		System.out.printf("| %s | %,d | %d | %d | %d | %d | %.1f ms | %d | %d |%n", name, this.calls.get(),
				this.upstream.successes.get() - ACCOUNTS, this.upstream.failures.get(),
				this.upstream.mostInFlight.get(), this.longCalls.get(), this.longest.get() / 1e6, this.errors.get(),
				this.expired.get());
	}

	private void callAll(List<WechatMpTokenSource> accounts) {
		long start = System.nanoTime();
		for (int i = 0; i * CALL_EVERY < RUN.toNanos(); i++) {
			LockSupport.parkNanos(start + i * CALL_EVERY - System.nanoTime());
			call(accounts.get(i % accounts.size()), i % 3 == 0);
		}
	}

	private void call(WechatMpTokenSource account, boolean reactive) {
		Instant calledAt = Instant.now();
		long start = System.nanoTime();
		WechatMpAccessToken token = null;
		try {
			token = reactive ? account.getAccessToken().toFuture().join() : account.getAccessTokenSync();
		}
		catch (RuntimeException ex) {
			this.errors.incrementAndGet();
		}
		long time = System.nanoTime() - start;
		this.calls.incrementAndGet();
		this.longest.accumulateAndGet(time, Math::max);
		if (time > LONG) {
			this.longCalls.incrementAndGet();
		}
		if (token != null && token.expiresAt().isBefore(calledAt)) {
			this.expired.incrementAndGet();
		}
	}

	/**
	 * Answers after a while, each time with a new token.
	 */
	private static final class Upstream implements AuthingWechatClient {

		private final Duration life;

		private final boolean failing;

		private final AtomicInteger successes = new AtomicInteger();

		private final AtomicInteger failures = new AtomicInteger();

		private final AtomicInteger mostInFlight = new AtomicInteger();

		private final Map<WechatMpCredentials, AtomicInteger> started = new ConcurrentHashMap<>();

		private final Map<WechatMpCredentials, AtomicInteger> inFlight = new ConcurrentHashMap<>();

		Upstream(Duration life, boolean failing) {
			this.life = life;
			this.failing = failing;
		}

		@Override
		public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
			return Mono.defer(() -> {
				int number = count(this.started, credentials).getAndIncrement();
				AtomicInteger inFlight = count(this.inFlight, credentials);
				this.mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
				// Who asks first must have a token to fall back on later.
				return Mono.delay(FETCH)
					.doOnNext((tick) -> inFlight.decrementAndGet())
					.map((tick) -> answer(credentials, number, this.failing && number % 3 != 0));
			});
		}

		private WechatMpAccessToken answer(WechatMpCredentials credentials, int number, boolean fail) {
			if (fail) {
				this.failures.incrementAndGet();
				throw new AuthingTransportException("Down", null, null, true, null);
			}
			this.successes.incrementAndGet();
			return new WechatMpAccessToken(credentials.appId() + "-" + number, Instant.now().plus(this.life));
		}

		private static AtomicInteger count(Map<WechatMpCredentials, AtomicInteger> counts,
				WechatMpCredentials credentials) {
			return counts.computeIfAbsent(credentials, (key) -> new AtomicInteger());
		}

	}

}
