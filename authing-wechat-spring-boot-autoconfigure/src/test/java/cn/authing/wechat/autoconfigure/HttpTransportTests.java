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

package cn.authing.wechat.autoconfigure;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.http.client.ReactorResourceFactory;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingServer;
import cn.authing.wechat.client.AuthingServer.Answer;
import cn.authing.wechat.client.AuthingServer.Request;
import cn.authing.wechat.client.AuthingWechatClient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for the connections to Authing, on each HTTP client that Spring Boot knows.
 */
class HttpTransportTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private static final int ACCOUNTS = 100;

	private static final Pattern APP_ID = Pattern.compile("\"appId\":\"(\\w+)\"");

	// Threads that are nobody's own
	private static final Pattern SHARED_THREADS = Pattern
		.compile("(reactor-|parallel-|boundedElastic-|authing-server|ForkJoin|Common-Cleaner|process reaper"
				+ "|CompletableFutureDelayScheduler|surefire|Java2D|Attach|HttpClient-TestHttpServer|junit).*");

	@ParameterizedTest
	@CsvSource({ "reactor,100", "reactor,102", "reactor,103", "reactor,199", "jetty,100", "jetty,102", "jetty,103",
			"jetty,104", "jetty,199", "http-components,100", "http-components,102", "http-components,103",
			"http-components,199", "jdk,100", "jdk,102", "jdk,103", "jdk,199" })
	void fetchWhenInterimAnswersComeFirstShouldReadTheAnswer(String connector, int status) {
		CountDownLatch interim = new CountDownLatch(ACCOUNTS);
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			socket.getOutputStream()
				.write(("HTTP/1.1 " + status + " Wait\r\nLink: </a>\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
			socket.getOutputStream().flush();
			interim.countDown();
			await(interim);
			token(request).write(socket);
		}))) {
			run(connector, server).run((context) -> assertThat(tokens(context, ACCOUNTS, ACCOUNTS))
				.isEqualTo(IntStream.range(0, ACCOUNTS).mapToObj((i) -> "wx" + i).toList()));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenUnauthorizedWithoutChallengeShouldReadTheRefusal(String connector) {
		try (AuthingServer server = new AuthingServer(
				AuthingServer.answer(401, "{\"statusCode\":401,\"requestId\":\"request-1\"}"))) {
			run(connector, server).run((context) -> assertThatExceptionOfType(AuthingApiException.class)
				.isThrownBy(() -> token(context, "wx1"))
				.withMessageContaining("request-1"));
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenServerRepeatsItsAnswerShouldNotTakeItForAnother(String connector) throws InterruptedException {
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			token(request).write(socket);
			token(request).write(socket);
		}))) {
			run(connector, server).run((context) -> assertThat(tokens(context, ACCOUNTS, 1))
				.isEqualTo(IntStream.range(0, ACCOUNTS).mapToObj((i) -> "wx" + i).toList()));
			assertThat(server.connections()).isEqualTo(ACCOUNTS);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchShouldCloseItsConnectionAfterTheAnswer(String connector) {
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> token(request).write(socket)))) {
			run(connector, server).run((context) -> {
				assertThat(tokens(context, 5, 1)).hasSize(5);
				assertEnded(server, 5);
			});
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenManyWereNotAnsweredShouldWorkAgain(String connector) {
		int silent = 30;
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			if (Integer.parseInt(appId(request).substring(2)) >= 1000) {
				token(request).write(socket);
			}
		}))) {
			run(connector, server).withPropertyValues("authing.timeout=500ms").run((context) -> {
				for (int i = 0; i < silent; i++) {
					subscribe(context, "wx" + i);
				}
				assertEnded(server, silent);
				assertThat(token(context, "wx1000")).isEqualTo("wx1000");
			});
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhileManyHangShouldNotWait(String connector) {
		int hanging = 200;
		CountDownLatch requests = new CountDownLatch(hanging);
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			if (appId(request).equals("wx1000")) {
				token(request).write(socket);
			}
			requests.countDown();
		}))) {
			run(connector, server).withPropertyValues("authing.timeout=60s").run((context) -> {
				for (int i = 0; i < hanging; i++) {
					subscribe(context, "wx" + i);
				}
				await(requests);
				assertThat(token(context, "wx1000")).isEqualTo("wx1000");
			});
			assertEnded(server, hanging + 1);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenAnswerIsEndlessShouldCloseTheConnection(String connector) {
		try (AuthingServer server = new AuthingServer(HttpTransportTests::writeEndlessly)) {
			run(connector, server).run((context) -> {
				assertThatExceptionOfType(AuthingException.class).isThrownBy(() -> token(context, "wx1"))
					.withMessageContaining("65536");
				assertEnded(server, 1);
			});
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenCancelledShouldCloseTheConnection(String connector) {
		Semaphore requests = new Semaphore(0);
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			if (appId(request).equals("wx1")) {
				writeBeginning(socket);
			}
			requests.release();
		}))) {
			run(connector, server).run((context) -> {
				for (int i = 0; i < 2; i++) {
					Disposable subscription = subscribe(context, "wx" + i);
					assertThat(requests.tryAcquire(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
					subscription.dispose();
					assertEnded(server, 1);
				}
			});
			assertThat(server.requests()).hasSize(2);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void closeShouldLeaveNoConnectionAndNoThread(String connector) {
		CountDownLatch requests = new CountDownLatch(3);
		Set<Thread> before = Thread.getAllStackTraces().keySet();
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			requests.countDown();
			switch (appId(request)) {
				case "wx0" -> token(request).write(socket);
				case "wx1" -> writeEndlessly(socket);
				default -> {
				}
			}
		}))) {
			run(connector, server).withPropertyValues("authing.timeout=60s").run((context) -> {
				assertThat(token(context, "wx0")).isEqualTo("wx0");
				for (int i = 1; i < 3; i++) {
					subscribe(context, "wx" + i);
				}
				await(requests);
			});
			assertEnded(server, 3);
			assertThat(Thread.getAllStackTraces().keySet()).filteredOn((thread) -> !before.contains(thread))
				.filteredOn((thread) -> !SHARED_THREADS.matcher(thread.getName()).matches())
				.allSatisfy((thread) -> {
					thread.join(LIMIT.toMillis());
					assertThat(thread.isAlive()).as(thread.getName()).isFalse();
				});
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void closeWhileAnswersArriveShouldLeaveNoConnection(String connector) {
		CountDownLatch requests = new CountDownLatch(ACCOUNTS);
		CountDownLatch answers = new CountDownLatch(ACCOUNTS / 10);
		try (AuthingServer server = new AuthingServer(answer((socket, request) -> {
			requests.countDown();
			await(requests);
			writeBeginning(socket);
			answers.countDown();
		}))) {
			run(connector, server).run((context) -> {
				for (int i = 0; i < ACCOUNTS; i++) {
					subscribe(context, "wx" + i);
				}
				await(answers);
			});
			assertEnded(server, ACCOUNTS);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenConnectionIsResetShouldRepeat(String connector) {
		try (AuthingServer server = new AuthingServer(AuthingServer.reset(), AuthingServer.token("token"))) {
			run(connector, server).run((context) -> assertThat(token(context, "wx1")).isEqualTo("token"));
			assertThat(server.requests()).hasSize(2);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchShouldAskForNoUpgrade(String connector) {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			run(connector, server).run((context) -> token(context, "wx1"));
			assertThat(server.request().headers()).doesNotContainKeys("Upgrade", "HTTP2-Settings", "Cookie");
		}
	}

	private static void assertEnded(AuthingServer server, int connections) {
		try {
			assertThat(server.ended().tryAcquire(connections, LIMIT.toSeconds(), TimeUnit.SECONDS))
				.as("ended: %d of %s", server.ended().availablePermits(), server.request().headers().get("User-Agent"))
				.isTrue();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static void writeBeginning(Socket socket) throws IOException {
		socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".getBytes());
	}

	private static void writeEndlessly(Socket socket) throws IOException {
		socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".getBytes());
		byte[] block = new byte[8192];
		while (true) {
			socket.getOutputStream().write(block);
		}
	}

	private static void await(CountDownLatch latch) throws IOException {
		try {
			assertThat(latch.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			throw new IOException(ex);
		}
	}

	private static List<String> tokens(ApplicationContext context, int accounts, int concurrency) {
		return Objects.requireNonNull(Flux.range(0, accounts)
			.flatMapSequential((i) -> fetch(context, "wx" + i).map((token) -> token.accessToken())
				.onErrorResume((failure) -> Mono.just(String.valueOf(failure.getMessage()))), concurrency)
			.collectList()
			.block(LIMIT));
	}

	private static Disposable subscribe(ApplicationContext context, String appId) {
		return fetch(context, appId).subscribe((token) -> {
		}, (failure) -> {
		});
	}

	private static String token(ApplicationContext context, String appId) {
		return Objects.requireNonNull(fetch(context, appId).block(LIMIT)).accessToken();
	}

	private static Mono<WechatMpAccessToken> fetch(ApplicationContext context, String appId) {
		return context.getBean(AuthingWechatClient.class)
			.getWechatMpAccessToken(new WechatMpCredentials(appId, "secret"));
	}

	private static Answer token(Request request) {
		return AuthingServer.token(appId(request));
	}

	private static String appId(Request request) {
		Matcher matcher = APP_ID.matcher(request.body());
		assertThat(matcher.find()).isTrue();
		return matcher.group(1);
	}

	private static Answer answer(AccountAnswer answer) {
		return new Answer() {

			@Override
			public void write(Socket socket) {
				throw new UnsupportedOperationException();
			}

			@Override
			public void write(Socket socket, Request request) throws IOException {
				answer.write(socket, request);
			}

		};
	}

	private static ApplicationContextRunner run(String connector, AuthingServer server) {
		return new ApplicationContextRunner().withBean(ReactorResourceFactory.class, LastingReactorResources::new)
			.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, HttpClientAutoConfiguration.class,
					ReactiveHttpClientAutoConfiguration.class, AuthingClientAutoConfiguration.class))
			.withPropertyValues("spring.http.clients.reactive.connector=" + connector, "authing.app-id=authing-app",
					"authing.app-secret=authing-secret", "authing.app-host=" + server.uri(), "authing.timeout=25s",
					"authing.retry.initial-backoff=1ms", "authing.retry.max-backoff=1ms");
	}

	@FunctionalInterface
	private interface AccountAnswer {

		void write(Socket socket, Request request) throws IOException;

	}

	/**
	 * Leaves it to who uses Reactor Netty to end connections: it would end them with the
	 * context before the client is closed.
	 */
	private static final class LastingReactorResources extends ReactorResourceFactory {

		@Override
		public void stop() {
		}

		@Override
		public void destroy() {
		}

	}

}
