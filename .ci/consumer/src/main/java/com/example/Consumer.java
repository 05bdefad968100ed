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
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;

/**
 * An application that uses the built jars, with an Authing on loopback. Ends with status
 * 0 if all answers were right, with an exception otherwise.
 */
@SpringBootApplication(proxyBeanMethods = false)
public class Consumer {

	private static final Duration LIMIT = Duration.ofSeconds(20);

	private static final String REFUSED = "wx-refused";

	private final AtomicInteger requests = new AtomicInteger();

	public static void main(String[] args) throws Exception {
		new Consumer().run(System.out);
	}

	private void run(PrintStream out) throws Exception {
		HttpServer authing = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		authing.createContext("/api/v3/get-wechat-access-token", this::answer);
		authing.start();
		try (ConfigurableApplicationContext context = application("127.0.0.1:" + authing.getAddress().getPort())) {
			useTokens(context.getBean(WechatMpTokenService.class));
			useActuator(context.getEnvironment().getRequiredProperty("local.server.port"));
		}
		finally {
			authing.stop(0);
		}
		out.printf("Works with Spring Boot %s on Java %s%n", SpringBootVersion.getVersion(),
				Runtime.version().feature());
	}

	private static ConfigurableApplicationContext application(String authing) {
		return new SpringApplicationBuilder(Consumer.class)
			.properties("authing.app-id=app", "authing.app-secret=app-secret", "authing.app-host=http://" + authing,
					"authing.wechat.app-id=wx1", "authing.wechat.app-secret=secret-1",
					"authing.wechat.accounts.shop.app-id=wx2", "authing.wechat.accounts.shop.app-secret=secret-2",
					"server.port=0", "server.address=127.0.0.1", "management.health.redis.enabled=false",
					"management.endpoint.health.show-details=always",
					"management.endpoints.web.exposure.include=health,metrics,authingwechat",
					"spring.main.banner-mode=off", "logging.level.root=WARN")
			.run();
	}

	private void useTokens(WechatMpTokenService tokens) {
		WechatMpAccessToken token = tokens.getAccessToken().block(LIMIT);
		check("reactive", token != null && token.accessToken().equals("wx1-token-1"), token);
		check("sync", tokens.getAccessTokenSync().equals(token), token);
		check("named", tokens.account("shop").getAccessTokenSync().accessToken().equals("wx2-token-2"), tokens);
		check("requests", this.requests.get() == 2, this.requests);
		check("invalidate", tokens.invalidate("wx1-token-1"), tokens);
		check("another", tokens.getAccessTokenSync().accessToken().equals("wx1-token-3"), tokens);
		try {
			tokens.account(new WechatMpCredentials(REFUSED, "secret-3")).getAccessTokenSync();
			throw new IllegalStateException("a refused account has a token");
		}
		catch (AuthingApiException ex) {
			check("refusal", ex.getStatusCode() == 404 && "request-1".equals(ex.getRequestId()), ex);
		}
	}

	private static void useActuator(String port) throws IOException, InterruptedException {
		HttpClient client = HttpClient.newHttpClient();
		for (String path : new String[] { "health/authingWechat", "authingwechat", "authingwechat/shop",
				"metrics/authing.wechat.token.fetch" }) {
			HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/actuator/" + path))
				.timeout(LIMIT)
				.build();
			String body = client.send(request, BodyHandlers.ofString()).body();
			check(path, body.matches("(?s).*(\"UP\"|\"FRESH\"|authing\\.wechat\\.token\\.fetch).*"), body);
			check(path + " without secrets", !body.contains("-token-") && !body.contains("secret-"), body);
		}
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

	private static void check(String what, boolean good, Object seen) {
		if (!good) {
			throw new IllegalStateException("Not as expected: " + what + ": " + seen);
		}
	}

}
