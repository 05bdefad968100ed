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

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.test.web.reactive.server.WebTestClient.BodyContentSpec;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the application with an Authing and a WeChat elsewhere, healthy and not.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, properties = { "authing.app-id=authing-1",
		"authing.app-secret=authing-secret-1", "authing.wechat.app-id=wx-default",
		"authing.wechat.app-secret=wechat-secret-1", "authing.wechat.accounts.refused.app-id=wx-refused",
		"authing.wechat.accounts.refused.app-secret=wechat-secret-2",
		"authing.wechat.accounts.throttled.app-id=wx-throttled",
		"authing.wechat.accounts.throttled.app-secret=wechat-secret-3", "authing.wechat.accounts.html.app-id=wx-html",
		"authing.wechat.accounts.html.app-secret=wechat-secret-4", "authing.retry.max-attempts=1",
		"authing.wechat.api.hosts=127.0.0.1", "logging.level.cn.authing=TRACE",
		"logging.level.org.springframework.web=DEBUG" })
@AutoConfigureWebTestClient
@ExtendWith(OutputCaptureExtension.class)
class RealApplicationTests {

	private static final String TOKEN = "the-whole-token-".repeat(8);

	private static final Instant EXPIRY = Instant.now().plusSeconds(7200).truncatedTo(ChronoUnit.SECONDS);

	private static final UpstreamStub upstream = new UpstreamStub();

	private final WebTestClient client;

	@Autowired
	RealApplicationTests(WebTestClient client) {
		this.client = client;
	}

	@DynamicPropertySource
	static void upstream(DynamicPropertyRegistry registry) {
		registry.add("authing.app-host", upstream::url);
		registry.add("authing.wechat.api.hosts", () -> "127.0.0.1");
		registry.add("spring.http.serviceclient.wechat.base-url", upstream::url);
	}

	@BeforeEach
	void answer() {
		upstream.answer("wx-default", """
				{"statusCode": 200, "message": "ok", "data": {"accessToken": "%s", "expiresAt": %d}}""".formatted(TOKEN,
				EXPIRY.getEpochSecond()));
		upstream.answer("wx-refused", """
				{"statusCode": 404, "apiCode": 2011, "message": "no such app", "requestId": "request-1"}""");
		upstream.answer("wx-throttled", """
				{"statusCode": 429, "message": "too many requests", "requestId": "request-2"}""",
				Map.of("Retry-After", "7"));
		upstream.answerWithHtml("wx-html");
		upstream.answerWechatCalls("""
				{"ip_list": ["192.0.2.1"]}""");
	}

	@AfterAll
	static void stop() {
		upstream.stop();
	}

	@Test
	void tokenShouldShowTheBeginningOfAuthingsToken(CapturedOutput output) {
		this.client.get()
			.uri("/token")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.accessToken")
			.isEqualTo(TOKEN.substring(0, 6) + "\u2026")
			.jsonPath("$.expiresAt")
			.isEqualTo(EXPIRY.toString());
		assertThat(upstream.requests()).anySatisfy((request) -> {
			assertThat(request.authingAppId()).isEqualTo("authing-1");
			assertThat(request.body().path("appId").asString()).isEqualTo("wx-default");
			assertThat(request.body().path("appSecret").asString()).isEqualTo("wechat-secret-1");
		});
		assertThat(output).doesNotContain(TOKEN).doesNotContain("wechat-secret").doesNotContain("authing-secret");
	}

	@Test
	void tokenWhenRevealIsAskedForShouldBeForbidden() {
		problem("/token?reveal=true", HttpStatus.FORBIDDEN).jsonPath("$.detail")
			.value(String.class, (detail) -> assertThat(detail).contains("demo").doesNotContain(TOKEN));
	}

	@Test
	void tokenWhenAuthingRefusesShouldAnswer502(CapturedOutput output) {
		problem("/token/refused", HttpStatus.BAD_GATEWAY).jsonPath("$.statusCode")
			.isEqualTo(404)
			.jsonPath("$.apiCode")
			.isEqualTo(2011)
			.jsonPath("$.requestId")
			.isEqualTo("request-1")
			.jsonPath("$.detail")
			.value(String.class, (detail) -> assertThat(detail).doesNotContain("secret"))
			.jsonPath("$.trace")
			.doesNotExist();
		assertThat(output).doesNotContain("wechat-secret").doesNotContain("authing-secret");
	}

