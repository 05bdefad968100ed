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

package cn.authing.wechat.token;

import java.time.Instant;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

/**
 * What one fetch does: ask Authing.
 */
class TokenLoader {

	private final AuthingWechatClient client;

	private final TokenClock clock;

	TokenLoader(AuthingWechatClient client, TokenClock clock) {
		this.client = client;
		this.clock = clock;
	}

	/**
	 * Load a token.
	 * @param entry the entry that wants it
	 * @param forced whether to ask Authing whatever is shared
	 * @return the token, never empty unless the client's answer was
	 */
	Mono<ReceivedToken> load(TokenEntry entry, boolean forced) {
		return ask(entry).map(Fetched::token);
	}

	/**
	 * Read what is shared, if it is of use to an entry.
	 */
	Mono<ReceivedToken> shared(TokenEntry entry) {
		return Mono.empty();
	}

	void drop(WechatMpCredentials credentials, String accessToken) {
	}

	final Mono<Fetched> ask(TokenEntry entry) {
		return Mono.defer(() -> {
			long askedAt = this.clock.nanoTime();
			return this.client.fetch(entry.credentials()).map((response) -> {
				Instant now = this.clock.instant();
				// An answer that was long on its way is no newer than its question.
				Instant at = ReceivedToken.authingTime(response, now).minusNanos(this.clock.nanoTime() - askedAt);
				return new Fetched(ReceivedToken.fromAuthing(response, now), at);
			});
		});
	}

	/**
	 * A token that Authing has handed out, and when it was asked.
	 */
	record Fetched(ReceivedToken token, Instant at) {

	}

}
