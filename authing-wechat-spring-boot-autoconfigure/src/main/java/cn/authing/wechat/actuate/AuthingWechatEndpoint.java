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

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenOrigin;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * {@link Endpoint @Endpoint} that shows, refreshes and drops the cached tokens of the
 * configured accounts. A token itself is never shown. The operations on one account are
 * declared by the extensions, as the web and JMX name the account in different ways.
 *
 * @since 1.0.0
 * @see AuthingWechatEndpointWebExtension
 * @see AuthingWechatEndpointJmxExtension
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
	public AccountsDescriptor accounts() {
		Map<String, AccountDescriptor> accounts = new LinkedHashMap<>();
		this.registry.status().forEach((status) -> accounts.put(status.account(), AccountDescriptor.of(status)));
		return new AccountsDescriptor(accounts, this.registry.storeStatus());
	}

	/**
	 * Return one account.
	 * @param account the name of the account
	 * @return the account
	 * @throws IllegalArgumentException if there is no such account
	 */
	AccountDescriptor account(String account) {
		WechatMpAccountStatus status = this.registry.status(account);
		if (status == null) {
			throw new IllegalArgumentException(
					"There is no WeChat account '" + account + "'; configured are " + this.registry.accountNames());
		}
		return AccountDescriptor.of(status);
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
	Mono<AccountDescriptor> operate(String account, @Nullable String operation) {
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
	AccountDescriptor invalidate(String account) {
		account(account);
		this.registry.invalidateCurrent(account);
		return account(account);
	}

	/**
	 * The configured accounts.
	 *
	 * @param accounts the accounts by name
	 * @param tokenStore the status of the store through which instances share tokens;
	 * {@code null} if they do not
	 */
	record AccountsDescriptor(Map<String, AccountDescriptor> accounts,
			@Nullable WechatMpTokenStoreStatus tokenStore) implements OperationResponseBody {

	}

	/**
	 * The {@linkplain WechatMpAccountStatus status} of an account as JSON.
	 *
	 * @param appId the WeChat app id
	 * @param state the state of the token
	 * @param softExpiry when the token becomes due to be refreshed in the background
	 * @param hardExpiry from when on callers wait for a new token
	 * @param expiresAt when the token expires, by Authing's clock
	 * @param expiresInSeconds for how much longer callers get the token at once, in
	 * seconds
	 * @param origin where the token came from
	 * @param lastFetchedAt when a fetch last succeeded
	 * @param lastFailure the failure of the last fetch that failed: {@code error},
	 * {@code at} and, where known, {@code statusCode}, {@code apiCode},
	 * {@code httpStatus} and {@code requestId}
	 * @param failures how many fetches in a row have failed
	 * @param fetches how many fetches there were
	 * @param rejections how many tokens were rejected by WeChat
	 * @param credentialsRotationPending whether changed credentials have produced no
	 * token yet, so that the token of the old ones is in use
	 */
	record AccountDescriptor(String appId, WechatMpTokenState state, @Nullable Instant softExpiry,
			@Nullable Instant hardExpiry, @Nullable Instant expiresAt, long expiresInSeconds,
			@Nullable WechatMpTokenOrigin origin, @Nullable Instant lastFetchedAt,
			@Nullable Map<String, Object> lastFailure, int failures, long fetches, long rejections,
			boolean credentialsRotationPending) implements OperationResponseBody {

		static AccountDescriptor of(WechatMpAccountStatus status) {
			AuthingException failure = status.lastFailure();
			return new AccountDescriptor(status.appId(), status.state(), status.softExpiry(), status.hardExpiry(),
					status.expiresAt(), status.expiresIn().toSeconds(), status.origin(), status.lastFetchedAt(),
					(failure != null) ? FailureDetails.of(failure, status.lastFailureAt()) : null, status.failures(),
					status.fetches(), status.rejections(), status.credentialsRotationPending());
		}

	}

}
