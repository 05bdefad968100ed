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
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisReactiveAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.redis.RedisServer;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.RETURNS_DEEP_STUBS;
import static org.mockito.Mockito.mock;

/**
 * Tests for {@link AuthingWechatRedisAutoConfiguration}.
 */
class AuthingWechatRedisAutoConfigurationTests {

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
		this.contextRunner.withClassLoader(new FilteredClassLoader(ReactiveStringRedisTemplate.class))
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
			.run(failure("authing.wechat.cache.store", "there is no ReactiveStringRedisTemplate", "spring.data.redis"));
	}

	@Test
	void startWithSeveralConnectionsShouldFailAndSayWhatToDo() {
		this.contextRunner.withUserConfiguration(SeveralTemplatesConfiguration.class)
			.run(failure("authing.wechat.cache.store", "several beans", "@Primary"));
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
	static class SeveralTemplatesConfiguration {

		@Bean
		ReactiveStringRedisTemplate first(ReactiveRedisConnectionFactory connectionFactory) {
			return new ReactiveStringRedisTemplate(connectionFactory);
		}

		@Bean
		ReactiveStringRedisTemplate second(ReactiveRedisConnectionFactory connectionFactory) {
			return new ReactiveStringRedisTemplate(connectionFactory);
		}

	}

}
