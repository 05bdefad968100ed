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

import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.github.benmanes.caffeine.cache.Caffeine;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpTokenStore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.mockito.Mockito.RETURNS_DEEP_STUBS;
import static org.mockito.Mockito.mock;

/**
 * Tests for {@link AuthingWechatAutoConfiguration}.
 */
class AuthingWechatAutoConfigurationTests {

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(
				AutoConfigurations.of(AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class))
		.withUserConfiguration(ClientConfiguration.class)
		.withPropertyValues("authing.app-id=app", "authing.app-secret=the-app-secret",
				"authing.app-host=https://example.authing.cn");

	@Test
	void serviceHasDefaultAndNamedAccounts() {
		this.contextRunner
			.withPropertyValues("authing.wechat.app-id=wx1", "authing.wechat.app-secret=one",
					"authing.wechat.accounts.shop.app-id=wx2", "authing.wechat.accounts.shop.app-secret=two")
			.run((context) -> {
				WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
				assertThat(service.accountNames()).containsExactly("default", "shop");
				assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("wx1:one:1");
				assertThat(service.account("default").getAccessTokenSync().accessToken()).isEqualTo("wx1:one:1");
				assertThat(service.account("shop").getAccessToken().block()).extracting("accessToken")
					.isEqualTo("wx2:two:1");
				assertThat(service.account(new WechatMpCredentials("wx3", "three")).getAccessTokenSync().accessToken())
					.isEqualTo("wx3:three:1");
			});
	}

