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

package cn.authing.wechat.token;

import java.util.Set;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * The {@link WechatMpTokenService} over the accounts of a
 * {@link WechatMpAccountRegistry}.
 *
 * @since 1.0.0
 */
public class DefaultWechatMpTokenService implements WechatMpTokenService {

	private final WechatMpAccountRegistry accounts;

	private final WechatMpTokenSource defaultAccount;

	/**
	 * Create a new service.
	 * @param accounts the accounts
	 */
	public DefaultWechatMpTokenService(WechatMpAccountRegistry accounts) {
		this.accounts = accounts;
		// The source of a name stays the same when its credentials change
		this.defaultAccount = accounts.account(DEFAULT_ACCOUNT);
	}

	@Override
	public Mono<WechatMpAccessToken> getAccessToken() {
		return this.defaultAccount.getAccessToken();
	}

	@Override
	public WechatMpAccessToken getAccessTokenSync() {
		return this.defaultAccount.getAccessTokenSync();
	}

	@Override
	public Mono<WechatMpAccessToken> refreshAccessToken() {
		return this.defaultAccount.refreshAccessToken();
	}

	@Override
	public boolean invalidate(String accessToken) {
		return this.defaultAccount.invalidate(accessToken);
	}

	@Override
	public WechatMpTokenSource account(String name) {
		return this.accounts.account(name);
	}

	@Override
	public WechatMpTokenSource account(WechatMpCredentials credentials) {
		return this.accounts.account(credentials);
	}

	@Override
	public Set<String> accountNames() {
		return this.accounts.accountNames();
	}

}
