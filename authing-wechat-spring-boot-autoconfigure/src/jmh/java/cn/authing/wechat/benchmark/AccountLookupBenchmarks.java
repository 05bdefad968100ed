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

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.TestTokenService;

/**
 * Look-ups by run-time credentials in a service that holds few or many accounts: the same
 * hundred again and again, or all in turn. The latter shows the processor's caches more
 * than anything else, hence the plain map beside it.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class AccountLookupBenchmarks {

	private static final int HOT = 100;

	// Prime, so that each account comes before one comes again, in no order of memory.
	private static final int STEP = 7_919;

	@Param({ "100", "100000" })
	private int accounts;

	private WechatMpCredentials[] credentials = {};

	private TestTokenService service = Samples.service();

	private final Map<WechatMpCredentials, WechatMpAccessToken> map = new ConcurrentHashMap<>();

	private final Cache<WechatMpCredentials, WechatMpAccessToken> cache = Caffeine.newBuilder()
		.maximumSize(200_000)
		.build();

	private int index;

	@Setup
	public void fill() {
		this.service.close();
		this.service = Samples.service((credentials) -> Mono.fromSupplier(Samples::token), Samples.DEFAULT_POLICY,
				200_000);
		this.credentials = IntStream.range(0, this.accounts)
			.mapToObj(Samples::credentials)
			.toArray(WechatMpCredentials[]::new);
		for (WechatMpCredentials credentials : this.credentials) {
			WechatMpAccessToken token = this.service.account(credentials).getAccessTokenSync();
			this.map.put(credentials, token);
			this.cache.put(credentials, token);
		}
	}

	@TearDown
	public void close() {
		this.service.close();
	}

	@Benchmark
	public WechatMpAccessToken ourHot() {
		return this.service.account(next(HOT)).getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourAll() {
		return this.service.account(next(this.accounts)).getAccessTokenSync();
	}

	@Benchmark
	public @Nullable WechatMpAccessToken caffeineHot() {
		return this.cache.getIfPresent(next(HOT));
	}

	@Benchmark
	public @Nullable WechatMpAccessToken caffeineAll() {
		return this.cache.getIfPresent(next(this.accounts));
	}

	@Benchmark
	public @Nullable WechatMpAccessToken mapHot() {
		return this.map.get(next(HOT));
	}

	@Benchmark
	public @Nullable WechatMpAccessToken mapAll() {
		return this.map.get(next(this.accounts));
	}

	private WechatMpCredentials next(int of) {
		this.index = (this.index + STEP) % of;
		WechatMpCredentials known = this.credentials[this.index];
		return new WechatMpCredentials(known.appId(), known.appSecret());
	}

}
