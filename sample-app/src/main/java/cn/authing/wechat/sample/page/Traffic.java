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

package cn.authing.wechat.sample.page;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.sample.page.EventLog.Type;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;

/**
 * The demo's callers: a steady stream of them, and a thousand at once.
 */
@Component
class Traffic implements SmartLifecycle {

	static final int CALLERS = 1000;

	private static final Duration BETWEEN_CALLS = Duration.ofMillis(25);

	private static final int CALLS_PER_WECHAT_CALL = 20;

	private final WechatMpTokenService tokens;

	private final WechatMpAccountRegistry registry;

	private final Activity activity;

	private final ObjectProvider<Demo> demo;

	private final WebClient wechat;

	private final WechatMpTokenExchangeFilterFunction tokenFilter;

	private final boolean streamFromStart;

	private final Disposable.Swap stream = Disposables.swap();

	private final AtomicBoolean burstRunning = new AtomicBoolean();

	Traffic(WechatMpTokenService tokens, WechatMpAccountRegistry registry, Activity activity, ObjectProvider<Demo> demo,
			WebClient.Builder webClientBuilder, WechatMpTokenExchangeFilterFunction tokenFilter,
			@Value("${spring.http.serviceclient.wechat.base-url}") String wechatUrl,
			@Value("${sample.demo.stream:true}") boolean streamFromStart) {
		this.tokens = tokens;
		this.registry = registry;
		this.activity = activity;
		this.demo = demo;
		this.wechat = webClientBuilder.baseUrl(wechatUrl).build();
		this.tokenFilter = tokenFilter;
		this.streamFromStart = streamFromStart;
	}

	@Override
	public void start() {
		if (this.streamFromStart && this.demo.getIfAvailable() != null) {
			setStreaming(true);
		}
	}

	@Override
	public void stop() {
		setStreaming(false);
	}

	@Override
	public boolean isRunning() {
		return isStreaming();
	}

	boolean isStreaming() {
		Disposable current = this.stream.get();
		return current != null && !current.isDisposed();
	}

	void setStreaming(boolean on) {
		if (on != isStreaming()) {
			this.stream.update(on ? stream() : Disposables.disposed());
		}
	}

	private Disposable stream() {
		List<String> accounts = List.copyOf(this.tokens.accountNames());
		return Flux.interval(BETWEEN_CALLS).onBackpressureDrop().flatMap((number) -> {
			String account = accounts.get((int) (number / CALLS_PER_WECHAT_CALL % accounts.size()));
			Mono<?> call = (number % CALLS_PER_WECHAT_CALL == 0) ? callWechat(account)
					: this.tokens.account(accounts.get((int) (number % accounts.size()))).getAccessToken();
			return call.then().onErrorComplete();
		}, CALLERS).subscribe();
	}

	/**
	 * Call WeChat with an account's token.
	 * @param account the account's name
	 * @return WeChat's answer
	 */
	Mono<String> callWechat(String account) {
		return this.wechat.mutate()
			.filter(this.tokenFilter.withTokenSource(this.tokens.account(account)))
			.build()
			.get()
			.uri("/cgi-bin/getcallbackip")
			.retrieve()
			.bodyToMono(String.class)
			.flatMap((answer) -> answer.contains("errcode") ? refused() : Mono.just(answer));
	}

	private Mono<String> refused() {
		this.activity.countRefusedCall();
		return Mono.error(new IllegalStateException("WeChat refused the call"));
	}

	/**
	 * Ask for the default account's token, a thousand times at once.
	 * @param demo the demo
	 * @param cold whether to drop the token before
	 * @return what became of it, or empty if the last one has not ended
	 */
	Mono<Burst> burst(Demo demo, boolean cold) {
		if (!this.burstRunning.compareAndSet(false, true)) {
			return Mono.empty();
		}
		// Over before the caller is told so, who may begin the next one at once.
		return Mono.using(() -> this.burstRunning, (running) -> startBurst(demo, cold), (running) -> running.set(false),
				true);
	}

	private Mono<Burst> startBurst(Demo demo, boolean cold) {
		WechatMpTokenSource source = this.tokens.account(WechatMpTokenService.DEFAULT_ACCOUNT);
		return (cold ? source.getAccessToken().map(WechatMpAccessToken::accessToken).onErrorComplete()
				: Mono.<String>empty())
			.map(Optional::of)
			.defaultIfEmpty(Optional.empty())
			.flatMap((held) -> burst(demo, source, cold, held.orElse(null)))
			.doOnNext((burst) -> this.activity.log()
				.add(Type.BURST, WechatMpTokenService.DEFAULT_ACCOUNT, burst.asMap()));
	}

	private Mono<Burst> burst(Demo demo, WechatMpTokenSource source, boolean cold, @Nullable String held) {
		String appId = appId(WechatMpTokenService.DEFAULT_ACCOUNT);
		long requests = demo.authingCalls(appId);
		if (held != null) {
			drop(demo, source, appId, held);
		}
		long[] nanos = new long[CALLERS];
		boolean[] answered = new boolean[CALLERS];
		return Flux.range(0, CALLERS).flatMap((caller) -> Mono.defer(() -> {
			long start = System.nanoTime();
			return source.getAccessToken()
				.doOnNext((token) -> answered[caller] = true)
				.then()
				.onErrorComplete()
				.doFinally((signal) -> nanos[caller] = System.nanoTime() - start);
		}).subscribeOn(Schedulers.parallel()), CALLERS)
			.then(Mono.fromSupplier(() -> Burst.of(cold, nanos, answered, demo.authingCalls(appId) - requests)));
	}

	// At WeChat as well: Authing would hand out the same token again.
	private void drop(Demo demo, WechatMpTokenSource source, String appId, String token) {
		this.activity.expectDrop(WechatMpTokenService.DEFAULT_ACCOUNT);
		demo.rejectTokens(appId);
		source.invalidate(token);
	}

	/**
	 * Return the app id of a configured account.
	 * @param account the account's name
	 * @return the app id
	 * @throws IllegalArgumentException if there is no such account
	 */
	String appId(String account) {
		WechatMpAccountStatus status = this.registry.status(account);
		if (status == null) {
			throw new IllegalArgumentException(
					"There is no account '" + account + "', but " + this.registry.accountNames());
		}
		return status.appId();
	}

	/**
	 * What became of a thousand calls.
	 *
	 * @param cold whether the token was dropped before
	 * @param callers how many there were
	 * @param failed how many got no token
	 * @param requests how many requests to Authing there were meanwhile
	 * @param slowestMicros how long the slowest took
	 * @param medianMicros how long half of them took at most
	 */
	record Burst(boolean cold, int callers, long failed, long requests, long slowestMicros, long medianMicros) {

		static Burst of(boolean cold, long[] nanos, boolean[] answered, long requests) {
			long[] sorted = nanos.clone();
			Arrays.sort(sorted);
			long failed = 0;
			for (boolean each : answered) {
				failed += each ? 0 : 1;
			}
			return new Burst(cold, nanos.length, failed, requests, sorted[sorted.length - 1] / 1000,
					sorted[sorted.length / 2] / 1000);
		}

		Map<String, Object> asMap() {
			return Map.of("cold", this.cold, "callers", this.callers, "failed", this.failed, "requests", this.requests,
					"slowestMicros", this.slowestMicros, "medianMicros", this.medianMicros);
		}

	}

}
