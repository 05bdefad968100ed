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

package cn.authing.wechat.benchmark;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.TestTokenService;
import cn.authing.wechat.token.WechatMpRefreshPolicy;

/**
 * What the benchmarks have in common.
 */
final class Samples {

	/**
	 * The policy of the default properties.
	 */
	static final WechatMpRefreshPolicy DEFAULT_POLICY = new WechatMpRefreshPolicy(Duration.ofMinutes(5), Duration.ofSeconds(30),
			Duration.ofSeconds(10), Duration.ofSeconds(1), Duration.ofSeconds(30), Duration.ofSeconds(10));

	static final String NAMED_ACCOUNT = "shop";

	private Samples() {
	}

	/**
	 * Return a token as long as WeChat's, with the longest life that WeChat gives.
	 */
	static WechatMpAccessToken token() {
		return new WechatMpAccessToken("8".repeat(136), Instant.now().plus(Duration.ofHours(2)));
	}

	/**
	 * Return credentials of which no part is the same object as that of others.
	 */
	static WechatMpCredentials credentials(int number) {
		return new WechatMpCredentials("wx%016x".formatted(number), "%032x".formatted(number));
	}

	static TestTokenService service(AuthingWechatClient client, WechatMpRefreshPolicy policy, long maxEntries) {
		Map<String, WechatMpCredentials> accounts = Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, credentials(-1),
				NAMED_ACCOUNT, credentials(-2));
		return new TestTokenService(client, null, () -> accounts, policy, maxEntries,
				List.of());
	}

	/**
	 * Return a service with the default settings whose client answers at once.
	 */
	static TestTokenService service() {
		return service((credentials) -> Mono.fromSupplier(Samples::token), DEFAULT_POLICY, 10_000);
	}

}
