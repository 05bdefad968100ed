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

import java.time.Duration;
import java.util.Map;
import java.util.Objects;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.test.web.reactive.server.WebTestClient.BodyContentSpec;
import org.springframework.web.reactive.function.client.WebClientRequestException;

import cn.authing.wechat.WechatMpCredentials;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link EmbeddedAuthing}.
 */
class EmbeddedAuthingTests {

	private static final String PATH = "/api/v3/get-wechat-access-token";

	private final MovableClock clock = new MovableClock();

	private final EmbeddedWechat wechat = new EmbeddedWechat(this.clock, new WechatMpCredentials("wx1", "secret-1"));

	private final Duration refresh = EmbeddedWechat.TOKEN_LIFE.minus(this.wechat.overlap());

	private final EmbeddedAuthing authing = new EmbeddedAuthing(this.clock, this.wechat);

	private final LoopbackServer server = LoopbackServer.start(this.authing.routes());

	private final WebTestClient client = WebTestClient.bindToServer()
		.baseUrl(this.server.url())
		.defaultHeader("x-authing-app-id", EmbeddedAuthing.APP_ID)
		.build();

	@AfterEach
	void stop() {
		this.server.stop();
	}

	@ParameterizedTest
	@ValueSource(strings = { PATH, PATH + "-info" })
	void accessTokenShouldAnswerWithAToken(String path) {
		this.client.post()
			.uri(path)
			.bodyValue(Map.of("appId", "wx1", "appSecret", "secret-1"))
			.exchange()
			.expectStatus()
			.isOk()
			.expectHeader()
			.valueEqualsDate(HttpHeaders.DATE, this.clock.millis())
			.expectBody()
			.jsonPath("$.statusCode")
			.isEqualTo(200)
			.jsonPath("$.requestId")
			.isNotEmpty()
			.jsonPath("$.data.accessToken")
			.value(String.class, (token) -> assertThat(this.wechat.accepts(token)).isTrue())
			.jsonPath("$.data.expiresAt")
			.isEqualTo(this.clock.instant().plus(EmbeddedWechat.TOKEN_LIFE).getEpochSecond());
		assertThat(this.authing.calls()).isOne();
	}

	@Test
	void accessTokenWhenApplicationIsUnknownShouldAnswer404() {
		WebTestClient stranger = this.client.mutate()
			.defaultHeaders((headers) -> headers.set("x-authing-app-id", "unknown"))
			.build();
		stranger.post()
			.uri(PATH)
			.bodyValue(Map.of("appId", "wx1", "appSecret", "secret-1"))
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.statusCode")
			.isEqualTo(404)
			.jsonPath("$.apiCode")
			.isEqualTo(2011);
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "", "{", "[]", "{}", "{\"appId\": \"wx1\"}", "{\"appId\": \"wx1\", \"appSecret\": \" \"}" })
	void accessTokenWhenBodyIsNotUsableShouldAnswer400(String body) {
		this.client.post()
			.uri(PATH)
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue(body)
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.statusCode")
			.isEqualTo(400)
			.jsonPath("$.data")
			.doesNotExist();
	}

	@Test
	void accessTokenWhenBodyIsNotJsonShouldAnswer400() {
		this.client.post()
			.uri(PATH)
			.contentType(MediaType.TEXT_PLAIN)
			.bodyValue("appId=wx1")
			.exchange()
			.expectBody()
			.jsonPath("$.statusCode")
			.isEqualTo(400);
	}

	@Test
	void accessTokenWhenWechatRefusesShouldAnswer602() {
		fetch("wx1", "wrong").jsonPath("$.statusCode").isEqualTo(602).jsonPath("$.data").doesNotExist();
		fetch("wx2", "secret-1").jsonPath("$.statusCode").isEqualTo(602).jsonPath("$.data").doesNotExist();
	}

	@Test
	void accessTokenWhenTokenIsHeldAndSecretIsWrongShouldAnswer602() {
		fetchToken();
		fetch("wx1", "wrong").jsonPath("$.statusCode").isEqualTo(602).jsonPath("$.data").doesNotExist();
	}

	@Test
	void accessTokenWhenRefreshIsNotDueShouldAnswerWithTheSameToken() {
		String token = fetchToken();
		this.clock.advance(this.refresh.minusSeconds(1));
		assertThat(fetchToken()).isEqualTo(token);
	}

	@Test
	void accessTokenWhenRefreshIsDueShouldAnswerWithANewTokenWhileTheOldOneStillWorks() {
		String token = fetchToken();
		this.clock.advance(this.refresh);
		assertThat(fetchToken()).isNotEqualTo(token);
		assertThat(this.wechat.accepts(token)).isTrue();
	}

	@Test
	void accessTokenWhenTokenWasKilledShouldAnswerWithOneThatWorks() {
		String token = fetchToken();
		this.wechat.kill("wx1");
		assertThat(fetchToken()).isNotEqualTo(token)
			.satisfies((next) -> assertThat(this.wechat.accepts(next)).isTrue());
	}

	@Test
	void accessTokenWhenDownShouldCloseTheConnection() {
		this.authing.setMode(AuthingMode.DOWN);
		assertThatExceptionOfType(WebClientRequestException.class).isThrownBy(() -> fetch("wx1", "secret-1"));
		assertThat(this.authing.calls("wx1")).isPositive();
		this.authing.setMode(AuthingMode.UP);
		assertThat(fetchToken()).isNotEmpty();
	}

	@Test
	void accessTokenWhenThrottledShouldAnswer429() {
		this.authing.setMode(AuthingMode.THROTTLED);
		this.client.post()
			.uri(PATH)
			.bodyValue(Map.of("appId", "wx1", "appSecret", "secret-1"))
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.TOO_MANY_REQUESTS)
			.expectHeader()
			.valueEquals(HttpHeaders.RETRY_AFTER, "2")
			.expectBody()
			.jsonPath("$.statusCode")
			.isEqualTo(429);
	}

	@Test
	void accessTokenWhenHtmlShouldAnswerWithAWebPage() {
		this.authing.setMode(AuthingMode.HTML);
		this.client.post()
			.uri(PATH)
			.bodyValue(Map.of("appId", "wx1", "appSecret", "secret-1"))
			.exchange()
			.expectStatus()
			.isOk()
			.expectHeader()
			.contentTypeCompatibleWith(MediaType.TEXT_HTML);
	}

	@Test
	void callsShouldBeCountedByAccount() {
		fetchToken();
		assertThat(this.authing.calls("wx1")).isOne();
		assertThat(this.authing.calls("wx2")).isZero();
	}

	private BodyContentSpec fetch(String appId, String appSecret) {
		return this.client.post()
			.uri(PATH)
			.bodyValue(Map.of("appId", appId, "appSecret", appSecret))
			.exchange()
			.expectBody();
	}

	private String fetchToken() {
		Answer answer = this.client.post()
			.uri(PATH)
			.bodyValue(Map.of("appId", "wx1", "appSecret", "secret-1"))
			.exchange()
			.expectBody(Answer.class)
			.returnResult()
			.getResponseBody();
		return Objects.requireNonNull(answer).data().accessToken();
	}

	private record Answer(Data data) {

		private record Data(String accessToken) {
		}

	}

}
