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

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Health of one account: up while a caller would get a token. It asks as any caller does,
 * so that Authing is asked only when it has to be. How the shared store is doing is told,
 * but takes nobody down: without it each instance fetches for itself.
 * <p>
 * Not an {@code AbstractReactiveHealthIndicator}: that one logs each probe that fails,
 * and the service has told of the failure already.
 */
class AccountHealthIndicator implements ReactiveHealthIndicator {

	private final WechatMpTokenService service;

	private final @Nullable WechatMpAccountRegistry registry;

	private final String account;

	AccountHealthIndicator(WechatMpTokenService service, @Nullable WechatMpAccountRegistry registry, String account) {
		this.service = service;
		this.registry = registry;
		this.account = account;
	}

	@Override
	public Mono<Health> health() {
		return Mono.defer(() -> this.service.account(this.account).getAccessToken())
			.map(this::up)
			.onErrorResume((failure) -> Mono.just(down(failure)));
	}

	private Health up(WechatMpAccessToken token) {
		WechatMpAccountStatus status = status();
		Health.Builder health = Health.up();
		if (status == null) {
			return health.withDetail("expiresInSeconds", Duration.between(Instant.now(), token.expiresAt()).toSeconds())
				.build();
		}
		return describe(health, status).withDetail("expiresInSeconds", status.expiresIn().toSeconds()).build();
	}

	private Health down(Throwable failure) {
		Health.Builder health = Health.down();
		if (failure instanceof AuthingException exception) {
			health.withDetails(FailureDetails.of(exception, null));
		}
		else {
			health.withDetail("error", String.valueOf(failure.getMessage()));
		}
		WechatMpAccountStatus status = status();
		return ((status != null) ? describe(health, status) : health).build();
	}

	private Health.Builder describe(Health.Builder health, WechatMpAccountStatus status) {
		health.withDetail("state", status.state());
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
		WechatMpTokenStoreStatus store = storeStatus();
		return (store != null) ? health.withDetail("tokenStore", describe(store)) : health;
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

	private @Nullable WechatMpAccountStatus status() {
		return (this.registry != null) ? this.registry.status(this.account) : null;
	}

	private @Nullable WechatMpTokenStoreStatus storeStatus() {
		return (this.registry != null) ? this.registry.storeStatus() : null;
	}

}
