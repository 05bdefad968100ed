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

import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.actuate.AuthingWechatEndpoint;
import cn.authing.wechat.actuate.AuthingWechatEndpointWebExtension;
import cn.authing.wechat.test.FakeAuthing;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingWechatEndpointAutoConfiguration}. What the endpoint does is
 * tested beside it.
 */
class AuthingWechatEndpointAutoConfigurationTests {

	private final FakeAuthing authing = FakeAuthing.start();

	private final ApplicationContextRunner contextRunner = this.authing
		.contextRunner(AuthingWechatEndpointAutoConfiguration.class)
		.withPropertyValues("spring.jmx.enabled=true", "management.endpoints.jmx.exposure.include=authingwechat");

	@AfterEach
	void stop() {
		this.authing.close();
	}

	@Test
	void runWhenExposedShouldHaveEndpoint() {
		this.contextRunner.run((context) -> assertThat(context).hasSingleBean(AuthingWechatEndpoint.class)
			.doesNotHaveBean(AuthingWechatEndpointWebExtension.class));
	}

	@Test
	void runWhenNotExposedShouldHaveNone() {
		this.contextRunner.withPropertyValues("management.endpoints.jmx.exposure.include=health")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(AuthingWechatEndpoint.class));
	}

	@Test
	void runWhenAccessIsNoneShouldHaveNone() {
		this.contextRunner.withPropertyValues("management.endpoint.authingwechat.access=NONE")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(AuthingWechatEndpoint.class));
	}

	@Test
	void runWhenDisabledShouldHaveNone() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(AuthingWechatEndpoint.class));
	}

	@Test
	void runWhenUserHasServiceAndThereAreNoAccountsShouldHaveNone() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatEndpointAutoConfiguration.class))
			.withPropertyValues("management.endpoints.jmx.exposure.include=authingwechat", "spring.jmx.enabled=true")
			.withBean(WechatMpTokenService.class, () -> WechatMpTokenService.of("the-token"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(AuthingWechatEndpoint.class));
	}

	@Test
	void runWithoutActuatorShouldHaveNone() {
		this.contextRunner.withClassLoader(new FilteredClassLoader(ConditionalOnAvailableEndpoint.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("authingWechatEndpoint"));
	}

}
