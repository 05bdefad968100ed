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

package cn.authing.wechat.sample.demo;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.config.ConfigDataEnvironmentPostProcessor;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link DemoEnvironmentPostProcessor}.
 */
class DemoEnvironmentPostProcessorTests {

	@Test
	void postProcessWhenNothingIsSetShouldActivateDemo() {
		assertThat(postProcess(Map.of()).getActiveProfiles()).containsExactly("demo");
	}

	@ParameterizedTest
	@ValueSource(strings = { "AUTHING_APP_ID", "AUTHING_APP_SECRET", "AUTHING_APP_HOST", "WECHAT_APP_ID",
			"WECHAT_APP_SECRET", "SPRING_CONFIG_IMPORT" })
	void postProcessWhenAnythingIsSetShouldNotActivateDemo(String variable) {
		assertThat(postProcess(Map.of(variable, "x")).getActiveProfiles()).isEmpty();
	}

	@Test
	void postProcessWhenVariableIsEmptyShouldNotActivateDemo() {
		assertThat(postProcess(Map.of("AUTHING_APP_SECRET", "")).getActiveProfiles()).isEmpty();
	}

	@Test
	void postProcessShouldReadTheWechatAccount() {
		StandardEnvironment environment = postProcess(Map.of("WECHAT_APP_ID", "wx1", "WECHAT_APP_SECRET", "secret-1"));
		assertThat(environment.getProperty("authing.wechat.app-id")).isEqualTo("wx1");
		assertThat(environment.getProperty("authing.wechat.app-secret")).isEqualTo("secret-1");
	}

	@Test
	void postProcessWhenWechatAccountIsNotSetShouldNotSetIt() {
		StandardEnvironment environment = postProcess(Map.of());
		assertThat(environment.containsProperty("authing.wechat.app-id")).isFalse();
		assertThat(environment.containsProperty("authing.wechat.app-secret")).isFalse();
	}

	@Test
	void orderShouldBeBeforeTheConfigurationFiles() {
		assertThat(new DemoEnvironmentPostProcessor().getOrder()).isLessThan(ConfigDataEnvironmentPostProcessor.ORDER);
	}

	private static StandardEnvironment postProcess(Map<String, Object> variables) {
		StandardEnvironment environment = new StandardEnvironment();
		environment.getPropertySources()
			.replace(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, new SystemEnvironmentPropertySource(
					StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables));
		new DemoEnvironmentPostProcessor().postProcessEnvironment(environment, new SpringApplication());
		return environment;
	}

}
