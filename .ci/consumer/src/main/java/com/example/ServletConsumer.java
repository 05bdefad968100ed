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

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.boot.restclient.RestTemplateBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

import cn.authing.wechat.WechatMpTokenService;

import static com.example.Loopback.check;

/**
 * A servlet application that hands out what it has, also on virtual threads. Its own
 * clients stay on the HTTP client that they would be on without the starter, and so does
 * the server.
 */
@EnableAutoConfiguration
@RestController
public class ServletConsumer {

	private final WechatMpTokenService tokens;

	public ServletConsumer(WechatMpTokenService tokens) {
		this.tokens = tokens;
	}

	@GetMapping("/token")
	String token() throws ReflectiveOperationException {
		boolean virtual = Runtime.version().feature() >= 21
				&& (boolean) Thread.class.getMethod("isVirtual").invoke(Thread.currentThread());
		return this.tokens.getAccessTokenSync().accessToken() + " " + virtual;
	}

	public static void main(String[] args) throws Exception {
		try (Loopback authing = new Loopback();
				ConfigurableApplicationContext context = authing.run(ServletConsumer.class, args)) {
			String port = context.getEnvironment().getRequiredProperty("local.server.port");
			check("server", context.getClass().getSimpleName().contains("Servlet"), context);
			RestClient client = context.getBean(RestClient.Builder.class)
				.baseUrl("http://127.0.0.1:" + port)
				.build();
			boolean virtual = context.getEnvironment()
				.getProperty("spring.threads.virtual.enabled", boolean.class, false);
			String token = client.get().uri("/token").retrieve().body(String.class);
			check("token", ("wx1-token-1 " + virtual).equals(token), token);
			ClientHttpRequestFactory factory = context.getBean(ClientHttpRequestFactoryBuilder.class).build();
			check("RestClient", factory instanceof JdkClientHttpRequestFactory, factory);
			factory = context.getBean(RestTemplateBuilder.class).build().getRequestFactory();
			check("RestTemplate", factory instanceof JdkClientHttpRequestFactory, factory);
			context.getBean(WechatMpTokenService.class).account("shop").getAccessTokenSync();
			ReactiveConsumer.useActuator(port);
		}
		Loopback.succeed(ServletConsumer.class);
	}

}
