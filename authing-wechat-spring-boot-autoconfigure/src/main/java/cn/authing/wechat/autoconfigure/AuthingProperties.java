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

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.backoff.BackOff;

import cn.authing.wechat.client.AuthingClientSettings;

/**
 * Configuration properties of the connection to Authing.
 *
 * @since 1.0.0
 */
@ConfigurationProperties("authing")
public class AuthingProperties {

	/**
	 * App id of the Authing application.
	 */
	private @Nullable String appId;

	/**
	 * App secret of the Authing application. Only needed if authing.wechat.app-secret is
	 * not set.
	 */
	private @Nullable String appSecret;

	/**
	 * Base URL of the Authing application, such as https://example.authing.cn. May
	 * include the path of a gateway.
	 */
	private @Nullable String appHost;

	/**
	 * Whether to allow http for hosts other than localhost. Requests contain the WeChat
	 * app secret.
	 */
	private boolean allowHttp;

	/**
	 * Language of the messages that Authing returns.
	 */
	private String lang = "zh-CN";

	/**
	 * Additional headers of requests to Authing.
	 */
	private Map<String, String> headers = new LinkedHashMap<>();

	/**
	 * Maximum time to connect to Authing.
	 */
	private Duration connectTimeout = Duration.ofSeconds(2);

	/**
	 * Maximum duration of a fetch, including retries.
	 */
	private Duration timeout = Duration.ofSeconds(10);

	private final Ssl ssl = new Ssl();

	private final Retry retry = new Retry();

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

	public @Nullable String getAppHost() {
		return this.appHost;
	}

	public void setAppHost(@Nullable String appHost) {
		this.appHost = appHost;
	}

	public boolean isAllowHttp() {
		return this.allowHttp;
	}

	public void setAllowHttp(boolean allowHttp) {
		this.allowHttp = allowHttp;
	}

	public String getLang() {
		return this.lang;
	}

	public void setLang(String lang) {
		this.lang = lang;
	}

	public Map<String, String> getHeaders() {
		return this.headers;
	}

	public void setHeaders(Map<String, String> headers) {
		this.headers = headers;
	}

	public Duration getConnectTimeout() {
		return this.connectTimeout;
	}

	public void setConnectTimeout(Duration connectTimeout) {
		this.connectTimeout = connectTimeout;
	}

	public Duration getTimeout() {
		return this.timeout;
	}

	public void setTimeout(Duration timeout) {
		this.timeout = timeout;
	}

	public Ssl getSsl() {
		return this.ssl;
	}

	public Retry getRetry() {
		return this.retry;
	}

	/**
	 * SSL of the connections to Authing.
	 */
	public static class Ssl {

		/**
		 * Name of the SSL bundle for connections to Authing.
		 */
		private @Nullable String bundle;

		public @Nullable String getBundle() {
			return this.bundle;
		}

		public void setBundle(@Nullable String bundle) {
			this.bundle = bundle;
		}

	}

	/**
	 * Attempts, and the pauses between them.
	 */
	public static class Retry {

		/**
		 * Maximum number of attempts of a fetch, including the first. Only transient
		 * failures are retried.
		 */
		private int maxAttempts = 3;

		/**
		 * Delay before the first retry. Doubles with each further retry.
		 */
		private Duration initialBackoff = Duration.ofMillis(200);

		/**
		 * Maximum delay between attempts.
		 */
		private Duration maxBackoff = Duration.ofSeconds(2);

		public int getMaxAttempts() {
			return this.maxAttempts;
		}

		public void setMaxAttempts(int maxAttempts) {
			this.maxAttempts = maxAttempts;
		}

		public Duration getInitialBackoff() {
			return this.initialBackoff;
		}

		public void setInitialBackoff(Duration initialBackoff) {
			this.initialBackoff = initialBackoff;
		}

		public Duration getMaxBackoff() {
			return this.maxBackoff;
		}

		public void setMaxBackoff(Duration maxBackoff) {
			this.maxBackoff = maxBackoff;
		}

		BackOff toBackOff() {
			return AuthingClientSettings.backOff(this.maxAttempts, this.initialBackoff, this.maxBackoff);
		}

	}

}
