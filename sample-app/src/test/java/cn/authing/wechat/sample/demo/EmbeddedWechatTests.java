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

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.test.web.reactive.server.WebTestClient.ResponseSpec;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.sample.demo.EmbeddedWechat.WechatRefusal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link EmbeddedWechat}.
 */
class EmbeddedWechatTests {

	private static final WechatMpCredentials ACCOUNT = new WechatMpCredentials("wx1", "secret-1");

	private static final WechatMpCredentials OTHER_ACCOUNT = new WechatMpCredentials("wx2", "secret-2");

	private final MovableClock clock = new MovableClock();

	private final EmbeddedWechat wechat = new EmbeddedWechat(this.clock, ACCOUNT, OTHER_ACCOUNT);

	private final LoopbackServer server = LoopbackServer.start(this.wechat.routes());

	private final WebTestClient client = WebTestClient.bindToServer().baseUrl(this.server.url()).build();

	@AfterEach
	void stop() {
		this.server.stop();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/cgi-bin/getcallbackip", "/cgi-bin/get_api_domain_ip", "/cgi-bin/user/get" })
	void callWhenTokenIsLatestShouldAnswer(String path) throws WechatRefusal {
		call(path, newToken()).expectStatus()
			.isOk()
			.expectHeader()
			.contentTypeCompatibleWith(MediaType.APPLICATION_JSON)
			.expectBody()
			.jsonPath("$.errcode")
			.doesNotExist();
		assertThat(this.wechat.rejectedCalls()).isZero();
	}

	@Test
	void callWhenTokenIsMissingShouldAnswer41001() {
		this.client.get().uri("/cgi-bin/getcallbackip").exchange().expectBody().jsonPath("$.errcode").isEqualTo(41001);
	}

	@Test
	void callWhenTokenIsUnknownShouldAnswer40001AsPlainText() {
		call("/cgi-bin/getcallbackip", "unknown").expectStatus()
			.isOk()
			.expectHeader()
			.contentTypeCompatibleWith(MediaType.TEXT_PLAIN)
			.expectBody()
			.jsonPath("$.errcode")
			.isEqualTo(40001);
		assertThat(this.wechat.rejectedCalls()).isOne();
	}

	@Test
	void callWhenTokenHasExpiredShouldAnswer42001() throws WechatRefusal {
		String token = newToken();
		this.clock.advance(EmbeddedWechat.TOKEN_LIFE);
		assertThatAnswerTo(token, 42001);
	}

	@Test
	void callWhenTokenIsTheOneBeforeTheLatestShouldAnswerForTheOverlap() throws WechatRefusal {
		String token = newToken();
		String latest = newToken();
		this.clock.advance(this.wechat.overlap().minusSeconds(1));
		assertThat(this.wechat.accepts(token)).isTrue();
		assertThat(this.wechat.accepts(latest)).isTrue();
		this.clock.advance(Duration.ofSeconds(1));
		assertThatAnswerTo(token, 42001);
		assertThat(this.wechat.accepts(latest)).isTrue();
	}

	@Test
	void callWhenTwoTokensWereForcedSinceShouldAnswer40001() throws WechatRefusal {
		String token = newToken();
		newToken();
		newToken();
		assertThatAnswerTo(token, 40001);
	}

	@Test
	void killShouldRejectTheTokensOfThatAccountOnly() throws WechatRefusal {
		String token = newToken();
		String ofOtherAccount = this.wechat.newToken(OTHER_ACCOUNT).accessToken();
		this.wechat.kill("wx1");
		assertThatAnswerTo(token, 40001);
		assertThat(this.wechat.accepts(ofOtherAccount)).isTrue();
	}

	@Test
	void newTokenShouldLiveForTheTokensLife() throws WechatRefusal {
		WechatMpAccessToken token = this.wechat.newToken(ACCOUNT);
		assertThat(token.expiresAt()).isEqualTo(this.clock.instant().plus(EmbeddedWechat.TOKEN_LIFE));
		assertThat(token.accessToken()).hasSizeGreaterThan(100);
	}

	@Test
	void newTokenWhenAppIdIsUnknownShouldBeRefused() {
		assertThatExceptionOfType(WechatRefusal.class)
			.isThrownBy(() -> this.wechat.newToken(new WechatMpCredentials("wx3", "secret-1")))
			.satisfies((ex) -> assertThat(ex.errcode()).isEqualTo(40013));
	}

	@Test
	void newTokenWhenSecretIsWrongShouldBeRefused() {
		assertThatExceptionOfType(WechatRefusal.class)
			.isThrownBy(() -> this.wechat.newToken(new WechatMpCredentials("wx1", "secret-2")))
			.satisfies((ex) -> assertThat(ex.errcode()).isEqualTo(40125));
	}

	private String newToken() throws WechatRefusal {
		return this.wechat.newToken(ACCOUNT).accessToken();
	}

	private ResponseSpec call(String path, String token) {
		return this.client.get().uri(path + "?access_token={token}", token).exchange();
	}

	private void assertThatAnswerTo(String token, int errcode) {
		call("/cgi-bin/getcallbackip", token).expectBody().jsonPath("$.errcode").isEqualTo(errcode);
	}

}
