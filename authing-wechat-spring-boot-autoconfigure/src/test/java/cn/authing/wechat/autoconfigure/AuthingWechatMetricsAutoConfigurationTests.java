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

import io.micrometer.core.instrument.MeterRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.actuate.WechatMpTokenMetrics;
import cn.authing.wechat.test.FakeAuthing;
import cn.authing.wechat.token.WechatMpAccountRegistry;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingWechatMetricsAutoConfiguration}. What the metrics tell is
 * tested beside them.
 */
class AuthingWechatMetricsAutoConfigurationTests {

	private final FakeAuthing authing = FakeAuthing.start();

	private final ApplicationContextRunner contextRunner = this.authing.contextRunner(
			AuthingWechatMetricsAutoConfiguration.class, MetricsAutoConfiguration.class,
			CompositeMeterRegistryAutoConfiguration.class, SimpleMetricsExportAutoConfiguration.class);

	@AfterEach
	void stop() {
		this.authing.close();
	}

	@Test
	void runShouldHaveMetrics() {
		this.contextRunner.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenMetrics.class)
			.hasBean("authingWechatMpTokenMetrics"));
	}

	@Test
	void runWithoutMeterRegistryShouldHaveNone() {
		this.authing.contextRunner(AuthingWechatMetricsAutoConfiguration.class)
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(WechatMpTokenMetrics.class));
	}

	@Test
	void runWithoutMicrometerShouldHaveNone() {
		this.authing.contextRunner(AuthingWechatMetricsAutoConfiguration.class)
			.withClassLoader(new FilteredClassLoader("io.micrometer.core"))
			.run((context) -> assertThat(context).hasNotFailed()
				.hasSingleBean(WechatMpTokenService.class)
				.doesNotHaveBean("authingWechatMpTokenMetrics"));
	}

	@Test
	void runWhenUserHasServiceAndThereAreNoAccountsShouldHaveNone() {
		new ApplicationContextRunner()
			.withConfiguration(
					AutoConfigurations.of(AuthingWechatMetricsAutoConfiguration.class, MetricsAutoConfiguration.class,
							CompositeMeterRegistryAutoConfiguration.class, SimpleMetricsExportAutoConfiguration.class))
			.withBean(WechatMpTokenService.class, () -> WechatMpTokenService.of("the-token"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(WechatMpTokenMetrics.class));
	}

	@Test
	void runWhenUserHasMetricsShouldBackOff() {
		this.contextRunner.withUserConfiguration(OwnMetricsConfiguration.class)
			.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenMetrics.class).hasBean("mine"));
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnMetricsConfiguration {

		@Bean
		WechatMpTokenMetrics mine(ObjectProvider<WechatMpAccountRegistry> accounts,
				ObjectProvider<MeterRegistry> meters) {
			return new WechatMpTokenMetrics(accounts::getObject, meters::getObject);
		}

	}

}
