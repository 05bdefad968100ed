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

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.http.WechatMpRequestAttributes;
import reactor.core.publisher.Mono;

import org.springframework.web.reactive.function.client.WebClient;

class AccountsWithOneClient {

	private final WebClient wechat;

	AccountsWithOneClient(WebClient wechat) {
		this.wechat = wechat;
	}

	Mono<String> ofConfiguredAccount() {
		return this.wechat.get()
			.uri("/cgi-bin/getcallbackip")
			.attributes(WechatMpRequestAttributes.account("shop"))
			.retrieve()
			.bodyToMono(String.class);
	}

	Mono<String> ofTenant(WechatMpCredentials tenant) {
		return this.wechat.get()
			.uri("/cgi-bin/getcallbackip")
			.attributes(WechatMpRequestAttributes.account(tenant))
			.retrieve()
			.bodyToMono(String.class);
	}

	Mono<String> withoutToken() {
		return this.wechat.get()
			.uri("/some/call?with=a-token-of-its-own")
			.attributes(WechatMpRequestAttributes.withoutToken())
			.retrieve()
			.bodyToMono(String.class);
	}

}
