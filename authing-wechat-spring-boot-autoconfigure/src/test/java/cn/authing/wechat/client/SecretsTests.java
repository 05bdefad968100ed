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

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.autoconfigure.AuthingClientAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWebClientCustomizer;
import cn.authing.wechat.client.AuthingServer.Answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

/**
 * Tests that {@link DefaultAuthingWechatClient} lets no secret and no token out, whatever
 * is logged.
 */
class SecretsTests {

	// Beginnings, so that a hex dump in short lines is found as well
	private static final List<String> SECRET_BEGINNINGS = List.of("Secret-", "Token-", "Gateway-");

	private static final String SECRET = "Secret-0123456789";

	private static final String TOKEN = "Token-0123456789abcdefghijklmnopqrstuvwxyz";

	private static final String GATEWAY_SECRET = "Gateway-0123456789";

	private final LoggerContext loggers = (LoggerContext) LoggerFactory.getILoggerFactory();

	private final Logger root = this.loggers.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

	private final Level level = this.root.getLevel();

	private final List<Appender<ILoggingEvent>> others = new ArrayList<>();

	private final RecordingAppender appender = new RecordingAppender();

	@BeforeEach
	void logEverything() {
		this.root.setLevel(Level.TRACE);
		this.root.iteratorForAppenders().forEachRemaining(this.others::add);
		this.others.forEach(this.root::detachAppender);
		this.appender.start();
		this.root.addAppender(this.appender);
	}

	@AfterEach
	void restore() {
		this.root.detachAppender(this.appender);
		this.others.forEach(this.root::addAppender);
		this.root.setLevel(this.level);
		this.loggers.getLogger("org.eclipse.jetty").setLevel(null);
		this.loggers.getLogger("org.apache.hc").setLevel(null);
	}

