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
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.context.properties.ConfigurationProperties;

import cn.authing.wechat.client.AuthingOperation;

/**
 * Configuration properties of the connection to Authing and of the WeChat accounts.
 *
 * @since 1.0.0
 */
@ConfigurationProperties("authing")
public class AuthingProperties implements InitializingBean {

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

	private final Wechat wechat = new Wechat();

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

	public Wechat getWechat() {
		return this.wechat;
	}

	@Override
	public void afterPropertiesSet() {
		new AuthingPropertiesValidator(this).validate();
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

	/**
	 * WeChat accounts and their tokens.
	 */
	public static class Wechat {

		/**
		 * Whether to enable WeChat access tokens kept by Authing.
		 */
		private boolean enabled = true;

		/**
		 * App id of the default WeChat account. Falls back to authing.app-id.
		 */
		private @Nullable String appId;

		/**
		 * App secret of the default WeChat account. Falls back to authing.app-secret.
		 */
		private @Nullable String appSecret;

		/**
		 * Further WeChat accounts by name, each with app-id and app-secret.
		 */
		private Map<String, Account> accounts = new LinkedHashMap<>();

		/**
		 * Authing operation that is asked for tokens: access-token or access-token-info.
		 * Old private deployments have only the former.
		 */
		private AuthingOperation operation = AuthingOperation.ACCESS_TOKEN;

		private final Cache cache = new Cache();

		private final Api api = new Api();

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

		public Cache getCache() {
			return this.cache;
		}

		public Api getApi() {
			return this.api;
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
		 * How tokens are held.
		 */
		public static class Cache {

			/**
			 * Time before its expiry at which a token is renewed in the background.
			 */
			private Duration refreshAhead = Duration.ofMinutes(5);

			/**
			 * Least time between two background fetches of one account's token.
			 */
			private Duration minRefreshInterval = Duration.ofSeconds(30);

			/**
			 * Time before its real expiry at which a token is treated as expired.
			 */
			private Duration expiryMargin = Duration.ofSeconds(10);

			/**
			 * Time for which a token is kept whose expiry Authing did not tell.
			 */
			private Duration defaultTtl = Duration.ofSeconds(60);

			private final FailureBackoff failureBackoff = new FailureBackoff();

			/**
			 * Maximum number of accounts known only at run time whose tokens are held.
			 */
			private int maxEntries = 10000;

			/**
			 * Whether to fetch the tokens of the configured accounts after start-up and
			 * to renew them on time without traffic.
			 */
			private boolean keepWarm;

			/**
			 * Where tokens are shared: local (not at all) or redis.
			 */
			private Store store = Store.LOCAL;

			private final Redis redis = new Redis();

			public Duration getRefreshAhead() {
				return this.refreshAhead;
			}

			public void setRefreshAhead(Duration refreshAhead) {
				this.refreshAhead = refreshAhead;
			}

			public Duration getMinRefreshInterval() {
				return this.minRefreshInterval;
			}

			public void setMinRefreshInterval(Duration minRefreshInterval) {
				this.minRefreshInterval = minRefreshInterval;
			}

			public Duration getExpiryMargin() {
				return this.expiryMargin;
			}

			public void setExpiryMargin(Duration expiryMargin) {
				this.expiryMargin = expiryMargin;
			}

			public Duration getDefaultTtl() {
				return this.defaultTtl;
			}

			public void setDefaultTtl(Duration defaultTtl) {
				this.defaultTtl = defaultTtl;
			}

			public FailureBackoff getFailureBackoff() {
				return this.failureBackoff;
			}

			public int getMaxEntries() {
				return this.maxEntries;
			}

			public void setMaxEntries(int maxEntries) {
				this.maxEntries = maxEntries;
			}

			public boolean isKeepWarm() {
				return this.keepWarm;
			}

			public void setKeepWarm(boolean keepWarm) {
				this.keepWarm = keepWarm;
			}

			public Store getStore() {
				return this.store;
			}

			public void setStore(Store store) {
				this.store = store;
			}

			public Redis getRedis() {
				return this.redis;
			}

			/**
			 * Tokens shared through Redis, if that is the store. The connection is that
			 * of spring.data.redis.
			 */
			public static class Redis {

				/**
				 * What the names of all keys and of the channel begin with.
				 */
				private String keyPrefix = "authing:wechat:";

				/**
				 * Time within which Redis must answer. Otherwise this instance fetches
				 * for itself for a while.
				 */
				private Duration timeout = Duration.ofMillis(100);

				/**
				 * Comma-separated list of AES keys (Base64 of 16, 24 or 32 bytes). The
				 * first one encrypts what is stored, any of them decrypts it. Without one
				 * the tokens are stored in plain text.
				 */
				private List<String> encryptionKeys = List.of();

				public String getKeyPrefix() {
					return this.keyPrefix;
				}

				public void setKeyPrefix(String keyPrefix) {
					this.keyPrefix = keyPrefix;
				}

				public Duration getTimeout() {
					return this.timeout;
				}

				public void setTimeout(Duration timeout) {
					this.timeout = timeout;
				}

				public List<String> getEncryptionKeys() {
					return this.encryptionKeys;
				}

				public void setEncryptionKeys(List<String> encryptionKeys) {
					this.encryptionKeys = encryptionKeys;
				}

			}

			/**
			 * How long a failure is answered while it lasts.
			 */
			public static class FailureBackoff {

				/**
				 * Time for which the first of a row of failures is answered without
				 * another fetch, while no valid token is held. It doubles with each
				 * further failure.
				 */
				private Duration initial = Duration.ofSeconds(1);

				/**
				 * Longest time for which a failure is answered without another fetch.
				 */
				private Duration max = Duration.ofSeconds(30);

				public Duration getInitial() {
					return this.initial;
				}

				public void setInitial(Duration initial) {
					this.initial = initial;
				}

				public Duration getMax() {
					return this.max;
				}

				public void setMax(Duration max) {
					this.max = max;
				}

			}

			/**
			 * Stores of tokens.
			 */
			public enum Store {

				/**
				 * In the process only.
				 */
				LOCAL,

				/**
				 * Shared with the other instances of the application through Redis.
				 */
				REDIS

			}

		}

		/**
		 * Calls of WeChat that carry a token.
		 */
		public static class Api {

			/**
			 * Comma-separated list of the only hosts that are ever sent a token.
			 */
			private List<String> hosts = List.of("api.weixin.qq.com", "api2.weixin.qq.com", "sh.api.weixin.qq.com",
					"sz.api.weixin.qq.com", "hk.api.weixin.qq.com");

			private final RetryBusy retryBusy = new RetryBusy();

			public List<String> getHosts() {
				return this.hosts;
			}

			public void setHosts(List<String> hosts) {
				this.hosts = hosts;
			}

			public RetryBusy getRetryBusy() {
				return this.retryBusy;
			}

			/**
			 * Calls that WeChat was too busy for.
			 */
			public static class RetryBusy {

				/**
				 * Number of attempts of a call that WeChat answers with errcode -1
				 * (system busy), the first one included. 1 turns repeating off.
				 */
				private int maxAttempts = 1;

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

		/**
		 * The bridge to WxJava.
		 */
		public static class Wxjava {

			/**
			 * Whether to feed WxJava's accounts that are configured here with Authing's
			 * tokens.
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

}
