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

package cn.authing.wechat.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.security.cert.CertificateExpiredException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.core.NestedRuntimeException;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.util.backoff.BackOff;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingServer.Answer;
import cn.authing.wechat.client.AuthingServer.Request;
import cn.authing.wechat.test.LoopbackServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * Tests for {@link DefaultAuthingWechatClient}.
 */
class DefaultAuthingWechatClientTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private static final String SECRET = "wechat-app-secret";

	private static final String TOKEN = "the-access-token";

	private static final String DATE = "Date: Sun, 22 Nov 2026 20:00:00 GMT";

	private static final Instant NOW = Instant.parse("2026-11-22T20:00:00Z");

	private static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx1234", SECRET);

	@Test
	void fetchShouldSendWhatTheOperationAsksFor() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			assertThat(fetch(client(server)).token())
				.isEqualTo(new WechatMpAccessToken(TOKEN, Instant.ofEpochSecond(1900000000)));
			Request request = server.request();
			assertThat(request.method()).isEqualTo("POST");
			assertThat(request.path()).isEqualTo("/api/v3/get-wechat-access-token");
			assertThat(request.headers()).containsEntry("Content-Type", "application/json")
				.containsEntry("Accept", "application/json")
				.containsEntry("x-authing-app-id", "authing-app")
				.containsEntry("x-authing-lang", "zh-CN")
				.containsEntry("x-authing-request-from", "authing-wechat-spring-boot-starter")
				.containsKey("x-authing-sdk-version")
				.containsEntry("Content-Length", String.valueOf(request.body().length()))
				.doesNotContainKey("Authorization");
			assertThat(request.body()).isEqualTo("{\"appId\":\"wx1234\",\"appSecret\":\"" + SECRET + "\"}");
		}
	}

	@Test
	void fetchWhenOtherOperationShouldCallThat() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			AuthingClientSettings settings = new AuthingClientSettings(server.uri(), "authing-app",
					AuthingOperation.ACCESS_TOKEN_INFO, "en-US", Map.of(), LIMIT, Duration.ofMinutes(1), retry(1));
			fetch(new DefaultAuthingWechatClient(WebClient.create(), settings));
			assertThat(server.request().path()).isEqualTo("/api/v3/get-wechat-access-token-info");
			assertThat(server.request().headers()).containsEntry("x-authing-lang", "en-US");
		}
	}

	@ParameterizedTest
	@CsvSource({ "'',''", "/,''", "/authing,/authing", "/authing/,/authing", "/a%20b,/a%20b" })
	void fetchWhenAppHostHasPathShouldPutItBeforeTheOperation(String path, String expected) {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			fetch(client(server.uri("http", path), LIMIT, Map.of()));
			assertThat(server.request().path()).isEqualTo(expected + "/api/v3/get-wechat-access-token");
		}
	}

	@Test
	void fetchWhenExtraHeadersShouldSendThemAndLetThemReplaceItsOwn() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			fetch(client(server.uri(), LIMIT,
					Map.of("Authorization", "Bearer gateway", "X-Authing-App-Id", "another-app")));
			assertThat(server.request().headers()).containsEntry("Authorization", "Bearer gateway")
				.containsEntry("x-authing-app-id", "another-app");
		}
	}

	@Test
	void fetchWhenWebClientHasBaseUrlShouldUseAppHost() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			WebClient webClient = WebClient.create("http://localhost:1/elsewhere");
			fetch(new DefaultAuthingWechatClient(webClient, settings(server.uri(), LIMIT, Map.of())));
			assertThat(server.requests()).hasSize(1);
		}
	}

	@Test
	void fetchShouldAskAtEachSubscriptionAndNotBefore() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			var fetch = client(server).getWechatMpAccessToken(CREDENTIALS);
			assertThat(server.requests()).isEmpty();
			fetch.block(LIMIT);
			fetch.block(LIMIT);
			assertThat(server.requests()).hasSize(2);
		}
	}

	@Test
	void fetchShouldReturnServerTimeAndRequestId() {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(200, success("1900000000"), "Content-Type: application/json", DATE))) {
			AuthingTokenResponse response = fetch(client(server));
			assertThat(response.serverTime()).isEqualTo(NOW);
			assertThat(response.requestId()).isEqualTo("request-1");
		}
	}

	@Test
	void fetchWhenDateIsUnreadableShouldReturnNoServerTime() {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(200, success("1900000000"), "Date: yesterday"))) {
			assertThat(fetch(client(server)).serverTime()).isNull();
		}
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "1900000000|2030-03-17T17:46:40Z", "'\"1900000000\"'|2030-03-17T17:46:40Z",
					"1900000000123|2030-03-17T17:46:40.123Z", "'\"1900000000123\"'|2030-03-17T17:46:40.123Z",
					"1.9E9|2030-03-17T17:46:40Z", "'\"2030-03-17T17:46:40Z\"'|2030-03-17T17:46:40Z",
					"'\"2030-03-18T01:46:40.5+08:00\"'|2030-03-17T17:46:40.500Z", "1000000000|2001-09-09T01:46:40Z" })
	void fetchWhenExpiryShouldReadIt(String expiresAt, Instant expected) {
		assertThat(expiry(expiresAt)).isEqualTo(expected);
	}

	@ParameterizedTest
	@ValueSource(strings = { "0", "\"0\"", "null", "\"\"", "\"soon\"", "-5", "true", "{}", "[1900000000]", "1e99",
			"\"2030-03-17\"" })
	void fetchWhenNoUsableExpiryShouldAddDefaultTtlToServerTime(String expiresAt) {
		assertThat(expiry(expiresAt)).isEqualTo(NOW.plusSeconds(60));
	}

	@ParameterizedTest
	@ExtendWith(OutputCaptureExtension.class)
	@CsvSource(delimiter = '|',
			value = { "'\"2030-03-17 17:46\"'|'2030-03-17 17:46'", "'\"soon\"'|STRING (4 characters)", "true|BOOLEAN" })
	void fetchWhenExpiryIsUnreadableShouldWarnOnce(String expiresAt, String shown, CapturedOutput output) {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(200, success(expiresAt), DATE))) {
			DefaultAuthingWechatClient client = client(server);
			fetch(client);
			fetch(client);
		}
		assertThat(output).containsOnlyOnce("'expiresAt'").contains(shown, "authing.wechat.cache.default-ttl");
	}

	@Test
	void fetchShouldReturnTheWholeAnswer() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			AuthingTokenResponse response = fetch(client(server));
			assertThat(response.statusCode()).isEqualTo(200);
			assertThat(response.message()).isEqualTo("ok");
			assertThat(response.requestId()).isEqualTo("request-1");
			assertThat(response.token().accessToken()).isEqualTo(TOKEN);
		}
	}

	@ParameterizedTest
	@CsvSource({ "602,'',true", "422,'',true", "404,'',false", "603,'',true", "499,errcode 40013,true",
			"499,errcode 40125,true", "499,other,false" })
	void fetchWhenOwnPairIsRefusedShouldNameTheMissingProperties(int statusCode, String message, boolean named) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.json("{\"statusCode\":" + statusCode + ",\"message\":\"" + message + "\"}"))) {
			AuthingApiException failure = catchThrowableOfType(AuthingApiException.class,
					() -> client(server).fetch(new WechatMpCredentials("authing-app", SECRET)).block(LIMIT));
			String advice = "own app id and secret were sent";
			String text = String.valueOf(failure.getMessage());
			assertThat(text.contains(advice)).isEqualTo(named);
			assertThat(text.contains("authing.wechat.app-secret are probably missing")).isEqualTo(named);
			assertThat(failure(client(server), AuthingApiException.class)).message().doesNotContain(advice);
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 422, 602 })
	void fetchWhenWechatAccountIsRefusedShouldNameItsProperties(int statusCode) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.json("{\"statusCode\":" + statusCode + ",\"message\":\"errcode 40125\"}"))) {
			assertThat(failure(client(server), AuthingApiException.class)).message()
				.contains(
						"(authing.wechat.app-id and authing.wechat.app-secret, or those below authing.wechat.accounts)");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "the-access-token", "wechat-app-secret", "WECHAT-APP-SECRET", "d2VjaGF0LWFwcC1zZWNyZXQ",
			"7765636861742d6170702d736563726574", "-app-secret", "a b", "id<script>", "\u200bid",
			"12345678901234567890123456789012345678901234567890123456789012345" })
	void fetchWhenRequestIdIsNoIdShouldNotTakeIt(String requestId) {
		try (AuthingServer server = new AuthingServer(AuthingServer.json("""
				{"statusCode":400,"requestId":"%s","data":{"accessToken":"%s"}}""".formatted(requestId, TOKEN)))) {
			AuthingApiException failure = failure(client(server), AuthingApiException.class);
			assertThat(failure.getRequestId()).isNull();
			assertThat(failure).message().doesNotContain("requestId");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "wechat-app-secret", "WeChat-App-Secret", "wechat-\\napp-secret",
			"wechat\u200b-app-secret", "w e c h a t - a p p - s e c r e t", "d2VjaGF0LWFwcC1zZWNyZXQ",
			"7765636861742D6170702D736563726574", "the-acc\\r\\ness-token", "the\u00ad-access-token" })
	void fetchWhenMessageHidesSecretShouldMaskIt(String hidden) {
		try (AuthingServer server = new AuthingServer(AuthingServer.json("""
				{"statusCode":400,"message":"wrong %s\u0085!\u009b","data":{"accessToken":"%s"}}""".formatted(hidden,
				TOKEN)))) {
			assertThat(failure(client(server), AuthingApiException.class)).message()
				.contains("message: wrong *** !.")
				.doesNotContainPattern("\\p{Cc}");
		}
	}

	@Test
	void fetchWhenExpiryIsAbsentShouldAddDefaultTtlToServerTime() {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(200, "{\"statusCode\":200,\"data\":{\"accessToken\":\"t\"}}", DATE))) {
			assertThat(fetch(client(server)).token().expiresAt()).isEqualTo(NOW.plusSeconds(60));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "text/plain", "text/html; charset=utf-8", "application/octet-stream", "nonsense" })
	void fetchWhenContentTypeIsOddShouldReadJson(String contentType) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(200, success("1900000000"), "Content-Type: " + contentType))) {
			assertThat(fetch(client(server)).token().accessToken()).isEqualTo(TOKEN);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "{\"statusCode\":200,\"extra\":[{}],\"data\":{\"accessToken\":\"t\",\"more\":1}}",
			"{\"statusCode\":\"200\",\"data\":{\"accessToken\":\"t\"}}",
			"\uFEFF{\"statusCode\":200,\"data\":{\"accessToken\":\"t\"}}\r\n" })
	void fetchWhenShapeIsLooseShouldReadIt(String body) {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(201, body))) {
			assertThat(fetch(client(server)).token().accessToken()).isEqualTo("t");
		}
	}

	@Test
	void fetchWhenTokenIsLongShouldReturnAllOfIt() {
		String token = "t".repeat(2000);
		try (AuthingServer server = new AuthingServer(AuthingServer.token(token))) {
			assertThat(fetch(client(server)).token().accessToken()).isEqualTo(token);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "{\"statusCode\":200,\"requestId\":\"request-1\"}",
			"{\"statusCode\":200,\"requestId\":\"request-1\",\"data\":null}",
			"{\"statusCode\":200,\"requestId\":\"request-1\",\"data\":{}}",
			"{\"statusCode\":200,\"requestId\":\"request-1\",\"data\":{\"accessToken\":null,\"expiresAt\":1900000000}}",
			"{\"statusCode\":200,\"requestId\":\"request-1\",\"data\":{\"accessToken\":\" \"}}",
			"{\"statusCode\":200,\"requestId\":\"request-1\",\"data\":\"token\"}",
			"{\"statusCode\":200,\"requestId\":\"request-1\",\"data\":[]}" })
	void fetchWhenSuccessHasNoTokenShouldFail(String body) {
		try (AuthingServer server = new AuthingServer(AuthingServer.json(body))) {
			AuthingResponseException failure = failure(client(server), AuthingResponseException.class);
			assertThat(failure).hasMessageContaining("no accessToken").hasMessageContaining("requestId request-1");
			assertThat(failure.getRequestId()).isEqualTo("request-1");
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@CsvSource({ "400, authing.wechat.app-secret", "401, authing.app-id", "402, plan", "403, authing.app-id",
			"404, authing.app-host", "409, support", "413, support", "422, authing.wechat.app-id", "499, support",
			"501, authing.wechat.operation", "603, support", "418, support" })
	void fetchWhenRefusedForGoodShouldFailAtOnce(int statusCode, String hint) {
		try (AuthingServer server = new AuthingServer(refusal(statusCode))) {
			AuthingApiException failure = failure(client(server), AuthingApiException.class);
			assertThat(failure.getStatusCode()).isEqualTo(statusCode);
			assertThat(failure.getApiCode()).isEqualTo(2011);
			assertThat(failure.getRequestId()).isEqualTo("request-1");
			assertThat(failure).hasNoCause()
				.hasMessageContainingAll("(localhost:" + server.uri().getPort() + ")", "'wx1234'",
						"statusCode " + statusCode, "apiCode 2011", "requestId request-1", "message: no such thing",
						hint);
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@CsvSource({ "429,3", "500,3", "502,3", "503,3", "601,3", "602,2" })
	void fetchWhenRefusedForNowShouldRepeat(int statusCode, int attempts) {
		try (AuthingServer server = new AuthingServer(refusal(statusCode))) {
			assertThat(failure(client(server), AuthingApiException.class).getStatusCode()).isEqualTo(statusCode);
			assertThat(server.requests()).hasSize(attempts);
		}
	}

	@Test
	void fetchWhenRepeatedSucceedsShouldReturnToken() {
		try (AuthingServer server = new AuthingServer(refusal(500), AuthingServer.reset(),
				AuthingServer.token(TOKEN))) {
			assertThat(fetch(client(server)).token().accessToken()).isEqualTo(TOKEN);
			assertThat(server.requests()).hasSize(3);
		}
	}

	@Test
	void fetchWhenRefusedWithHttpStatusShouldReadTheRefusal() {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(403, "{\"statusCode\":404,\"message\":\"gone\"}"))) {
			AuthingApiException failure = failure(client(server), AuthingApiException.class);
			assertThat(failure.getStatusCode()).isEqualTo(404);
			assertThat(failure.getApiCode()).isNull();
			assertThat(failure.getRequestId()).isNull();
		}
	}

	@Test
	void fetchWhenHttpStatusFailsButBodySaysSuccessShouldFail() {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(403, success("1900000000")))) {
			assertThat(failure(client(server), AuthingTransportException.class).getHttpStatus()).isEqualTo(403);
		}
	}

	@Test
	void fetchWhenMessageQuotesSecretOrTokenShouldMaskThem() {
		String opaque = "0123456789abcdef0123456789abcdef";
		String body = """
				{"statusCode":400,"requestId":"%1$s","message":"wrong %1$s,\\n %2$s, %3$s, gatewaysecret",\
				"data":{"accessToken":"%2$s"}}""".formatted(SECRET, TOKEN, opaque);
		try (AuthingServer server = new AuthingServer(AuthingServer.json(body))) {
			AuthingException failure = failure(
					client(server.uri(), LIMIT, Map.of("Authorization", "Bearer gatewaysecret")),
					AuthingApiException.class);
			assertThat(failure.getMessage()).contains("message: wrong ***,  ***, ***, ***.")
				.doesNotContain(opaque, "gatewaysecret");
			assertThat(failure.getRequestId()).isNull();
		}
	}

	@Test
	void fetchWhenMessageIsLongShouldCutIt() {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.json("{\"statusCode\":400,\"message\":\"" + "no ".repeat(5000) + "\"}"))) {
			assertThat(failure(client(server), AuthingApiException.class).getMessage()).hasSizeLessThan(1000);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "<html>the-access-token</html>", "", "{\"statusCode\":200,\"data\":{\"accessToken\":\"the",
			"[]", "null", "\"the-access-token\"", "{}", "{\"accessToken\":\"the-access-token\"}",
			"{\"statusCode\":\"fine\"}", "{\"statusCode\":200} the-access-token" })
	void fetchWhenNotTheDocumentedJsonShouldSayWhatCame(String body) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(200, body, "Content-Type: text/html; charset=utf-8"))) {
			AuthingResponseException failure = failure(client(server), AuthingResponseException.class);
			assertThat(failure).hasNoCause()
				.hasMessageContainingAll("HTTP status 200, text/html, ", body.length() + " bytes", "authing.app-host")
				.message()
				.doesNotContain("<html>");
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@CsvSource({ "200", "404" })
	void fetchWhenAnswerIsTooLargeShouldFail(int status) {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(status, TOKEN.repeat(100_000)))) {
			AuthingException failure = failure(client(server), AuthingException.class);
			assertThat(failure)
				.isInstanceOf((status == 200) ? AuthingResponseException.class : AuthingTransportException.class);
			assertThat(failure).hasMessageContaining("more than 65536 bytes").hasNoCause();
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@CsvSource({ "400,1", "401,1", "404,1", "407,1", "408,3", "429,3", "500,3", "501,1", "502,3", "503,3", "504,3",
			"522,3" })
	void fetchWhenGatewayAnswersShouldFailWithHttpStatus(int status, int attempts) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(status, "<html>no</html>", "Content-Type: text/html"))) {
			AuthingTransportException failure = failure(client(server), AuthingTransportException.class);
			assertThat(failure.getHttpStatus()).isEqualTo(status);
			assertThat(failure.isRetryable()).isEqualTo(attempts > 1);
			assertThat(failure).hasNoCause()
				.hasMessageContainingAll("HTTP status " + status, "text/html", "15 bytes", "gateway");
			assertThat(server.requests()).hasSize(attempts);
		}
	}

	@Test
	void fetchWhenRetryAfterFitsShouldWaitAndRepeat() {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(429, "", "Retry-After: 1"),
				AuthingServer.token(TOKEN))) {
			assertThat(fetch(client(server)).token().accessToken()).isEqualTo(TOKEN);
			assertThat(server.requests()).hasSize(2);
		}
	}

	@Test
	void fetchWhenRetryAfterDoesNotFitShouldFailAtOnce() {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(503, "", "Retry-After: 120"))) {
			assertThat(failure(client(server), AuthingTransportException.class).getRetryAfter())
				.isEqualTo(Duration.ofMinutes(2));
			assertThat(server.requests()).hasSize(1);
		}
	}

	@Test
	void fetchWhenRetryAfterIsDateShouldCountFromServerTime() {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(200, "{\"statusCode\":429}", DATE,
				"Retry-After: Sun, 22 Nov 2026 20:01:30 GMT"))) {
			assertThat(failure(client(server), AuthingApiException.class).getRetryAfter())
				.isEqualTo(Duration.ofSeconds(90));
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "soon", "-1", "99999999999999999999", "Sat, 21 Nov 2026 20:01:30 GMT" })
	void fetchWhenRetryAfterIsOfNoUseShouldBackOffAsUsual(String retryAfter) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(503, "", DATE, "Retry-After: " + retryAfter))) {
			assertThat(failure(client(server), AuthingTransportException.class).getRetryAfter()).isIn(null,
					Duration.ZERO);
			assertThat(server.requests()).hasSize(3);
		}
	}

	@ParameterizedTest
	@CsvSource({ "https://login.example.com/secret?code=1, another host", "/login, another path",
			"https://localhost/secret?code=1, https://localhost", "https://wechat-app-secret.example.com, another host",
			"'::', unreadable", "'', another path" })
	void fetchWhenRedirectedShouldNotFollow(String location, String target) {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(302, "", "Location: " + location))) {
			AuthingTransportException failure = failure(client(server), AuthingTransportException.class);
			assertThat(failure.getHttpStatus()).isEqualTo(302);
			assertThat(failure.isRetryable()).isFalse();
			assertThat(failure).hasMessageContainingAll(target, "authing.app-host is likely wrong")
				.message()
				.doesNotContain("secret?");
			assertThat(server.requests()).hasSize(1);
		}
	}

	@Test
	void fetchWhenConnectionIsRefusedShouldFail() throws IOException {
		URI uri;
		try (ServerSocket socket = new ServerSocket(0)) {
			uri = URI.create("http://localhost:" + socket.getLocalPort());
		}
		AuthingTransportException failure = failure(client(uri, LIMIT, Map.of()), AuthingTransportException.class);
		assertThat(failure.isRetryable()).isTrue();
		assertThat(failure.getHttpStatus()).isNull();
		assertThat(failure).hasCauseInstanceOf(ConnectException.class)
			.hasMessageContainingAll("no connection", "authing.app-host");
	}

	@Test
	void fetchWhenConnectionOfJettyTimesOutShouldSayThatThereIsNone() {
		assertThat(failure(new SocketTimeoutException("Connect Timeout"))).hasMessageContainingAll("no connection",
				"authing.connect-timeout");
	}

	@Test
	void fetchWhenCertificateHasExpiredShouldSayThat() {
		SSLException handshake = new SSLHandshakeException("validity check failed");
		handshake.initCause(new CertificateExpiredException());
		AuthingTransportException failure = failure(handshake);
		assertThat(failure.isRetryable()).isFalse();
		assertThat(failure).hasMessageContainingAll("TLS failed", "has expired", "clock");
		assertThat(failure).hasMessageNotContaining("authing.ssl.bundle");
	}

	@ParameterizedTest
	@MethodSource("connectors")
	void fetchWhenPortDoesNotSpeakTlsShouldSayThat(ClientHttpConnector connector) {
		try (LoopbackServer server = new LoopbackServer("plain-server")) {
			server.accept((socket) -> {
				byte[] buffer = new byte[4096];
				while (socket.getInputStream().read(buffer) != -1) {
					socket.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes());
				}
			});
			AuthingTransportException failure = failure(
					new DefaultAuthingWechatClient(WebClient.builder().clientConnector(connector).build(),
							settings(URI.create("https://localhost:" + server.port()), LIMIT, Map.of())),
					AuthingTransportException.class);
			assertThat(failure).hasMessageContainingAll("does not speak TLS", "Check the port in authing.app-host")
				.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("certificate", "485454502f"));
		}
	}

	static Stream<ClientHttpConnector> connectors() {
		return Stream.of(new JdkClientHttpConnector(), new ReactorClientHttpConnector());
	}

	@Test
	void fetchWhenHostIsUnknownShouldFail() {
		AuthingTransportException failure = failure(client(URI.create("http://host.invalid"), LIMIT, Map.of()),
				AuthingTransportException.class);
		assertThat(failure).hasMessageContainingAll("(host.invalid)", "authing.app-host");
	}

	@Test
	void fetchWhenConnectionIsResetShouldRepeatAndFail() {
		try (AuthingServer server = new AuthingServer(AuthingServer.reset())) {
			AuthingTransportException failure = failure(client(server), AuthingTransportException.class);
			assertThat(failure).hasMessageContaining("broke off").cause().isInstanceOf(IOException.class);
			assertThat(failure.isRetryable()).isTrue();
			assertThat(server.requests()).hasSizeGreaterThanOrEqualTo(3);
		}
	}

	@Test
	void fetchWhenAnswerBreaksOffShouldRepeatAndFail() {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.brokenOff("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"statusCode\":200"))) {
			assertThat(failure(client(server), AuthingTransportException.class)).hasMessageContaining("broke off");
			assertThat(server.requests()).hasSize(3);
		}
	}

	@Test
	void fetchWhenNotHttpShouldFail() {
		try (AuthingServer server = new AuthingServer(AuthingServer.brokenOff("SSH-2.0-OpenSSH " + TOKEN + "\r\n"))) {
			assertThat(failure(client(server), AuthingTransportException.class).getHttpStatus()).isNull();
		}
	}

	@Test
	void fetchWhenServerNeverAnswersShouldEndAtTheDeadline() {
		try (AuthingServer server = new AuthingServer(AuthingServer.silence())) {
			AuthingTransportException failure = failure(client(server.uri(), Duration.ofMillis(300), Map.of()),
					AuthingTransportException.class);
			assertThat(failure.isRetryable()).isTrue();
			assertThat(failure).hasNoCause()
				.hasMessageContainingAll("300 ms (authing.timeout)", "attempts: 1", "No complete answer came");
		}
	}

	@Test
	void fetchWhenDeadlineEndsRetriesShouldTellTheLastFailure() {
		try (AuthingServer server = new AuthingServer(refusal(502), AuthingServer.silence())) {
			AuthingTransportException failure = failure(client(server.uri(), Duration.ofSeconds(1), Map.of()),
					AuthingTransportException.class);
			assertThat(failure).hasMessageContainingAll("attempts: 2", "The last failure: ", "statusCode 502")
				.cause()
				.isInstanceOf(AuthingApiException.class);
		}
	}

	@Test
	void fetchWhenCancelledShouldCloseTheConnection() throws InterruptedException {
		CountDownLatch requested = new CountDownLatch(1);
		try (AuthingServer server = new AuthingServer((socket) -> requested.countDown())) {
			Disposable subscription = client(server).fetch(CREDENTIALS).subscribe();
			assertThat(requested.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
			subscription.dispose();
			assertThat(server.abandoned().await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
			assertThat(server.requests()).hasSize(1);
		}
	}

	@Test
	void fetchWhenServerRecoversShouldWorkAgain() {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(200, "<html>"),
				AuthingServer.token(TOKEN))) {
			DefaultAuthingWechatClient client = client(server);
			failure(client, AuthingResponseException.class);
			assertThat(fetch(client).token().accessToken()).isEqualTo(TOKEN);
		}
	}

	@Test
	void fetchShouldBeObservedByTemplateAndWithoutSecrets() {
		List<Observation.Context> contexts = new ArrayList<>();
		ObservationRegistry registry = ObservationRegistry.create();
		registry.observationConfig().observationHandler(new ObservationHandler<>() {

			@Override
			public void onStop(Observation.Context context) {
				contexts.add(context);
			}

			@Override
			public boolean supportsContext(Observation.Context context) {
				return true;
			}

		});
		try (AuthingServer server = new AuthingServer(AuthingServer.token(TOKEN))) {
			WebClient webClient = WebClient.builder().observationRegistry(registry).build();
			fetch(new DefaultAuthingWechatClient(webClient, settings(server.uri(), LIMIT, Map.of())));
		}
		assertThat(contexts).hasSize(1);
		assertThat(contexts.get(0).getLowCardinalityKeyValue("uri"))
			.isEqualTo(KeyValue.of("uri", "/api/v3/get-wechat-access-token"));
		assertThat(contexts.get(0).getAllKeyValues().stream().map(KeyValue::getValue).collect(Collectors.joining(" ")))
			.doesNotContain(SECRET, TOKEN);
	}

	@Test
	void settingsShouldShowNoHeaderValue() {
		assertThat(settings(URI.create("https://localhost"), LIMIT, Map.of("Authorization", "gatewaysecret")))
			.asString()
			.contains("Authorization")
			.doesNotContain("gatewaysecret");
	}

	@ParameterizedTest
	@ValueSource(strings = { "example.authing.cn", "/path", "https://user:password@localhost" })
	void settingsWhenAppHostIsUnfitShouldFail(String appHost) {
		assertThatIllegalArgumentException().isThrownBy(() -> settings(URI.create(appHost), LIMIT, Map.of()))
			.withMessageContaining("'appHost'")
			.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("password"));
	}

	private static Instant expiry(String expiresAt) {
		try (AuthingServer server = new AuthingServer(AuthingServer.answer(200, success(expiresAt), DATE))) {
			return fetch(client(server)).token().expiresAt();
		}
	}

	private static String success(String expiresAt) {
		return "{\"statusCode\":200,\"message\":\"\",\"requestId\":\"request-1\",\"data\":{\"accessToken\":\"" + TOKEN
				+ "\",\"expiresAt\":" + expiresAt + "}}";
	}

	private static Answer refusal(int statusCode) {
		return AuthingServer.json("{\"statusCode\":" + statusCode
				+ ",\"apiCode\":2011,\"requestId\":\"request-1\",\"message\":\"no such thing\",\"data\":null}");
	}

	private static AuthingTokenResponse fetch(AuthingWechatClient client) {
		return Objects.requireNonNull(client.fetch(CREDENTIALS).block(LIMIT));
	}

	private static <T extends AuthingException> T failure(AuthingWechatClient client, Class<T> type) {
		T failure = catchThrowableOfType(type, () -> client.fetch(CREDENTIALS).block(LIMIT));
		assertThat(failure).isNotNull();
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			assertThat(cause).isNotInstanceOfAny(NestedRuntimeException.class, JacksonException.class);
		}
		assertThat(failure).asString().doesNotContain(SECRET, TOKEN);
		return failure;
	}

	private static AuthingTransportException failure(IOException cause) {
		WebClient webClient = WebClient.builder().exchangeFunction((request) -> Mono.error(cause)).build();
		return failure(
				new DefaultAuthingWechatClient(webClient,
						settings(URI.create("https://authing.example"), LIMIT, Map.of())),
				AuthingTransportException.class);
	}

	private static DefaultAuthingWechatClient client(AuthingServer server) {
		return client(server.uri(), LIMIT, Map.of());
	}

	private static DefaultAuthingWechatClient client(URI appHost, Duration timeout, Map<String, String> headers) {
		return new DefaultAuthingWechatClient(WebClient.create(), settings(appHost, timeout, headers));
	}

	private static AuthingClientSettings settings(URI appHost, Duration timeout, Map<String, String> headers) {
		return new AuthingClientSettings(appHost, "authing-app", AuthingOperation.ACCESS_TOKEN, "zh-CN", headers,
				timeout, Duration.ofMinutes(1), retry(3));
	}

	private static BackOff retry(int maxAttempts) {
		return AuthingClientSettings.backOff(maxAttempts, Duration.ofMillis(10), Duration.ofMillis(20));
	}

}
