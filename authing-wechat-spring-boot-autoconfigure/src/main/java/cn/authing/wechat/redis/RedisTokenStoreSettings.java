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

package cn.authing.wechat.redis;

import java.time.Duration;
import java.util.List;

import javax.crypto.SecretKey;

import org.springframework.util.Assert;

/**
 * What a {@link RedisWechatMpTokenStore} needs to know.
 *
 * @param keyPrefix what the names of all keys and of the channel begin with
 * @param timeout the time within which Redis must answer, but for the first connection
 * and the first answer to each kind of operation
 * @param encryptionKeys AES keys: the first one encrypts, any of them decrypts; if there
 * is none, tokens are stored in plain text. They are not part of {@link #toString()}
 * @param maxAccounts for how many accounts to listen to the other instances
 * @param fetchTimeout how long a fetch from Authing may take in all
 * @since 1.0.0
 */
public record RedisTokenStoreSettings(String keyPrefix, Duration timeout, List<SecretKey> encryptionKeys,
		long maxAccounts, Duration fetchTimeout) {

	private static final Duration MAX_CONNECT_TIMEOUT = Duration.ofSeconds(7);

	public RedisTokenStoreSettings {
		Assert.hasText(keyPrefix, "'keyPrefix' must not be blank");
		Assert.isTrue(timeout.compareTo(Duration.ZERO) > 0, "'timeout' must be positive");
		Assert.isTrue(maxAccounts > 0, "'maxAccounts' must be positive");
		Assert.isTrue(fetchTimeout.compareTo(Duration.ZERO) > 0, "'fetchTimeout' must be positive");
		encryptionKeys = List.copyOf(encryptionKeys);
	}

	/**
	 * Return how long to wait for the first connection, and for the first answer to each
	 * kind of operation: on a busy machine that takes seconds, but enough of the fetch's
	 * time must be left.
	 */
	Duration connectTimeout() {
		Duration max = this.fetchTimeout.multipliedBy(2).dividedBy(3);
		return (MAX_CONNECT_TIMEOUT.compareTo(max) < 0) ? MAX_CONNECT_TIMEOUT : max;
	}

	/**
	 * Return for how long to renew a lease that is never given back: a fetch, and the
	 * publication of what it has brought.
	 */
	Duration maxLease() {
		return this.fetchTimeout.multipliedBy(2);
	}

	@Override
	public String toString() {
		return "RedisTokenStoreSettings[keyPrefix=" + this.keyPrefix + ", timeout=" + this.timeout + ", encryptionKeys="
				+ this.encryptionKeys.size() + ", maxAccounts=" + this.maxAccounts + ", fetchTimeout="
				+ this.fetchTimeout + "]";
	}

}