	@Test
	void serviceWithoutWechatAccountUsesAuthingPair() {
		this.contextRunner
			.run((context) -> assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken())
				.isEqualTo("app:the-app-secret:1"));
	}

	@Test
	void serviceWhenAccountIsUnknownNamesTheKnownOnes() {
		this.contextRunner.run((context) -> assertThatIllegalArgumentException()
			.isThrownBy(() -> context.getBean(WechatMpTokenService.class).account("nope"))
			.withMessageContaining("'nope'")
			.withMessageContaining("[default]")
			.withMessageContaining("authing.wechat.accounts.nope"));
	}

	@Test
	void runWhenDisabledHasNoBeans() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(WechatMpTokenService.class)
				.doesNotHaveBean(WechatMpTokenStore.class)
				.doesNotHaveBean(WechatMpAccountProvider.class));
	}

	@Test
	void runWithoutCaffeineHasNoService() {
		this.contextRunner.withClassLoader(new FilteredClassLoader(Caffeine.class))
			.run((context) -> assertThat(context).doesNotHaveBean(WechatMpTokenService.class));
	}

	@Test
	void runWithServiceOfUserBacksOff() {
		WechatMpTokenService service = mock(WechatMpTokenService.class);
		this.contextRunner.withBean("mine", WechatMpTokenService.class, () -> service)
			.run((context) -> assertThat(context).getBean(WechatMpTokenService.class).isSameAs(service));
	}

	@Test
	void runWithStoreOfUserBacksOff() {
		WechatMpTokenStore store = mock(WechatMpTokenStore.class, RETURNS_DEEP_STUBS);
		this.contextRunner.withBean("mine", WechatMpTokenStore.class, () -> store)
			.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenStore.class).hasBean("mine"));
	}

	@Test
	void runWithAccountProviderOfUserUsesItsAccounts() {
		this.contextRunner
			.withBean(WechatMpAccountProvider.class,
					() -> () -> Map.of("default", new WechatMpCredentials("wx9", "nine")))
			.run((context) -> assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken())
				.isEqualTo("wx9:nine:1"));
	}

	@Test
	void runWhenAccountProviderHasNoDefaultAccountFails() {
		this.contextRunner.withBean(WechatMpAccountProvider.class, () -> Map::of)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContaining("must return an account 'default'"));
	}

	@Test
	void accountsChangedEventTakesOverNewChangedAndRemovedAccounts() {
		Map<String, Object> source = new ConcurrentHashMap<>(
				Map.of("authing.wechat.accounts.old.app-id", "wx2", "authing.wechat.accounts.old.app-secret", "two"));
		this.contextRunner
			.withInitializer((context) -> context.getEnvironment()
				.getPropertySources()
				.addFirst(new MapPropertySource("mutable", source)))
			.run((context) -> {
				WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
				WechatMpTokenSource old = service.account("old");
				assertThat(old.getAccessTokenSync().accessToken()).isEqualTo("wx2:two:1");
				source.clear();
				source.put("authing.wechat.accounts.new.app-id", "wx3");
				source.put("authing.wechat.accounts.new.app-secret", "three");
				context.publishEvent(new WechatMpAccountsChangedEvent(this));
				assertThat(service.accountNames()).containsExactly("default", "new");
				assertThat(service.account("new").getAccessTokenSync().accessToken()).isEqualTo("wx3:three:1");
				assertThatIllegalStateException().isThrownBy(old::getAccessTokenSync)
					.withStackTraceContaining("'old' is no longer configured");
			});
	}

	@Test
	void accountsChangedEventWhenAccountsAreInvalidKeepsThoseThatWere() {
		Map<String, WechatMpCredentials> accounts = new LinkedHashMap<>(
				Map.of("default", new WechatMpCredentials("wx1", "one")));
		this.contextRunner.withBean(WechatMpAccountProvider.class, () -> () -> Map.copyOf(accounts)).run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			accounts.clear();
			assertThatIllegalStateException()
				.isThrownBy(() -> context.publishEvent(new WechatMpAccountsChangedEvent(this)));
			assertThat(service.accountNames()).containsExactly("default");
			assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("wx1:one:1");
		});
	}

	@Test
	void keepWarmFetchesWhenApplicationIsReady() {
		this.contextRunner.withPropertyValues("authing.wechat.cache.keep-warm=true").run((context) -> {
			CountingClient client = context.getBean(CountingClient.class);
			assertThat(client.calls).hasValue(0);
			context.publishEvent(new ApplicationReadyEvent(new SpringApplication(), new String[0],
					context.getSourceApplicationContext(ConfigurableApplicationContext.class), null));
			assertThat(client.called.await(30, TimeUnit.SECONDS)).isTrue();
		});
	}

	@Test
	void runByDefaultFetchesNothingAtStartUp() {
		this.contextRunner.run((context) -> assertThat(context.getBean(CountingClient.class).calls).hasValue(0));
	}

	@Test
	void closeLeavesNoThread() {
		Set<Thread> before = Thread.getAllStackTraces().keySet();
		this.contextRunner.run((context) -> {
			context.getBean(WechatMpTokenService.class).getAccessTokenSync();
			assertThat(tokenThreads(before)).isNotEmpty();
			Set<Thread> threads = tokenThreads(before);
			context.getBean(WechatMpAccountRegistry.class).close();
			for (Thread thread : threads) {
				thread.join(30_000);
				assertThat(thread.isAlive()).isFalse();
			}
		});
	}

	private static Set<Thread> tokenThreads(Set<Thread> others) {
		Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
		threads.removeAll(others);
		threads.removeIf((thread) -> !thread.getName().startsWith("authing-wechat-token"));
		return threads;
	}

	@Configuration(proxyBeanMethods = false)
	static class ClientConfiguration {

		@Bean
		CountingClient client() {
			return new CountingClient();
		}

	}

	static class CountingClient implements AuthingWechatClient {

		final AtomicInteger calls = new AtomicInteger();

		final CountDownLatch called = new CountDownLatch(1);

		private final Map<WechatMpCredentials, AtomicInteger> counts = new ConcurrentHashMap<>();

		@Override
		public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
			return Mono.fromSupplier(() -> {
				this.calls.incrementAndGet();
				this.called.countDown();
				int count = this.counts.computeIfAbsent(credentials, (key) -> new AtomicInteger()).incrementAndGet();
				return new WechatMpAccessToken(credentials.appId() + ":" + credentials.appSecret() + ":" + count,
						Instant.now().plusSeconds(7200));
			});
		}

	}

}
