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

package cn.authing.wechat.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.env.MapPropertySource;

import cn.authing.wechat.autoconfigure.AuthingClientAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatAutoConfiguration;

/**
 * An Authing on a loopback port whose answers are those of a function, and an application
 * that asks it. Unless a test says otherwise, the tokens are {@code the-access-token-1}
 * and so on.
 */
public final class FakeAuthing implements AutoCloseable {

	/**
	 * What the tokens begin with.
	 */
	public static final String TOKEN = "the-access-token-";

	/**
	 * The secret of the application.
	 */
	public static final String APP_SECRET = "the-authing-app-secret";

	/**
	 * The secret of its WeChat account.
	 */
	public static final String WECHAT_SECRET = "the-wechat-app-secret";

	/**
	 * A secret for another WeChat account.
	 */
	public static final String SHOP_SECRET = "the-shop-app-secret";

	/**
	 * What the application sends in a header.
	 */
	public static final String HEADER = "the-gateway-credential";

	/**
	 * An answer that refuses a token.
	 */
	public static final String REFUSAL = """
			{"statusCode":403,"apiCode":2011,"message":"no such app","requestId":"request-403"}""";

	/**
	 * An answer that says to come back later.
	 */
	public static final String BUSY = """
			{"statusCode":503,"message":"busy","requestId":"request-503"}""";

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private final HttpServer server;

	private final AtomicInteger requests = new AtomicInteger();

	private final Map<String, Object> accounts = new LinkedHashMap<>();

	private volatile Function<Request, String> answers;

	private volatile CountDownLatch gate = new CountDownLatch(0);

	private FakeAuthing(HttpServer server, Function<Request, String> answers) {
		this.server = server;
		this.answers = answers;
		this.server.setExecutor(this.executor);
		this.server.createContext("/", this::handle);
		this.server.start();
	}

	/**
	 * Start one on a free port.
	 * @return the fake
	 */
	public static FakeAuthing start() {
		return start(tokens(Duration.ofHours(2)));
	}

	/**
	 * Start one on a free port.
	 * @param answers gives the JSON that answers a request
	 * @return the fake
	 */
	public static FakeAuthing start(Function<Request, String> answers) {
		try {
			return new FakeAuthing(HttpServer.create(address(), 0), answers);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Start one with TLS on a free port.
	 * @param sslContext its certificate, and the certificates that it trusts
	 * @param needClientCertificate whether clients must have one, too
	 * @return the fake
	 */
	public static FakeAuthing start(SSLContext sslContext, boolean needClientCertificate) {
		try {
			HttpsServer server = HttpsServer.create(address(), 0);
			server.setHttpsConfigurator(new HttpsConfigurator(sslContext) {

				@Override
				public void configure(HttpsParameters parameters) {
					SSLParameters sslParameters = getSSLContext().getDefaultSSLParameters();
					sslParameters.setNeedClientAuth(needClientCertificate);
					parameters.setSSLParameters(sslParameters);
				}

			});
			return new FakeAuthing(server, tokens(Duration.ofHours(2)));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static InetSocketAddress address() {
		return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
	}

	private void handle(HttpExchange exchange) throws IOException {
		String request = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
		int number = this.requests.incrementAndGet();
		try {
			this.gate.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		byte[] answer = this.answers.apply(new Request(number, exchange.getRequestHeaders(), request))
			.getBytes(StandardCharsets.UTF_8);
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		exchange.sendResponseHeaders(200, answer.length);
		exchange.getResponseBody().write(answer);
		exchange.close();
	}

	private static Function<Request, String> tokens(Duration life) {
		return (request) -> token(TOKEN + request.number(), Instant.now().plus(life));
	}

	/**
	 * Return an answer that has a token.
	 * @param accessToken the token
	 * @param expiresAt when it expires
	 * @return the answer
	 */
	public static String token(String accessToken, Instant expiresAt) {
		return """
				{"statusCode":200,"message":"ok","requestId":"request-200",\
				"data":{"accessToken":"%s","expiresAt":%d}}""".formatted(accessToken, expiresAt.toEpochMilli());
	}

	/**
	 * Return a runner of an application with one account that asks this Authing.
	 * @param autoConfigurations what it has beside the starter's token service
	 * @return the runner
	 */
	public ApplicationContextRunner contextRunner(Class<?>... autoConfigurations) {
		return new ApplicationContextRunner()
			.withConfiguration(
					AutoConfigurations.of(AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class))
			.withConfiguration(AutoConfigurations.of(autoConfigurations))
			.withInitializer((context) -> context.getEnvironment()
				.getPropertySources()
				.addFirst(new MapPropertySource("accounts", this.accounts)))
			.withPropertyValues(properties());
	}

	/**
	 * Return properties that may change while the application runs.
	 * @return the properties
	 */
	public Map<String, Object> accounts() {
		return this.accounts;
	}

	/**
	 * Return the properties of an application with one account that asks this Authing,
	 * once for each fetch.
	 * @return the properties
	 */
	public String[] properties() {
		return new String[] { "authing.app-id=the-authing-app", "authing.app-secret=" + APP_SECRET,
				"authing.app-host=" + url(), "authing.headers.x-gateway=" + HEADER, "authing.wechat.app-id=wx-default",
				"authing.wechat.app-secret=" + WECHAT_SECRET, "authing.retry.max-attempts=1" };
	}

	/**
	 * Return the address, without a slash at the end.
	 * @return such as {@code http://localhost:8080}
	 */
	public String url() {
		return ((this.server instanceof HttpsServer) ? "https" : "http") + "://localhost:" + port();
	}

	/**
	 * Return the port.
	 * @return the port
	 */
	public int port() {
		return this.server.getAddress().getPort();
	}

	/**
	 * Give the same answer to each request.
	 * @param json the answer
	 */
	public void answerWith(String json) {
		this.answers = (request) -> json;
	}

	/**
	 * Answer with tokens.
	 * @param life how long they are valid
	 */
	public void answerWithTokens(Duration life) {
		this.answers = tokens(life);
	}

	/**
	 * Hold the answers back.
	 * @return what to open to let them go
	 */
	public CountDownLatch holdBack() {
		CountDownLatch gate = new CountDownLatch(1);
		this.gate = gate;
		return gate;
	}

	/**
	 * Return the number of requests.
	 * @return the number
	 */
	public int requests() {
		return this.requests.get();
	}

	@Override
	public void close() {
		this.gate.countDown();
		this.server.stop(0);
		this.executor.shutdownNow();
	}

	/**
	 * A request that came.
	 *
	 * @param number its number, beginning with 1
	 * @param headers its headers
	 * @param body its body
	 */
	public record Request(int number, Headers headers, String body) {

	}

}
