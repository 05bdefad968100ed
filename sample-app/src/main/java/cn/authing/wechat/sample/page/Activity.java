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
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.sample.page.EventLog.Type;
import cn.authing.wechat.sample.page.History.Totals;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpRequestCounts;
import cn.authing.wechat.token.WechatMpTokenEvent;
import cn.authing.wechat.token.WechatMpTokenEvent.Adopted;
import cn.authing.wechat.token.WechatMpTokenEvent.Failed;
import cn.authing.wechat.token.WechatMpTokenEvent.Fetched;
import cn.authing.wechat.token.WechatMpTokenEvent.Rejected;
import cn.authing.wechat.token.WechatMpTokenListener;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Watches the tokens for the page, without asking for one: counts once a second, and
 * keeps a log of events.
 */
@Component
class Activity implements WechatMpTokenListener, SmartLifecycle {

	private static final Duration SAMPLING_INTERVAL = Duration.ofSeconds(1);

	private final InstantSource clock = InstantSource.system();

	// The registry needs its listeners before it is there itself
	private final ObjectProvider<WechatMpAccountRegistry> registry;

	private final ObjectProvider<Demo> demo;

	private final ObjectProvider<MeterRegistry> meters;

	private final EventLog log = new EventLog(this.clock);

	private final History history = new History();

	private final Map<String, Watched> accounts = new ConcurrentHashMap<>();

	private final Set<String> dropping = ConcurrentHashMap.newKeySet();

	private final Disposable.Swap sampling = Disposables.swap();

	private volatile Sinks.Empty<Void> stop = Sinks.empty();

	private final LongAdder refusedCalls = new LongAdder();

	private volatile boolean storeAvailable = true;

	Activity(ObjectProvider<WechatMpAccountRegistry> registry, ObjectProvider<Demo> demo,
			ObjectProvider<MeterRegistry> meters) {
		this.registry = registry;
		this.demo = demo;
		this.meters = meters;
	}

	EventLog log() {
		return this.log;
	}

	History history() {
		return this.history;
	}

	/**
	 * Complete when the application stops, so that no page keeps it from that.
	 */
	Mono<Void> stopped() {
		return this.stop.asMono();
	}

	@Override
	public void start() {
		this.stop = Sinks.empty();
		this.log.add(Type.STARTED, null, Map.of());
		this.sampling.update(
				Flux.interval(Duration.ZERO, SAMPLING_INTERVAL).onBackpressureDrop().subscribe((second) -> sample()));
	}

	@Override
	public void stop() {
		this.sampling.update(Disposables.disposed());
		this.stop.tryEmitEmpty();
	}

	@Override
	public boolean isRunning() {
		Disposable current = this.sampling.get();
		return current != null && !current.isDisposed();
	}

	private void sample() {
		WechatMpAccountRegistry registry = this.registry.getObject();
		this.history.add(this.clock.millis(), totals());
		registry.status().forEach(this::watch);
		WechatMpTokenStoreStatus store = registry.storeStatus();
		if (store != null && store.isAvailable() != this.storeAvailable) {
			this.storeAvailable = store.isAvailable();
			this.log.add(Type.STORE, null, Map.of("up", this.storeAvailable));
		}
	}

	Totals totals() {
		WechatMpAccountRegistry registry = this.registry.getObject();
		long served = 0;
		long failed = this.refusedCalls.sum();
		for (WechatMpRequestCounts counts : registry.requestCounts().values()) {
			served += counts.fresh() + counts.due() + counts.stale() + counts.waited();
			failed += counts.failed();
		}
		Demo demo = this.demo.getIfAvailable();
		long upstream = (demo != null) ? demo.authingCalls()
				: registry.status().stream().mapToLong(WechatMpAccountStatus::fetches).sum();
		return new Totals(served, failed, upstream, wechatCalls());
	}

	/**
	 * Count a call that had a token, which WeChat refused.
	 */
	void countRefusedCall() {
		this.refusedCalls.increment();
	}

	private long wechatCalls() {
		MeterRegistry meters = this.meters.getIfAvailable();
		return (meters == null) ? 0
				: meters.find("http.client.requests")
					.tag("uri", (uri) -> uri.startsWith("/cgi-bin/") || uri.startsWith("/wxa/"))
					.timers()
					.stream()
					.mapToLong(Timer::count)
					.sum();
	}

	// An idle token expires quietly: that is no event.
	private void watch(WechatMpAccountStatus status) {
		Watched account = watched(status.account());
		boolean usable = account.isUsable();
		boolean stale = account.state == WechatMpTokenState.STALE;
		account.observe(status);
		if (status.failures() > 0 && !stale && status.state() == WechatMpTokenState.STALE) {
			this.log.add(Type.STALE, status.account(), Map.of());
		}
		else if (status.failures() > 0 && usable && !account.isUsable()) {
			this.log.add(Type.EXPIRED, status.account(), Map.of());
		}
	}

