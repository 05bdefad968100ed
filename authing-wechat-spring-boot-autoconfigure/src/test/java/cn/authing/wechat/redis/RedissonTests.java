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

import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;
import org.redisson.spring.data.connection.RedissonConnectionFactory;

import static cn.authing.wechat.redis.RedisWechatMpTokenStoreTests.assertShared;
import static cn.authing.wechat.redis.RedisWechatMpTokenStoreTests.awaitTrue;
import static cn.authing.wechat.redis.TestStore.CREDENTIALS;
import static cn.authing.wechat.redis.TestStore.PATIENCE;
import static cn.authing.wechat.redis.TestStore.token;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@link RedisWechatMpTokenStore} with the connections of Redisson.
 */
class RedissonTests {

	private static final Duration LIFE = Duration.ofHours(1);

	@Test
	void operationsShouldWork() throws Exception {
		try (RedisServer server = RedisServer.up();
				RedisServer.Commands commands = server.commands();
				TestStore first = store(server);
				TestStore second = store(server)) {
			assertShared(first, second, commands);
		}
	}

	@Test
	void operationsWhenRedisIsAClusterShouldWork(@TempDir Path directory) throws Exception {
		try (RedisServer node = RedisServer.up("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1",
				"--dir", directory.toString()); RedisServer.Commands commands = node.commands()) {
			commands.sync().clusterAddSlots(IntStream.range(0, 16384).toArray());
			awaitTrue(() -> commands.sync().clusterInfo().contains("cluster_state:ok"));
			Config config = new Config();
			config.useClusterServers().addNodeAddress("redis://127.0.0.1:" + node.port());
			try (TestStore first = store(config); TestStore second = store(config)) {
				assertShared(first, second, commands);
			}
		}
	}

	@Test
	void operationsWhenRedisWasRestartedShouldWork() throws Exception {
		try (RedisServer server = RedisServer.up(); TestStore first = store(server); TestStore second = store(server)) {
			second.store.changes().subscribe();
			first.store.publish(CREDENTIALS, token("a", LIFE)).block(PATIENCE);
			server.kill();
			first.store.publish(CREDENTIALS, token("b", LIFE, TestStore.NOW.plusSeconds(1))).block(PATIENCE);
			assertThat(first.store.status().isAvailable()).isFalse();
			server.start();
			awaitTrue(() -> {
				var read = second.store.read(CREDENTIALS).block(PATIENCE);
				return read != null && read.token().accessToken().equals("72_b");
			});
			try (RedisServer.Commands commands = server.commands()) {
				String channel = TestStore.PREFIX + "changes";
				awaitTrue(() -> commands.sync().pubsubNumsub(channel).getOrDefault(channel, 0L) == 1);
			}
		}
	}

	private static TestStore store(RedisServer server) {
		Config config = new Config();
		config.useSingleServer()
			.setAddress("redis://127.0.0.1:" + server.port())
			.setConnectionMinimumIdleSize(1)
			.setRetryAttempts(0)
			.setTimeout(1000);
		return store(config);
	}

	private static TestStore store(Config config) {
		RedissonClient client = Redisson.create(config);
		return new TestStore(new RedissonConnectionFactory(client), () -> client.shutdown(), PATIENCE);
	}

}
