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

package cn.authing.wechat;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

import reactor.core.publisher.Mono;

import org.springframework.util.Assert;

/**
 * The {@link WechatMpTokenService} over suppliers of tokens, which is itself the source
 * of one of its accounts.
 */
final class SuppliedWechatMpTokenService implements WechatMpTokenService {

	// The last instant that all formats of time can express
	static final Instant NEVER = Instant.parse("9999-12-31T23:59:59Z");

	private final Map<String, Supplier<WechatMpAccessToken>> accounts;

	private final String account;

	private final Supplier<WechatMpAccessToken> tokens;

	private SuppliedWechatMpTokenService(Map<String, Supplier<WechatMpAccessToken>> accounts, String account,
			Supplier<WechatMpAccessToken> tokens) {
		this.accounts = accounts;
		this.account = account;
		this.tokens = tokens;
	}

	static SuppliedWechatMpTokenService of(Map<String, Supplier<WechatMpAccessToken>> accounts) {
		Assert.notNull(accounts, "'accounts' must not be null");
		accounts.forEach((name, supplier) -> {
			Assert.hasText(name, "'accounts' must not contain a blank name");
			Assert.notNull(supplier, () -> "'accounts' must not contain null: give a supplier for '" + name + "'");
		});
		Supplier<WechatMpAccessToken> tokens = accounts.get(DEFAULT_ACCOUNT);
		Assert.notNull(tokens, () -> "'accounts' must contain the account '" + DEFAULT_ACCOUNT + "'; it contains "
				+ accounts.keySet());
		return new SuppliedWechatMpTokenService(Collections.unmodifiableMap(new LinkedHashMap<>(accounts)),
				DEFAULT_ACCOUNT, tokens);
	}

	@Override
	public Mono<WechatMpAccessToken> getAccessToken() {
		return Mono.fromSupplier(this::getAccessTokenSync);
	}

	@Override
	public WechatMpAccessToken getAccessTokenSync() {
		WechatMpAccessToken token = this.tokens.get();
		Assert.state(token != null, () -> "The supplier of account '" + this.account + "' has returned no token");
		return token;
	}

	@Override
	public Mono<WechatMpAccessToken> refreshAccessToken() {
		return getAccessToken();
	}

	@Override
	public boolean invalidate(String accessToken) {
		return false;
	}

	@Override
	public WechatMpTokenSource account(String name) {
		Supplier<WechatMpAccessToken> tokens = this.accounts.get(name);
		Assert.notNull(tokens,
				() -> "There is no WeChat account '" + name + "'; this service has " + this.accounts.keySet());
		return new SuppliedWechatMpTokenService(this.accounts, name, tokens);
	}

	@Override
	public WechatMpTokenSource account(WechatMpCredentials credentials) {
		throw new UnsupportedOperationException(
				"This service gets no tokens for credentials; it has the accounts " + this.accounts.keySet());
	}

	@Override
	public Set<String> accountNames() {
		return this.accounts.keySet();
	}

}
