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

package cn.authing.wechat.actuate;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mockito.Mockito;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.actuate.endpoint.CompositeHealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.actuate.endpoint.IndicatedHealthDescriptor;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthContributor;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.AuthingWechatHealthContributorAutoConfiguration;
import cn.authing.wechat.test.FakeAuthing;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpTokenState;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link WechatMpTokenHealth}, against an Authing on loopback.
 */
@ExtendWith(OutputCaptureExtension.class)
class WechatMpTokenHealthTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private final FakeAuthing authing = FakeAuthing.start();

	private final ApplicationContextRunner contextRunner = this.authing
		.contextRunner(AuthingWechatHealthContributorAutoConfiguration.class, HealthContributorAutoConfiguration.class,
				HealthContributorRegistryAutoConfiguration.class, HealthEndpointAutoConfiguration.class)
		.withPropertyValues("management.endpoint.health.show-details=always");

	@AfterEach
	void stopAuthing() {
		this.authing.close();
	}

	@Test
	void healthWhenTokenCanBeHadShouldBeUpWithTimeToExpiry() {
		this.contextRunner.run((context) -> {
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(health.getDetails()).containsOnlyKeys("state", "expiresInSeconds")
				.hasEntrySatisfying("state", (state) -> assertThat(state).hasToString("FRESH"))
				.hasEntrySatisfying("expiresInSeconds",
						(seconds) -> assertThat(seconds).asInstanceOf(InstanceOfAssertFactories.LONG)
							.isBetween(1L, Duration.ofHours(2).toSeconds()));
		});
	}

	@Test
	void healthWhenProbedOftenShouldAskAuthingOnce() {
		this.contextRunner.run((context) -> {
			IntStream.range(0, 100).forEach((probe) -> health(context, "authingWechat"));
			assertThat(this.authing.requests()).isEqualTo(1);
		});
	}

	@Test
	void healthWhenAuthingRefusesShouldBeDownWithItsCodesAndLogNothingItself(CapturedOutput output) {
		this.authing.answerWith(FakeAuthing.REFUSAL);
		this.contextRunner.run((context) -> {
			int logged = output.length();
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.DOWN);
			assertThat(health.getDetails()).containsEntry("statusCode", 403)
				.containsEntry("apiCode", 2011)
				.containsEntry("requestId", "request-403")
				.containsEntry("failures", 1)
				.hasEntrySatisfying("state", (state) -> assertThat(state).hasToString("FAILING"));
			assertThat(String.valueOf(health.getDetails())).contains("no such app")
				.doesNotContain(FakeAuthing.WECHAT_SECRET);
			// The first failure of an account is logged, by the account and once.
			assertThat(output.toString().substring(logged).lines())
				.filteredOn((line) -> line.contains(" WARN ") || line.contains(" ERROR "))
				.singleElement(InstanceOfAssertFactories.STRING)
				.contains("The token of account 'default' could not be fetched");
		});
	}

	@Test
	void healthWhenRefreshFailsWhileTokenIsValidShouldBeUpWithTheStreak() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.getAccessTokenSync();
			this.authing.answerWith(FakeAuthing.BUSY);
			assertThatExceptionOfType(AuthingException.class)
				.isThrownBy(() -> service.refreshAccessToken().block(LIMIT));
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(health.getDetails()).containsEntry("failures", 1)
				.containsKey("expiresInSeconds")
				.extractingByKey("lastFailure", InstanceOfAssertFactories.map(String.class, Object.class))
				.containsEntry("statusCode", 503)
				.containsEntry("requestId", "request-503")
				.containsKeys("error", "at");
			this.authing.answerWithTokens(Duration.ofHours(2));
			service.refreshAccessToken().block(LIMIT);
			assertThat(indicated(health(context, "authingWechat")).getDetails()).doesNotContainKeys("failures",
					"lastFailure");
		});
	}

	@Test
	void healthWhenStoreIsAwayShouldBeUpAndSaySinceWhenAndWhy() {
		this.contextRunner.withBean(FakeTokenStore.class).run((context) -> {
			FakeTokenStore store = context.getBean(FakeTokenStore.class);
			assertThat(tokenStore(context)).containsExactly(Map.entry("available", true));
			store.goAway();
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(tokenStore(context)).containsExactly(Map.entry("available", false),
					Map.entry("reason", "did not answer within 100 ms"),
					Map.entry("unavailableSince", FakeTokenStore.UNAVAILABLE_SINCE));
			store.comeBack();
			assertThat(tokenStore(context)).containsExactly(Map.entry("available", true));
		});
	}

	@Test
	void healthWhenDownShouldTellOfTheStoreToo() {
		this.authing.answerWith(FakeAuthing.REFUSAL);
		this.contextRunner.withBean(FakeTokenStore.class).run((context) -> {
			context.getBean(FakeTokenStore.class).goAway();
			assertThat(health(context, "authingWechat").getStatus()).isEqualTo(Status.DOWN);
			assertThat(tokenStore(context)).containsEntry("available", false);
		});
	}

	@Test
	void healthWhenAuthingDoesNotAnswerShouldNotBlockAndEndWithTheTimeout() {
		this.contextRunner.withPropertyValues("authing.timeout=300ms").run((context) -> {
			CountDownLatch gate = this.authing.holdBack();
			Mono<Health> health = indicator(context).health().subscribeOn(Schedulers.parallel());
			assertThat(health.block(LIMIT)).extracting(Health::getStatus).isEqualTo(Status.DOWN);
			gate.countDown();
		});
	}

	@Test
	void healthWhenThereAreSeveralAccountsShouldBeComposite() {
		addShop();
		this.contextRunner.run((context) -> {
			assertThat(components(context)).containsOnlyKeys("default", "shop");
			assertThat(health(context, "authingWechat", "shop").getStatus()).isEqualTo(Status.UP);
			assertThat(this.authing.requests()).isEqualTo(2);
			this.authing.answerWith(FakeAuthing.REFUSAL);
			context.getBean(WechatMpTokenService.class).account("shop").invalidate(FakeAuthing.TOKEN + 2);
			context.getBean(WechatMpTokenService.class).account("shop").invalidate(FakeAuthing.TOKEN + 1);
			assertThat(health(context, "authingWechat").getStatus()).isEqualTo(Status.DOWN);
			assertThat(health(context, "authingWechat", "default").getStatus()).isEqualTo(Status.UP);
			assertThat(health(context, "authingWechat", "shop").getStatus()).isEqualTo(Status.DOWN);
		});
	}

	@Test
	void healthWhenSeveralAccountsHangShouldAskForAllAtOnce() {
		addShop();
		this.contextRunner.run((context) -> {
			CountDownLatch gate = this.authing.holdBack();
			CompletableFuture<@Nullable Map<String, HealthDescriptor>> health = CompletableFuture
				.supplyAsync(() -> components(context));
			Awaitility.await().until(() -> this.authing.requests() == 2);
			gate.countDown();
			assertThat(health.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).containsOnlyKeys("default", "shop");
			assertThat(components(context)).hasEntrySatisfying("shop",
					(shop) -> assertThat(shop.getStatus()).isEqualTo(Status.UP));
		});
	}

	@Test
	void accountsChangedEventShouldMakeHealthFollow() {
		this.contextRunner.run((context) -> {
			indicated(health(context, "authingWechat"));
			addShop();
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(components(context)).containsOnlyKeys("default", "shop");
			this.authing.accounts().put("authing.wechat.accounts.club.app-id", "wx-club");
			this.authing.accounts().put("authing.wechat.accounts.club.app-secret", "the-club-app-secret");
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(components(context)).containsOnlyKeys("default", "shop", "club");
			this.authing.accounts().clear();
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(indicated(health(context, "authingWechat")).getDetails()).containsKey("expiresInSeconds");
		});
	}

	@Test
	void healthWhenSecretChangedAndIsRefusedShouldSaySo() {
		addShop();
		this.contextRunner.run((context) -> {
			context.getBean(WechatMpTokenService.class).account("shop").getAccessTokenSync();
			this.authing.answerWith(FakeAuthing.REFUSAL);
			this.authing.accounts().put("authing.wechat.accounts.shop.app-secret", "another-app-secret");
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat", "shop"));
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(health.getDetails()).containsEntry("credentialsRotationPending", true);
		});
	}

	@ParameterizedTest
	@EnumSource
	void healthShouldTellTheStateAsItIs(WechatMpTokenState state) {
		Health health = health(new WechatMpTokenHealth(FixedAccounts.in(state)));
		boolean down = state == WechatMpTokenState.EXPIRED || state == WechatMpTokenState.FAILING;
		assertThat(health.getStatus()).isEqualTo(down ? Status.DOWN : Status.UP);
		assertThat(health.getDetails()).containsEntry("state", state).containsEntry("failures", 2);
		assertThat(health.getDetails().containsKey("reason")).isEqualTo(state == WechatMpTokenState.STALE);
	}

	@Test
	void healthWhenTokenArrivesExpiredShouldBeUpAndSayThatItIsStale() {
		this.authing.answerWithTokens(Duration.ofMinutes(-1));
		this.contextRunner.run((context) -> {
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(health.getDetails()).containsEntry("state", WechatMpTokenState.STALE).containsKey("reason");
		});
	}

	@Test
	void healthWhenServiceIsMockedOrDecoratedShouldAskTheAccounts() {
		for (WechatMpTokenService service : List.of(Mockito.mock(WechatMpTokenService.class),
				WechatMpTokenService.of("another-token"))) {
			this.contextRunner
				.withBean("decorator", WechatMpTokenService.class, () -> service,
						(definition) -> definition.setPrimary(true))
				.run((context) -> {
					assertThat(context).hasSingleBean(WechatMpAccountRegistry.class);
					IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
					assertThat(health.getStatus()).isEqualTo(Status.UP);
					assertThat(health.getDetails()).containsEntry("state", WechatMpTokenState.FRESH);
				});
		}
	}

	@Test
	void healthWhenUserHasServiceAndThereAreNoAccountsShouldAskThatService() {
		AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
		withoutAccounts().withBean(WechatMpTokenService.class, () -> WechatMpTokenService.of(() -> {
			if (failure.get() != null) {
				throw failure.get();
			}
			return new WechatMpAccessToken("the-token", Instant.now().plusSeconds(600));
		})).run((context) -> {
			IndicatedHealthDescriptor health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.UP);
			assertThat(health.getDetails()).containsOnlyKeys("expiresInSeconds");
			failure.set(new IllegalStateException("out of order"));
			health = indicated(health(context, "authingWechat"));
			assertThat(health.getStatus()).isEqualTo(Status.DOWN);
			assertThat(health.getDetails()).containsExactly(Map.entry("error", "out of order"));
		});
	}

	@Test
	void healthWhenUserHasServiceWithSeveralAccountsShouldTellOfEach() {
		withoutAccounts().withBean(WechatMpTokenService.class, () -> WechatMpTokenService.of(Map.of("default",
				() -> new WechatMpAccessToken("the-token", Instant.now().plusSeconds(600)), "shop", () -> {
					throw new IllegalStateException("out of order");
				})))
			.run((context) -> {
				assertThat(health(context, "authingWechat", "default").getStatus()).isEqualTo(Status.UP);
				assertThat(health(context, "authingWechat", "shop").getStatus()).isEqualTo(Status.DOWN);
			});
	}

	@Test
	void healthWhenUserMocksServiceAndThereAreNoAccountsShouldBeDown() {
		withoutAccounts().withBean(WechatMpTokenService.class, () -> Mockito.mock(WechatMpTokenService.class))
			.run((context) -> assertThat(health(context, "authingWechat").getStatus()).isEqualTo(Status.DOWN));
	}

	private static ApplicationContextRunner withoutAccounts() {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatHealthContributorAutoConfiguration.class,
					HealthContributorAutoConfiguration.class, HealthContributorRegistryAutoConfiguration.class,
					HealthEndpointAutoConfiguration.class))
			.withPropertyValues("management.endpoint.health.show-details=always");
	}

	private static Health health(WechatMpTokenHealth health) {
		return Objects.requireNonNull(((ReactiveHealthIndicator) health.contributor()).health().block(LIMIT));
	}

	private void addShop() {
		this.authing.accounts().put("authing.wechat.accounts.shop.app-id", "wx-shop");
		this.authing.accounts().put("authing.wechat.accounts.shop.app-secret", FakeAuthing.SHOP_SECRET);
	}

	private static ReactiveHealthIndicator indicator(ApplicationContext context) {
		return (ReactiveHealthIndicator) context.getBean("authingWechatHealthContributor",
				ReactiveHealthContributor.class);
	}

	private static HealthDescriptor health(ApplicationContext context, String... path) {
		return Objects.requireNonNull(context.getBean(HealthEndpoint.class).healthForPath(path));
	}

	private static IndicatedHealthDescriptor indicated(HealthDescriptor health) {
		assertThat(health).isInstanceOf(IndicatedHealthDescriptor.class);
		return (IndicatedHealthDescriptor) health;
	}

	@SuppressWarnings("unchecked") // A detail is any object
	private static @Nullable Map<String, Object> tokenStore(ApplicationContext context) {
		return (Map<String, Object>) indicated(health(context, "authingWechat")).getDetails().get("tokenStore");
	}

	private static @Nullable Map<String, HealthDescriptor> components(ApplicationContext context) {
		HealthDescriptor health = health(context, "authingWechat");
		assertThat(health).isInstanceOf(CompositeHealthDescriptor.class);
		return ((CompositeHealthDescriptor) health).getComponents();
	}

}