	@Test
	void tokenWhenAuthingThrottlesShouldAnswer503AndPassOnWhenToAskAgain() {
		this.client.get()
			.uri("/token/throttled")
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.SERVICE_UNAVAILABLE)
			.expectHeader()
			.valueEquals(HttpHeaders.RETRY_AFTER, "7")
			.expectHeader()
			.contentType(MediaType.APPLICATION_PROBLEM_JSON)
			.expectBody()
			.jsonPath("$.statusCode")
			.isEqualTo(429)
			.jsonPath("$.requestId")
			.isEqualTo("request-2");
	}

	@Test
	void tokenWhenAuthingAnswersWithHtmlShouldAnswer502() {
		problem("/token/html", HttpStatus.BAD_GATEWAY).jsonPath("$.detail")
			.value(String.class, (detail) -> assertThat(detail).doesNotContain("Sign in"));
	}

	@Test
	void callbackIpShouldAnswerWithWechatsAnswer() {
		this.client.get()
			.uri("/wechat/callback-ip")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.ipList[0]")
			.isEqualTo("192.0.2.1");
	}

	@Test
	void callbackIpWhenWechatRefusesShouldAnswer502() {
		upstream.answerWechatCalls("""
				{"errcode": 48001, "errmsg": "api unauthorized"}""");
		problem("/wechat/callback-ip", HttpStatus.BAD_GATEWAY).jsonPath("$.errcode")
			.isEqualTo(48001)
			.jsonPath("$.detail")
			.value(String.class, (detail) -> assertThat(detail).contains("api unauthorized"));
	}

	@Test
	void callbackIpWhenWechatsAnswerIsNotUsableShouldAnswer502(CapturedOutput output) {
		upstream.answerWechatCalls("<html>");
		problem("/wechat/callback-ip", HttpStatus.BAD_GATEWAY);
		upstream.answerWechatCalls("");
		problem("/wechat/callback-ip", HttpStatus.BAD_GATEWAY);
		assertThat(output).doesNotContain(TOKEN);
	}

	@Test
	void pageShouldOnlyWatch() {
		this.client.get().uri("/token").exchange().expectStatus().isOk();
		this.client.get()
			.uri("/")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody(String.class)
			.value((page) -> assertThat(page).contains("wx-default", "wx-refused", "\"controls\":null")
				.doesNotContain("<form", "id=\"controls\"", "data-reject", "data-burst", TOKEN.substring(0, 6)));
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			/demo/burst                | {"cold": true}
			/demo/stream               | {"on": true}
			/demo/authing              | {"mode": "DOWN"}
			/demo/reject               | {"account": "default"}
			/demo/redis                | {"on": false}
			/wechat/subscribe-messages | {"touser": "o-1", "template_id": "t", "data": {}}
			""")
	void controlsShouldNotBeThere(String uri, String body) {
		this.client.post()
			.uri(uri)
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue(body)
			.exchange()
			.expectStatus()
			.isNotFound()
			.expectBody()
			.jsonPath("$.title")
			.isEqualTo("Not in the demo");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/wechat/phone-number?code=1", "/wechat/code?scene=1" })
	void wechatCallsThatShowWhatIsEntrustedShouldNotBeThere(String uri) {
		problem(uri, HttpStatus.NOT_FOUND).jsonPath("$.title").isEqualTo("Not in the demo");
	}

	@Test
	void actuatorShouldOnlyRead() {
		this.client.get().uri("/actuator/authingwechat/default").exchange().expectStatus().isOk();
		this.client.delete()
			.uri("/actuator/authingwechat/default")
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.METHOD_NOT_ALLOWED);
		this.client.post()
			.uri("/actuator/authingwechat/default")
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue("{\"operation\": \"refresh\"}")
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.METHOD_NOT_ALLOWED);
	}

	@Test
	void healthShouldBeDownWithTheFailuresCodes() {
		this.client.get()
			.uri("/actuator/health")
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.SERVICE_UNAVAILABLE)
			.expectBody(String.class)
			.value((health) -> assertThat(health).contains("2011", "request-1").doesNotContain(TOKEN));
	}

	private BodyContentSpec problem(String uri, HttpStatus status) {
		return this.client.get()
			.uri(uri)
			.exchange()
			.expectStatus()
			.isEqualTo(status)
			.expectHeader()
			.contentType(MediaType.APPLICATION_PROBLEM_JSON)
			.expectBody();
	}

}
