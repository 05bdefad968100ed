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

import java.util.Base64;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;

import cn.authing.wechat.WechatMpAccountsChangedEvent;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingSanitizingAutoConfiguration}.
 */
class AuthingSanitizingAutoConfigurationTests {

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AuthingSanitizingAutoConfiguration.class));

	@ParameterizedTest
	@ValueSource(strings = { "authing.app-secret", "authing.appSecret", "authing.app_secret", "AUTHING_APP_SECRET",
			"AUTHING_APPSECRET", "authing.wechat.app-secret", "AUTHING_WECHAT_APPSECRET",
			"authing.wechat.accounts.shop.app-secret", "authing.wechat.accounts[my.shop].app-secret",
			"AUTHING_WECHAT_ACCOUNTS_SHOP_APPSECRET", "authing.headers.authorization", "AUTHING_HEADERS_X_KEY",
			"authing.headers[X-Key]" })
	void sanitizeWhenKeyIsThatOfSecretShouldMask(String key) {
		this.contextRunner.run((context) -> assertThat(value(context.getBean(SanitizingFunction.class), key, "value"))
			.isEqualTo(SanitizableData.SANITIZED_VALUE));
	}

	@ParameterizedTest
	@ValueSource(strings = { "authing.app-id", "authing.app-host", "authing.wechat.accounts.shop.app-id",
			"authing.wechat.cache.refresh-ahead", "another.secret" })
	void sanitizeWhenKeyIsAnotherShouldNotMask(String key) {
		this.contextRunner.run((context) -> assertThat(value(context.getBean(SanitizingFunction.class), key, "value"))
			.isEqualTo("value"));
	}

	@Test
	void sanitizeWhenValueHoldsSecretShouldMaskWhateverTheKey() {
		String encryptionKey = Base64.getEncoder().encodeToString(new byte[32]);
		this.contextRunner
			.withPropertyValues("authing.app-secret=the-authing-app-secret", "authing.headers.x-key=short",
					"authing.wechat.cache.redis.encryption-keys=" + encryptionKey)
			.run((context) -> {
				SanitizingFunction function = context.getBean(SanitizingFunction.class);
				assertThat(value(function, "sun.java.command", "app.jar --x=the-authing-app-secret"))
					.isEqualTo(SanitizableData.SANITIZED_VALUE);
				assertThat(value(function, "WECHAT_TOKEN_KEY", encryptionKey))
					.isEqualTo(SanitizableData.SANITIZED_VALUE);
				assertThat(value(function, "a", "short")).isEqualTo(SanitizableData.SANITIZED_VALUE);
				assertThat(value(function, "a", "shorter")).isEqualTo("shorter");
				assertThat(value(function, "a", 5)).isEqualTo(5);
				assertThat(value(function, "a", null)).isNull();
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "Bearer ${GATEWAY_TOKEN}", "Basic ${NOT_SET:${GATEWAY_TOKEN}}", "Bearer ${alias}" })
	void sanitizeWhenValueIsPartOfHeaderShouldMask(String header) {
		this.contextRunner
			.withPropertyValues("authing.headers.authorization=" + header, "GATEWAY_TOKEN=gateway",
					"alias=${GATEWAY_TOKEN}")
			.run((context) -> {
				SanitizingFunction function = context.getBean(SanitizingFunction.class);
				assertThat(value(function, "GATEWAY_TOKEN", "gateway")).isEqualTo(SanitizableData.SANITIZED_VALUE);
				assertThat(value(function, "else", "gateways")).isEqualTo("gateways");
			});
	}

	@Test
	void sanitizeWhenSecretIsOfASourceWithoutNamesOrInAListShouldMask() {
		String key = Base64.getEncoder().encodeToString(new byte[32]);
		this.contextRunner.withInitializer((context) -> {
			context.getEnvironment().getPropertySources().addFirst(new PropertySource<>("vault", new Object()) {

				@Override
				public @Nullable Object getProperty(String name) {
					return name.equals("authing.app-secret") ? "the-secret-of-the-vault" : null;
				}

			});
			context.getEnvironment()
				.getPropertySources()
				.addLast(new MapPropertySource("defaults",
						Map.of("authing.wechat.cache.redis.encryption-keys", List.of("another-key", key))));
		}).run((context) -> {
			SanitizingFunction function = context.getBean(SanitizingFunction.class);
			assertThat(List.of("the-secret-of-the-vault", key, "another-key")).allSatisfy(
					(secret) -> assertThat(value(function, "any", secret)).isEqualTo(SanitizableData.SANITIZED_VALUE));
		});
	}

	@Test
	void sanitizeWhenAHeaderHasACommaShouldNotMaskItsParts() {
		this.contextRunner.withPropertyValues("authing.headers.x-stage=shop, production")
			.run((context) -> assertThat(value(context.getBean(SanitizingFunction.class), "stage", "production"))
				.isEqualTo("production"));
	}

	@Test
	void sanitizeWhenPropertiesCannotBeBoundShouldMaskByName() {
		this.contextRunner.withPropertyValues("authing.timeout=soon")
			.run((context) -> assertThat(value(context.getBean(SanitizingFunction.class), "authing.app-secret", "x"))
				.isEqualTo(SanitizableData.SANITIZED_VALUE));
	}

	@Test
	void sanitizeWhenSecretWasRotatedShouldMaskTheOldAndTheNewOne() {
		this.contextRunner
			.withConfiguration(
					AutoConfigurations.of(AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class))
			.withPropertyValues("authing.app-id=app", "authing.app-host=https://localhost",
					"MY_VARIABLE=the-old-secret", "authing.app-secret=${MY_VARIABLE}")
			.run((context) -> {
				TestPropertyValues.of("MY_VARIABLE=the-new-secret").applyTo(context.getEnvironment());
				context.publishEvent(new WechatMpAccountsChangedEvent(this));
				SanitizingFunction function = context.getBean(SanitizingFunction.class);
				assertThat(List.of("the-old-secret", "the-new-secret"))
					.allSatisfy((secret) -> assertThat(value(function, "MY_VARIABLE", secret))
						.isEqualTo(SanitizableData.SANITIZED_VALUE));
				assertThat(value(function, "MY_VARIABLE", "else")).isEqualTo("else");
			});
	}

	@Test
	void runWithoutActuatorShouldHaveNone() {
		this.contextRunner.withClassLoader(new FilteredClassLoader(SanitizingFunction.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("authingSanitizingFunction"));
	}

	private static @Nullable Object value(SanitizingFunction function, String key, @Nullable Object value) {
		return function.apply(new SanitizableData(null, key, value)).getValue();
	}

}
