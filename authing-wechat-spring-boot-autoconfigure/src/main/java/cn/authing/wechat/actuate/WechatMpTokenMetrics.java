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

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
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
import cn.authing.wechat.token.WechatMpTokenEvent.Failed;
import cn.authing.wechat.token.WechatMpTokenEvent.Fetched;
import cn.authing.wechat.token.WechatMpTokenListener;
import cn.authing.wechat.token.WechatMpTokenOrigin;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Meters of the tokens. Fetches are recorded as they end; all else is read from the
 * account registry when a meter is read, and costs callers nothing.
 * <p>
 * All meters of an account exist from the start, at zero: a counter that appears with its
 * first event hides that event from a rate. So do those of a shared token store, if there
 * is one.
 *
 * @since 1.0.0
 */
public class WechatMpTokenMetrics
		implements MeterBinder, WechatMpTokenListener, ApplicationListener<WechatMpAccountsChangedEvent> {

	private static final String PREFIX = "authing.wechat.token.";

	private static final String REJECTED = "rejected";

	private static final String EXPIRES_IN = "expires.in";

	private static final Set<String> ERRORS = Set.of("api", "transport", "response");

	private final Supplier<WechatMpAccountRegistry> accounts;

	private final Supplier<MeterRegistry> meters;

	/**
	 * Create new metrics.
	 * @param accounts supplies the accounts; called when meters are bound, as the
	 * accounts need their listeners first
	 * @param meters supplies where fetches are recorded; called when the first one ends
	 */
	public WechatMpTokenMetrics(Supplier<WechatMpAccountRegistry> accounts, Supplier<MeterRegistry> meters) {
		this.accounts = accounts;
		this.meters = meters;
	}

	@Override
	public void bindTo(MeterRegistry registry) {
		bindAccounts(registry);
		bindStore(registry);
	}

	/**
	 * Add the meters of new accounts. Those of a removed account stay, as its counts do;
	 * it has no state and no time to expiry any more.
	 * @param event the event
	 */
	@Override
	public void onApplicationEvent(WechatMpAccountsChangedEvent event) {
		bindAccounts(this.meters.get());
	}

	@Override
	public void onEvent(WechatMpTokenEvent event) {
		if (event instanceof Fetched fetched) {
			fetchTimer(this.meters.get(), event.account(), "none", lowerCase(fetched.origin()))
				.record(fetched.duration());
		}
		else if (event instanceof Failed failed) {
			fetchTimer(this.meters.get(), event.account(), error(failed.failure()), "none").record(failed.duration());
		}
	}

	private void bindAccounts(MeterRegistry registry) {
		WechatMpAccountRegistry accounts = this.accounts.get();
		unregistered(accounts.requestCounts().keySet(), registry, REJECTED)
			.forEach((account) -> bindCounts(registry, accounts, account));
		unregistered(accounts.accountNames(), registry, EXPIRES_IN)
			.forEach((account) -> bindStatus(registry, accounts, account));
	}

	// Micrometer warns of a meter that is registered twice
	private static Stream<String> unregistered(Set<String> accounts, MeterRegistry registry, String meter) {
		return accounts.stream()
			.filter((account) -> registry.find(PREFIX + meter).tag("account", account).meter() == null);
	}

	private static void bindCounts(MeterRegistry registry, WechatMpAccountRegistry accounts, String account) {
		Map<String, ToDoubleFunction<WechatMpRequestCounts>> results = Map.of("fresh", WechatMpRequestCounts::fresh,
				"due", WechatMpRequestCounts::due, "stale", WechatMpRequestCounts::stale, "waited",
				WechatMpRequestCounts::waited, "failed", WechatMpRequestCounts::failed);
		results.forEach((result, count) -> counter(registry, accounts, "requests", "Requests for a token, by result",
				(source) -> count.applyAsDouble(source.requestCounts(account)), "account", account, "result", result));
		counter(registry, accounts, REJECTED, "Tokens that were reported as rejected by WeChat",
				(source) -> source.rejections(account), "account", account);
		fetchTimer(registry, account, "none", lowerCase(WechatMpTokenOrigin.AUTHING));
		ERRORS.forEach((error) -> fetchTimer(registry, account, error, "none"));
	}

	private static void bindStatus(MeterRegistry registry, WechatMpAccountRegistry accounts, String account) {
		TimeGauge
			.builder(PREFIX + EXPIRES_IN, accounts, TimeUnit.NANOSECONDS,
					(source) -> read(source.status(account), (status) -> status.expiresIn().toNanos()))
			.description("Time for which callers get the current token at once")
			.tag("account", account)
			.register(registry);
		for (WechatMpTokenState state : WechatMpTokenState.values()) {
			Gauge.builder(PREFIX + "state", accounts, (source) -> isIn(state, source.status(account)) ? 1 : 0)
				.description("State of the token: 1 for the current state, 0 for the others")
				.tags("account", account, "state", lowerCase(state))
				.register(registry);
		}
	}

	private static boolean isIn(WechatMpTokenState state, @Nullable WechatMpAccountStatus status) {
		return status != null && status.state() == state;
	}

	private void bindStore(MeterRegistry registry) {
		WechatMpAccountRegistry accounts = this.accounts.get();
		if (accounts.storeStatus() == null) {
			return;
		}
		Gauge
			.builder(PREFIX + "store.available", accounts,
					(source) -> read(source.storeStatus(), (status) -> status.isAvailable() ? 1 : 0))
			.description("Whether tokens are shared with the other instances")
			.register(registry);
		Map<String, ToDoubleFunction<WechatMpTokenStoreStatus>> results = Map.of("succeeded",
				WechatMpTokenStoreStatus::succeeded, "failed", WechatMpTokenStoreStatus::failed, "skipped",
				WechatMpTokenStoreStatus::skipped);
		results.forEach((result, count) -> counter(registry, accounts, "store.operations",
				"Operations on the shared store, by result", (source) -> read(source.storeStatus(), count), "result",
				result));
		counter(registry, accounts, "store.undecodable", "Shared values that this instance could not decode",
				(source) -> read(source.storeStatus(), WechatMpTokenStoreStatus::undecodable));
	}

	private static void counter(MeterRegistry registry, WechatMpAccountRegistry accounts, String name,
			String description, ToDoubleFunction<WechatMpAccountRegistry> count, String... tags) {
		FunctionCounter.builder(PREFIX + name, accounts, count).description(description).tags(tags).register(registry);
	}

	private static <T> double read(@Nullable T status, ToDoubleFunction<T> part) {
		return (status != null) ? part.applyAsDouble(status) : Double.NaN;
	}

	private static String error(AuthingException failure) {
		if (failure instanceof AuthingApiException) {
			return "api";
		}
		return (failure instanceof AuthingTransportException) ? "transport" : "response";
	}

	private static Timer fetchTimer(MeterRegistry registry, String account, String error, String origin) {
		return Timer.builder(PREFIX + "fetch")
			.description("Fetches of a token, retries included")
			.tags("account", account, "outcome", error.equals("none") ? "success" : "failure", "error", error, "origin",
					origin)
			.register(registry);
	}

	private static String lowerCase(Enum<?> value) {
		return value.name().toLowerCase(Locale.ROOT);
	}

}
