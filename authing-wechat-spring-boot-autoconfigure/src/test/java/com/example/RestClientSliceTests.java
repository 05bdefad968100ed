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

import cn.authing.wechat.WechatMpTokenService;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.restclient.test.autoconfigure.RestClientTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.test.web.client.MockRestServiceServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.test.web.client.match.MockRestRequestMatchers.requestTo;
import static org.springframework.test.web.client.response.MockRestResponseCreators.withSuccess;

@RestClientTest(CallbackIps.class)
class RestClientSliceTests {

	@Test
	void tokenIsAttached(@Autowired CallbackIps wechat, @Autowired MockRestServiceServer server) {
		server.expect(requestTo("https://api.weixin.qq.com/cgi-bin/getcallbackip?access_token=test-token"))
			.andRespond(withSuccess("{\"ip_list\":[]}", MediaType.APPLICATION_JSON));
		assertThat(wechat.callbackIps()).contains("ip_list");
	}

	@TestConfiguration(proxyBeanMethods = false)
	static class Tokens {

		@Bean
		WechatMpTokenService tokens() {
			return WechatMpTokenService.of("test-token");
		}

	}

}
