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
import java.time.Instant;
import java.util.Iterator;
import java.util.stream.Stream;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(properties = "authing.wechat.api.service-groups.wechat=default")
class WechatIntegrationTests {

	static HttpServer wechat;

	@DynamicPropertySource
	static void wechat(DynamicPropertyRegistry properties) throws IOException {
		wechat = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		wechat.createContext("/cgi-bin/getcallbackip", (exchange) -> {
			boolean valid = "access_token=new".equals(exchange.getRequestURI().getQuery());
			byte[] answer = (valid ? "{\"ip_list\":[]}" : "{\"errcode\":40001}").getBytes();
			exchange.getResponseHeaders().set("Content-Type", "application/json");
			exchange.sendResponseHeaders(200, answer.length);
			exchange.getResponseBody().write(answer);
			exchange.close();
		});
		wechat.start();
		String address = "http://localhost:" + wechat.getAddress().getPort();
		properties.add("spring.http.serviceclient.wechat.base-url", () -> address);
		properties.add("authing.wechat.api.hosts", () -> address);
	}

	@AfterAll
	static void stop() {
		wechat.stop(0);
	}

	@Test
	void callIsRepeatedWithANewToken(@Autowired CallbackIpApi wechat) {
		assertThat(wechat.callbackIps()).contains("ip_list");
	}

	@TestConfiguration(proxyBeanMethods = false)
	static class Tokens {

		@Bean
		WechatMpTokenService tokens() {
			Iterator<WechatMpAccessToken> tokens = Stream.of("rejected", "new")
				.map((token) -> new WechatMpAccessToken(token, Instant.MAX))
				.iterator();
			return WechatMpTokenService.of(tokens::next);
		}

	}

}
