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

/**
 * The accounts of {@link AuthingWechatProperties}, the default one first. Without a
 * WeChat account of its own that is the Authing application's pair, as in Authing's
 * samples. The properties are bound anew each time but the first, as their sources may
 * have changed since start-up.
 */
final class PropertiesWechatMpAccountProvider implements WechatMpAccountProvider {

	private final ValidatedProperties properties;

	private final AtomicBoolean used = new AtomicBoolean();

	PropertiesWechatMpAccountProvider(ValidatedProperties properties) {
		this.properties = properties;
	}

	@Override
	public Map<String, WechatMpCredentials> getAccounts() {
		BoundProperties properties = this.used.getAndSet(true) ? this.properties.rebind() : this.properties.current();
		AuthingProperties authing = properties.authing();
		AuthingWechatProperties wechat = properties.wechat();
		Map<String, WechatMpCredentials> accounts = new LinkedHashMap<>();
		accounts.put(WechatMpTokenService.DEFAULT_ACCOUNT,
				StringUtils.hasLength(wechat.getAppId()) ? credentials(wechat.getAppId(), wechat.getAppSecret())
						: credentials(authing.getAppId(), authing.getAppSecret()));
		wechat.getAccounts()
			.forEach((name, account) -> accounts.put(name, credentials(account.getAppId(), account.getAppSecret())));
		return accounts;
	}

	// Validation has seen to it that both are there
	private static WechatMpCredentials credentials(@Nullable String appId, @Nullable String appSecret) {
		return new WechatMpCredentials(String.valueOf(appId), String.valueOf(appSecret));
	}

}