	/**
	 * Announce that an account's token is dropped by hand, which is no rejection by
	 * WeChat.
	 * @param account the account's name
	 */
	void expectDrop(String account) {
		this.dropping.add(account);
	}

	/**
	 * Return where in its life the previous token of an account was replaced.
	 * @param account the account's name
	 * @return a part of its life, from 0 to 1, or {@code null} if none was replaced yet
	 */
	@Nullable Double replacedAt(String account) {
		return watched(account).replacedAt;
	}

	@Override
	public void onEvent(WechatMpTokenEvent event) {
		Watched account = watched(event.account());
		if (event instanceof Fetched fetched) {
			fetched(account, fetched);
		}
		else if (event instanceof Failed failed) {
			failed(account, failed);
		}
		else if (event instanceof Rejected) {
			boolean byHand = this.dropping.remove(event.account());
			account.rejected = !byHand;
			this.log.add(byHand ? Type.DROPPED : Type.REJECTED, event.account(), Map.of());
		}
		else if (event instanceof Adopted) {
			this.log.add(Type.ADOPTED, event.account(), Map.of());
		}
	}

	private void fetched(Watched account, Fetched fetched) {
		Map<String, Object> data = new LinkedHashMap<>();
		data.put("millis", fetched.duration().toMillis());
		data.put("origin", fetched.origin());
		long failedCalls = failedCalls(fetched.account());
		int failures = account.failures;
		Instant failingSince = account.failingSince;
		Type type = account.fetched ? Type.REFRESHED : Type.FETCHED;
		if (failures > 0 && failingSince != null) {
			type = Type.RECOVERED;
			data.put("after", "failed");
			data.put("failures", failures);
			data.put("seconds", Duration.between(failingSince, this.clock.instant()).toSeconds());
			data.putAll(account.failure);
		}
		else if (account.rejected) {
			type = Type.RECOVERED;
			data.put("after", "rejected");
		}
		data.put("failedCalls", failedCalls - account.failedCalls);
		account.succeed(failedCalls);
		this.log.add(type, fetched.account(), data);
	}

	private void failed(Watched account, Failed failed) {
		account.fail(this.clock.instant(), describe(failed.failure()));
		this.log.add(Type.FAILED, failed.account(), account.failure);
	}

	private static Map<String, Object> describe(AuthingException failure) {
		Map<String, Object> data = new LinkedHashMap<>();
		if (failure instanceof AuthingApiException refusal) {
			data.put("kind", (refusal.getStatusCode() == 429) ? "throttled" : "api");
			data.put("code", refusal.getStatusCode());
		}
		else {
			data.put("kind", (failure instanceof AuthingTransportException) ? "transport" : "response");
		}
		return data;
	}

	private long failedCalls(String account) {
		WechatMpRequestCounts counts = this.registry.getObject().requestCounts().get(account);
		return (counts != null) ? counts.failed() : 0;
	}

	private Watched watched(String account) {
		return this.accounts.computeIfAbsent(account, (name) -> new Watched());
	}

	/**
	 * What is remembered of an account.
	 */
	private static final class Watched {

		private volatile @Nullable WechatMpTokenState state;

		private volatile boolean fetched;

		private volatile boolean rejected;

		private volatile int failures;

		private volatile @Nullable Instant failingSince;

		private volatile Map<String, Object> failure = Map.of();

		private volatile long failedCalls;

		private @Nullable Instant receivedAt;

		private @Nullable Instant expiresAt;

		private volatile @Nullable Double replacedAt;

		boolean isUsable() {
			return this.state == WechatMpTokenState.FRESH || this.state == WechatMpTokenState.DUE
					|| this.state == WechatMpTokenState.STALE;
		}

		void succeed(long failedCalls) {
			this.fetched = true;
			this.rejected = false;
			this.failures = 0;
			this.failingSince = null;
			this.failedCalls = failedCalls;
		}

		void fail(Instant now, Map<String, Object> failure) {
			this.failures++;
			this.failure = failure;
			if (this.failingSince == null) {
				this.failingSince = now;
			}
		}

		void observe(WechatMpAccountStatus status) {
			this.state = status.state();
			Instant receivedAt = this.receivedAt;
			Instant expiresAt = this.expiresAt;
			Instant replaced = status.receivedAt();
			if (receivedAt != null && expiresAt != null && replaced != null && !expiresAt.equals(status.expiresAt())) {
				double life = Duration.between(receivedAt, expiresAt).toMillis();
				this.replacedAt = Math.min(1, Duration.between(receivedAt, replaced).toMillis() / Math.max(1, life));
			}
			this.receivedAt = replaced;
			this.expiresAt = status.expiresAt();
		}

	}

}
