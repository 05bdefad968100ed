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

package cn.authing.wechat.actuate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.jspecify.annotations.Nullable;

import org.springframework.context.ApplicationListener;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpRequestCounts;
import cn.authing.wechat.token.WechatMpTokenEvent;
import cn.authing.wechat.token.WechatMpTokenListener;
import cn.authing.wechat.token.WechatMpTokenOrigin;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Meters of the tokens. Requests and rejections are read off the service's own counts, so
 * that they cost a caller nothing; fetches are timed as the service tells of them.
 * <p>
 * All meters of an account are there from the start, at zero: a counter that appears with
 * its first event hides that event from a rate. So are those of a store through which
 * instances share tokens, if there is one.
 *
 * @since 1.0.0
 */
public final class WechatMpTokenMetrics
		implements MeterBinder, WechatMpTokenListener, ApplicationListener<WechatMpAccountsChangedEvent> {

	private static final String PREFIX = "authing.wechat.token.";

	private static final String REJECTED = PREFIX + "rejected";

	private static final String EXPIRES_IN = PREFIX + "expires.in";

	private static final String STORE = PREFIX + "store.";

	private static final Set<String> ERRORS = Set.of("api", "transport", "response");

	// Never reached but where no registry is ever bound
	private static final int MAX_EARLY = 1000;

	// The service needs its listeners before it is there itself
	private final Supplier<WechatMpAccountRegistry> service;

	private final CopyOnWriteArrayList<MeterRegistry> registries = new CopyOnWriteArrayList<>();

	// What was fetched while the application was still starting; null from then on
	private @Nullable List<Consumer<MeterRegistry>> early = new ArrayList<>();

	/**
	 * Create new metrics.
	 * @param service supplies the service; not called before {@link #bindTo}
	 */
	public WechatMpTokenMetrics(Supplier<WechatMpAccountRegistry> service) {
		this.service = service;
	}

	@Override
	public void bindTo(MeterRegistry registry) {
		bindAccounts(registry);
		bindStore(registry);
		synchronized (this) {
			this.registries.add(registry);
			if (this.early != null) {
				this.early.forEach((fetch) -> fetch.accept(registry));
				this.early = null;
			}
		}
	}

	private void bindAccounts(MeterRegistry registry) {
		WechatMpAccountRegistry service = this.service.get();
		newOnes(service.requestCounts().keySet(), registry, REJECTED)
			.forEach((account) -> bindCounts(registry, service, account));
		newOnes(service.accountNames(), registry, EXPIRES_IN)
			.forEach((account) -> bindStatus(registry, service, account));
	}

	// The registry warns of a meter that is registered twice
	private static Stream<String> newOnes(Set<String> accounts, MeterRegistry registry, String meter) {
		return accounts.stream().filter((account) -> registry.find(meter).tag("account", account).meter() == null);
	}

	/**
	 * Add the meters of new accounts. Those of an account that was removed stay, as its
	 * counts do; only its time to expiry is not a number any more.
	 * @param event the event
	 */
	@Override
	public void onApplicationEvent(WechatMpAccountsChangedEvent event) {
		this.registries.forEach(this::bindAccounts);
	}

	private static void bindCounts(MeterRegistry registry, WechatMpAccountRegistry service, String account) {
		Map<String, ToLongFunction<WechatMpRequestCounts>> results = Map.of("fresh", WechatMpRequestCounts::fresh,
				"due", WechatMpRequestCounts::due, "stale", WechatMpRequestCounts::stale, "waited",
				WechatMpRequestCounts::waited, "failed", WechatMpRequestCounts::failed);
		results.forEach((result, count) -> FunctionCounter
			.builder(PREFIX + "requests", service, (source) -> count.applyAsLong(source.requestCounts(account)))
			.description("Requests for a token, by what they were answered with")
			.tags("account", account, "result", result)
			.register(registry));
		FunctionCounter.builder(REJECTED, service, (source) -> source.rejections(account))
			.description("Tokens that were reported as rejected by WeChat")
			.tag("account", account)
			.register(registry);
		fetchTimer(registry, account, WechatMpTokenOrigin.AUTHING, null);
		ERRORS.forEach((error) -> fetchTimer(registry, account, null, error));
	}

	private static void bindStatus(MeterRegistry registry, WechatMpAccountRegistry service, String account) {
		TimeGauge.builder(EXPIRES_IN, service, TimeUnit.NANOSECONDS, (source) -> expiresIn(source.status(account)))
			.description("Time for which the token held may still be handed out")
			.tag("account", account)
			.register(registry);
	}

	private static double expiresIn(@Nullable WechatMpAccountStatus status) {
		return (status != null) ? status.expiresIn().toNanos() : Double.NaN;
	}

	private void bindStore(MeterRegistry registry) {
		WechatMpAccountRegistry service = this.service.get();
		if (service.storeStatus() == null) {
			return;
		}
		Gauge
			.builder(STORE + "available", service,
					(source) -> read(source.storeStatus(), (status) -> status.isAvailable() ? 1 : 0))
			.description("Whether tokens are shared with the other instances")
			.register(registry);
		Map<String, ToDoubleFunction<WechatMpTokenStoreStatus>> results = Map.of("succeeded",
				WechatMpTokenStoreStatus::succeeded, "failed", WechatMpTokenStoreStatus::failed, "skipped",
				WechatMpTokenStoreStatus::skipped);
		results.forEach((result, count) -> FunctionCounter
			.builder(STORE + "operations", service, (source) -> read(source.storeStatus(), count))
			.description("Operations on the shared store, by what became of them")
			.tag("result", result)
			.register(registry));
		FunctionCounter
			.builder(STORE + "undecodable", service,
					(source) -> read(source.storeStatus(), WechatMpTokenStoreStatus::undecodable))
			.description("Shared values that made no sense to this instance")
			.register(registry);
	}

	private static double read(@Nullable WechatMpTokenStoreStatus status,
			ToDoubleFunction<WechatMpTokenStoreStatus> part) {
		return (status != null) ? part.applyAsDouble(status) : Double.NaN;
	}

	@Override
	public void onEvent(WechatMpTokenEvent event) {
		if (event instanceof WechatMpTokenEvent.Fetched fetched) {
			record((registry) -> fetchTimer(registry, fetched.account(), fetched.origin(), null)
				.record(fetched.duration()));
		}
		else if (event instanceof WechatMpTokenEvent.Failed failed) {
			record((registry) -> fetchTimer(registry, failed.account(), null, error(failed.failure()))
				.record(failed.duration()));
		}
	}

	private synchronized void record(Consumer<MeterRegistry> fetch) {
		if (this.early == null) {
			this.registries.forEach(fetch);
		}
		else if (this.early.size() < MAX_EARLY) {
			this.early.add(fetch);
		}
	}

	private static String error(AuthingException failure) {
		if (failure instanceof AuthingApiException) {
			return "api";
		}
		return (failure instanceof AuthingTransportException) ? "transport" : "response";
	}

	private static Timer fetchTimer(MeterRegistry registry, String account, @Nullable WechatMpTokenOrigin origin,
			@Nullable String error) {
		Tags tags = Tags.of("account", account, "outcome", (error != null) ? "failure" : "success", "error",
				(error != null) ? error : "none", "origin",
				(origin != null) ? origin.name().toLowerCase(Locale.ROOT) : "none");
		return Timer.builder(PREFIX + "fetch")
			.description("Fetches of a token, retries included")
			.tags(tags)
			.register(registry);
	}

}
