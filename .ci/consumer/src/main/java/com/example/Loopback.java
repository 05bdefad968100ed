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
package com.example;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * What the consumers share: an Authing on loopback, an application that uses it, and what
 * to say at the end.
 */
final class Loopback implements AutoCloseable {

	static final Duration LIMIT = Duration.ofMinutes(1);

	static final String REFUSED = "wx-refused";

	private final AtomicInteger requests = new AtomicInteger();

	private final HttpServer authing;

	Loopback() throws IOException {
		this.authing = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		this.authing.createContext("/api/v3/get-wechat-access-token", this::answer);
		this.authing.start();
	}

	/**
	 * Start an application.
	 * @param source its class
	 * @param arguments its arguments, which are the settings that this run is about
	 */
	ConfigurableApplicationContext run(Class<?> source, String... arguments) {
		List<String> properties = new ArrayList<>(List.of("authing.app-id=app", "authing.app-secret=app-secret",
				"authing.app-host=http://127.0.0.1:" + this.authing.getAddress().getPort(),
				// A machine that does much else at the time is no failure.
				"authing.timeout=1m", "authing.connect-timeout=1m",
				"authing.wechat.app-id=wx1", "authing.wechat.app-secret=secret-1",
				"authing.wechat.accounts.shop.app-id=wx2", "authing.wechat.accounts.shop.app-secret=secret-2",
				"server.port=0", "server.address=127.0.0.1", "management.health.redis.enabled=false",
				"management.endpoint.health.show-details=always",
				"management.endpoints.web.exposure.include=health,metrics,authingwechat",
				"spring.main.banner-mode=off", "logging.level.root=WARN"));
		SpringApplication application = new SpringApplicationBuilder(source)
			.properties(properties.toArray(String[]::new))
			.build();
		return application.run(arguments);
	}

	int requests() {
		return this.requests.get();
	}

	private void answer(HttpExchange exchange) throws IOException {
		String request = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
		String appId = request.replaceAll(".*\"appId\":\"([^\"]+)\".*", "$1");
		String answer = """
				{"statusCode":404,"apiCode":2011,"message":"no such app","requestId":"request-1"}""";
		if (!appId.equals(REFUSED)) {
			answer = """
					{"statusCode":200,"data":{"accessToken":"%s-token-%d","expiresAt":%d}}""".formatted(appId,
					this.requests.incrementAndGet(), Instant.now().plusSeconds(7200).getEpochSecond());
		}
		byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		exchange.sendResponseHeaders(200, bytes.length);
		exchange.getResponseBody().write(bytes);
		exchange.close();
	}

	static void check(String what, boolean good, Object seen) {
		if (!good) {
			throw new IllegalStateException("Not as expected: " + what + ": " + seen);
		}
	}

	/**
	 * Say that all was right; the last line of a consumer.
	 */
	static void succeed(Class<?> consumer) {
		System.out.printf("%s works with Spring Boot %s on Java %s%n", consumer.getSimpleName(),
				SpringBootVersion.getVersion(), Runtime.version().feature());
	}

	@Override
	public void close() {
		this.authing.stop(0);
	}

}
