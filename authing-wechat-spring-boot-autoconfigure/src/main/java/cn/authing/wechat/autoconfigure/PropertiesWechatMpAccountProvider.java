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

package cn.authing.wechat.autoconfigure;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;

import org.springframework.util.StringUtils;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.AuthingWechatProperties.Account;

/**
 * The accounts of {@link AuthingWechatProperties}, the default one first. Without a
 * WeChat account of its own that is the Authing application's pair, as in Authing's
 * samples. The properties are bound anew each time but the first, as their sources may
 * have changed since start-up.
 */
class PropertiesWechatMpAccountProvider implements WechatMpAccountProvider {

	private static final String DEFAULT_ACCOUNT = WechatMpTokenService.DEFAULT_ACCOUNT;

	private final ValidatedProperties properties;

	private final AuthingConnectionDetails connection;

	private final AtomicBoolean used = new AtomicBoolean();

	PropertiesWechatMpAccountProvider(ValidatedProperties properties, AuthingConnectionDetails connection) {
		this.properties = properties;
		this.connection = connection;
	}

	@Override
	public Map<String, WechatMpCredentials> getAccounts() {
		BoundProperties properties = this.used.getAndSet(true) ? this.properties.rebind() : this.properties.current();
		AuthingWechatProperties wechat = properties.wechat();
		Map<String, WechatMpCredentials> accounts = new LinkedHashMap<>();
		Account account = wechat.getAccounts().get(DEFAULT_ACCOUNT);
		if (StringUtils.hasLength(wechat.getAppId())) {
			accounts.put(DEFAULT_ACCOUNT, credentials(wechat.getAppId(), wechat.getAppSecret()));
		}
		else {
			accounts.put(DEFAULT_ACCOUNT,
					(account != null) ? credentials(account.getAppId(), account.getAppSecret()) : authingPair());
		}
		wechat.getAccounts()
			.forEach((name, named) -> accounts.put(name, credentials(named.getAppId(), named.getAppSecret())));
		return accounts;
	}

	/**
	 * Return whether the default account is the Authing application's pair.
	 */
	boolean isAuthingPair() {
		AuthingWechatProperties wechat = this.properties.current().wechat();
		return !StringUtils.hasLength(wechat.getAppId()) && !wechat.getAccounts().containsKey(DEFAULT_ACCOUNT);
	}

	private WechatMpCredentials authingPair() {
		String appSecret = this.connection.getAppSecret();
		if (!StringUtils.hasText(appSecret)) {
			throw InvalidAuthingPropertiesException.of("authing.wechat.app-id",
					"is missing, and the AuthingConnectionDetails have no app secret to send in its place",
					"Set authing.wechat.app-id and authing.wechat.app-secret.");
		}
		return new WechatMpCredentials(this.connection.getAppId(), appSecret);
	}

	// Validation has seen to it that both are there
	private static WechatMpCredentials credentials(@Nullable String appId, @Nullable String appSecret) {
		return new WechatMpCredentials(String.valueOf(appId), String.valueOf(appSecret));
	}

}
