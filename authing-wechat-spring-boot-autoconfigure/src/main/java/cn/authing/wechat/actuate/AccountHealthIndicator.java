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
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Health of one account: up while a caller gets a token, a stale one included. It asks as
 * any caller does, so that a probe causes a fetch only where a caller would. An
 * unavailable store does not make it go down: without it each instance fetches for
 * itself.
 * <p>
 * Not an {@code AbstractReactiveHealthIndicator}: that one logs each probe that fails,
 * and the failure has been logged already.
 */
class AccountHealthIndicator implements ReactiveHealthIndicator {

	private final String account;

	private final Supplier<WechatMpTokenSource> source;

	private final @Nullable WechatMpAccountRegistry registry;

	AccountHealthIndicator(String account, Supplier<WechatMpTokenSource> source,
			@Nullable WechatMpAccountRegistry registry) {
		this.account = account;
		this.source = source;
		this.registry = registry;
	}

	@Override
	public Mono<Health> health() {
		return Mono.defer(() -> this.source.get().getAccessToken())
			.map(this::up)
			.onErrorResume((failure) -> Mono.just(down(failure)));
	}

	private Health up(WechatMpAccessToken token) {
		Health.Builder health = Health.up();
		WechatMpAccountStatus status = describeStatus(health);
		Duration expiresIn = (status != null) ? status.expiresIn() : Duration.between(Instant.now(), token.expiresAt());
		return health.withDetail("expiresInSeconds", expiresIn.toSeconds()).build();
	}

	private Health down(Throwable failure) {
		Health.Builder health = Health.down();
		if (failure instanceof AuthingException exception) {
			health.withDetails(FailureDetails.of(exception, null));
		}
		else {
			health.withDetail("error", String.valueOf(failure.getMessage()));
		}
		describeStatus(health);
		return health.build();
	}

	private @Nullable WechatMpAccountStatus describeStatus(Health.Builder health) {
		WechatMpAccountRegistry registry = this.registry;
		WechatMpAccountStatus status = (registry != null) ? registry.status(this.account) : null;
		if (registry == null || status == null) {
			return null;
		}
		health.withDetail("state", status.state());
		if (status.state() == WechatMpTokenState.STALE) {
			health.withDetail("reason", "The token is about to expire, has expired or was rejected by WeChat; "
					+ "callers get it because Authing has given no better one");
		}
		if (status.credentialsRotationPending()) {
			health.withDetail("credentialsRotationPending", true);
		}
		AuthingException lastFailure = status.lastFailure();
		if (status.failures() > 0) {
			health.withDetail("failures", status.failures());
			if (lastFailure != null) {
				health.withDetail("lastFailure", FailureDetails.of(lastFailure, status.lastFailureAt()));
			}
		}
		WechatMpTokenStoreStatus store = registry.storeStatus();
		if (store != null) {
			health.withDetail("tokenStore", describe(store));
		}
		return status;
	}

	private static Map<String, Object> describe(WechatMpTokenStoreStatus store) {
		Map<String, Object> details = new LinkedHashMap<>();
		details.put("available", store.isAvailable());
		if (store.reason() != null) {
			details.put("reason", store.reason());
		}
		if (store.unavailableSince() != null) {
			details.put("unavailableSince", store.unavailableSince());
		}
		return details;
	}

}
