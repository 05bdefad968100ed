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

import java.util.Map;
import java.util.Set;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * A token service as an application may write its own: the account {@code default}, the
 * account {@code shop}, and one that is known by its credentials only.
 *
 * @param tokens the tokens of the default account
 * @param shop the tokens of the account {@code shop}
 * @param tenant the tokens of {@link #TENANT}
 */
public record FakeAccounts(FakeTokenSource tokens, FakeTokenSource shop,
		FakeTokenSource tenant) implements WechatMpTokenService {

	/**
	 * The account that is known by its credentials only.
	 */
	public static final WechatMpCredentials TENANT = new WechatMpCredentials("wx-tenant", "secret");

	/**
	 * Create a service.
	 * @param tokens the tokens of the default account
	 */
	public FakeAccounts(FakeTokenSource tokens) {
		this(tokens, FakeTokenSource.of("shop-token"), FakeTokenSource.of("tenant-token"));
	}

	@Override
	public Mono<WechatMpAccessToken> getAccessToken() {
		return this.tokens.getAccessToken();
	}

	@Override
	public WechatMpAccessToken getAccessTokenSync() {
		return this.tokens.getAccessTokenSync();
	}

	@Override
	public Mono<WechatMpAccessToken> refreshAccessToken() {
		return this.tokens.refreshAccessToken();
	}

	@Override
	public boolean invalidate(String accessToken) {
		return this.tokens.invalidate(accessToken);
	}

	@Override
	public WechatMpTokenSource account(String name) {
		WechatMpTokenSource source = Map.of(DEFAULT_ACCOUNT, this.tokens, "shop", this.shop).get(name);
		if (source == null) {
			throw new IllegalArgumentException("No account '" + name + "', only default, shop");
		}
		return source;
	}

	@Override
	public WechatMpTokenSource account(WechatMpCredentials credentials) {
		if (!credentials.equals(TENANT)) {
			throw new IllegalArgumentException("No such tenant");
		}
		return this.tenant;
	}

	@Override
	public Set<String> accountNames() {
		return Set.of(DEFAULT_ACCOUNT, "shop");
	}

}
