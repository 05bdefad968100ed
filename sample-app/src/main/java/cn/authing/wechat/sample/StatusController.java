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

import java.util.List;
import java.util.Set;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.search.Search;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.CacheControl;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.sample.demo.Demo;

/**
 * What the page at {@code /} shows, asked once a second.
 */
@RestController
class StatusController {

	private static final Set<String> SERVED = Set.of("/token", "/token/{account}", "/wechat/callback-ip");

	private static final String OPERATION = "/api/v3/get-wechat-access-token";

	private final WechatMpTokenService tokens;

	private final MeterRegistry meters;

	private final ObjectProvider<Demo> demo;

	StatusController(WechatMpTokenService tokens, MeterRegistry meters, ObjectProvider<Demo> demo) {
		this.tokens = tokens;
		this.meters = meters;
		this.demo = demo;
	}

	@GetMapping("/status")
	Mono<ResponseEntity<Status>> status() {
		return Flux.fromIterable(this.tokens.accountNames())
			.flatMapSequential(this::account)
			.collectList()
			.map(this::status)
			.map((status) -> ResponseEntity.ok().cacheControl(CacheControl.noStore()).body(status));
	}

	private Mono<AccountStatus> account(String name) {
		return Mono.defer(() -> this.tokens.account(name).getAccessToken())
			.map((token) -> new AccountStatus(name, TokenView.masked(name, token), null))
			.onErrorResume(AuthingException.class,
					(ex) -> Mono.just(new AccountStatus(name, null, UpstreamProblems.problemOf(ex))));
	}

	private Status status(List<AccountStatus> accounts) {
		long served = count(
				this.meters.find("http.server.requests").tag("uri", SERVED::contains).tag("outcome", "SUCCESS"));
		Demo demo = this.demo.getIfAvailable();
		if (demo != null) {
			return new Status(true, served, demo.authingCalls(), demo.rejectedWechatCalls(), accounts);
		}
		long upstream = count(this.meters.find("http.client.requests").tag("uri", (uri) -> uri.startsWith(OPERATION)));
		return new Status(false, served, upstream, null, accounts);
	}

	private static long count(Search search) {
		return search.timers().stream().mapToLong(Timer::count).sum();
	}

	/**
	 * The page's figures.
	 *
	 * @param demo whether profile {@code demo} is active
	 * @param served how many requests for a token this application has answered
	 * @param upstream how often Authing was asked
	 * @param rejected how many WeChat calls were refused for their token, known only in
	 * profile {@code demo}
	 * @param accounts the configured accounts
	 */
	record Status(boolean demo, long served, long upstream, @Nullable Long rejected, List<AccountStatus> accounts) {
	}

	/**
	 * An account's token, or why there is none.
	 *
	 * @param account the account's name
	 * @param token the token
	 * @param problem why there is no token
	 */
	record AccountStatus(String account, @Nullable TokenView token, @Nullable ProblemDetail problem) {
	}

}
