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
import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import cn.authing.wechat.sample.SampleApplication;
import cn.authing.wechat.sample.demo.AuthingMode;
import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.test.program.RequiresProgram;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the page in a real browser, in profile {@code demo} with times of half the
 * length.
 */
@RequiresProgram(value = "chromedriver", install = "chromium chromium-driver")
class BrowserTests {

	private static final String DEFAULT = "[data-account=default] ";

	private static ConfigurableApplicationContext application;

	private Browser browser;

	private long failedBefore;

	@BeforeAll
	static void start() {
		application = start(0);
	}

	@AfterAll
	static void stop() {
		application.close();
	}

	private static ConfigurableApplicationContext start(int port) {
		return new SpringApplicationBuilder(SampleApplication.class).profiles("demo")
			.run("--server.port=" + port, "--sample.demo.token-life=30s", "--authing.wechat.cache.refresh-ahead=13s",
					"--authing.wechat.cache.expiry-margin=6s", "--authing.wechat.cache.min-refresh-interval=1s",
					"--authing.wechat.cache.failure-backoff.max=1s");
	}

	@BeforeEach
	void open() {
		// Not with the instance, which a test that is skipped has, too.
		this.browser = Browser.open("en-US");
		this.browser.resize(1280, 900);
		this.browser.prefer("light");
		this.browser.get(url());
		awaitConnection("live");
		this.failedBefore = this.browser.number("#failed");
	}

	@AfterEach
	void close() {
		application.getBean(Demo.class).setAuthingMode(AuthingMode.UP);
		List<String> console = this.browser.console();
		this.browser.close();
		// That the application was away while it was started anew is what one of the
		// tests is about.
		assertThat(console).filteredOn((message) -> !message.contains("/events - Failed to load resource: net::ERR_"))
			.isEmpty();
	}

	@Test
	void numbersShouldMove() {
		long served = this.browser.number("#served");
		this.browser.await("more calls are served", () -> this.browser.number("#served") > served + 20);
		this.browser.await("Authing was asked for each account", () -> this.browser.number("#upstream") >= 3);
		assertThat(this.browser.number("#failed")).isEqualTo(this.failedBefore);
		assertThat(this.browser.script("return document.querySelector('#chart canvas').clientWidth").asInt())
			.isGreaterThan(600);
		this.browser.await("the flow lights up", () -> !this.browser.text("[data-edge=callers].on text").isEmpty());
	}

	@Test
	void thousandColdCallersShouldCauseOneRequest() {
		this.browser.click("[data-burst=cold]");
		this.browser.await("the result", () -> !this.browser.text("#result[data-kind=good]").isEmpty());
		assertThat(this.browser.text("#result"))
			.matches("1,000 callers, 1 request to Authing, slowest \\S+ ms, p50 \\S+ ms");
		this.browser.await("an entry in the log",
				() -> this.browser.text("#log [data-type=BURST]").contains("1 request to"));
		this.browser.click("[data-burst=warm]");
		this.browser.await("the result", () -> this.browser.text("#result[data-kind=good]").contains("0 requests"));
		assertThat(this.browser.number("#failed")).isEqualTo(this.failedBefore);
	}

	@Test
	void outageShouldBeFeltByNobodyBeforeTheTokenReallyExpires() {
		awaitState("FRESH");
		this.browser.click("[data-mode=down]");
		awaitState("DUE");
		this.browser.await("the failing streak is one line that counts",
				() -> this.browser.text("#log [data-type=FAILED] .times").startsWith(" ×"));
		awaitState("STALE");
		assertThat(this.browser.number("#failed")).isEqualTo(this.failedBefore);
		this.browser.click("[data-mode=up]");
		awaitState("FRESH");
		this.browser.await("the recovery says what failed before", () -> this.browser.text("#log [data-type=RECOVERED]")
			.matches("(?s).*Authing did not answer, \\d+× within \\d+ s\\. No caller noticed\\..*"));
		assertThat(this.browser.number("#failed")).isEqualTo(this.failedBefore);
	}

	@ParameterizedTest
	@CsvSource({ "slow, Slow", "throttled, Throttling", "html, Returns HTML" })
	void otherFailuresShouldBeShown(String mode, String words) {
		this.browser.click("[data-mode=" + mode + "]");
		this.browser.await("the picture shows it",
				() -> this.browser.text("[data-node=authing] [data-status]").contains(words));
		this.browser.await("the log tells it", () -> this.browser.text("#log [data-type=AUTHING]").contains(words));
		assertThat(this.browser.number("#failed")).isEqualTo(this.failedBefore);
	}

	@Test
	void rejectedTokenShouldBeReplacedAndTheCallAnswered() {
		awaitState("FRESH");
		this.browser.click("[data-reject=shop]");
		this.browser.await("the result", () -> this.browser.text("#result[data-kind=good]").contains("shop"));
		this.browser.await("the recovery", () -> this.browser.text("#log [data-type=RECOVERED]")
			.matches("(?s).*shopRecovered\\. WeChat had rejected the token.*No caller noticed\\."));
		assertThat(this.browser.number("#failed")).isEqualTo(this.failedBefore);
	}

