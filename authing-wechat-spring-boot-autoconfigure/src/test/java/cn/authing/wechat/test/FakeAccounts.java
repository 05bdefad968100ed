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

package cn.authing.wechat.test;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;

/**
 * A token service as an application may write its own, with accounts that have names and
 * one that is known by its credentials only.
 */
public final class FakeAccounts implements WechatMpTokenService {

	/**
	 * The account that is known by its credentials only.
	 */
	public static final WechatMpCredentials TENANT = new WechatMpCredentials("wx-tenant", "secret");

	private final Map<String, FakeTokenSource> sources = new LinkedHashMap<>();

	private final Map<String, WechatMpCredentials> credentials = new LinkedHashMap<>();

	private final FakeTokenSource tenant = FakeTokenSource.of("tenant-token");

	/**
	 * Create a service with the accounts {@code default} and {@code shop}.
	 * @param tokens the tokens of the default account
	 */
	public FakeAccounts(FakeTokenSource tokens) {
		add(DEFAULT_ACCOUNT, "wx-default", tokens);
		add("shop", "wx-shop", FakeTokenSource.of("shop-token"));
	}

	/**
	 * Create a service with a default account.
	 * @param appId the app id of the default account
	 */
	public FakeAccounts(String appId) {
		add(DEFAULT_ACCOUNT, appId);
	}

	/**
	 * Add an account whose n-th token is {@code authing-<name>-<n>}.
	 * @param name the name of the account
	 * @param appId its app id
	 * @return this service
	 */
	public FakeAccounts add(String name, String appId) {
		return add(name, appId, FakeTokenSource.numbered("authing-" + name + "-"));
	}

	private FakeAccounts add(String name, String appId, FakeTokenSource tokens) {
		this.sources.put(name, tokens);
		this.credentials.put(name, new WechatMpCredentials(appId, "secret-of-" + appId));
		return this;
	}

	/**
	 * Return the tokens of the default account.
	 * @return the tokens
	 */
	public FakeTokenSource tokens() {
		return account(DEFAULT_ACCOUNT);
	}

	/**
	 * Return the accounts, as the application's provider does.
	 * @return the accounts
	 */
	public Map<String, WechatMpCredentials> credentials() {
		return this.credentials;
	}

	@Override
	public Mono<WechatMpAccessToken> getAccessToken() {
		return tokens().getAccessToken();
	}

	@Override
	public WechatMpAccessToken getAccessTokenSync() {
		return tokens().getAccessTokenSync();
	}

	@Override
	public Mono<WechatMpAccessToken> refreshAccessToken() {
		return tokens().refreshAccessToken();
	}

	@Override
	public boolean invalidate(String accessToken) {
		return tokens().invalidate(accessToken);
	}

	@Override
	public FakeTokenSource account(String name) {
		FakeTokenSource source = this.sources.get(name);
		if (source == null) {
			throw new IllegalArgumentException(
					"No account '" + name + "', only " + String.join(", ", this.sources.keySet()));
		}
		return source;
	}

	@Override
	public FakeTokenSource account(WechatMpCredentials credentials) {
		if (!credentials.equals(TENANT)) {
			throw new IllegalArgumentException("No such tenant");
		}
		return this.tenant;
	}

	@Override
	public Set<String> accountNames() {
		return this.sources.keySet();
	}

}
