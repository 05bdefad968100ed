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

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;

import cn.authing.wechat.client.AuthingOperation;

/**
 * Configuration properties of the WeChat accounts.
 *
 * @since 1.0.0
 */
@ConfigurationProperties("authing.wechat")
public class AuthingWechatProperties {

	/**
	 * Whether to enable WeChat access tokens managed by Authing.
	 */
	private boolean enabled = true;

	/**
	 * App id of the default WeChat account. If omitted, authing.app-id is sent as the
	 * WeChat app id.
	 */
	private @Nullable String appId;

	/**
	 * App secret of the default WeChat account. If omitted, authing.app-secret is sent as
	 * the WeChat app secret.
	 */
	private @Nullable String appSecret;

	/**
	 * Additional WeChat accounts by name, each with app-id and app-secret.
	 */
	private Map<String, Account> accounts = new LinkedHashMap<>();

	/**
	 * Authing operation that returns tokens. Old private deployments only support
	 * access-token.
	 */
	private AuthingOperation operation = AuthingOperation.ACCESS_TOKEN;

	/**
	 * Whether to fail at start-up if the access token of the default account cannot be
	 * fetched.
	 */
	private boolean failFast;

	private final Wxjava wxjava = new Wxjava();

	public boolean isEnabled() {
		return this.enabled;
	}

	public void setEnabled(boolean enabled) {
		this.enabled = enabled;
	}

	public @Nullable String getAppId() {
		return this.appId;
	}

	public void setAppId(@Nullable String appId) {
		this.appId = appId;
	}

	public @Nullable String getAppSecret() {
		return this.appSecret;
	}

	public void setAppSecret(@Nullable String appSecret) {
		this.appSecret = appSecret;
	}

	public Map<String, Account> getAccounts() {
		return this.accounts;
	}

	public void setAccounts(Map<String, Account> accounts) {
		this.accounts = accounts;
	}

	public AuthingOperation getOperation() {
		return this.operation;
	}

	public void setOperation(AuthingOperation operation) {
		this.operation = operation;
	}

	public boolean isFailFast() {
		return this.failFast;
	}

	public void setFailFast(boolean failFast) {
		this.failFast = failFast;
	}

	public Wxjava getWxjava() {
		return this.wxjava;
	}

	/**
	 * A WeChat account.
	 */
	public static class Account {

		/**
		 * App id of the WeChat account.
		 */
		private @Nullable String appId;

		/**
		 * App secret of the WeChat account.
		 */
		private @Nullable String appSecret;

		public @Nullable String getAppId() {
			return this.appId;
		}

		public void setAppId(@Nullable String appId) {
			this.appId = appId;
		}

		public @Nullable String getAppSecret() {
			return this.appSecret;
		}

		public void setAppSecret(@Nullable String appSecret) {
			this.appSecret = appSecret;
		}

	}

	/**
	 * The bridge to WxJava.
	 */
	public static class Wxjava {

		/**
		 * Whether WxJava gets its access tokens from Authing for the accounts configured
		 * here.
		 */
		private boolean enabled = true;

		public boolean isEnabled() {
			return this.enabled;
		}

		public void setEnabled(boolean enabled) {
			this.enabled = enabled;
		}

	}

}