	static Stream<Arguments> answers() {
		String echo = SECRET + " " + TOKEN + " " + GATEWAY_SECRET;
		return Stream.of(argumentSet("success", AuthingServer.token(TOKEN)),
				argumentSet("refusal",
						AuthingServer.json("""
								{"statusCode":602,"message":"%s","requestId":"%s","data":{"accessToken":"%s"}}"""
							.formatted(echo, echo, TOKEN))),
				argumentSet("html", AuthingServer.answer(200, "<html>" + echo, "Content-Type: text/html; x=" + echo)),
				argumentSet("truncated", AuthingServer.json("{\"data\":\"" + echo)),
				argumentSet("gateway", AuthingServer.answer(502, echo, "X-Echo: " + echo)),
				argumentSet("redirect", AuthingServer.answer(302, echo, "Location: https://host/" + TOKEN)),
				argumentSet("too large", AuthingServer.answer(200, echo.repeat(5000))),
				argumentSet("broken off",
						AuthingServer.brokenOff("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + echo)),
				argumentSet("more than announced",
						AuthingServer.brokenOff("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + echo)),
				argumentSet("not http", AuthingServer.brokenOff(echo + "\r\n\r\n")),
				argumentSet("bad header",
						AuthingServer.brokenOff("HTTP/1.1 200 OK\r\nX-Echo: " + echo + "\u0001\r\n\r\n")),
				argumentSet("bad status line", AuthingServer.brokenOff("HTTP/1.1 " + echo + "\r\n\r\n")),
				argumentSet("bad length",
						AuthingServer.brokenOff("HTTP/1.1 200 OK\r\nContent-Length: " + SECRET + "\r\n\r\n")),
				argumentSet("bad chunk",
						AuthingServer.brokenOff(
								"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET + "\r\n{}\r\n")),
				argumentSet("redirect to host",
						AuthingServer.answer(302, "", "Location: https://" + SECRET + ".example")),
				argumentSet("content type", AuthingServer.answer(200, "", "Content-Type: text/" + SECRET)),
				argumentSet("request id", AuthingServer.json("{\"statusCode\":400,\"requestId\":\"" + SECRET + "\"}")),
				argumentSet("reset", AuthingServer.reset()), argumentSet("silence", AuthingServer.silence()),
				argumentSet("silence in the middle", (Answer) (socket) -> socket.getOutputStream()
					.write(("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + echo).getBytes())));
	}

	@ParameterizedTest
	@MethodSource("answers")
	void fetchOnReactorNettyShouldLetNoSecretOut(Answer answer) throws ReflectiveOperationException {
		fetch(answer, "reactor");
		assertThat(this.appender.lines()).anyMatch((line) -> line.contains("reactor.netty"));
	}

	@ParameterizedTest
	@MethodSource("answers")
	void fetchOnTheJdksClientShouldLetNoSecretOutAboveDebug(Answer answer) throws ReflectiveOperationException {
		this.loggers.getLogger("jdk.internal.httpclient.debug").setLevel(Level.INFO);
		fetch(answer, "jdk");
	}

	@ParameterizedTest
	@MethodSource("answers")
	void fetchOnJettyShouldLetNoSecretOutAboveDebug(Answer answer) throws ReflectiveOperationException {
		this.loggers.getLogger("org.eclipse.jetty").setLevel(Level.INFO);
		fetch(answer, "jetty");
	}

	@ParameterizedTest
	@MethodSource("answers")
	void fetchOnHttpComponentsShouldLetNoSecretOutAboveDebug(Answer answer) throws ReflectiveOperationException {
		this.loggers.getLogger("org.apache.hc").setLevel(Level.INFO);
		fetch(answer, "http-components");
	}

	@ParameterizedTest
	@CsvSource({ "jetty,org.eclipse.jetty.http", "http-components,org.apache.hc.client5.http.wire",
			"jdk,jdk.internal.httpclient.debug" })
	void startWhenLoggerShowsSecretsShouldWarn(String connector, String logger) {
		run(connector, "http://localhost:1").run((context) -> assertThat(this.appender.lines())
			.anyMatch((line) -> line.contains("The logger " + logger + " is at level DEBUG")));
	}

	@Test
	void startWhenTheJdkIsToldToLogShouldWarn() {
		run("jdk", "http://localhost:1").withSystemProperties("jdk.httpclient.HttpClient.log=headers")
			.run((context) -> assertThat(this.appender.lines())
				.anyMatch((line) -> line.contains("jdk.httpclient.HttpClient.log is set")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jdk" })
	void startWhenNoLoggerShowsSecretsShouldNotWarn(String connector) {
		this.loggers.getLogger("jdk.internal.httpclient.debug").setLevel(Level.INFO);
		run(connector, "http://localhost:1").run((context) -> assertThat(this.appender.lines())
			.noneMatch((line) -> line.contains("the WeChat app secret and tokens among them")));
	}

	private void fetch(Answer answer, String connector) throws ReflectiveOperationException {
		List<AuthingException> failures = new ArrayList<>();
		List<Throwable> observed = new CopyOnWriteArrayList<>();
		try (AuthingServer server = new AuthingServer(answer)) {
			run(connector, server.uri().toString()).withBean(ObservationRegistry.class, () -> registry(observed))
				.run((context) -> {
					try {
						AuthingTokenResponse response = context.getBean(AuthingWechatClient.class)
							.fetch(new WechatMpCredentials("wx1234", SECRET))
							.block();
						assertThat(response).asString().doesNotContain(SECRET_BEGINNINGS);
					}
					catch (AuthingException ex) {
						failures.add(ex);
					}
				});
		}
		for (Throwable failure : failures) {
			assertThat(stackTrace(failure)).doesNotContain(SECRET_BEGINNINGS);
			assertThat(properties(failure)).noneMatch((value) -> SECRET_BEGINNINGS.stream().anyMatch(value::contains));
		}
		assertThat(observed)
			.allSatisfy((failure) -> assertThat(stackTrace(failure).toLowerCase(Locale.ROOT)).doesNotContain(
					SECRET_BEGINNINGS.stream().map((beginning) -> beginning.toLowerCase(Locale.ROOT)).toList()));
		assertThat(this.appender.lines()).anyMatch((line) -> line.contains("ExchangeFunctions"))
			.noneMatch((line) -> SECRET_BEGINNINGS.stream()
				.anyMatch((beginning) -> line.toLowerCase(Locale.ROOT).contains(beginning.toLowerCase(Locale.ROOT))));
	}

	private static ApplicationContextRunner run(String connector, String appHost) {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(HttpClientAutoConfiguration.class,
					ReactiveHttpClientAutoConfiguration.class, AuthingClientAutoConfiguration.class))
			.withBean(AuthingWebClientCustomizer.class,
					() -> (builder) -> builder
						.codecs((codecs) -> codecs.defaultCodecs().enableLoggingRequestDetails(true)))
			.withPropertyValues("spring.http.clients.reactive.connector=" + connector, "authing.app-id=authing-app",
					"authing.app-secret=authing-app-secret", "authing.app-host=" + appHost,
					"authing.headers.authorization=Bearer " + GATEWAY_SECRET, "authing.timeout=1s",
					"authing.retry.max-attempts=2", "authing.retry.initial-backoff=10ms",
					"authing.retry.max-backoff=10ms");
	}

	private static ObservationRegistry registry(List<Throwable> errors) {
		ObservationRegistry registry = ObservationRegistry.create();
		registry.observationConfig().observationHandler(new ObservationHandler<>() {

			@Override
			public void onError(Observation.Context context) {
				errors.add(Objects.requireNonNull(context.getError()));
			}

			@Override
			public boolean supportsContext(Observation.Context context) {
				return true;
			}

		});
		return registry;
	}

	private static String stackTrace(Throwable failure) {
		StringWriter writer = new StringWriter();
		failure.printStackTrace(new PrintWriter(writer));
		return writer.toString();
	}

	/**
	 * Return all that the getters of a failure and of those that it holds return.
	 */
	private static List<String> properties(Throwable failure) throws ReflectiveOperationException {
		Map<Throwable, Boolean> seen = new IdentityHashMap<>();
		List<Throwable> queue = new ArrayList<>(List.of(failure));
		List<String> properties = new ArrayList<>();
		while (!queue.isEmpty()) {
			Throwable next = queue.remove(0);
			if (seen.put(next, true) == null) {
				queue.addAll(List.of(next.getSuppressed()));
				for (Method method : next.getClass().getMethods()) {
					if (method.getParameterCount() == 0 && method.getName().matches("(get|is|to).*")
							&& method.getDeclaringClass() != Object.class
							&& (method.canAccess(next) || method.trySetAccessible())) {
						Object value = method.invoke(next);
						properties.add(next.getClass().getName() + "." + method.getName() + " = " + value);
						if (value instanceof Throwable cause) {
							queue.add(cause);
						}
					}
				}
			}
		}
		return properties;
	}

	private static final class RecordingAppender extends AppenderBase<ILoggingEvent> {

		private final List<String> lines = new ArrayList<>();

		@Override
		protected synchronized void append(ILoggingEvent event) {
			String thrown = (event.getThrowableProxy() != null) ? ThrowableProxyUtil.asString(event.getThrowableProxy())
					: "";
			this.lines.add(event.getLoggerName() + " " + event.getThreadName() + " " + event.getFormattedMessage() + " "
					+ thrown);
		}

		synchronized List<String> lines() {
			return List.copyOf(this.lines);
		}

	}

}