	@Test
	void steadyStreamShouldStopAndGoOnByKeyboard() {
		this.browser.type("#stream", " ");
		this.browser.await("no calls", () -> !this.browser.text("[data-edge=callers]:not(.on) text").isEmpty());
		this.browser.type("#stream", " ");
		this.browser.await("calls", () -> !this.browser.text("[data-edge=callers].on text").isEmpty());
	}

	@Test
	void languageShouldBeChosenAndRemembered() {
		assertThat(this.browser.text("#log-title")).isEqualTo("Event log");
		this.browser.click("#language");
		this.browser.await("Chinese", () -> this.browser.text("#log-title").equals("事件日志"));
		this.browser.await("events in Chinese", () -> this.browser.text("#log").contains("应用已启动"));
		this.browser.get(url());
		assertThat(this.browser.script("return document.documentElement.lang").asString()).isEqualTo("zh-CN");
		this.browser.click("#language");
		this.browser.await("English", () -> this.browser.text("#log-title").equals("Event log"));
		awaitConnection("live");
	}

	@Test
	void themeShouldBeChosenAndRemembered() {
		this.browser.click("#theme");
		this.browser.get(url());
		assertThat(this.browser.script("return document.documentElement.dataset.theme").asString()).isEqualTo("dark");
		awaitConnection("live");
	}

	@ParameterizedTest
	@CsvSource({ "light, 1280", "dark, 1280", "light, 390", "dark, 390" })
	void pageShouldBeAccessible(String scheme, int width) throws IOException {
		this.browser.resize(width, 844);
		this.browser.prefer(scheme);
		this.browser.click("[data-burst=cold]");
		this.browser.await("the result", () -> !this.browser.text("#result[data-kind=good]").isEmpty());
		this.browser.click("[data-reject=shop]");
		this.browser.await("a recovery", () -> this.browser.text("#result[data-kind=good]").contains("shop"));
		this.browser.click("[data-mode=throttled]");
		this.browser.await("a recovery", () -> !this.browser.text("#log [data-type=RECOVERED]").isEmpty());
		assertThat(this.browser.accessibilityViolations()).isEmpty();
		assertThat(this.browser.script("return document.documentElement.scrollWidth").asInt()).isEqualTo(width);
		assertThat(this.browser
			.script("return document.querySelector(arguments[0]).ariaValueText", DEFAULT + "[role=meter]")
			.asString()).contains("s left");
	}

	@Test
	void pageShouldConnectAgainByItself() {
		int port = Integer.parseInt(application.getEnvironment().getRequiredProperty("local.server.port"));
		application.close();
		awaitConnection("lost");
		assertThat(this.browser.text("#connection")).contains("reconnecting");
		application = start(port);
		awaitConnection("live");
		this.browser.await("the numbers of the new start", () -> this.browser.number("#upstream") >= 3);
	}

	@Test
	void pageWithoutScriptShouldBeATable() {
		this.browser.switchScriptOff();
		this.browser.get(url());
		assertThat(this.browser.text("noscript table")).contains("default", "shop", "mini-program", "FRESH");
		assertThat(this.browser.isDisplayed("[data-burst=cold]")).isFalse();
		assertThat(this.browser.number("#served")).isPositive();
	}

	/**
	 * Write the pictures that the READMEs show.
	 */
	@Test
	@EnabledIfSystemProperty(named = "sample.screenshots", matches = ".+")
	void writeScreenshots() throws IOException {
		this.browser.resize(1120, 900);
		awaitState("FRESH");
		this.browser.click("[data-burst=warm]");
		this.browser.await("the result", () -> !this.browser.text("#result[data-kind=good]").isEmpty());
		this.browser.click("[data-mode=down]");
		awaitState("DUE");
		this.browser.await("a failing streak",
				() -> this.browser.text("#log [data-type=FAILED] .times").startsWith(" ×"));
		this.browser.click("[data-mode=up]");
		this.browser.await("a recovery", () -> !this.browser.text("#log [data-type=RECOVERED]").isEmpty());
		awaitState("FRESH");
		this.browser.click("[data-burst=cold]");
		this.browser.await("the result", () -> this.browser.text("#result").contains("1 request to Authing"));
		Path directory = Files.createDirectories(Path.of(System.getProperty("sample.screenshots")));
		int height = this.browser
			.script("return Math.ceil(document.getElementById('controls').getBoundingClientRect().bottom) + 16")
			.asInt();
		for (String scheme : List.of("light", "dark")) {
			this.browser.prefer(scheme);
			byte[] picture = this.browser.screenshot(1120, height);
			Files.write(directory.resolve("page-" + scheme + ".png"), picture);
			assertThat(picture).hasSizeLessThan(150_000);
		}
	}

	private String url() {
		return "http://localhost:" + application.getEnvironment().getProperty("local.server.port") + "/";
	}

	private void awaitConnection(String state) {
		this.browser.await(state, () -> !this.browser.text("#connection[data-state=" + state + "]").isEmpty());
	}

	private void awaitState(String state) {
		this.browser.await("state " + state, () -> this.browser.text(DEFAULT + ".badge").equals(state));
	}

}
