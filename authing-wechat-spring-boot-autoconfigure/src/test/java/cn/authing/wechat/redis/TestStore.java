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
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * A store with a connection of its own, as each instance of an application has one, and
 * what goes into it.
 */
final class TestStore implements AutoCloseable {

	static final String PREFIX = "authing:wechat:";

	static final String SECRET = "5a1fe0c0ffee5a1fe0c0ffee5a1fe0c0";

	static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx1234567890", SECRET);

	static final Instant NOW = Instant.ofEpochMilli(System.currentTimeMillis());

	static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final LettuceClientConfiguration CLIENT_CONFIGURATION = LettuceClientConfiguration.builder()
		.shutdownTimeout(Duration.ZERO)
		.build();

	final RedisWechatMpTokenStore store;

	private final Runnable disconnect;

	TestStore(RedisServer server, Duration timeout, SecretKey... encryptionKeys) {
		this(server.port(), timeout, encryptionKeys);
	}

	TestStore(int port, Duration timeout, SecretKey... encryptionKeys) {
		this(new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", port), CLIENT_CONFIGURATION),
				timeout, encryptionKeys);
	}

	private TestStore(LettuceConnectionFactory connectionFactory, Duration timeout, SecretKey... encryptionKeys) {
		this(connectionFactory, connectionFactory::destroy, timeout, encryptionKeys);
		connectionFactory.afterPropertiesSet();
	}

	TestStore(ReactiveRedisConnectionFactory connectionFactory, Runnable disconnect, Duration timeout,
			SecretKey... encryptionKeys) {
		this.disconnect = disconnect;
		this.store = new RedisWechatMpTokenStore(connectionFactory,
				new RedisTokenStoreSettings(PREFIX, timeout, List.of(encryptionKeys), 1000, PATIENCE.multipliedBy(8)),
				Duration.ofMillis(50), Duration.ofMillis(400));
	}

	/**
	 * Create a store that is given ample time, so that a busy machine makes no
	 * difference.
	 */
	static TestStore patient(RedisServer server, SecretKey... encryptionKeys) {
		return new TestStore(server, PATIENCE, encryptionKeys);
	}

	static TestStore patientAs(RedisServer server, String user, String password) {
		RedisStandaloneConfiguration configuration = new RedisStandaloneConfiguration("127.0.0.1", server.port());
		configuration.setUsername(user);
		configuration.setPassword(password);
		return new TestStore(new LettuceConnectionFactory(configuration, CLIENT_CONFIGURATION), PATIENCE);
	}

	static TestStore patientInCluster(RedisServer node) {
		return new TestStore(new LettuceConnectionFactory(
				new RedisClusterConfiguration(List.of("127.0.0.1:" + node.port())), CLIENT_CONFIGURATION), PATIENCE);
	}

	static TestStore patientInClusterAs(RedisServer node, String user, String password) {
		RedisClusterConfiguration configuration = new RedisClusterConfiguration(List.of("127.0.0.1:" + node.port()));
		configuration.setUsername(user);
		configuration.setPassword(password);
		return new TestStore(new LettuceConnectionFactory(configuration, CLIENT_CONFIGURATION), PATIENCE);
	}

	static SecretKey key(int fill) {
		byte[] key = new byte[32];
		Arrays.fill(key, (byte) fill);
		return new SecretKeySpec(key, "AES");
	}

	static StoredToken token(String name, Duration life) {
		return token(name, life, NOW);
	}

	static StoredToken token(String name, Duration life, Instant fetchedAt) {
		return new StoredToken(new WechatMpAccessToken("72_" + name, fetchedAt.plus(life)), life, fetchedAt);
	}

	@Override
	public void close() {
		this.store.destroy();
		this.disconnect.run();
	}

}
