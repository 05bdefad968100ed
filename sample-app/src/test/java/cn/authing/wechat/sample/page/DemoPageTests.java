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

package cn.authing.wechat.sample.page;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.test.web.reactive.server.WebTestClient.ResponseSpec;

import cn.authing.wechat.sample.demo.AuthingMode;
import cn.authing.wechat.sample.demo.Demo;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the page in profile {@code demo}, without a browser.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "sample.demo.stream=false", "authing.retry.max-attempts=1" })
@AutoConfigureWebTestClient
@ActiveProfiles("demo")
class DemoPageTests {

	private static final Pattern REFERENCE = Pattern.compile("(?:src|href|from|import)[=\\s]\\s*\"([^\"#]+)\"");

	private final WebTestClient client;

	private final Demo demo;

	@Autowired
	DemoPageTests(WebTestClient client, Demo demo) {
		this.client = client;
		this.demo = demo;
	}

	@AfterEach
	void up() {
		this.demo.setAuthingMode(AuthingMode.UP);
	}

	@Test
	void pageShouldShowTheAccountsBeforeAnyScriptRuns() {
		this.client.get().uri("/token").exchange().expectStatus().isOk();
		assertThat(get("/")).contains("data-account=\"default\"", "data-account=\"shop\"", "wx00000000000000c3",
				"data-state=\"FRESH\">FRESH<", "<noscript>");
	}

	@ParameterizedTest
	@CsvSource({ "zh-CN, zh-CN, 事件日志", "'zh-Hant-HK,zh;q=0.9,en;q=0.8', zh-CN, 事件日志", "en-GB, en, Event log",
			"fr, en, Event log", "'fr,zh;q=0.5', zh-CN, 事件日志", "*, en, Event log",
			"'not a language;;', en, Event log" })
	void pageShouldBeInTheBrowsersLanguage(String accepted, String language, String words) {
		assertThat(this.client.get()
			.uri("/")
			.header(HttpHeaders.ACCEPT_LANGUAGE, accepted)
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody(String.class)
			.returnResult()
			.getResponseBody()).contains("<html lang=\"" + language + "\"", words);
	}

	@Test
	void pageShouldRememberTheLanguageThatWasChosen() {
		this.client.get()
			.uri("/?lang=zh")
			.exchange()
			.expectStatus()
			.isSeeOther()
			.expectHeader()
			.location("/")
			.expectCookie()
			.valueEquals("lang", "zh");
		this.client.get()
			.uri("/")
			.cookie("lang", "zh")
			.header(HttpHeaders.ACCEPT_LANGUAGE, "en")
			.exchange()
			.expectBody(String.class)
			.value((page) -> assertThat(page).contains("<html lang=\"zh-CN\""));
	}

	@Test
	void pageWhenCookiesAreForgedShouldIgnoreThem() {
		this.client.get()
			.uri("/?lang=%3Cscript%3E")
			.exchange()
			.expectStatus()
			.isSeeOther()
			.expectCookie()
			.doesNotExist("lang");
		this.client.get()
			.uri("/")
			.cookie("lang", "../x")
			.cookie("theme", "x")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody(String.class)
			.value((page) -> assertThat(page).contains("data-theme=\"auto\""));
	}

	@Test
	void textsShouldBeTheSameInBothLanguages() throws Exception {
		Map<String, String> english = texts("en");
		Map<String, String> chinese = texts("zh");
		assertThat(chinese.keySet()).hasSameElementsAs(english.keySet());
		english.forEach((key, text) -> assertThat(placeholders(chinese.get(key))).as("%s", key)
			.hasSameElementsAs(placeholders(text)));
	}

	private static Map<String, String> texts(String language) throws IOException {
		return JsonMapper.shared()
			.readValue(Files.readString(Path.of("src/main/resources/texts", language + ".json")),
					new TypeReference<>() {
					});
	}

	private static List<String> placeholders(@Nullable String text) {
		return Pattern.compile("\\{\\w+}").matcher(String.valueOf(text)).results().map(MatchResult::group).toList();
	}

	@Test
	void pageShouldNeedNothingFromElsewhereAndAllOfItShouldBeThere() {
		Deque<String> pending = new ArrayDeque<>(List.of("/"));
		Set<String> seen = new LinkedHashSet<>();
		while (!pending.isEmpty()) {
			String path = pending.pop();
			if (seen.add(path) && !path.startsWith("/actuator") && !path.startsWith("/?")
					&& !path.startsWith("/webjars")) {
				REFERENCE.matcher(get(path)).results().map((match) -> match.group(1)).forEach((reference) -> {
					assertThat(reference).matches("\\.?/[^/].*|/");
					pending.push(reference.startsWith("./") ? "/page" + reference.substring(1) : reference);
				});
			}
		}
		assertThat(seen).contains("/page/main.js", "/page/live.js", "/page/page.css", "/favicon.svg")
			.anyMatch((path) -> path.endsWith("uPlot.esm.js"));
		seen.stream()
			.filter((path) -> path.startsWith("/webjars"))
			.forEach((path) -> assertThat(get(path)).isNotEmpty());
	}

