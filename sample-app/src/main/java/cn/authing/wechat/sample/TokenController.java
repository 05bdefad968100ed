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

package cn.authing.wechat.sample;

import java.util.Set;

import reactor.core.publisher.Mono;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.sample.demo.Demo;

/**
 * Shows the token of an account.
 */
@RestController
class TokenController {

	private final WechatMpTokenService tokens;

	private final ObjectProvider<Demo> demo;

	TokenController(WechatMpTokenService tokens, ObjectProvider<Demo> demo) {
		this.tokens = tokens;
		this.demo = demo;
	}

	@GetMapping("/token")
	Mono<ResponseEntity<TokenView>> token(@RequestParam(defaultValue = "false") boolean reveal) {
		return token(WechatMpTokenService.DEFAULT_ACCOUNT, reveal);
	}

	@GetMapping("/token/{account}")
	Mono<ResponseEntity<TokenView>> token(@PathVariable String account,
			@RequestParam(defaultValue = "false") boolean reveal) {
		if (reveal && this.demo.getIfAvailable() == null) {
			throw revealRefused();
		}
		return source(account).getAccessToken()
			.map((token) -> reveal ? TokenView.revealed(account, token) : TokenView.masked(account, token))
			.map((view) -> ResponseEntity.ok().cacheControl(CacheControl.noStore()).body(view));
	}

	private WechatMpTokenSource source(String account) {
		try {
			return this.tokens.account(account);
		}
		catch (IllegalArgumentException ex) {
			throw unknownAccount(account, this.tokens.accountNames());
		}
	}

	private static ErrorResponseException unknownAccount(String account, Set<String> known) {
		ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.NOT_FOUND,
				"There is no account '%s'. Ask for one of %s, or configure 'authing.wechat.accounts.%s'."
					.formatted(account, known, account));
		problem.setTitle("Unknown account");
		problem.setProperty("accounts", known);
		return new ErrorResponseException(HttpStatus.NOT_FOUND, problem, null);
	}

	private static ErrorResponseException revealRefused() {
		ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.FORBIDDEN,
				"A whole token is shown only in profile 'demo'. Ask without 'reveal'.");
		problem.setTitle("Token not revealed");
		return new ErrorResponseException(HttpStatus.FORBIDDEN, problem, null);
	}

}
