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
	 * App secret of the Authing application.
	 */
	private @Nullable String appSecret;

	/**
	 * Base URL of the Authing application, such as https://example.authing.cn. May have a
	 * path where a gateway is in between.
	 */
	private @Nullable String appHost;

	/**
	 * Whether to allow plain http to a host other than the local one. Requests carry the
	 * WeChat app secret.
	 */
	private boolean allowHttp;

	/**
	 * Language of Authing's messages.
	 */
	private String lang = "zh-CN";

	/**
	 * Extra headers of the requests to Authing.
	 */
	private Map<String, String> headers = new LinkedHashMap<>();

	/**
	 * Time within which a connection to Authing must be made.
	 */
	private Duration connectTimeout = Duration.ofSeconds(2);

	/**
	 * Time within which a fetch must end, retries included.
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
		 * Name of the SSL bundle to use for the connections to Authing.
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
	 * Attempts within one fetch.
	 */
	public static class Retry {

		/**
		 * Number of attempts of one fetch, the first one included. Only failures that may
		 * pass are tried again.
		 */
		private int maxAttempts = 3;

		/**
		 * Pause before the second attempt. It doubles with each further one.
		 */
		private Duration initialBackoff = Duration.ofMillis(200);

		/**
		 * Longest pause between two attempts.
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

	}

}