	@Test
	void pageShouldShowThisVersion() throws Exception {
		Matcher version = Pattern.compile("<version>([^<]+)</version>").matcher(Files.readString(Path.of("pom.xml")));
		assertThat(version.find()).isTrue();
		assertThat(get("/")).contains("&lt;version&gt;" + version.group(1) + "&lt;/version&gt;");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/page/main.js", "/token", "/not-there", "/token/unknown", "/actuator/health",
			"/?lang=zh", "/events" })
	void responsesShouldHaveTheSecurityHeaders(String uri) {
		this.client.get()
			.uri(uri)
			.exchange()
			.expectHeader()
			.value("Content-Security-Policy",
					(policy) -> assertThat(policy)
						.contains("default-src 'none'", "script-src 'self'", "style-src 'self'",
								"frame-ancestors 'none'")
						.doesNotContain("unsafe"))
			.expectHeader()
			.valueEquals("X-Content-Type-Options", "nosniff")
			.expectHeader()
			.valueEquals("X-Frame-Options", "DENY")
			.expectHeader()
			.valueEquals("Referrer-Policy", "no-referrer");
	}

	@Test
	void callThatWechatRefusesShouldBeCountedAsFailed() {
		this.client.get().uri("/token/mini-program").exchange().expectStatus().isOk();
		long failed = firstUpdate().path("failed").asLong();
		this.demo.setAuthingMode(AuthingMode.DOWN);
		post("/demo/reject", "{\"account\": \"mini-program\"}").expectBody().jsonPath("$.answered").isEqualTo(false);
		assertThat(firstUpdate().path("failed").asLong()).isGreaterThan(failed);
	}

	@Test
	void eventsShouldBeginWithAllThatIsKnown() {
		JsonNode update = firstUpdate();
		assertThat(update.path("accounts")).hasSize(3);
		assertThat(update.path("log")).isNotEmpty();
		assertThat(update.path("controls").path("authing").asString()).isEqualTo("up");
	}

	@Test
	void burstWhenColdShouldCauseOneRequest() {
		post("/demo/burst", "{\"cold\": true}").expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.callers")
			.isEqualTo(1000)
			.jsonPath("$.requests")
			.isEqualTo(1)
			.jsonPath("$.failed")
			.isEqualTo(0);
	}

	@Test
	void burstWhenWarmShouldCauseNone() {
		this.client.get().uri("/token").exchange().expectStatus().isOk();
		post("/demo/burst", "{\"cold\": false}").expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.failed")
			.isEqualTo(0)
			.jsonPath("$.requests")
			.value(Integer.class, (requests) -> assertThat(requests).isLessThanOrEqualTo(1));
	}

	@ParameterizedTest
	@EnumSource(names = { "DOWN", "THROTTLED", "HTML" })
	void authingWhenItFailsShouldFailNoCallerThatHasAToken(AuthingMode mode) {
		this.client.get().uri("/token").exchange().expectStatus().isOk();
		post("/demo/authing", "{\"mode\": \"" + mode + "\"}").expectStatus().isNoContent();
		assertThat(this.demo.authingMode()).isEqualTo(mode);
		this.client.get().uri("/token").exchange().expectStatus().isOk();
	}

	@Test
	void rejectShouldRecover() {
		long rejected = this.demo.rejectedWechatCalls();
		post("/demo/reject", "{\"account\": \"shop\"}").expectStatus()
			.isOk()
			.expectBody()
			.jsonPath("$.answered")
			.isEqualTo(true);
		assertThat(this.demo.rejectedWechatCalls()).isEqualTo(rejected + 1);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			/demo/reject  | {"account": "unknown"} | 404
			/demo/reject  | {}                     | 400
			/demo/authing | {"mode": "BROKEN"}     | 400
			/demo/authing | {}                     | 400
			/demo/burst   | {}                     | 400
			/demo/redis   | {"on": false}          | 404
			""")
	void controlWhenRequestIsWrongShouldSaySo(String uri, String body, int status) {
		post(uri, body).expectStatus()
			.isEqualTo(HttpStatus.valueOf(status))
			.expectBody()
			.jsonPath("$.detail")
			.isNotEmpty();
	}

	@Test
	void controlWhenRequestIsAFormsShouldBeRefused() {
		this.client.post()
			.uri("/demo/stream")
			.contentType(MediaType.TEXT_PLAIN)
			.bodyValue("{\"on\": false}")
			.exchange()
			.expectStatus()
			.isEqualTo(HttpStatus.UNSUPPORTED_MEDIA_TYPE);
	}

	@ParameterizedTest
	@CsvSource({ "Sec-Fetch-Site, cross-site", "Sec-Fetch-Site, same-site", "Origin, https://evil.example",
			"Origin, null" })
	void requestWhenFromAnotherSiteShouldBeRefused(String header, String value) {
		for (String uri : new String[] { "/demo/burst", "/wechat/subscribe-messages",
				"/actuator/authingwechat/default" }) {
			this.client.post()
				.uri(uri)
				.header(header, value)
				.contentType(MediaType.APPLICATION_JSON)
				.bodyValue("{}")
				.exchange()
				.expectStatus()
				.isForbidden();
		}
	}

	private JsonNode firstUpdate() {
		return JsonMapper.shared()
			.readTree(Objects.requireNonNull(this.client.get()
				.uri("/events")
				.accept(MediaType.TEXT_EVENT_STREAM)
				.exchange()
				.expectStatus()
				.isOk()
				.returnResult(String.class)
				.getResponseBody()
				.blockFirst()));
	}

	private ResponseSpec post(String uri, String body) {
		return this.client.post()
			.uri(uri)
			.header("Sec-Fetch-Site", "same-origin")
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue(body)
			.exchange();
	}

	private String get(String uri) {
		return Objects.requireNonNull(this.client.get()
			.uri(uri)
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody(String.class)
			.returnResult()
			.getResponseBody(), uri);
	}

}
