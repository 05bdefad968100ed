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

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.autoconfigure.ConfigurationPropertiesRebinderAutoConfiguration;
import org.springframework.cloud.autoconfigure.RefreshAutoConfiguration;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.core.env.MapPropertySource;

import cn.authing.wechat.WechatMpTokenService;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for changes of the environment, with Spring Cloud.
 */
@ExtendWith(OutputCaptureExtension.class)
class EnvironmentChangeTests {

	private final Map<String, Object> source = new ConcurrentHashMap<>(Map.of("authing.wechat.accounts.old.app-id",
			"wx2", "authing.wechat.accounts.old.app-secret", "${some.variable}", "some.variable", "s3cr3t-two"));

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(
				AutoConfigurations.of(AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class,
						RefreshAutoConfiguration.class, ConfigurationPropertiesRebinderAutoConfiguration.class))
		.withUserConfiguration(AuthingWechatAutoConfigurationTests.ClientConfiguration.class)
		.withPropertyValues("authing.app-id=app", "authing.app-secret=s3cr3t-app",
				"authing.app-host=https://example.authing.cn")
		.withInitializer((context) -> context.getEnvironment()
			.getPropertySources()
			.addFirst(new MapPropertySource("config", this.source)));

	@Test
	void changeShouldTakeOverNewRotatedAndRemovedAccounts() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			assertThat(service.account("old").getAccessTokenSync().accessToken()).isEqualTo("wx2:s3cr3t-two:1");
			this.source.put("authing.wechat.accounts.new.app-id", "wx3");
			this.source.put("authing.wechat.accounts.new.app-secret", "three");
			change(context, "authing.wechat.accounts.new.app-id");
			assertThat(service.accountNames()).containsExactlyInAnyOrder("default", "old", "new");
			this.source.keySet().removeIf((name) -> name.startsWith("authing.wechat.accounts.old"));
			change(context, "authing.wechat.accounts.old.app-id");
			assertThat(service.accountNames()).containsExactly("default", "new");
		});
	}

	@Test
	void changeOfVariableThatSecretIsTakenFromShouldRotateTheSecret() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			this.source.put("some.variable", "s3cr3t-other");
			change(context, "some.variable");
			assertThat(service.account("old").getAccessTokenSync().accessToken()).isEqualTo("wx2:s3cr3t-other:1");
		});
	}

	@Test
	void changeThatIsNotValidShouldChangeNothingAndNameTheProperty(CapturedOutput output) {
		this.contextRunner.run((context) -> {
			this.source.remove("authing.wechat.accounts.old.app-secret");
			change(context, "authing.wechat.accounts.old.app-secret");
			assertThat(context.getBean(WechatMpTokenService.class).account("old").getAccessTokenSync().accessToken())
				.isEqualTo("wx2:s3cr3t-two:1");
		});
		assertThat(output.toString().lines().filter((line) -> line.contains(" WARN ") && line.contains("authing")))
			.singleElement()
			.asString()
			.contains("authing.wechat.accounts.old.app-secret is missing", "The accounts stay as they are")
			.doesNotContain("s3cr3t");
	}

	@Test
	void changeOfWhatCannotChangeShouldSaySoOnce(CapturedOutput output) {
		this.contextRunner.run((context) -> {
			this.source.put("authing.app-host", "https://other.authing.cn");
			this.source.put("authing.wechat.operation", "access-token-info");
			change(context, "authing.app-host", "authing.wechat.operation");
			change(context, "authing.app-host");
		});
		assertThat(output.toString().lines().filter((line) -> line.contains(" WARN ") && line.contains("take effect")))
			.singleElement()
			.asString()
			.contains("Changes of authing.app-host, authing.wechat.operation take effect when the application is "
					+ "started again");
	}

	@Test
	void runWithoutSpringCloudShouldHaveNoListener() {
		new ApplicationContextRunner()
			.withConfiguration(
					AutoConfigurations.of(AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class))
			.withPropertyValues("authing.app-id=app", "authing.app-secret=s3cr3t-app",
					"authing.app-host=https://example.authing.cn")
			.withClassLoader(new FilteredClassLoader("org.springframework.cloud"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("authingEnvironmentChangeListener"));
	}

	private static void change(AssertableApplicationContext context, String... names) {
		context.publishEvent(new EnvironmentChangeEvent(context, Set.of(names)));
	}

}
