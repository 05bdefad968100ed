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
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Configuration properties of the cache of access tokens.
 *
 * @since 1.0.0
 */
@ConfigurationProperties("authing.wechat.cache")
public class AuthingWechatCacheProperties {

	/**
	 * Time before its expiry at which a token is refreshed in the background.
	 */
	private Duration refreshAhead = Duration.ofMinutes(5);

	/**
	 * Minimum time between two background refreshes of the same account's token.
	 */
	private Duration minRefreshInterval = Duration.ofSeconds(30);

	/**
	 * Time before its real expiry from which on callers wait for a new token.
	 */
	private Duration expiryMargin = Duration.ofSeconds(10);

	/**
	 * Time for which a token without a usable expiry is cached.
	 */
	private Duration defaultTtl = Duration.ofSeconds(60);

	private final FailureBackoff failureBackoff = new FailureBackoff();

	/**
	 * Maximum number of cached tokens of dynamic accounts, whose credentials are passed
	 * at run time.
	 */
	private int maxEntries = 10000;

	/**
	 * Whether to fetch the tokens of the configured accounts after start-up and to
	 * refresh them without traffic.
	 */
	private boolean keepWarm;

	/**
	 * Store through which instances share tokens. With local, they do not.
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
	 * Tokens shared through Redis, if that is the store. The connection is that of
	 * spring.data.redis.
	 */
	public static class Redis {

		/**
		 * Prefix of all keys and of the channel.
		 */
		private String keyPrefix = "authing:wechat:";

		/**
		 * Bean name of the ReactiveRedisConnectionFactory to use, where there are
		 * several.
		 */
		private @Nullable String connectionFactory;

		/**
		 * Maximum time to wait for an answer of Redis. After that, this instance fetches
		 * tokens without sharing them until Redis recovers. For its first connection and
		 * first answers it waits longer, up to two thirds of authing.timeout.
		 */
		private Duration timeout = Duration.ofMillis(100);

		/**
		 * Comma-separated list of AES keys (Base64 of 16, 24 or 32 bytes). The first one
		 * encrypts stored tokens, all of them decrypt. If empty, tokens are stored in
		 * plain text.
		 */
		private List<String> encryptionKeys = List.of();

		public String getKeyPrefix() {
			return this.keyPrefix;
		}

		public void setKeyPrefix(String keyPrefix) {
			this.keyPrefix = keyPrefix;
		}

		public @Nullable String getConnectionFactory() {
			return this.connectionFactory;
		}

		public void setConnectionFactory(@Nullable String connectionFactory) {
			this.connectionFactory = connectionFactory;
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
		 * Initial time for which a failed fetch is cached while no valid token is
		 * available. Doubles with each consecutive failure.
		 */
		private Duration initial = Duration.ofSeconds(1);

		/**
		 * Maximum time for which a failed fetch is cached.
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
