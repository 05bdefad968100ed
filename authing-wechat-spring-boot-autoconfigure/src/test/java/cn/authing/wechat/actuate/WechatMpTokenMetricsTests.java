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
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.AuthingWechatMetricsAutoConfiguration;
import cn.authing.wechat.test.FakeAuthing;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpTokenState;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link WechatMpTokenMetrics}, against an Authing on loopback.
 */
@ExtendWith(OutputCaptureExtension.class)
class WechatMpTokenMetricsTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private final FakeAuthing authing = FakeAuthing.start();

	private final ApplicationContextRunner contextRunner = this.authing.contextRunner(
			AuthingWechatMetricsAutoConfiguration.class, MetricsAutoConfiguration.class,
			CompositeMeterRegistryAutoConfiguration.class, SimpleMetricsExportAutoConfiguration.class);

	@AfterEach
	void stopAuthing() {
		this.authing.close();
	}

	@Test
	void requestsShouldCountByResult() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			assertThat(requests(context, "default", "waited")).isZero();
			service.getAccessTokenSync();
			service.getAccessTokenSync();
			service.getAccessToken().block(LIMIT);
			assertThat(requests(context, "default", "waited")).isEqualTo(1);
			assertThat(requests(context, "default", "fresh")).isEqualTo(2);
			service.invalidate(FakeAuthing.TOKEN + 1);
			this.authing.answerWith(FakeAuthing.REFUSAL);
			assertThatExceptionOfType(AuthingException.class).isThrownBy(service::getAccessTokenSync);
			assertThat(requests(context, "default", "failed")).isEqualTo(1);
			assertThat(requests(context, "default", "due")).isZero();
		});
	}

	@Test
	void requestsWhenTokenArrivesExpiredShouldCountAsStale() {
		this.authing.answerWithTokens(Duration.ofMinutes(-1));
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.getAccessTokenSync();
			service.getAccessTokenSync();
			assertThat(requests(context, "default", "stale")).isPositive();
			assertThat(requests(context, "default", "fresh")).isZero();
			assertThat(context.getBean(MeterRegistry.class)
				.get("authing.wechat.token.state")
				.tag("state", "stale")
				.gauge()
				.value()).isEqualTo(1);
		});
	}

	@Test
	void rejectedShouldCountTokensOnce() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.getAccessTokenSync();
			service.invalidate("another");
			service.invalidate(FakeAuthing.TOKEN + 1);
			service.invalidate(FakeAuthing.TOKEN + 1);
			assertThat(meters(context).get("authing.wechat.token.rejected")
				.tag("account", "default")
				.functionCounter()
				.count()).isEqualTo(1);
		});
	}

	@Test
	void fetchShouldBeTimedByOutcome() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.getAccessTokenSync();
			awaitFetches(context, "default", "none", 1);
			assertThat(fetch(context, "default", "none").totalTime(TimeUnit.NANOSECONDS)).isPositive();
			assertThat(fetch(context, "default", "none").getId().getTag("origin")).isEqualTo("authing");
			this.authing.answerWith(FakeAuthing.REFUSAL);
			refreshAndFail(service);
			awaitFetches(context, "default", "api", 1);
			assertThat(fetch(context, "default", "api").getId().getTag("outcome")).isEqualTo("failure");
			this.authing.answerWith("{}");
			refreshAndFail(service);
			awaitFetches(context, "default", "response", 1);
			this.authing.close();
			refreshAndFail(service);
			awaitFetches(context, "default", "transport", 1);
		});
	}

	@Test
	void expiresInShouldTellSecondsForWhichTheTokenMayBeHandedOut() {
		this.contextRunner.run((context) -> {
			TimeGauge gauge = expiresIn(context, "default");
			assertThat(gauge.value()).isZero();
			context.getBean(WechatMpTokenService.class).getAccessTokenSync();
			assertThat(gauge.value(TimeUnit.SECONDS)).isBetween(1.0, 7200.0);
			assertThat(gauge.getId().getBaseUnit()).isEqualTo("seconds");
			context.getBean(WechatMpTokenService.class).invalidate(FakeAuthing.TOKEN + 1);
			assertThat(gauge.value()).isZero();
		});
	}

	@Test
	void dynamicAccountsShouldShareOneTagValue() {
		this.contextRunner.run((context) -> {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.account(new WechatMpCredentials("wx-1", "one")).getAccessTokenSync();
			int meters = meters(context).getMeters().size();
			for (int tenant = 2; tenant <= 20; tenant++) {
				service.account(new WechatMpCredentials("wx-" + tenant, "secret")).getAccessTokenSync();
			}
			assertThat(meters(context).getMeters()).hasSize(meters);
			assertThat(requests(context, "(dynamic)", "waited")).isEqualTo(20);
			awaitFetches(context, "(dynamic)", "none", 20);
		});
	}

	@Test
	void accountsChangedEventShouldAddMetersOfNewAccounts(CapturedOutput output) {
		this.contextRunner.run((context) -> {
			this.authing.accounts().put("authing.wechat.accounts.shop.app-id", "wx-shop");
			this.authing.accounts().put("authing.wechat.accounts.shop.app-secret", FakeAuthing.SHOP_SECRET);
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(fetch(context, "shop", "api").count()).isZero();
			context.getBean(WechatMpTokenService.class).account("shop").getAccessTokenSync();
			assertThat(requests(context, "shop", "waited")).isEqualTo(1);
			assertThat(expiresIn(context, "shop").value()).isPositive();
			this.authing.accounts().clear();
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(expiresIn(context, "shop").value()).isNaN();
			assertThat(meters(context).get("authing.wechat.token.state").tag("account", "shop").gauges())
				.allSatisfy((gauge) -> assertThat(gauge.value()).isZero());
			assertThat(requests(context, "shop", "waited")).isEqualTo(1);
			assertThat(output).doesNotContain("already registered");
		});
	}

	@Test
	void storeShouldTellWhetherItIsAvailableAndCountByResult(CapturedOutput output) {
		this.contextRunner.withBean(FakeTokenStore.class).run((context) -> {
			FakeTokenStore store = context.getBean(FakeTokenStore.class);
			assertThat(storeAvailable(context)).isEqualTo(1);
			assertThat(storeOperations(context, "succeeded")).isZero();
			assertThat(storeOperations(context, "failed")).isZero();
			assertThat(storeOperations(context, "skipped")).isZero();
			assertThat(meters(context).get("authing.wechat.token.store.undecodable").functionCounter().count())
				.isZero();
			store.goAway();
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(storeAvailable(context)).isZero();
			assertThat(storeOperations(context, "succeeded")).isEqualTo(7);
			assertThat(storeOperations(context, "failed")).isEqualTo(1);
			assertThat(storeOperations(context, "skipped")).isEqualTo(5);
			assertThat(meters(context).get("authing.wechat.token.store.undecodable").functionCounter().count())
				.isEqualTo(2);
			store.comeBack();
			assertThat(storeAvailable(context)).isEqualTo(1);
			assertThat(output).doesNotContain("already registered");
		});
	}

	@Test
	void storeWhenNothingIsSharedShouldHaveNoMeters() {
		this.contextRunner
			.run((context) -> assertThat(meters(context).getMeters()).extracting((meter) -> meter.getId().getName())
				.contains("authing.wechat.token.requests")
				.noneMatch((name) -> name.startsWith("authing.wechat.token.store")));
	}

	@Test
	void fetchBeforeMetersAreBoundShouldBeRecorded() {
		this.contextRunner.withUserConfiguration(EarlyConfiguration.class)
			.run((context) -> awaitFetches(context, "default", "none", 1));
	}

	@Test
	void metersShouldBeInEachRegistry() {
		this.contextRunner.withConfiguration(AutoConfigurations.of(PrometheusMetricsExportAutoConfiguration.class))
			.withBean(SimpleMeterRegistry.class)
			.withBean(FakeTokenStore.class)
			.run((context) -> {
				context.getBean(WechatMpTokenService.class).getAccessTokenSync();
				Awaitility.await()
					.until(() -> context.getBean(SimpleMeterRegistry.class)
						.get("authing.wechat.token.fetch")
						.tags("account", "default", "outcome", "success")
						.timer()
						.count() == 1);
				awaitFetches(context, "default", "none", 1);
				assertThat(context.getBean(PrometheusMeterRegistry.class).scrape()).contains(
						"authing_wechat_token_fetch_seconds_count{account=\"default\",error=\"none\",origin=\"authing\",outcome=\"success\"} 1")
					.contains("authing_wechat_token_requests_total{account=\"default\",result=\"waited\"} 1.0")
					.contains("authing_wechat_token_rejected_total{account=\"default\"} 0.0")
					.contains("authing_wechat_token_expires_in_seconds{account=\"default\"} 7")
					.contains("authing_wechat_token_state{account=\"default\",state=\"fresh\"} 1.0")
					.contains("authing_wechat_token_store_available 1.0")
					.contains("authing_wechat_token_store_operations_total{result=\"failed\"} 0.0")
					.contains("authing_wechat_token_store_undecodable_total 0.0");
			});
	}

	@ParameterizedTest
	@EnumSource
	void stateShouldBeOneForTheCurrentState(WechatMpTokenState current) {
		WechatMpAccountRegistry accounts = FixedAccounts.in(current);
		MeterRegistry meters = new SimpleMeterRegistry();
		new WechatMpTokenMetrics(() -> accounts, () -> meters).bindTo(meters);
		for (WechatMpTokenState state : WechatMpTokenState.values()) {
			assertThat(meters.get("authing.wechat.token.state")
				.tags("account", "default", "state", state.name().toLowerCase(Locale.ROOT))
				.gauge()
				.value()).isEqualTo((state == current) ? 1 : 0);
		}
	}

	@Test
	void requestsShouldTellAllResults() {
		WechatMpAccountRegistry accounts = FixedAccounts.in(WechatMpTokenState.FRESH);
		MeterRegistry meters = new SimpleMeterRegistry();
		new WechatMpTokenMetrics(() -> accounts, () -> meters).bindTo(meters);
		assertThat(meters.get("authing.wechat.token.requests").functionCounters())
			.extracting((counter) -> Map.entry(Objects.requireNonNull(counter.getId().getTag("result")),
					(long) counter.count()))
			.containsExactlyInAnyOrder(Map.entry("fresh", 1L), Map.entry("due", 2L), Map.entry("stale", 3L),
					Map.entry("waited", 4L), Map.entry("failed", 5L));
	}

	@Test
	void fetchBeforeMetersAreBoundShouldGetTheCommonTags() {
		this.contextRunner.withUserConfiguration(EarlyConfiguration.class)
			.withPropertyValues("management.metrics.tags.region=somewhere")
			.run((context) -> assertThat(fetch(context, "default", "none").getId().getTag("region"))
				.isEqualTo("somewhere"));
	}

	private static void refreshAndFail(WechatMpTokenService service) {
		assertThatExceptionOfType(AuthingException.class).isThrownBy(() -> service.refreshAccessToken().block(LIMIT));
	}

	private static MeterRegistry meters(ApplicationContext context) {
		return context.getBean(MeterRegistry.class);
	}

	private static double requests(ApplicationContext context, String account, String result) {
		return meters(context).get("authing.wechat.token.requests")
			.tags("account", account, "result", result)
			.functionCounter()
			.count();
	}

	private static Timer fetch(ApplicationContext context, String account, String error) {
		return meters(context).get("authing.wechat.token.fetch").tags("account", account, "error", error).timer();
	}

	// Listeners are told while the caller goes on
	private static void awaitFetches(ApplicationContext context, String account, String error, int count) {
		Awaitility.await().until(() -> fetch(context, account, error).count() == count);
	}

	private static double storeAvailable(ApplicationContext context) {
		return meters(context).get("authing.wechat.token.store.available").gauge().value();
	}

	private static double storeOperations(ApplicationContext context, String result) {
		return meters(context).get("authing.wechat.token.store.operations")
			.tag("result", result)
			.functionCounter()
			.count();
	}

	private static TimeGauge expiresIn(ApplicationContext context, String account) {
		return Objects
			.requireNonNull(meters(context).get("authing.wechat.token.expires.in").tag("account", account).timeGauge());
	}

	@Configuration(proxyBeanMethods = false)
	static class EarlyConfiguration {

		@Bean
		InitializingBean early(WechatMpTokenService service) {
			return service::getAccessTokenSync;
		}

	}

}
