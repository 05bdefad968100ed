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

package cn.authing.wechat.actuate;

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

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.env.MapPropertySource;

import cn.authing.wechat.autoconfigure.AuthingClientAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatAutoConfiguration;

/**
 * A small Authing on loopback. The tokens that it hands out are
 * {@code the-access-token-1} and so on.
 */
final class LoopbackAuthing implements AutoCloseable {

	static final String TOKEN = "the-access-token-";

	static final String APP_SECRET = "the-authing-app-secret";

	static final String WECHAT_SECRET = "the-wechat-app-secret";

	static final String SHOP_SECRET = "the-shop-app-secret";

	static final String HEADER = "the-gateway-credential";

	static final String REFUSAL = """
			{"statusCode":403,"apiCode":2011,"message":"no such app","requestId":"request-403"}""";

	static final String BUSY = """
			{"statusCode":503,"message":"busy","requestId":"request-503"}""";

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private final HttpServer server;

	private final AtomicInteger requests = new AtomicInteger();

	private final Map<String, Object> accounts = new LinkedHashMap<>();

	private volatile Duration life = Duration.ofHours(2);

	private volatile String refusal = "";

	private volatile CountDownLatch gate = new CountDownLatch(0);

	LoopbackAuthing() {
		try {
			this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		this.server.setExecutor(this.executor);
		this.server.createContext("/", this::handle);
		this.server.start();
	}

	private void handle(HttpExchange exchange) throws IOException {
		exchange.getRequestBody().readAllBytes();
		int number = this.requests.incrementAndGet();
		try {
			this.gate.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		byte[] body = (this.refusal.isEmpty() ? token(number) : this.refusal).getBytes(StandardCharsets.UTF_8);
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		exchange.sendResponseHeaders(200, body.length);
		exchange.getResponseBody().write(body);
		exchange.close();
	}

	private String token(int number) {
		return """
				{"statusCode":200,"message":"ok","requestId":"request-%d",\
				"data":{"accessToken":"%s%d","expiresAt":%d}}""".formatted(number, TOKEN, number,
				Instant.now().plus(this.life).toEpochMilli());
	}

	/**
	 * Return a runner of an application with one account that asks this Authing.
	 * @param autoConfigurations what it has beside the starter's token service
	 */
	ApplicationContextRunner contextRunner(Class<?>... autoConfigurations) {
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
	 */
	Map<String, Object> accounts() {
		return this.accounts;
	}

	/**
	 * Return the properties of an application with one account that asks this Authing,
	 * once for each fetch.
	 */
	String[] properties() {
		return new String[] { "authing.app-id=the-authing-app", "authing.app-secret=" + APP_SECRET,
				"authing.app-host=http://localhost:" + this.server.getAddress().getPort(),
				"authing.headers.x-gateway=" + HEADER, "authing.wechat.app-id=wx-default",
				"authing.wechat.app-secret=" + WECHAT_SECRET, "authing.retry.max-attempts=1" };
	}

	void answerWith(String refusal) {
		this.refusal = refusal;
	}

	void answerWithTokens(Duration life) {
		this.life = life;
		this.refusal = "";
	}

	CountDownLatch holdBack() {
		CountDownLatch gate = new CountDownLatch(1);
		this.gate = gate;
		return gate;
	}

	int requests() {
		return this.requests.get();
	}

	@Override
	public void close() {
		this.gate.countDown();
		this.server.stop(0);
		this.executor.shutdownNow();
	}

}
