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

import cn.authing.wechat.autoconfigure.AuthingConnectionDetails;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(properties = { "authing.wechat.app-id=wx-test", "authing.wechat.app-secret=test" })
class AuthingIntegrationTests {

	@Test
	void tokenComesFromAuthing(@Autowired ExpiryController controller) {
		assertThat(controller.expiry()).isEqualTo("2100-01-01T00:00:00Z");
	}

	@TestConfiguration(proxyBeanMethods = false)
	static class Authing {

		@Bean(destroyMethod = "")
		HttpServer authing() throws IOException {
			HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
			server.createContext("/api/v3/get-wechat-access-token", (exchange) -> {
				byte[] answer = """
						{"statusCode":200,"data":{"accessToken":"test-token","expiresAt":4102444800}}""".getBytes();
				exchange.getResponseHeaders().set("Content-Type", "application/json");
				exchange.sendResponseHeaders(200, answer.length);
				exchange.getResponseBody().write(answer);
				exchange.close();
			});
			server.start();
			return server;
		}

		@Bean
		AuthingConnectionDetails authingConnectionDetails(HttpServer authing) {
			return new AuthingConnectionDetails() {

				@Override
				public String getAppHost() {
					return "http://localhost:" + authing.getAddress().getPort();
				}

				@Override
				public String getAppId() {
					return "test";
				}

			};
		}

	}

}
