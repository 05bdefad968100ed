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
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;

import static com.example.Loopback.check;

/**
 * A reactive application, with all that the starter has to offer it. Ends with status 0
 * if all answers were right, with an exception otherwise.
 */
@EnableAutoConfiguration
public class ReactiveConsumer {

	public static void main(String[] args) throws Exception {
		try (Loopback authing = new Loopback();
				ConfigurableApplicationContext context = authing.run(ReactiveConsumer.class, args)) {
			useTokens(context.getBean(WechatMpTokenService.class), authing);
			useActuator(context.getEnvironment().getRequiredProperty("local.server.port"));
		}
		Loopback.succeed(ReactiveConsumer.class);
	}

	private static void useTokens(WechatMpTokenService tokens, Loopback authing) {
		WechatMpAccessToken token = tokens.getAccessToken().block(Loopback.LIMIT);
		check("reactive", token != null && token.accessToken().equals("wx1-token-1"), token);
		check("sync", tokens.getAccessTokenSync().equals(token), token);
		check("named", tokens.account("shop").getAccessTokenSync().accessToken().equals("wx2-token-2"), tokens);
		check("requests", authing.requests() == 2, authing.requests());
		check("invalidate", tokens.invalidate("wx1-token-1"), tokens);
		check("another", tokens.getAccessTokenSync().accessToken().equals("wx1-token-3"), tokens);
		try {
			tokens.account(new WechatMpCredentials(Loopback.REFUSED, "secret-3")).getAccessTokenSync();
			throw new IllegalStateException("a refused account has a token");
		}
		catch (AuthingApiException ex) {
			check("refusal", ex.getStatusCode() == 404 && "request-1".equals(ex.getRequestId()), ex);
		}
	}

	static void useActuator(String port) throws IOException, InterruptedException {
		HttpClient client = HttpClient.newHttpClient();
		for (String path : new String[] { "health/authingWechat", "authingwechat", "authingwechat/shop",
				"metrics/authing.wechat.token.fetch" }) {
			HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/actuator/" + path))
				.timeout(Loopback.LIMIT)
				.build();
			String body = client.send(request, BodyHandlers.ofString()).body();
			check(path, body.matches("(?s).*(\"UP\"|\"FRESH\"|authing\\.wechat\\.token\\.fetch).*"), body);
			check(path + " without secrets", !body.contains("-token-") && !body.contains("secret-"), body);
		}
	}

}
