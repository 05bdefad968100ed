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

package org.example.cloud;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;
import cn.authing.wechat.test.LoopbackServer;
import feign.Client;
import feign.Feign;
import feign.FeignException;
import feign.RequestLine;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Runs what the page about Spring Cloud shows, with Feign.
 */
class WechatFeignClientTests {

	private final FakeTokenSource tokens = FakeTokenSource.of("dead-token", "live-token");

	@Test
	void callWhenTokenIsRejectedShouldBeRepeatedWithAnother() {
		try (FakeWechat wechat = FakeWechat.start()) {
			wechat.acceptOnly("live-token");
			assertThat(api(wechat.url()).getCallbackIp()).contains("127.0.0.2");
			assertThat(this.tokens.reports()).containsExactly("dead-token");
			assertThat(api(wechat.url()).getCallbackIp()).contains("127.0.0.2");
			assertThat(wechat.requests()).hasSize(3);
		}
	}

	@Test
	void callThatFailsShouldNotTellTheToken() {
		FakeWechat wechat = FakeWechat.start();
		WechatApi api = api(wechat.url());
		wechat.close();
		assertThatExceptionOfType(FeignException.class).isThrownBy(api::getCallbackIp)
			.withMessageContaining("/cgi-bin/getcallbackip")
			.withMessageNotContaining("token");
	}

	@Test
	void callWhoseAnswerIsNoneShouldNotTellTheToken() {
		try (LoopbackServer server = new LoopbackServer("no-wechat")) {
			server.accept((connection) -> {
				connection.getInputStream().read();
				connection.getOutputStream().write("garbage\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
				connection.shutdownOutput();
			});
			assertThatExceptionOfType(FeignException.class)
				.isThrownBy(api("http://localhost:" + server.port())::getCallbackIp)
				.withMessageContaining("access_token=***")
				.withMessageNotContaining("dead-token")
				.withCauseInstanceOf(IOException.class)
				.satisfies((failure) -> assertThat(failure.getCause()).hasNoCause());
		}
	}

	private WechatApi api(String url) {
		return Feign.builder()
			.client(new WechatFeignClient(new Client.Default(null, null), this.tokens))
			.target(WechatApi.class, url);
	}

	interface WechatApi {

		@RequestLine("GET /cgi-bin/getcallbackip")
		String getCallbackIp();

	}

}
