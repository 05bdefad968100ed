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

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.health.contributor.CompositeReactiveHealthContributor;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthContributor;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.registry.ReactiveHealthContributorRegistry;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Health of the WeChat access tokens: an indicator if there is one account, a composite
 * with one for each account if there are several.
 *
 * @since 1.0.0
 */
public class WechatMpTokenHealth {

	private static final Duration ONE_PROBE = Duration.ofSeconds(1);

	private final Supplier<Set<String>> accountNames;

	private final Function<String, WechatMpTokenSource> accounts;

	private final @Nullable WechatMpAccountRegistry registry;

	/**
	 * Create a new instance for the accounts of a registry, whose status becomes part of
	 * the details.
	 * @param registry the accounts
	 */
	public WechatMpTokenHealth(WechatMpAccountRegistry registry) {
		this(registry::accountNames, registry::account, registry);
	}

	/**
	 * Create a new instance for the accounts of a service of which nothing more is known.
	 * @param service the service
	 */
	public WechatMpTokenHealth(WechatMpTokenService service) {
		this(service::accountNames,
				(name) -> WechatMpTokenService.DEFAULT_ACCOUNT.equals(name) ? service : service.account(name), null);
	}

	private WechatMpTokenHealth(Supplier<Set<String>> accountNames, Function<String, WechatMpTokenSource> accounts,
			@Nullable WechatMpAccountRegistry registry) {
		this.accountNames = accountNames;
		this.accounts = accounts;
		this.registry = registry;
	}

	/**
	 * Return the contributor for the current accounts. A composite follows the accounts
	 * by itself.
	 * @return the contributor
	 */
	public ReactiveHealthContributor contributor() {
		return (this.accountNames.get().size() > 1) ? new AccountsHealthContributor()
				: indicator(WechatMpTokenService.DEFAULT_ACCOUNT);
	}

	/**
	 * Replace the registered contributor if the current accounts require one of the other
	 * kind.
	 * @param registry the registry
	 * @param name the name of the contributor
	 */
	public synchronized void update(ReactiveHealthContributorRegistry registry, String name) {
		ReactiveHealthContributor current = registry.getContributor(name);
		ReactiveHealthContributor next = contributor();
		if (current != null
				&& (current instanceof ReactiveHealthIndicator) != (next instanceof ReactiveHealthIndicator)) {
			registry.unregisterContributor(name);
			registry.registerContributor(name, next);
		}
	}

	/**
	 * Health of one account: up while a caller gets a token, a stale one included. It
	 * asks as any caller does, so that a probe causes a fetch only where a caller would.
	 * An unavailable store does not make it go down: without it each instance fetches for
	 * itself.
	 * <p>
	 * Not an {@code AbstractReactiveHealthIndicator}: that one logs each probe that
	 * fails, and the failure has been logged already.
	 */
	private ReactiveHealthIndicator indicator(String account) {
		return () -> Mono.defer(() -> this.accounts.apply(account).getAccessToken())
			.map((token) -> up(account, token))
			.onErrorResume((failure) -> Mono.just(down(account, failure)));
	}

	private Health up(String account, WechatMpAccessToken token) {
		Health.Builder health = Health.up();
		WechatMpAccountStatus status = describeStatus(account, health);
		Duration expiresIn = (status != null) ? status.expiresIn() : Duration.between(Instant.now(), token.expiresAt());
		return health.withDetail("expiresInSeconds", expiresIn.toSeconds()).build();
	}

	private Health down(String account, Throwable failure) {
		Health.Builder health = Health.down();
		if (failure instanceof AuthingException exception) {
			health.withDetails(FailureDetails.of(exception, null));
		}
		else {
			health.withDetail("error", String.valueOf(failure.getMessage()));
		}
		describeStatus(account, health);
		return health.build();
	}

	private @Nullable WechatMpAccountStatus describeStatus(String account, Health.Builder health) {
		WechatMpAccountRegistry registry = this.registry;
		WechatMpAccountStatus status = (registry != null) ? registry.status(account) : null;
		if (registry == null || status == null) {
			return null;
		}
		health.withDetail("state", status.state());
		if (status.state() == WechatMpTokenState.STALE) {
			health.withDetail("reason", "The token is about to expire, has expired or was rejected by WeChat; "
					+ "callers get it because no better one is known");
		}
		if (status.credentialsRotationPending()) {
			health.withDetail("credentialsRotationPending", true);
		}
		if (status.failures() > 0) {
			health.withDetail("failures", status.failures());
			AuthingException lastFailure = status.lastFailure();
			if (lastFailure != null) {
				health.withDetail("lastFailure", FailureDetails.of(lastFailure, status.lastFailureAt()));
			}
		}
		WechatMpTokenStoreStatus store = registry.storeStatus();
		if (store != null) {
			health.withDetail("tokenStore", FailureDetails.of(store));
		}
		return status;
	}

	/**
	 * Health of all accounts, whichever there are at the time of the probe.
	 */
	class AccountsHealthContributor implements CompositeReactiveHealthContributor {

		@Override
		public @Nullable ReactiveHealthContributor getContributor(String name) {
			return WechatMpTokenHealth.this.accountNames.get().contains(name) ? indicator(name) : null;
		}

		/**
		 * Return the indicators, the first of which starts all of them: one after the
		 * other, as a servlet application asks, they would take a timeout each.
		 */
		@Override
		public Stream<Entry> stream() {
			Map<String, Mono<Health>> probes = new LinkedHashMap<>();
			WechatMpTokenHealth.this.accountNames.get()
				.forEach((name) -> probes.put(name, indicator(name).health().cache(ONE_PROBE)));
			Mono<Void> all = Mono.<Void>fromRunnable(() -> probes.values().forEach(Mono::subscribe)).cache();
			return probes.entrySet()
				.stream()
				.map((probe) -> new Entry(probe.getKey(), (ReactiveHealthIndicator) () -> all.then(probe.getValue())));
		}

	}

}
