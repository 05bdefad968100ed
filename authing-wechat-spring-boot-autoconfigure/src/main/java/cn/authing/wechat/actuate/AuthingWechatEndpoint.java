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

import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.Selector.Match;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * {@link Endpoint @Endpoint} that shows, refreshes and drops the cached tokens of the
 * configured accounts. A token itself is never shown. On the web
 * {@link AuthingWechatEndpointWebExtension} takes the place of the operations on one
 * account.
 *
 * @since 1.0.0
 */
@Endpoint(id = "authingwechat")
public class AuthingWechatEndpoint {

	private final WechatMpAccountRegistry registry;

	/**
	 * Create a new endpoint.
	 * @param registry the accounts
	 */
	public AuthingWechatEndpoint(WechatMpAccountRegistry registry) {
		this.registry = registry;
	}

	/**
	 * Return all accounts and, where instances share tokens, the status of the store.
	 * @return the accounts, in the order of the configuration
	 */
	@ReadOperation
	public Map<String, Object> accounts() {
		Map<String, Object> accounts = new LinkedHashMap<>();
		this.registry.status().forEach((status) -> accounts.put(status.account(), describe(status)));
		Map<String, Object> result = new LinkedHashMap<>(Map.of("accounts", accounts));
		WechatMpTokenStoreStatus store = this.registry.storeStatus();
		FailureDetails.put(result, "tokenStore", (store != null) ? describe(store) : null);
		return OperationResponseBody.of(result);
	}

	/**
	 * Return one account.
	 * @param account the name of the account
	 * @return the account
	 * @throws IllegalArgumentException if there is no such account
	 */
	@ReadOperation
	Map<String, Object> account(@Selector(match = Match.ALL_REMAINING) String account) {
		WechatMpAccountStatus status = this.registry.status(account);
		if (status == null) {
			throw new IllegalArgumentException(
					"There is no WeChat account '" + account + "'; configured are " + this.registry.accountNames());
		}
		return describe(status);
	}

	/**
	 * Perform an operation on one account: {@code refresh} fetches a token from Authing,
	 * unless a fetch is in flight already, and completes with that fetch, at most after
	 * {@code authing.timeout}. No thread is blocked meanwhile.
	 * @param account the name of the account
	 * @param operation the operation
	 * @return the account after that. Fails with an {@link AuthingException} if there was
	 * no token, in which case a cached one is kept
	 * @throws InvalidEndpointRequestException if there is no such operation
	 * @throws IllegalArgumentException if there is no such account
	 */
	@WriteOperation
	Mono<Map<String, Object>> operate(@Selector(match = Match.ALL_REMAINING) String account,
			@Nullable String operation) {
		if (!"refresh".equals(operation)) {
			String reason = ((operation != null) ? "There is no operation '" + operation + "'"
					: "The operation is missing") + "; send the JSON body {\"operation\":\"refresh\"}";
			throw new InvalidEndpointRequestException(reason, reason);
		}
		account(account);
		return this.registry.account(account).refreshAccessToken().map((token) -> account(account));
	}

	/**
	 * Drop the cached token of one account, as if WeChat had rejected it. The next caller
	 * waits for a new one. Without a cached token this does nothing.
	 * @param account the name of the account
	 * @return the account after that
	 * @throws IllegalArgumentException if there is no such account
	 */
	@DeleteOperation
	Map<String, Object> invalidate(@Selector(match = Match.ALL_REMAINING) String account) {
		account(account);
		this.registry.invalidateCurrent(account);
		return account(account);
	}

	/**
	 * Return the {@linkplain WechatMpAccountStatus status} of an account as JSON. What is
	 * not known is left out.
	 */
	private static Map<String, Object> describe(WechatMpAccountStatus status) {
		Map<String, Object> details = new LinkedHashMap<>();
		AuthingException failure = status.lastFailure();
		details.put("appId", status.appId());
		details.put("state", status.state());
		FailureDetails.put(details, "softExpiry", status.softExpiry());
		FailureDetails.put(details, "hardExpiry", status.hardExpiry());
		FailureDetails.put(details, "expiresAt", status.expiresAt());
		details.put("expiresInSeconds", status.expiresIn().toSeconds());
		FailureDetails.put(details, "origin", status.origin());
		FailureDetails.put(details, "lastFetchedAt", status.lastFetchedAt());
		FailureDetails.put(details, "lastFailure",
				(failure != null) ? FailureDetails.of(failure, status.lastFailureAt()) : null);
		details.put("failures", status.failures());
		details.put("fetches", status.fetches());
		details.put("rejections", status.rejections());
		details.put("credentialsRotationPending", status.credentialsRotationPending());
		return OperationResponseBody.of(details);
	}

	private static Map<String, Object> describe(WechatMpTokenStoreStatus store) {
		Map<String, Object> details = FailureDetails.of(store);
		details.put("succeeded", store.succeeded());
		details.put("failed", store.failed());
		details.put("skipped", store.skipped());
		details.put("undecodable", store.undecodable());
		return details;
	}

}
