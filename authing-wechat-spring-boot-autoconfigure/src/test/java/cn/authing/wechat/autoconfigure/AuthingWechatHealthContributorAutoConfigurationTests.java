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

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthContributor;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.actuate.WechatMpTokenHealth;
import cn.authing.wechat.test.FakeAuthing;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingWechatHealthContributorAutoConfiguration}. What health tells is
 * tested beside it.
 */
class AuthingWechatHealthContributorAutoConfigurationTests {

	private final FakeAuthing authing = FakeAuthing.start();

	private final ApplicationContextRunner contextRunner = this.authing.contextRunner(
			AuthingWechatHealthContributorAutoConfiguration.class, HealthContributorAutoConfiguration.class,
			HealthContributorRegistryAutoConfiguration.class, HealthEndpointAutoConfiguration.class);

	@AfterEach
	void stop() {
		this.authing.close();
	}

	@Test
	void runShouldHaveContributor() {
		this.contextRunner.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenHealth.class)
			.hasBean("authingWechatHealthContributor"));
	}

	@Test
	void runWhenUserHasSeveralServicesAndThereAreNoAccountsShouldHaveNone() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatHealthContributorAutoConfiguration.class,
					HealthContributorAutoConfiguration.class, HealthContributorRegistryAutoConfiguration.class))
			.withBean("one", WechatMpTokenService.class, () -> WechatMpTokenService.of("one"))
			.withBean("two", WechatMpTokenService.class, () -> WechatMpTokenService.of("two"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("authingWechatHealthContributor"));
	}

	@Test
	void runWhenHealthIsDisabledShouldHaveNone() {
		this.contextRunner.withPropertyValues("management.health.authing-wechat.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("authingWechatHealthContributor"));
	}

	@Test
	void runWhenHealthIsDisabledByDefaultShouldHaveNone() {
		this.contextRunner.withPropertyValues("management.health.defaults.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("authingWechatHealthContributor"));
	}

	@Test
	void runWhenDisabledShouldHaveNone() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.withBean(WechatMpTokenService.class, () -> WechatMpTokenService.of("the-token"))
			.run((context) -> assertThat(context).doesNotHaveBean("authingWechatHealthContributor"));
	}

	@Test
	void runWhenUserHasIndicatorOfThatNameShouldBackOff() {
		this.contextRunner
			.withBean("authingWechatHealthIndicator", ReactiveHealthIndicator.class,
					() -> () -> Mono.just(Health.unknown().build()))
			.run((context) -> {
				assertThat(context).hasNotFailed().doesNotHaveBean("authingWechatHealthContributor");
				HealthEndpoint health = context.getBean(HealthEndpoint.class);
				assertThat(health.healthForPath("authingWechat")).extracting("status").isEqualTo(Status.UNKNOWN);
				context.publishEvent(new WechatMpAccountsChangedEvent(this));
				assertThat(health.healthForPath("authingWechat")).extracting("status").isEqualTo(Status.UNKNOWN);
			});
	}

	@Test
	void runWithoutHealthOnClassPathShouldHaveNone() {
		this.authing.contextRunner(AuthingWechatHealthContributorAutoConfiguration.class)
			.withClassLoader(new FilteredClassLoader(ReactiveHealthContributor.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(WechatMpTokenHealth.class));
	}

}
