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

package org.example.calling;

import java.util.ArrayList;
import java.util.List;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.AuthingWechatRestClientAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatServiceGroupsAutoConfiguration;
import cn.authing.wechat.autoconfigure.AuthingWechatWebClientAutoConfiguration;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.http.client.autoconfigure.imperative.ImperativeHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.http.converter.autoconfigure.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.RestClientAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration;
import org.springframework.boot.webclient.autoconfigure.service.ReactiveHttpServiceClientAutoConfiguration;
import org.springframework.http.HttpStatus;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs what the page about calling WeChat shows.
 */
class CallingWechatTests {

	private final FakeAccounts accounts = new FakeAccounts(FakeTokenSource.of("default-token"));

	@Test
	void accountsWithOneClient() {
		List<String> called = new ArrayList<>();
		AccountsWithOneClient client = new AccountsWithOneClient(WebClient.builder()
			.baseUrl("https://api.weixin.qq.com")
			.filter(WechatMpTokenExchangeFilterFunction.of(this.accounts))
			.exchangeFunction((request) -> {
				called.add(String.valueOf(request.url().getQuery()));
				return Mono.just(ClientResponse.create(HttpStatus.OK).body("{}").build());
			})
			.build());
		client.ofConfiguredAccount().block();
		client.ofTenant(FakeAccounts.TENANT).block();
		client.withoutToken().block();
		assertThat(called).containsExactly("access_token=shop-token", "access_token=tenant-token",
				"with=a-token-of-its-own");
	}

	@Test
	void serviceGroups() {
		try (FakeWechat wechat = FakeWechat.start()) {
			wechat.acceptAll();
			new ApplicationContextRunner()
				.withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class, CodecsAutoConfiguration.class,
						HttpMessageConvertersAutoConfiguration.class, ReactiveHttpClientAutoConfiguration.class,
						ImperativeHttpClientAutoConfiguration.class, WebClientAutoConfiguration.class,
						RestClientAutoConfiguration.class, HttpServiceClientPropertiesAutoConfiguration.class,
						ReactiveHttpServiceClientAutoConfiguration.class, HttpServiceClientAutoConfiguration.class,
						AuthingWechatWebClientAutoConfiguration.class, AuthingWechatRestClientAutoConfiguration.class,
						AuthingWechatServiceGroupsAutoConfiguration.class))
				.withBean(WechatMpTokenService.class, () -> this.accounts)
				.withUserConfiguration(WechatServices.class)
				.withPropertyValues("authing.wechat.api.service-groups.wechat=default",
						"authing.wechat.api.service-groups.wechat-shop=shop",
						"authing.wechat.api.hosts=" + wechat.host(),
						"spring.http.serviceclient.wechat.base-url=" + wechat.url(),
						"spring.http.serviceclient.wechat-shop.base-url=" + wechat.url())
				.run((context) -> {
					WechatServices.Blocking blocking = context.getBean(WechatServices.Blocking.class);
					assertThat(blocking.getCallbackIp().addresses()).containsExactly("127.0.0.1", "127.0.0.2");
					blocking.getCallbackIp("shop");
					blocking.getCallbackIp(FakeAccounts.TENANT);
					assertThat(context.getBean(WechatServices.Reactive.class).getCallbackIp().block())
						.isEqualTo(blocking.getCallbackIp());
					assertThat(wechat.sentTokens()).containsExactly("default-token", "shop-token", "tenant-token",
							"shop-token", "default-token");
				});
		}
	}

}
