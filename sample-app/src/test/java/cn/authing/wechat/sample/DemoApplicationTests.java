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

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.web.reactive.server.WebTestClient;

import cn.authing.wechat.sample.demo.Demo;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the application in profile {@code demo}.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "sample.demo.stream=false", "logging.level.cn.authing=TRACE",
				"logging.level.org.springframework.web=DEBUG",
				// Tokens rejected within this time of each other are handed out
				"authing.wechat.cache.failure-backoff.initial=1ms" })
@AutoConfigureWebTestClient
@ActiveProfiles("demo")
@ExtendWith(OutputCaptureExtension.class)
class DemoApplicationTests {

	private final WebTestClient client;

	private final Demo demo;

	@Autowired
	DemoApplicationTests(WebTestClient client, Demo demo) {
		this.client = client;
		this.demo = demo;
	}

	@ParameterizedTest
	@ValueSource(strings = { "default", "shop", "mini-program" })
	void tokenShouldShowTheBeginningOfTheToken(String account) {
		TokenView shown = token("/token/" + account);
		assertThat(shown.account()).isEqualTo(account);
		assertThat(shown.accessToken()).hasSize(7).endsWith("\u2026");
		assertThat(shown.expiresAt()).isAfter(Instant.now());
		assertThat(shown.expiresInSeconds()).isBetween(0L, 60L);
	}

	@Test
	void tokenWhenNoAccountIsNamedShouldShowTheDefaultOne() {
		assertThat(token("/token").account()).isEqualTo("default");
	}

	@Test
	void tokenWhenRevealedShouldShowAllOfItAndLogNothingOfIt(CapturedOutput output) {
		TokenView revealed = token("/token/shop?reveal=true");
		assertThat(revealed.accessToken()).hasSizeGreaterThan(100);
		this.client.get().uri("/wechat/callback-ip").exchange().expectStatus().isOk();
		assertThat(output).doesNotContain(revealed.accessToken());
	}

	@Test
	void tokenShouldNotBeCachedOnTheWay() {
		this.client.get().uri("/token").exchange().expectHeader().valueEquals(HttpHeaders.CACHE_CONTROL, "no-store");
	}

	@Test
	void tokenWhenAccountIsUnknownShouldAnswerWithAProblemThatNamesTheKnownOnes() {
		this.client.get()
			.uri("/token/unknown")
			.exchange()
			.expectStatus()
			.isNotFound()
			.expectHeader()
			.contentType(MediaType.APPLICATION_PROBLEM_JSON)
			.expectBody()
			.jsonPath("$.detail")
			.value(String.class, (detail) -> assertThat(detail).contains("'unknown'"))
			.jsonPath("$.accounts")
			.isEqualTo(List.of("default", "shop", "mini-program"));
	}

	@Test
	void tokenWhenRevealIsNotABooleanShouldAnswerWithAProblem() {
		this.client.get()
			.uri("/token?reveal=perhaps")
			.exchange()
			.expectStatus()
			.isBadRequest()
			.expectHeader()
			.contentType(MediaType.APPLICATION_PROBLEM_JSON);
	}

	@Test
	void tokenWhenAskedAgainShouldNotAskAuthing() {
		token("/token");
		long calls = this.demo.authingCalls();
		for (int i = 0; i < 100; i++) {
			token("/token");
		}
		// The token may just have come to its time of refresh.
		assertThat(this.demo.authingCalls()).isBetween(calls, calls + 3);
	}

	@Test
	void callbackIpShouldCallWechat() {
		this.client.get()
			.uri("/wechat/callback-ip")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.ipList[0]")
			.isEqualTo("127.0.0.1");
	}

	@Test
	void subscribeMessageShouldBeSent() {
		this.client.post()
			.uri("/wechat/subscribe-messages")
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue("""
					{"touser": "o-demo-1", "template_id": "t", "data": {"thing1": {"value": "tea"}}}""")
			.exchange()
			.expectStatus()
			.isOk();
	}

	@Test
	void phoneNumberShouldBeKnownByItsCode() {
		this.client.get()
			.uri("/wechat/phone-number?code=demo")
			.exchange()
			.expectBody()
			.jsonPath("$.phoneNumber")
			.isEqualTo("13800000000");
		this.client.get()
			.uri("/wechat/phone-number?code=other")
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.BAD_GATEWAY)
			.expectBody()
			.jsonPath("$.errcode")
			.isEqualTo(40029);
	}

	@Test
	void codeWhenTokenWasKilledShouldRecoverAndBeAnImage() {
		this.client.get().uri("/token").exchange().expectStatus().isOk();
		kill();
		this.client.get()
			.uri("/wechat/code?scene=1")
			.exchange()
			.expectStatus()
			.isOk()
			.expectHeader()
			.contentType(MediaType.IMAGE_GIF)
			.expectBody(byte[].class)
			.value((image) -> assertThat(image).startsWith("GIF89a".getBytes(StandardCharsets.US_ASCII)));
	}

	@Test
	void callbackIpWhenTokenWasKilledShouldRecover() {
		String killed = token("/token?reveal=true").accessToken();
		long rejected = this.demo.rejectedWechatCalls();
		kill();
		this.client.get().uri("/wechat/callback-ip").exchange().expectStatus().isOk();
		assertThat(this.demo.rejectedWechatCalls()).isEqualTo(rejected + 1);
		assertThat(token("/token?reveal=true").accessToken()).isNotEqualTo(killed);
	}

	@Test
	void healthShouldShowTheAccounts() {
		this.client.get()
			.uri("/actuator/health")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.components.authingWechat.status")
			.isEqualTo("UP")
			.jsonPath("$.components.redis")
			.doesNotExist();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/actuator/metrics", "/actuator/prometheus" })
	void actuatorShouldBeExposed(String path) {
		this.client.get().uri(path).exchange().expectStatus().isEqualTo(HttpStatus.OK);
	}

	private TokenView token(String uri) {
		return Objects.requireNonNull(this.client.get()
			.uri(uri)
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody(TokenView.class)
			.returnResult()
			.getResponseBody());
	}

	private void kill() {
		this.demo.rejectTokens("wx00000000000000a1");
	}

}
