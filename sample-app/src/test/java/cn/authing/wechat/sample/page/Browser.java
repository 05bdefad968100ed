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
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.io.ClassPathResource;
import org.springframework.util.FileSystemUtils;

import cn.authing.wechat.test.program.Programs;

/**
 * Chromium, without a window and with an empty profile, by way of {@code chromedriver}
 * and the W3C's WebDriver protocol. That is a few lines of HTTP and JSON, where Selenium
 * would be 13 MB to download for everyone who builds this project.
 */
final class Browser implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofSeconds(90);

	private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

	private final JsonMapper json = JsonMapper.shared();

	private final HttpClient http = HttpClient.newHttpClient();

	private final Path profile;

	private final Process driver;

	private final String driverUrl;

	private final String session;

	private Browser(String language) throws IOException {
		this.profile = Files.createTempDirectory("browser");
		int port = freePort();
		this.driver = new ProcessBuilder(Programs.find("chromedriver").orElseThrow().toString(), "--port=" + port)
			.redirectErrorStream(true)
			.redirectOutput(ProcessBuilder.Redirect.DISCARD)
			.start();
		this.driverUrl = "http://127.0.0.1:" + port;
		awaitDriver();
		List<String> arguments = List.of("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
				"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
				"--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + this.profile, "--lang=" + language,
				"--accept-lang=" + language);
		Map<String, Object> capabilities = Map.of("browserName", "chrome", "goog:chromeOptions",
				Map.of("args", arguments), "goog:loggingPrefs", Map.of("browser", "ALL"));
		this.session = "/session/"
				+ send("POST", "/session", Map.of("capabilities", Map.of("alwaysMatch", capabilities)))
					.path("sessionId")
					.asString();
	}

	static Browser open(String language) {
		try {
			return new Browser(language);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
	}

	private void awaitDriver() {
		await("chromedriver is ready", () -> {
			try {
				return send("GET", "/status", null).path("ready").asBoolean();
			}
			catch (UncheckedIOException ex) {
				return false;
			}
		});
	}

	private JsonNode send(String method, String path, @Nullable Object body) {
		HttpRequest request = HttpRequest.newBuilder(URI.create(this.driverUrl + path))
			.method(method,
					(body != null) ? BodyPublishers.ofString(this.json.writeValueAsString(body))
							: BodyPublishers.noBody())
			.build();
		try {
			HttpResponse<String> response = this.http.send(request, BodyHandlers.ofString());
			JsonNode value = this.json.readTree(response.body()).path("value");
			if (response.statusCode() != 200) {
				throw new AssertionError(path + ": " + value.path("message").asString());
			}
			return value;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private JsonNode chrome(String command, Map<String, Object> parameters) {
		return send("POST", this.session + "/goog/cdp/execute", Map.of("cmd", command, "params", parameters));
	}

	private String element(String selector) {
		return this.session + "/element/"
				+ send("POST", this.session + "/element", Map.of("using", "css selector", "value", selector))
					.path(ELEMENT)
					.asString();
	}

	void get(String url) {
		send("POST", this.session + "/url", Map.of("url", url));
	}

	/**
	 * Click as a mouse does: what is hidden or covered cannot be clicked.
	 */
	void click(String selector) {
		send("POST", element(selector) + "/click", Map.of());
	}

	void type(String selector, String keys) {
		send("POST", element(selector) + "/value", Map.of("text", keys));
	}

	boolean isDisplayed(String selector) {
		return send("GET", element(selector) + "/displayed", null).asBoolean();
	}

	/**
	 * Return the text of the first element that matches.
	 * @return the text, or an empty string if there is none
	 */
	String text(String selector) {
		return script("return document.querySelector(arguments[0])?.textContent ?? ''", selector).asString();
	}

	long number(String selector) {
		return Long.parseLong(text(selector).replaceAll("\\D", ""));
	}

	JsonNode script(String script, Object... arguments) {
		return send("POST", this.session + "/execute/sync", Map.of("script", script, "args", arguments));
	}

	/**
	 * Wait until something holds, whatever the speed of this machine.
	 */
	void await(String what, BooleanSupplier condition) {
		long deadline = System.nanoTime() + TIMEOUT.toNanos();
		while (!condition.getAsBoolean()) {
			if (System.nanoTime() - deadline > 0) {
				throw new AssertionError("Not within " + TIMEOUT.toSeconds() + " s: " + what);
			}
			Thread.onSpinWait();
		}
	}

	/**
	 * Show as on a screen of that size.
	 */
	void resize(int width, int height) {
		chrome("Emulation.setDeviceMetricsOverride",
				Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
	}

	void prefer(String scheme) {
		chrome("Emulation.setEmulatedMedia",
				Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme),
						Map.of("name", "prefers-reduced-motion", "value", "reduce"))));
	}

	void switchScriptOff() {
		chrome("Emulation.setScriptExecutionDisabled", Map.of("value", true));
	}

	/**
	 * Return what axe finds wrong for those who use a keyboard or a screen reader.
	 */
	List<String> accessibilityViolations() throws IOException {
		script(new ClassPathResource("axe.min.js").getContentAsString(StandardCharsets.UTF_8));
		JsonNode violations = send("POST", this.session + "/execute/async", Map.of("args", List.of(), "script",
				"""
						const done = arguments[0];
						axe.run().then(({violations}) => done(violations.flatMap(({id, nodes}) =>
							nodes.map(({html, failureSummary}) => `${id}: ${html} ${failureSummary}`))), (error) => done([String(error)]));
						"""));
		return violations.valueStream().map(JsonNode::asString).toList();
	}

	/**
	 * Return what has been written to the console, violations of the security policy
	 * included.
	 */
	List<String> console() {
		return send("POST", this.session + "/se/log", Map.of("type", "browser")).valueStream()
			.map((entry) -> entry.path("message").asString())
			.toList();
	}

	/**
	 * Return a picture of the upper part of the page.
	 */
	byte[] screenshot(int width, int height) {
		JsonNode answer = chrome("Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true,
				"clip", Map.of("x", 0, "y", 0, "width", width, "height", height, "scale", 1)));
		return Base64.getDecoder().decode(answer.path("data").asString());
	}

	@Override
	public void close() {
		send("DELETE", this.session, null);
		this.driver.destroy();
		this.driver.onExit().join();
		try {
			FileSystemUtils.deleteRecursively(this.profile);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
