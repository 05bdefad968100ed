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
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.logging.Level;

import org.jspecify.annotations.Nullable;
import org.openqa.selenium.By;
import org.openqa.selenium.JavascriptExecutor;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

import org.springframework.core.io.ClassPathResource;
import org.springframework.util.FileSystemUtils;

import cn.authing.wechat.test.program.Programs;

/**
 * Chromium, without a window, with an empty profile.
 */
final class Browser implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private final Path profile;

	private final ChromeDriver driver;

	private Browser(String language) throws IOException {
		this.profile = Files.createTempDirectory("browser");
		ChromeOptions options = new ChromeOptions();
		Programs.find("chromium", "chromium-browser", "google-chrome", "chrome")
			.map(Path::toFile)
			.ifPresent(options::setBinary);
		options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
				"--disable-dev-shm-usage", "--user-data-dir=" + this.profile, "--lang=" + language,
				"--accept-lang=" + language);
		LoggingPreferences logging = new LoggingPreferences();
		logging.enable(LogType.BROWSER, Level.ALL);
		options.setCapability(ChromeOptions.LOGGING_PREFS, logging);
		Path chromedriver = Programs.find("chromedriver").orElseThrow();
		this.driver = new ChromeDriver(new ChromeDriverService.Builder().usingDriverExecutable(chromedriver.toFile())
			.usingAnyFreePort()
			.build(), options);
	}

	static Browser open(String language) {
		try {
			return new Browser(language);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	void switchScriptOff() {
		this.driver.executeCdpCommand("Emulation.setScriptExecutionDisabled", Map.of("value", true));
	}

	/**
	 * Show as on a screen of that width.
	 */
	void resize(int width, int height) {
		this.driver.executeCdpCommand("Emulation.setDeviceMetricsOverride",
				Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
	}

	void prefer(String scheme) {
		this.driver.executeCdpCommand("Emulation.setEmulatedMedia",
				Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme),
						Map.of("name", "prefers-reduced-motion", "value", "reduce"))));
	}

	void get(String url) {
		this.driver.get(url);
	}

	WebElement find(String selector) {
		return this.driver.findElement(By.cssSelector(selector));
	}

	String text(String selector) {
		return String.valueOf(script("return document.querySelector(arguments[0])?.textContent ?? ''", selector));
	}

	long number(String selector) {
		return Long.parseLong(text(selector).replaceAll("\\D", ""));
	}

	@Nullable Object script(String script, Object... arguments) {
		return ((JavascriptExecutor) this.driver).executeScript(script, arguments);
	}

	/**
	 * Wait until something holds, whatever the speed of this machine.
	 */
	void await(String what, Supplier<Boolean> condition) {
		long deadline = System.nanoTime() + TIMEOUT.toNanos();
		while (!condition.get()) {
			if (System.nanoTime() - deadline > 0) {
				throw new AssertionError("Not within " + TIMEOUT.toSeconds() + " s: " + what + "\n"
						+ this.driver.findElement(By.tagName("body")).getText());
			}
			// Returns at the next frame, or after a second where none is drawn
			this.driver.executeAsyncScript("setTimeout(arguments[0], 100)");
		}
	}

	/**
	 * Return what axe finds wrong for those who use a keyboard or a screen reader.
	 */
	@SuppressWarnings("unchecked")
	List<String> accessibilityViolations() {
		try (InputStream axe = new ClassPathResource("axe.min.js").getInputStream()) {
			this.driver.executeScript(new String(axe.readAllBytes(), StandardCharsets.UTF_8));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return (List<String>) Objects.requireNonNull(this.driver.executeAsyncScript(
				"""
						const done = arguments[0];
						axe.run().then(({violations}) => done(violations.flatMap(({id, nodes}) =>
							nodes.map(({html, failureSummary}) => `${id}: ${html} ${failureSummary}`))), (error) => done([String(error)]));
						"""));
	}

	/**
	 * Return what has been written to the console, violations of the security policy
	 * included.
	 */
	List<String> console() {
		return this.driver.manage().logs().get(LogType.BROWSER).getAll().stream().map(LogEntry::toString).toList();
	}

	/**
	 * Return a picture of the upper part of the page.
	 */
	byte[] screenshot(int width, int height) {
		Map<String, Object> answer = this.driver.executeCdpCommand("Page.captureScreenshot",
				Map.of("format", "png", "captureBeyondViewport", true, "clip",
						Map.of("x", 0, "y", 0, "width", width, "height", height, "scale", 1)));
		return Base64.getDecoder().decode(String.valueOf(answer.get("data")));
	}

	@Override
	public void close() {
		this.driver.quit();
		try {
			FileSystemUtils.deleteRecursively(this.profile);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
