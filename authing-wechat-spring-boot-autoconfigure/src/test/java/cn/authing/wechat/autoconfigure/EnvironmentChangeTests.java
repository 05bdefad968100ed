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

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import com.ulisesbocchio.jasyptspringboot.annotation.EnableEncryptableProperties;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.awaitility.Awaitility;
import org.jasypt.encryption.StringEncryptor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.CompositeReactiveHealthContributor;
import org.springframework.boot.health.registry.ReactiveHealthContributorRegistry;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.autoconfigure.ConfigurationPropertiesRebinderAutoConfiguration;
import org.springframework.cloud.autoconfigure.RefreshAutoConfiguration;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.cloud.context.refresh.ContextRefresher;
import org.springframework.cloud.context.scope.refresh.RefreshScope;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Scope;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpCredentials;
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
	void changeShouldReachHealthAndMeters() {
		this.source.clear();
		this.contextRunner
			.withConfiguration(AutoConfigurations.of(HealthContributorRegistryAutoConfiguration.class,
					AuthingWechatHealthContributorAutoConfiguration.class, AuthingWechatMetricsAutoConfiguration.class,
					MetricsAutoConfiguration.class, CompositeMeterRegistryAutoConfiguration.class))
			.withBean(SimpleMeterRegistry.class)
			.run((context) -> {
				this.source.put("authing.wechat.accounts.new.app-id", "wx3");
				this.source.put("authing.wechat.accounts.new.app-secret", "three");
				change(context, "authing.wechat.accounts.new.app-id");
				assertThat(context.getBean(ReactiveHealthContributorRegistry.class).getContributor("authingWechat"))
					.isInstanceOf(CompositeReactiveHealthContributor.class);
				assertThat(context.getBean(MeterRegistry.class)
					.find("authing.wechat.token.expires.in")
					.tag("account", "new")
					.gauge()).isNotNull();
			});
	}

	@Test
	void refreshShouldAskProviderAgainWhenSpringCloudIsDone() {
		this.source.put("provider.app-secret", "one");
		this.contextRunner.withUserConfiguration(ProviderConfiguration.class).run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			this.source.put("provider.app-secret", "two");
			// Spring Cloud binds again what belongs to the source of the event
			context.publishEvent(
					new EnvironmentChangeEvent(context.getSourceApplicationContext(), Set.of("provider.app-secret")));
			context.getBean(RefreshScope.class).refreshAll();
			assertThat(service.account("bound").getAccessTokenSync().accessToken()).isEqualTo("wx1:two:1");
			assertThat(service.account("scoped").getAccessTokenSync().accessToken()).isEqualTo("wx2:two:1");
		});
	}

	@Test
	void changeWhenAnotherListenerFailsShouldNotSayThatTheAccountsStay(CapturedOutput output) {
		this.contextRunner.withUserConfiguration(FailingListener.class).run((context) -> {
			this.source.put("authing.wechat.accounts.new.app-id", "wx3");
			this.source.put("authing.wechat.accounts.new.app-secret", "three");
			change(context, "authing.wechat.accounts.new.app-id");
			assertThat(context.getBean(WechatMpTokenService.class).accountNames()).contains("new");
		});
		assertThat(output).contains("broken listener").doesNotContain("stay as they are");
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
			context.getBean(RefreshScope.class).refreshAll();
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
	void changeOfEncryptedValueShouldRotateTheSecret(CapturedOutput output) {
		this.contextRunner.withInitializer(EnvironmentChangeTests::decrypt).run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			this.source.put("some.variable", "ENC(rehto-t3rc3s)");
			change(context, "some.variable");
			assertThat(service.account("old").getAccessTokenSync().accessToken()).isEqualTo("wx2:s3cr3t-other:1");
		});
		assertThat(output).doesNotContain("rehto-t3rc3s").doesNotContain("stay as they are");
	}

	@Test
	void refreshWithJasyptShouldReadDecryptedSecrets(@TempDir Path directory) throws Exception {
		Path file = directory.resolve("application.properties");
		Files.writeString(file, "authing.app-secret=ENC(eno-t3rc3s)");
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(JasyptConfiguration.class)
			.web(WebApplicationType.NONE)
			.run("--spring.config.location=file:" + directory + "/", "--authing.app-id=app",
					"--authing.app-host=https://example.authing.cn")) {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			SanitizingFunction function = context.getBean(SanitizingFunction.class);
			assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("app:s3cr3t-one:1");
			Files.writeString(file, "authing.app-secret=ENC(eno-t3rc3s)\nanother=value");
			context.getBean(ContextRefresher.class).refresh();
			assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("app:s3cr3t-one:1");
			Files.writeString(file, "authing.app-secret=ENC(owt-t3rc3s)");
			context.getBean(ContextRefresher.class).refresh();
			// The old token is in use until the changed secret has produced one
			Awaitility.await()
				.untilAsserted(
						() -> assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("app:s3cr3t-two:1"));
			assertThat(function.apply(new SanitizableData(null, "any", "s3cr3t-two")).getValue())
				.isEqualTo(SanitizableData.SANITIZED_VALUE);
		}
	}

	@Test
	void changeThatIsNotValidShouldHideItsSecretsAllTheSame() {
		this.contextRunner.withConfiguration(AutoConfigurations.of(AuthingSanitizingAutoConfiguration.class))
			.run((context) -> {
				this.source.put("authing.wechat.accounts.new.app-secret", "${odd.name}");
				this.source.put("authing.timeout", "soon");
				this.source.put("odd.name", "s3cr3t-three");
				change(context, "odd.name");
				this.source.remove("authing.wechat.accounts.new.app-secret");
				this.source.remove("authing.timeout");
				change(context, "authing.timeout");
				SanitizingFunction function = context.getBean(SanitizingFunction.class);
				assertThat(function.apply(new SanitizableData(null, "odd.name", "s3cr3t-three")).getValue())
					.isEqualTo(SanitizableData.SANITIZED_VALUE);
			});
	}

	@Test
	void changeThatCannotBeBoundShouldSayWhatToWrite(CapturedOutput output) {
		this.contextRunner.run((context) -> {
			this.source.put("authing.timeout", "soon");
			change(context, "authing.timeout");
		});
		assertThat(output).containsOnlyOnce("The accounts stay as they are. authing.timeout is 'soon', which is not a "
				+ "duration (set in \"authing.timeout\" from property source \"config\"). Write a whole number and its "
				+ "unit: 500ms, 10s, 5m or 2h.");
	}

	@Test
	void changeOfAuthingsAppIdShouldWaitForTheNextStart(CapturedOutput output) {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			this.source.put("authing.app-id", "another");
			change(context, "authing.app-id");
			assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("app:s3cr3t-app:1");
		});
		assertThat(output).contains("Changes of authing.app-id take effect when");
	}

	@Test
	void changeOfHowAListIsWrittenShouldBeNone(CapturedOutput output) {
		this.source.put("authing.wechat.api.hosts[0]", "localhost:8080");
		this.source.put("authing.wechat.api.hosts[1]", "localhost:8081");
		this.contextRunner.run((context) -> {
			this.source.keySet().removeIf((name) -> name.startsWith("authing.wechat.api.hosts"));
			this.source.put("authing.wechat.api.hosts", "localhost:8080,localhost:8081");
			change(context, "authing.wechat.api.hosts");
			assertThat(output).doesNotContain("take effect");
			this.source.put("authing.wechat.api.hosts", "localhost:8080");
			this.source.put("authing.headers.x-key", "value");
			change(context, "authing.wechat.api.hosts");
		});
		assertThat(output).contains("Changes of authing.headers.x-key, authing.wechat.api.hosts take effect when");
	}

	@Test
	void changeShouldLeaveRefreshScopedBeansToSpringCloud() {
		this.contextRunner.withUserConfiguration(RefreshScopeConfiguration.class).run((context) -> {
			assertThat(context.getBean(StringBuilder.class).toString()).isEqualTo("default,old");
			this.source.keySet().removeIf((name) -> name.startsWith("authing.wechat.accounts.old"));
			change(context, "authing.wechat.accounts.old.app-id");
			context.getBean(RefreshScope.class).refreshAll();
			assertThat(context.getBean(StringBuilder.class).toString()).isEqualTo("default");
		});
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

	// As Jasypt does: sources that decrypt take the place of the environment's
	private static void decrypt(ConfigurableApplicationContext context) {
		MutablePropertySources sources = context.getEnvironment().getPropertySources();
		PropertySource<?> source = Objects.requireNonNull(sources.get("config"));
		sources.replace("config", new EnumerablePropertySource<PropertySource<?>>("config", source) {

			@Override
			public String[] getPropertyNames() {
				return ((EnumerablePropertySource<?>) source).getPropertyNames();
			}

			@Override
			public @Nullable Object getProperty(String name) {
				Object value = source.getProperty(name);
				return (value instanceof String text && text.startsWith("ENC("))
						? new StringBuilder(text.substring(4, text.length() - 1)).reverse().toString() : value;
			}

		});
	}

	@Configuration(proxyBeanMethods = false)
	@EnableEncryptableProperties
	@ImportAutoConfiguration({ AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class,
			AuthingSanitizingAutoConfiguration.class, RefreshAutoConfiguration.class,
			ConfigurationPropertiesRebinderAutoConfiguration.class })
	@Import(AuthingWechatAutoConfigurationTests.ClientConfiguration.class)
	static class JasyptConfiguration {

		@Bean
		StringEncryptor jasyptStringEncryptor() {
			return new StringEncryptor() {

				@Override
				public String encrypt(String message) {
					return new StringBuilder(message).reverse().toString();
				}

				@Override
				public String decrypt(String encryptedMessage) {
					return encrypt(encryptedMessage);
				}

			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class RefreshScopeConfiguration {

		@Bean
		@Scope("refresh")
		StringBuilder names(WechatMpTokenService service) {
			return new StringBuilder(String.join(",", service.accountNames()));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FailingListener {

		@Bean
		ApplicationListener<WechatMpAccountsChangedEvent> failingListener() {
			return (event) -> {
				throw new IllegalStateException("broken listener");
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableConfigurationProperties(ProviderProperties.class)
	static class ProviderConfiguration {

		@Bean
		@Scope("refresh")
		WechatMpCredentials scopedCredentials(@Value("${provider.app-secret}") String appSecret) {
			return new WechatMpCredentials("wx2", appSecret);
		}

		@Bean
		WechatMpAccountProvider accountProvider(ProviderProperties properties,
				ObjectProvider<WechatMpCredentials> scoped) {
			return () -> Map.of("default", new WechatMpCredentials("wx0", "s3cr3t"), "bound",
					new WechatMpCredentials("wx1", properties.getAppSecret()), "scoped", scoped.getObject());
		}

	}

	@ConfigurationProperties("provider")
	static class ProviderProperties {

		private String appSecret = "";

		String getAppSecret() {
			return this.appSecret;
		}

		public void setAppSecret(String appSecret) {
			this.appSecret = appSecret;
		}

	}

}
