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

import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenOrigin;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * {@link Endpoint @Endpoint} that shows what is held for the configured accounts, renews
 * it and drops it. A token itself is never shown.
 *
 * @since 1.0.0
 */
@Endpoint(id = "authingwechat")
public final class AuthingWechatEndpoint {

	private final WechatMpAccountRegistry registry;

	/**
	 * Create a new endpoint.
	 * @param registry the accounts whose tokens are shown
	 */
	public AuthingWechatEndpoint(WechatMpAccountRegistry registry) {
		this.registry = registry;
	}

	/**
	 * Show all accounts, and how the store is doing that they are shared through.
	 * @return the accounts, in the order of the configuration
	 */
	@ReadOperation
	public AccountsDescriptor accounts() {
		Map<String, AccountDescriptor> accounts = new LinkedHashMap<>();
		this.registry.status().forEach((status) -> accounts.put(status.account(), AccountDescriptor.of(status)));
		WechatMpTokenStoreStatus store = this.registry.storeStatus();
		return new AccountsDescriptor(accounts, (store != null) ? TokenStoreDescriptor.of(store) : null);
	}

	/**
	 * Show one account.
	 * @param account the name of the account
	 * @return the account
	 * @throws IllegalArgumentException if there is no such account
	 */
	@ReadOperation
	public AccountDescriptor account(@Selector String account) {
		WechatMpAccountStatus status = this.registry.status(account);
		if (status == null) {
			throw new IllegalArgumentException(
					"There is no WeChat account '" + account + "'; configured are " + this.registry.accountNames());
		}
		return AccountDescriptor.of(status);
	}

	/**
	 * Do something for one account: {@code refresh} asks Authing for its token now and
	 * waits for the answer, at most {@code authing.timeout}.
	 * @param account the name of the account
	 * @param operation what to do
	 * @return the account after that
	 * @throws InvalidEndpointRequestException if there is no such operation
	 * @throws IllegalArgumentException if there is no such account
	 * @throws AuthingException if there was no token. One that was held is held still
	 */
	@WriteOperation
	public AccountDescriptor operate(@Selector String account, @Nullable String operation) {
		if (!"refresh".equals(operation)) {
			String reason = ((operation != null) ? "There is no operation '" + operation + "'"
					: "The operation is missing") + "; send the JSON body {\"operation\":\"refresh\"}";
			throw new InvalidEndpointRequestException(reason, reason);
		}
		account(account);
		this.registry.account(account).refreshAccessToken().block();
		return account(account);
	}

	/**
	 * Drop the token that the account holds, as if WeChat had rejected it. The next one
	 * who asks for it waits for another.
	 * @param account the name of the account
	 * @return the account after that
	 * @throws IllegalArgumentException if there is no such account
	 */
	@DeleteOperation
	public AccountDescriptor invalidate(@Selector String account) {
		account(account);
		this.registry.invalidateCurrent(account);
		return account(account);
	}

	/**
	 * The configured accounts.
	 *
	 * @param accounts the accounts by name
	 * @param tokenStore where their tokens are shared, if they are
	 */
	public record AccountsDescriptor(Map<String, AccountDescriptor> accounts,
			@Nullable TokenStoreDescriptor tokenStore) implements OperationResponseBody {

	}

	/**
	 * What is held for an account.
	 *
	 * @param appId the WeChat app id
	 * @param state the state of the token
	 * @param expiresAt when the token expires
	 * @param expiresInSeconds how much longer it may be handed out, in seconds
	 * @param origin where it came from
	 * @param lastFetchedAt when a fetch last succeeded
	 * @param lastFailure the failure of the last fetch that failed: {@code error},
	 * {@code at} and, where known, {@code statusCode}, {@code apiCode},
	 * {@code httpStatus} and {@code requestId}
	 * @param failures how many fetches in a row have failed
	 * @param fetches how many fetches there were
	 * @param rejections how many tokens were rejected
	 * @param credentialsRotationPending whether changed credentials have produced no
	 * token yet, so that the token of the old ones is in use
	 */
	public record AccountDescriptor(String appId, WechatMpTokenState state, @Nullable Instant expiresAt,
			long expiresInSeconds, @Nullable WechatMpTokenOrigin origin, @Nullable Instant lastFetchedAt,
			@Nullable Map<String, Object> lastFailure, int failures, long fetches, long rejections,
			boolean credentialsRotationPending) implements OperationResponseBody {

		static AccountDescriptor of(WechatMpAccountStatus status) {
			AuthingException failure = status.lastFailure();
			return new AccountDescriptor(status.appId(), status.state(), status.expiresAt(),
					status.expiresIn().toSeconds(), status.origin(), status.lastFetchedAt(),
					(failure != null) ? FailureDetails.of(failure, status.lastFailureAt()) : null, status.failures(),
					status.fetches(), status.rejections(), status.credentialsRotationPending());
		}

	}

	/**
	 * How the store is doing through which instances share tokens.
	 *
	 * @param available whether tokens are shared; while they are not each instance
	 * fetches for itself
	 * @param reason why they are not
	 * @param unavailableSince since when they are not
	 * @param succeeded how many operations succeeded
	 * @param failed how many failed or took too long
	 * @param skipped how many were not tried, because the store was known to be away
	 * @param undecodable how many shared values made no sense to this instance
	 */
	public record TokenStoreDescriptor(boolean available, @Nullable String reason, @Nullable Instant unavailableSince,
			long succeeded, long failed, long skipped, long undecodable) {

		static TokenStoreDescriptor of(WechatMpTokenStoreStatus status) {
			return new TokenStoreDescriptor(status.isAvailable(), status.reason(), status.unavailableSince(),
					status.succeeded(), status.failed(), status.skipped(), status.undecodable());
		}

	}

}
