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

import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests that no secret and no token leaves the application, with all of its HTTP logged
 * and with an Authing that sends back what it was sent.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, properties = { "logging.level.cn.authing=TRACE",
		"logging.level.io.netty=TRACE", "logging.level.org.springframework.http=TRACE",
		"logging.level.org.springframework.web=TRACE", "logging.level.reactor=TRACE", "authing.app-id=authing-1",
		"authing.app-secret=AppSecret-0123456789", "authing.wechat.app-id=wx-default",
		"authing.wechat.app-secret=WechatSecr-0123456789", "authing.wechat.accounts.refused.app-id=wx-refused",
		"authing.wechat.accounts.refused.app-secret=WechatSecr-0123456789",
		"authing.wechat.accounts.html.app-id=wx-html", "authing.wechat.accounts.html.app-secret=WechatSecr-0123456789",
		"authing.headers.authorization=Bearer Gateway-0123456789", "authing.retry.max-attempts=1" })
@AutoConfigureWebTestClient
@ExtendWith(OutputCaptureExtension.class)
class ProblemSecretsTests {

	private static final String[] SECRET_BEGINNINGS = { "AppSecret-", "WechatSecr-", "Token-", "Gateway-" };

	// The application shows the first six characters
	private static final String TOKEN = "123456-Token-0123456789abcdefghijklmnopqrstuvwxyz";

	private static final String ECHO = "WechatSecr-0123456789 Gateway-0123456789 " + TOKEN;

	private static final UpstreamStub upstream = new UpstreamStub();

	private final WebTestClient client;

	@Autowired
	ProblemSecretsTests(WebTestClient client) {
		this.client = client;
	}

	@DynamicPropertySource
	static void upstream(DynamicPropertyRegistry registry) {
		registry.add("authing.app-host", upstream::url);
		registry.add("sample.wechat-api", upstream::url);
	}

	@BeforeEach
	void answer() {
		upstream.answer("wx-default", """
				{"statusCode": 200, "data": {"accessToken": "%s", "expiresAt": 1900000000}}""".formatted(TOKEN));
		upstream.answer("wx-refused", """
				{"statusCode": 602, "message": "%s", "requestId": "%s", "data": {"accessToken": "%s"}}"""
			.formatted(ECHO, "WechatSecr-0123456789", TOKEN));
		upstream.answerWithHtml("wx-html");
	}

	@AfterAll
	static void stop() {
		upstream.stop();
		// Levels outlive the application
		LoggingSystem loggingSystem = LoggingSystem.get(ProblemSecretsTests.class.getClassLoader());
		for (String logger : List.of("cn.authing", "io.netty", "org.springframework.http", "org.springframework.web",
				"reactor")) {
			loggingSystem.setLogLevel(logger, null);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/token", "/token/refused", "/token/html", "/token/unknown", "/token?reveal=true", "/",
			"/events", "/actuator/health", "/actuator/authingwechat", "/actuator/metrics/authing.wechat.token.fetch",
			"/actuator/prometheus" })
	void answerShouldHaveNoSecret(String uri, CapturedOutput output) {
		String body = this.client.get().uri(uri).exchange().returnResult(String.class).getResponseBody().blockFirst();
		assertThat(body).isNotEmpty().doesNotContain(SECRET_BEGINNINGS);
		assertThat(output).contains("reactor.netty").doesNotContain(SECRET_BEGINNINGS);
	}

}
