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
import reactor.core.publisher.Mono;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
class ReactiveExpiryController {

	private final WechatMpTokenService tokens;

	ReactiveExpiryController(WechatMpTokenService tokens) {
		this.tokens = tokens;
	}

	@GetMapping("/reactive/expiry")
	Mono<String> expiry() {
		return this.tokens.getAccessToken().map((token) -> token.expiresAt().toString());
	}

}
