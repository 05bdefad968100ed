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

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Map;

import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;

import io.micrometer.core.instrument.MeterRegistry;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jmx.JmxEndpointAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.jmx.JmxAutoConfiguration;
import org.springframework.boot.health.actuate.endpoint.HealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.AuthingWechatEndpointAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatHealthContributorAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatMetricsAutoConfiguration;
import cn.authing.wechat.test.FakeAuthing;
import cn.authing.wechat.token.WechatMpTokenState;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests for {@link AuthingWechatEndpoint} beyond the web: over JMX.
 */
class AuthingWechatEndpointTests {

	private final FakeAuthing authing = FakeAuthing.start();

	private final ApplicationContextRunner contextRunner = this.authing
		.contextRunner(AuthingWechatEndpointAutoConfiguration.class, EndpointAutoConfiguration.class,
				JmxAutoConfiguration.class, JmxEndpointAutoConfiguration.class)
		.withPropertyValues("spring.jmx.enabled=true", "management.endpoints.jmx.exposure.include=authingwechat",
				"management.endpoints.jmx.domain=cn.authing.wechat.test");

	@AfterEach
	void stopAuthing() {
		this.authing.close();
	}

	@Test
	void jmxShouldReadRefreshAndInvalidate() {
		this.contextRunner.run((context) -> {
			assertThat(context).doesNotHaveBean(AuthingWechatEndpointWebExtension.class);
			assertThat(invoke("operate", "default", "refresh")).containsEntry("state", "FRESH");
			assertThat(invoke("account", "default")).containsEntry("fetches", 1L);
			assertThat(invoke("accounts")).extractingByKey("accounts", InstanceOfAssertFactories.MAP)
				.containsOnlyKeys("default");
			assertThat(invoke("invalidate", "default")).containsEntry("state", "EXPIRED")
				.containsEntry("rejections", 1L);
		});
	}

	@Test
	void jmxWhenInputIsBadShouldFailWithTheReason() {
		this.contextRunner.run((context) -> {
			assertThatException().isThrownBy(() -> invoke("account", "nope")).withStackTraceContaining("'nope'");
			assertThatException().isThrownBy(() -> invoke("operate", "default", "delete"))
				.withStackTraceContaining("There is no operation 'delete'");
			this.authing.answerWith(FakeAuthing.REFUSAL);
			assertThatException().isThrownBy(() -> invoke("operate", "default", "refresh"))
				.withStackTraceContaining("requestId request-403");
		});
	}

	@Test
	void accountsWhenTokensAreSharedShouldTellOfTheStore() {
		this.contextRunner.withBean(FakeTokenStore.class).run((context) -> {
			context.getBean(FakeTokenStore.class).goAway();
			assertThat(invoke("accounts")).extractingByKey("tokenStore", InstanceOfAssertFactories.MAP)
				.containsEntry("available", false)
				.containsEntry("reason", "did not answer within 100 ms")
				.containsKey("unavailableSince")
				.contains(Map.entry("succeeded", 7L), Map.entry("failed", 1L), Map.entry("skipped", 5L),
						Map.entry("undecodable", 2L));
		});
	}

	@ParameterizedTest
	@EnumSource
	void accountShouldTellTheStateAsItIs(WechatMpTokenState state) {
		AuthingWechatEndpoint endpoint = new AuthingWechatEndpoint(FixedAccounts.in(state));
		assertThat(endpoint.account("default")).containsEntry("state", state);
		assertThat(endpoint.accounts()).containsEntry("accounts", Map.of("default", endpoint.account("default")));
	}

	@Test
	void runWhenServiceIsDecoratedShouldStayWithTheAccounts() {
		this.contextRunner
			.withBean("decorator", WechatMpTokenService.class, () -> WechatMpTokenService.of("another-token"),
					(definition) -> definition.setPrimary(true))
			.run((context) -> {
				assertThat(invoke("operate", "default", "refresh")).containsEntry("state", "FRESH");
				assertThat(this.authing.requests()).isEqualTo(1);
			});
	}

	@Test
	void beansShouldBeProxyable() {
		this.contextRunner
			.withConfiguration(AutoConfigurations.of(AuthingWechatMetricsAutoConfiguration.class,
					MetricsAutoConfiguration.class, CompositeMeterRegistryAutoConfiguration.class,
					SimpleMetricsExportAutoConfiguration.class, AuthingWechatHealthContributorAutoConfiguration.class,
					HealthContributorAutoConfiguration.class, HealthContributorRegistryAutoConfiguration.class,
					HealthEndpointAutoConfiguration.class))
			.withBean(BeanNameAutoProxyCreator.class, () -> {
				BeanNameAutoProxyCreator creator = new BeanNameAutoProxyCreator();
				creator.setBeanNames("authingWechatEndpoint*", "authingWechatMpTokenHealth",
						"authingWechatMpTokenMetrics", "authingWechatHealth*");
				creator.setProxyTargetClass(true);
				return creator;
			})
			.run((context) -> {
				assertThat(AopUtils.isCglibProxy(context.getBean(AuthingWechatEndpoint.class))).isTrue();
				assertThat(AopUtils.isCglibProxy(context.getBean(WechatMpTokenHealth.class))).isTrue();
				assertThat(AopUtils.isCglibProxy(context.getBean(WechatMpTokenMetrics.class))).isTrue();
				assertThat(invoke("operate", "default", "refresh")).containsEntry("state", "FRESH");
				assertThat(context.getBean(HealthEndpoint.class).healthForPath("authingWechat"))
					.extracting(HealthDescriptor::getStatus)
					.isEqualTo(Status.UP);
				Awaitility.await()
					.until(() -> context.getBean(MeterRegistry.class)
						.get("authing.wechat.token.fetch")
						.tags("account", "default", "outcome", "success")
						.timer()
						.count() == 1);
			});
	}

	@SuppressWarnings("unchecked") // The operations return objects of JSON
	private static Map<String, Object> invoke(String operation, String... arguments) throws Exception {
		MBeanServer server = ManagementFactory.getPlatformMBeanServer();
		String[] signature = new String[arguments.length];
		Arrays.fill(signature, String.class.getName());
		return (Map<String, Object>) server.invoke(endpoint(), operation, arguments, signature);
	}

	private static ObjectName endpoint() throws MalformedObjectNameException {
		return new ObjectName("cn.authing.wechat.test:type=Endpoint,name=Authingwechat");
	}

}
