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

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisReactiveAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.redis.RedisServer;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;
import cn.authing.wechat.test.ForkedJvm;
import cn.authing.wechat.token.WechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.RETURNS_DEEP_STUBS;
import static org.mockito.Mockito.mock;

/**
 * Tests for {@link AuthingWechatRedisAutoConfiguration}.
 */
@ExtendWith(OutputCaptureExtension.class)
class AuthingWechatRedisAutoConfigurationTests {

	private static final String CONNECTION_FACTORY = "authing.wechat.cache.redis.connection-factory";

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final String KEY = "MDEyMzQ1Njc4OTAxMjM0NQ==";

	@TempDir
	private Path directory;

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AuthingClientAutoConfiguration.class,
				AuthingWechatAutoConfiguration.class, AuthingWechatRedisAutoConfiguration.class,
				DataRedisAutoConfiguration.class, DataRedisReactiveAutoConfiguration.class))
		.withUserConfiguration(ClientConfiguration.class)
		.withPropertyValues("authing.app-id=app", "authing.app-secret=secret", "authing.app-host=https://localhost",
				"spring.data.redis.port=1", "authing.wechat.cache.store=redis");

	@Test
	void storeWhenRedisIsConfiguredShouldBeRedis() {
		this.contextRunner.run((context) -> {
			assertThat(context).hasSingleBean(WechatMpTokenStore.class);
			assertThat(context).hasSingleBean(RedisWechatMpTokenStore.class);
		});
	}

	@Test
	void storeWhenNotConfiguredShouldBeLocal() {
		this.contextRunner.withPropertyValues("authing.wechat.cache.store=local")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(WechatMpTokenStore.class));
	}

	@Test
	void storeWhenDisabledShouldNotBeThere() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(WechatMpTokenStore.class));
	}

	@Test
	void storeWhenTheApplicationHasOneShouldBackOff() {
		this.contextRunner.withBean(WechatMpTokenStore.class, () -> mock(WechatMpTokenStore.class, RETURNS_DEEP_STUBS))
			.run((context) -> assertThat(context).doesNotHaveBean(RedisWechatMpTokenStore.class)
				.hasSingleBean(WechatMpTokenStore.class));
	}

	@Test
	void storeWhenRedisIsDownShouldNotKeepTheApplicationFromStarting() {
		this.contextRunner
			.run((context) -> assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken())
				.isEqualTo("72_a"));
	}

	@Test
	void storeWhenRedisIsUpShouldShareWithPrefixAndEncryption() {
		try (RedisServer server = RedisServer.up(); RedisServer.Commands redis = server.commands()) {
			assertShared(redis, "spring.data.redis.port=" + server.port(),
					"authing.wechat.cache.redis.key-prefix=shop:", "authing.wechat.cache.redis.encryption-keys=" + KEY);
			assertThat(redis.sync().keys("shop:{app:*}:token")).singleElement()
				.satisfies((key) -> assertThat(redis.sync().get(key)).doesNotContain("72_a"));
		}
	}

	@Test
	void storeWhenSentinelsTellWhereRedisIsShouldShare() throws IOException {
		try (RedisServer server = RedisServer.up();
				RedisServer sentinel = RedisServer.sentinel("shop", server, this.directory.resolve("sentinel.conf"));
				RedisServer.Commands redis = server.commands()) {
			assertShared(redis, "spring.data.redis.sentinel.master=shop",
					"spring.data.redis.sentinel.nodes=127.0.0.1:" + sentinel.port());
		}
	}

	@Test
	void storeWhenConnectionIsEncryptedShouldShare() throws GeneralSecurityException {
		RedisServer.assumeTls();
		TestCertificates certificates = new TestCertificates(this.directory);
		int port = RedisServer.down().port();
		try (RedisServer server = RedisServer.up("--tls-port", String.valueOf(port), "--tls-auth-clients", "no",
				"--tls-cert-file", certificates.certificateFile("server").toString(), "--tls-key-file",
				certificates.keyFile("server").toString(), "--tls-ca-cert-file",
				certificates.certificateFile("server").toString()); RedisServer.Commands redis = server.commands()) {
			assertShared(redis,
					Stream.concat(Stream.of(certificates.pemTrustProperties("private")),
							Stream.of("spring.data.redis.ssl.bundle=private", "spring.data.redis.host=localhost",
									"spring.data.redis.port=" + port))
						.toArray(String[]::new));
		}
	}

	@Test
	void leaseWhenItIsNeverGivenBackShouldEndOnceNoFetchCanTakeThatLong() {
		try (RedisServer server = RedisServer.up()) {
			this.contextRunner
				.withPropertyValues("spring.data.redis.port=" + server.port(), "authing.timeout=1s",
						"authing.wechat.cache.redis.timeout=10s")
				.run((context) -> {
					Mono<Lease> lease = context.getBean(WechatMpTokenStore.class)
						.lease(new WechatMpCredentials("app", "secret"));
					assertThat(lease.block(Duration.ofSeconds(10))).isNotNull();
					assertThat(lease.block(Duration.ofSeconds(10))).isNull();
					assertThat(lease.repeatWhenEmpty((empty) -> empty.delayElements(Duration.ofMillis(20)))
						.block(Duration.ofSeconds(10))).isNotNull();
				});
		}
	}

	@Test
	void startWithoutSpringDataRedisShouldFailAndSayWhatToAdd() {
		this.contextRunner.withClassLoader(new FilteredClassLoader(ReactiveRedisConnectionFactory.class))
			.run(failure("authing.wechat.cache.store", "spring-boot-starter-data-redis"));
	}

	@Test
	void startWithoutConnectionShouldFailAndSayWhatToConfigure() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatAutoConfiguration.class,
					AuthingWechatRedisAutoConfiguration.class))
			.withUserConfiguration(ClientConfiguration.class)
			.withPropertyValues("authing.app-id=app", "authing.app-secret=secret", "authing.app-host=https://localhost",
					"authing.wechat.cache.store=redis")
			.run(failure("authing.wechat.cache.store", "there is no bean of type ReactiveRedisConnectionFactory",
					"spring.data.redis"));
	}

	@Test
	void startWithJedisOnlyShouldFailAndSayWhatToUse() {
		this.contextRunner.withPropertyValues("spring.data.redis.client-type=jedis")
			.run(failure("authing.wechat.cache.store", "redisConnectionFactory", "Jedis", "Lettuce"));
	}

	@Test
	void startWithSeveralConnectionsShouldFailAndSayHowToChoose() {
		this.contextRunner.withUserConfiguration(SeveralConnectionsConfiguration.class)
			.run(failure("authing.wechat.cache.store", "several beans", "[first, second]", CONNECTION_FACTORY,
					"@Primary"));
	}

	@Test
	void startWithUnknownConnectionShouldFailAndNameTheKnownOnes() {
		this.contextRunner.withUserConfiguration(SeveralConnectionsConfiguration.class)
			.withPropertyValues(CONNECTION_FACTORY + "=third")
			.run(failure(CONNECTION_FACTORY, "'third'", "[first, second]"));
	}

	@Test
	void storeWhenAConnectionIsNamedShouldUseIt() {
		try (RedisServer server = RedisServer.up(); RedisServer.Commands redis = server.commands()) {
			this.contextRunner
				.withUserConfiguration(SeveralConnectionsConfiguration.class, PrimaryConnectionConfiguration.class)
				.withPropertyValues("second.port=" + server.port(), CONNECTION_FACTORY + "=second")
				.run((context) -> awaitShared(context, redis));
		}
	}

	@Test
	void storeWhenAConnectionIsPrimaryShouldUseIt() {
		try (RedisServer server = RedisServer.up(); RedisServer.Commands redis = server.commands()) {
			this.contextRunner
				.withUserConfiguration(SeveralConnectionsConfiguration.class, PrimaryConnectionConfiguration.class)
				.withPropertyValues("primary.port=" + server.port())
				.run((context) -> awaitShared(context, redis));
		}
	}

	@Test
	void storeWhenTheContextIsStoppedAndStartedShouldShareAndListenAgain(CapturedOutput output) {
		try (RedisServer server = RedisServer.up(); RedisServer.Commands redis = server.commands()) {
			this.contextRunner.withPropertyValues("spring.data.redis.port=" + server.port()).run((context) -> {
				WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
				awaitShared(context, redis);
				awaitListeners(redis, 1);
				context.stop();
				awaitListeners(redis, 0);
				context.start();
				awaitListeners(redis, 1);
				redis.sync().flushall();
				service.refreshAccessToken().block(PATIENCE);
				awaitTrue(() -> !redis.sync().keys("*token").isEmpty());
			});
			awaitListeners(redis, 0);
		}
		assertThat(output).doesNotContain(" WARN ", " ERROR ");
	}

	@Test
	void storeWhenTheContextIsClosedWhileItConnectsShouldLogNothing(CapturedOutput output) {
		try (RedisServer server = RedisServer.up()) {
			for (int i = 0; i < 5; i++) {
				this.contextRunner.withPropertyValues("spring.data.redis.port=" + server.port())
					.run((context) -> assertThat(context).hasNotFailed());
			}
			server.suspend();
			this.contextRunner.withPropertyValues("spring.data.redis.port=" + server.port())
				.run((context) -> assertThat(context).hasNotFailed());
			server.resume();
		}
		assertThat(output).doesNotContain(" WARN ", " ERROR ");
	}

	@Test
	void storeWhenACommandLineApplicationEndsAtOnceShouldHaveItsToken() {
		try (RedisServer server = RedisServer.up(); RedisServer.Commands redis = server.commands()) {
			String output = new ForkedJvm(this.directory).run(RedisJob.class, "--authing.app-id=app",
					"--authing.app-secret=secret", "--authing.app-host=https://localhost",
					"--authing.wechat.cache.store=redis", "--spring.data.redis.port=" + server.port(),
					// Whatever else the machine does
					"--authing.wechat.cache.redis.timeout=2s");
			assertThat(redis.sync().keys("*token")).as(output).hasSize(1);
			assertThat(output).doesNotContain(" WARN ", " ERROR ", RedisJob.UNENDING);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "not-base64!", "c2hvcnQ=", "${UNSET_KEY}" })
	void startWithBadEncryptionKeyShouldFailWithoutShowingIt(String key) {
		this.contextRunner.withPropertyValues("authing.wechat.cache.redis.encryption-keys=" + KEY + "," + key)
			.run((context) -> {
				failure("authing.wechat.cache.redis.encryption-keys[1]").accept(context);
				assertThat(context.getStartupFailure()).rootCause()
					.message()
					.doesNotContain("not-base64", "c2hvcnQ", KEY);
			});
	}

	@Test
	void startWithBadPrefixAndTimeoutShouldFailNamingBoth() {
		this.contextRunner
			.withPropertyValues("authing.wechat.cache.redis.key-prefix= ", "authing.wechat.cache.redis.timeout=0s")
			.run(failure("authing.wechat.cache.redis.key-prefix is blank",
					"authing.wechat.cache.redis.timeout is not positive"));
		this.contextRunner.withPropertyValues("authing.wechat.cache.redis.key-prefix=app{}:")
			.run(failure("authing.wechat.cache.redis.key-prefix contains {}"));
	}

	private void assertShared(RedisServer.Commands redis, String... properties) {
		this.contextRunner.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class))
			.withPropertyValues("authing.wechat.cache.redis.timeout=10s")
			.withPropertyValues(properties)
			.run((context) -> {
				WechatMpTokenStore store = context.getBean(WechatMpTokenStore.class);
				context.getBean(WechatMpTokenService.class).getAccessTokenSync();
				Mono<?> read = store.read(new WechatMpCredentials("app", "secret")).repeatWhenEmpty((empty) -> empty);
				assertThat(read.block(Duration.ofSeconds(10))).isNotNull();
				assertThat(redis.sync().keys("*{app:*}:token")).hasSize(1);
				assertThat(store.status()).isNotNull().extracting(WechatMpTokenStoreStatus::failed).isEqualTo(0L);
			});
	}

	private static void awaitShared(AssertableApplicationContext context, RedisServer.Commands redis) {
		assertThat(context).hasSingleBean(RedisWechatMpTokenStore.class).hasBean("authingWechatMpTokenStore");
		context.getBean(WechatMpTokenService.class).getAccessTokenSync();
		awaitTrue(() -> !redis.sync().keys("*{app:*}:token").isEmpty());
	}

	private static void awaitListeners(RedisServer.Commands redis, long count) {
		String channel = "authing:wechat:changes";
		awaitTrue(() -> redis.sync().pubsubNumsub(channel).getOrDefault(channel, 0L) == count);
	}

	private static void awaitTrue(BooleanSupplier condition) {
		long end = System.nanoTime() + PATIENCE.toNanos();
		while (!condition.getAsBoolean()) {
			assertThat(System.nanoTime()).as("time").isLessThan(end);
			Thread.onSpinWait();
		}
	}

	private static ContextConsumer<AssertableApplicationContext> failure(String... parts) {
		return (context) -> {
			assertThat(context).hasFailed();
			assertThat(context.getStartupFailure()).rootCause()
				.isInstanceOf(InvalidAuthingPropertiesException.class)
				.hasMessageContainingAll(parts);
		};
	}

	@Configuration(proxyBeanMethods = false)
	static class ClientConfiguration {

		@Bean
		AuthingWechatClient authingWechatClient() {
			return (credentials) -> Mono.just(new WechatMpAccessToken("72_a", Instant.now().plusSeconds(7200)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SeveralConnectionsConfiguration {

		@Bean
		LettuceConnectionFactory first() {
			return new LettuceConnectionFactory("127.0.0.1", 1);
		}

		@Bean
		LettuceConnectionFactory second(@Value("${second.port:1}") int port) {
			return new LettuceConnectionFactory("127.0.0.1", port);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class PrimaryConnectionConfiguration {

		@Bean
		@Primary
		LettuceConnectionFactory third(@Value("${primary.port:1}") int port) {
			return new LettuceConnectionFactory("127.0.0.1", port);
		}

	}

}
