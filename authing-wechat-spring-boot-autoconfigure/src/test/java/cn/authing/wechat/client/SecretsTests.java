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
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpCredentials;
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
				argumentSet("reset", AuthingServer.reset()), argumentSet("silence", AuthingServer.silence()),
				argumentSet("silence in the middle", (Answer) (socket) -> socket.getOutputStream()
					.write(("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + echo).getBytes())));
	}

	@ParameterizedTest
	@MethodSource("answers")
	void fetchShouldLetNoSecretOut(Answer answer) throws ReflectiveOperationException {
		@Nullable AuthingException failure = null;
		try (AuthingServer server = new AuthingServer(answer)) {
			AuthingClientSettings settings = new AuthingClientSettings(server.uri(), "authing-app",
					AuthingOperation.ACCESS_TOKEN, "zh-CN", Map.of("Authorization", "Bearer " + GATEWAY_SECRET),
					Duration.ofSeconds(2), Duration.ofMinutes(1),
					new AuthingClientSettings.Retry(2, Duration.ofMillis(10), Duration.ofMillis(10)));
			WebClient webClient = WebClient.builder()
				.codecs((codecs) -> codecs.defaultCodecs().enableLoggingRequestDetails(true))
				.build();
			AuthingTokenResponse response = new DefaultAuthingWechatClient(webClient, settings)
				.fetch(new WechatMpCredentials("wx1234", SECRET))
				.block();
			assertThat(response).asString().doesNotContain(SECRET_BEGINNINGS);
		}
		catch (AuthingException ex) {
			failure = ex;
		}
		if (failure != null) {
			assertThat(stackTrace(failure)).doesNotContain(SECRET_BEGINNINGS);
			assertThat(properties(failure)).noneMatch((value) -> SECRET_BEGINNINGS.stream().anyMatch(value::contains));
		}
		assertThat(this.appender.lines()).anyMatch((line) -> line.contains("ExchangeFunctions"))
			.anyMatch((line) -> line.contains("reactor.netty"))
			.noneMatch((line) -> SECRET_BEGINNINGS.stream().anyMatch(line::contains));
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
