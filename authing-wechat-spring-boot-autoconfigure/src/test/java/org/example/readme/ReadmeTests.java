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

package org.example.readme;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeWechat;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.http.client.autoconfigure.imperative.ImperativeHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.boot.http.converter.autoconfigure.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.restclient.RestTemplateBuilder;
import org.springframework.boot.restclient.autoconfigure.RestClientAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.test.web.client.MockRestServiceServer;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.autoconfigure.AuthingWechatRestClientAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatServiceGroupsAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.test.web.client.match.MockRestRequestMatchers.requestTo;
import static org.springframework.test.web.client.response.MockRestResponseCreators.withSuccess;

/**
 * Runs what the READMEs show.
 */
class ReadmeTests {

	private static final String WITH_TOKEN = "https://api.weixin.qq.com/cgi-bin/getcallbackip?access_token=test-token";

	private final WechatMpTokenService tokens = WechatMpTokenService.of("test-token");

	private final WechatClients clients = new WechatClients();

	@Test
	void tokenExpiry() {
		assertThat(new TokenExpiry(this.tokens).get()).isEqualTo("9999-12-31T23:59:59Z");
	}

	@Test
	void webClient() {
		List<String> called = new ArrayList<>();
		WebClient.Builder builder = WebClient.builder().exchangeFunction((request) -> {
			called.add(request.url().toString());
			return Mono.just(ClientResponse.create(HttpStatus.OK).body("{}").build());
		});
		this.clients.wechatWebClient(builder, WechatMpTokenExchangeFilterFunction.of(this.tokens))
			.get()
			.uri("/cgi-bin/getcallbackip")
			.retrieve()
			.toBodilessEntity()
			.block();
		assertThat(called).containsExactly(WITH_TOKEN);
	}

	@Test
	void restClient() {
		RestClient.Builder builder = RestClient.builder();
		MockRestServiceServer server = MockRestServiceServer.bindTo(builder).build();
		server.expect(requestTo(WITH_TOKEN)).andRespond(withSuccess("{}", MediaType.APPLICATION_JSON));
		RestClient client = this.clients.wechatRestClient(builder,
				WechatMpTokenClientHttpRequestInterceptor.of(this.tokens));
		assertThat(client.get().uri("/cgi-bin/getcallbackip").retrieve().body(String.class)).isEqualTo("{}");
	}

	@Test
	void restTemplate() {
		RestTemplate client = this.clients.wechatRestTemplate(new RestTemplateBuilder(),
				WechatMpTokenClientHttpRequestInterceptor.of(this.tokens));
		MockRestServiceServer server = MockRestServiceServer.bindTo(client).build();
		server.expect(requestTo(WITH_TOKEN)).andRespond(withSuccess("{}", MediaType.APPLICATION_JSON));
		assertThat(client.getForObject("https://api.weixin.qq.com/cgi-bin/getcallbackip", String.class))
			.isEqualTo("{}");
	}

	@Test
	void httpInterface() {
		try (FakeWechat wechat = FakeWechat.start()) {
			wechat.acceptOnly("test-token");
			new ApplicationContextRunner()
				.withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class,
						HttpMessageConvertersAutoConfiguration.class, ImperativeHttpClientAutoConfiguration.class,
						RestClientAutoConfiguration.class, HttpServiceClientPropertiesAutoConfiguration.class,
						HttpServiceClientAutoConfiguration.class, AuthingWechatRestClientAutoConfiguration.class,
						AuthingWechatServiceGroupsAutoConfiguration.class))
				.withBean(WechatMpTokenService.class, () -> this.tokens)
				.withUserConfiguration(WechatApi.Import.class)
				.withPropertyValues("authing.wechat.api.service-groups.wechat=default",
						"authing.wechat.api.hosts=" + wechat.host(),
						"spring.http.serviceclient.wechat.base-url=" + wechat.url())
				.run((context) -> {
					context.getBean(WechatApi.class).getPhoneNumber(Map.of("code", "1"));
					assertThat(wechat.sentTokens()).containsExactly("test-token");
				});
		}
	}

	@Test
	void errors() {
		assertThat(new AuthingErrors().noToken(new AuthingTransportException("No answer", null, null, true, null))
			.getStatus()).isEqualTo(503);
	}

}
