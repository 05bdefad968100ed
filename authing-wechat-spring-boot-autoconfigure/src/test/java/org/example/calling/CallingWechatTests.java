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

import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.http.HttpStatus;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs what the page about calling WeChat shows.
 */
class CallingWechatTests {

	@Test
	void accountsWithOneClient() {
		List<String> called = new ArrayList<>();
		AccountsWithOneClient client = new AccountsWithOneClient(WebClient.builder()
			.baseUrl("https://api.weixin.qq.com")
			.filter(WechatMpTokenExchangeFilterFunction.of(new FakeAccounts(FakeTokenSource.of("default-token"))))
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

}
