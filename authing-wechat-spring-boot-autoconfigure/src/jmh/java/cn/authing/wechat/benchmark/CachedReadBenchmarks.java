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

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import java.util.concurrent.TimeUnit;

import com.azure.core.credential.AccessToken;
import com.azure.core.credential.SimpleTokenCache;
import com.github.benmanes.caffeine.cache.AsyncLoadingCache;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.auth.oauth2.OAuth2Credentials;
import com.google.auth.oauth2.OAuth2CredentialsWithRefresh;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import software.amazon.awssdk.utils.cache.CachedSupplier;
import software.amazon.awssdk.utils.cache.NonBlocking;
import software.amazon.awssdk.utils.cache.RefreshResult;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.token.TestTokenService;
import cn.authing.wechat.token.WechatMpRequestCounts;

/**
 * Reads of a token that is held and fresh, beside those of other caches and beside the
 * least that such a read can cost. The prefix of a method tells what it is: {@code our},
 * {@code floor} or {@code peer}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class CachedReadBenchmarks {

	private static final Duration LIFE = Duration.ofHours(2);

	private static final URI WECHAT = URI.create("https://api.weixin.qq.com");

	private final TestTokenService service = Samples.service();

	private final WechatMpTokenSource named = this.service.account(Samples.NAMED_ACCOUNT);

	private final WechatMpCredentials credentials = Samples.credentials(1);

	private final String appId = this.credentials.appId();

	private final String appSecret = this.credentials.appSecret();

	private final WechatMpTokenSource runTime = this.service.account(this.credentials);

	private volatile Expiring floor = new Expiring(Samples.token(), System.currentTimeMillis() + LIFE.toMillis());

	private final Mono<WechatMpAccessToken> deferred = Mono.defer(() -> Mono.just(this.floor.token()));

	private final Mono<WechatMpAccessToken> monoCache = Mono.fromSupplier(Samples::token)
		.cache((token) -> LIFE, (failure) -> Duration.ZERO, () -> Duration.ZERO);

	private final AsyncLoadingCache<WechatMpCredentials, WechatMpAccessToken> asyncLoadingCache = Caffeine.newBuilder()
		.maximumSize(10_000)
		.expireAfterWrite(LIFE)
		.refreshAfterWrite(LIFE.minusMinutes(5))
		.buildAsync((key) -> Samples.token());

	private final Cache<WechatMpCredentials, WechatMpAccessToken> cache = Caffeine.newBuilder()
		.maximumSize(10_000)
		.build();

	private final Cache<WechatMpCredentials, Expiring> expiringCache = Caffeine.newBuilder()
		.maximumSize(10_000)
		.build();

	private final OAuth2Credentials google = OAuth2CredentialsWithRefresh.newBuilder()
		.setRefreshHandler(() -> new com.google.auth.oauth2.AccessToken(Samples.token().accessToken(),
				Date.from(Instant.now().plus(LIFE))))
		.build();

	private final CachedSupplier<WechatMpAccessToken> aws = CachedSupplier
		.builder(() -> RefreshResult.builder(Samples.token())
			.prefetchTime(Instant.now().plus(LIFE).minus(Duration.ofMinutes(5)))
			.staleTime(Instant.now().plus(LIFE))
			.build())
		.prefetchStrategy(new NonBlocking("benchmark"))
		.cachedValueName("benchmark")
		.build();

	private final SimpleTokenCache azure = new SimpleTokenCache(() -> Mono
		.just(new AccessToken(Samples.token().accessToken(), Instant.now().plus(LIFE).atOffset(ZoneOffset.UTC))));

	@Setup
	public void fetch() {
		this.cache.put(this.credentials, Samples.token());
		this.expiringCache.put(this.credentials, this.floor);
		// An application uses all kinds of sources, which the compiler must not be kept
		// from seeing.
		for (int i = 0; i < 20_000; i++) {
			for (WechatMpTokenSource source : List.of(this.service, this.named, this.runTime)) {
				source.getAccessTokenSync();
				source.getAccessToken().block();
				source.getAccessToken().subscribe();
			}
		}
	}

	@TearDown
	public void close() {
		this.service.close();
		this.aws.close();
	}

	// The blocking way

	@Benchmark
	public WechatMpAccessToken floorSync() {
		return valid(this.floor);
	}

	@Benchmark
	public WechatMpAccessToken floorByCredentialsSync() {
		return valid(this.expiringCache.getIfPresent(new WechatMpCredentials(this.appId, this.appSecret)));
	}

	private static WechatMpAccessToken valid(@Nullable Expiring held) {
		if (held != null && System.currentTimeMillis() < held.expiresAt()) {
			return held.token();
		}
		throw new IllegalStateException();
	}

	@Benchmark
	public WechatMpAccessToken ourDefaultSync() {
		return this.service.getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourDefaultSyncWithMeters(Meters meters) {
		return meters.service.getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourNamedSync() {
		return this.named.getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourNamedByNameSync() {
		return this.service.account(Samples.NAMED_ACCOUNT).getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourRunTimeSync() {
		return this.runTime.getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourRunTimeByCredentialsSync() {
		return this.service.account(new WechatMpCredentials(this.appId, this.appSecret)).getAccessTokenSync();
	}

	@Benchmark
	public WechatMpAccessToken ourRunTimeByHeldCredentialsSync() {
		return this.service.account(this.credentials).getAccessTokenSync();
	}

	@Benchmark
	public @Nullable WechatMpAccessToken peerCaffeineGetIfPresent() {
		return this.cache.getIfPresent(this.credentials);
	}

	@Benchmark
	public @Nullable WechatMpAccessToken peerCaffeineGetIfPresentByNewKey() {
		return this.cache.getIfPresent(new WechatMpCredentials(this.appId, this.appSecret));
	}

	@Benchmark
	public WechatMpAccessToken peerCaffeineAsyncLoadingSync() {
		return this.asyncLoadingCache.get(this.credentials).join();
	}

	@Benchmark
	public Object peerGoogleSync() throws IOException {
		return this.google.getRequestMetadata(WECHAT);
	}

	@Benchmark
	public WechatMpAccessToken peerAwsSync() {
		return this.aws.get();
	}

	// The reactive way, blocked on

	@Benchmark
	public @Nullable WechatMpAccessToken floorDeferBlock() {
		return this.deferred.block();
	}

	@Benchmark
	public @Nullable WechatMpAccessToken ourDefaultBlock() {
		return this.service.getAccessToken().block();
	}

	@Benchmark
	public @Nullable WechatMpAccessToken ourNamedBlock() {
		return this.named.getAccessToken().block();
	}

	@Benchmark
	public @Nullable WechatMpAccessToken ourRunTimeByCredentialsBlock() {
		return this.service.account(new WechatMpCredentials(this.appId, this.appSecret)).getAccessToken().block();
	}

	@Benchmark
	public @Nullable WechatMpAccessToken peerMonoCacheBlock() {
		return this.monoCache.block();
	}

	@Benchmark
	public @Nullable AccessToken peerAzureBlock() {
		return this.azure.getToken().block();
	}

	// The reactive way, subscribed to

	@Benchmark
	public @Nullable Object floorDeferSubscribe(Receiver receiver) {
		return receiver.receive(this.deferred);
	}

	@Benchmark
	public @Nullable Object ourDefaultSubscribe(Receiver receiver) {
		return receiver.receive(this.service.getAccessToken());
	}

	@Benchmark
	public @Nullable Object ourNamedSubscribe(Receiver receiver) {
		return receiver.receive(this.named.getAccessToken());
	}

	@Benchmark
	public @Nullable Object ourRunTimeByCredentialsSubscribe(Receiver receiver) {
		return receiver
			.receive(this.service.account(new WechatMpCredentials(this.appId, this.appSecret)).getAccessToken());
	}

	@Benchmark
	public @Nullable Object peerMonoCacheSubscribe(Receiver receiver) {
		return receiver.receive(this.monoCache);
	}

	@Benchmark
	public @Nullable Object peerAzureSubscribe(Receiver receiver) {
		return receiver.receive(this.azure.getToken());
	}

	private record Expiring(WechatMpAccessToken token, long expiresAt) {

	}

	/**
	 * A service whose request counts are read by meters, and are scraped while it is
	 * measured.
	 */
	@State(Scope.Benchmark)
	public static class Meters {

		private final TestTokenService service = Samples.service();

		private final MeterRegistry registry = new SimpleMeterRegistry();

		@Setup
		public void register() {
			this.service.getAccessTokenSync();
			this.service.registry().requestCounts()
				.keySet()
				.forEach((account) -> FunctionCounter
					.builder("requests", this.service, (service) -> fresh(service, account))
					.tag("account", account)
					.register(this.registry));
		}

		private static double fresh(TestTokenService service, String account) {
			WechatMpRequestCounts counts = service.registry().requestCounts().get(account);
			return (counts != null) ? counts.fresh() : 0;
		}

		@TearDown
		public void close() {
			if (this.registry.get("requests").functionCounters().stream().noneMatch((meter) -> meter.count() > 0)) {
				throw new IllegalStateException("The meters show no requests");
			}
			this.service.close();
			this.service.close();
		}

	}

	/**
	 * The cheapest subscriber: one for all subscriptions of a thread, so that none of the
	 * bytes are its own.
	 */
	@State(Scope.Thread)
	public static class Receiver implements CoreSubscriber<Object> {

		private @Nullable Object received;

		@Nullable Object receive(Mono<?> mono) {
			this.received = null;
			mono.subscribe(this);
			return this.received;
		}

		@Override
		public void onSubscribe(Subscription subscription) {
			subscription.request(Long.MAX_VALUE);
		}

		@Override
		public void onNext(Object token) {
			this.received = token;
		}

		@Override
		public void onError(Throwable failure) {
			throw new IllegalStateException(failure);
		}

		@Override
		public void onComplete() {
		}

	}

}
