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

package cn.authing.wechat.sample;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.util.Map;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.sample.demo.Demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests for {@link SampleApplication}: what the variables of the environment make of it.
 */
@ExtendWith(OutputCaptureExtension.class)
class SampleApplicationTests {

	@Test
	void runWhenNothingIsSetShouldBeTheDemo() {
		try (ConfigurableApplicationContext context = run(Map.of())) {
			assertThat(context.getEnvironment().getActiveProfiles()).containsExactly("demo");
			assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken()).isNotEmpty();
			assertThat(context.getBean(Demo.class).authingCalls()).isOne();
		}
	}

	@Test
	void runShouldEndWithTheUrlToOpen(CapturedOutput output) {
		try (ConfigurableApplicationContext context = run(Map.of())) {
			assertThat(output.toString().stripTrailing()).endsWith("Ready. Open http://localhost:%s/"
				.formatted(context.getEnvironment().getProperty("local.server.port")));
		}
	}

	@Test
	void runWhenNothingIsSetShouldListenOnThisMachineOnly() {
		try (ConfigurableApplicationContext context = run(Map.of())) {
			assertThat(context.getEnvironment().getProperty("server.address")).isEqualTo("127.0.0.1");
		}
	}

	@Test
	void runWhenAnotherProfileIsActiveShouldBeTheDemoAsWell() {
		try (ConfigurableApplicationContext context = run(Map.of("SPRING_PROFILES_ACTIVE", "other"))) {
			assertThat(context.getEnvironment().getActiveProfiles()).containsExactlyInAnyOrder("demo", "other");
			assertThat(context.getBeanProvider(Demo.class).getIfAvailable()).isNotNull();
		}
	}

	@Test
	void runWhenAuthingIsSetShouldUseIt() {
		UpstreamStub authing = new UpstreamStub();
		authing.answer("wx-1", """
				{"statusCode": 200, "data": {"accessToken": "token-1", "expiresAt": "1900000000"}}""");
		Map<String, Object> variables = Map.of("AUTHING_APP_ID", "authing-1", "AUTHING_APP_SECRET", "secret-1",
				"AUTHING_APP_HOST", authing.url(), "WECHAT_APP_ID", "wx-1", "WECHAT_APP_SECRET", "secret-2");
		try (ConfigurableApplicationContext context = run(variables)) {
			assertThat(context.getEnvironment().getActiveProfiles()).isEmpty();
			assertThat(context.getBeanProvider(Demo.class).getIfAvailable()).isNull();
			assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken())
				.isEqualTo("token-1");
			assertThat(authing.requests()).singleElement().satisfies((request) -> {
				assertThat(request.authingAppId()).isEqualTo("authing-1");
				assertThat(request.body().path("appSecret").asString()).isEqualTo("secret-2");
			});
		}
		finally {
			authing.stop();
		}
	}

	@Test
	void runWhenDemoIsAskedForShouldNotAskTheAuthingOfTheEnvironment() {
		Map<String, Object> variables = Map.of("AUTHING_APP_ID", "authing-1", "AUTHING_APP_SECRET", "secret-1",
				"AUTHING_APP_HOST", "https://authing.invalid", "SPRING_PROFILES_ACTIVE", "demo");
		try (ConfigurableApplicationContext context = run(variables)) {
			assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken()).isNotEmpty();
			assertThat(context.getBean(Demo.class).authingCalls()).isOne();
		}
	}

	@ParameterizedTest
	@CsvSource({ "authing.app-id, AUTHING_APP_SECRET, AUTHING_APP_HOST",
			"authing.app-secret, AUTHING_APP_ID, AUTHING_APP_HOST",
			"authing.app-host, AUTHING_APP_ID, AUTHING_APP_SECRET" })
	void runWhenAVariableIsMissingShouldFailAndNameTheProperty(String property, String variable, String otherVariable,
			CapturedOutput output) {
		Map<String, Object> variables = Map.of(variable, "https://value.invalid", otherVariable,
				"https://value.invalid");
		assertThatException().isThrownBy(() -> run(variables));
		assertThat(output).contains(property);
	}

	@ParameterizedTest
	@CsvSource({ "authing.wechat.app-id, WECHAT_APP_SECRET", "authing.wechat.app-secret, WECHAT_APP_ID" })
	void runWhenHalfOfTheWechatAccountIsMissingShouldFailAndNameTheProperty(String property, String variable,
			CapturedOutput output) {
		Map<String, Object> variables = Map.of("AUTHING_APP_ID", "authing-1", "AUTHING_APP_SECRET", "secret-1",
				"AUTHING_APP_HOST", "https://authing.invalid", variable, "wx-1");
		assertThatException().isThrownBy(() -> run(variables));
		assertThat(output).contains(property);
	}

	@Test
	void closeShouldStopTheDemo() {
		// A port that is free may be another process's a moment later.
		assertThat(IntStream.range(0, 3).anyMatch((attempt) -> isStoppedWhenClosed())).isTrue();
	}

	private static boolean isStoppedWhenClosed() {
		URI host;
		try (ConfigurableApplicationContext context = run(Map.of())) {
			host = URI.create(context.getEnvironment().getRequiredProperty("authing.app-host"));
		}
		try (Socket socket = new Socket(host.getHost(), host.getPort())) {
			return !socket.isConnected();
		}
		catch (IOException ex) {
			return ex instanceof ConnectException;
		}
	}

	private static ConfigurableApplicationContext run(Map<String, Object> variables) {
		StandardEnvironment environment = new StandardEnvironment();
		environment.getPropertySources()
			.replace(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, new SystemEnvironmentPropertySource(
					StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables));
		return new SpringApplicationBuilder(SampleApplication.class).environment(environment)
			.run("--server.port=0", "--sample.demo.stream=false");
	}

}
