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

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingTokenResponse;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.TokenFetch.ReceivedToken;

/**
 * Loads tokens: asks Authing, and knows Authing's time.
 */
class TokenLoader {

	// The Date header counts whole seconds and the answer travels a while: less of a
	// difference says nothing about the clocks.
	static final Duration IGNORED_CLOCK_SKEW = Duration.ofSeconds(5);

	private final AuthingWechatClient client;

	private final TokenClock clock;

	// What to add to the local wall clock to get Authing's time.
	private volatile Duration offset = Duration.ZERO;

	TokenLoader(AuthingWechatClient client, TokenClock clock) {
		this.client = client;
		this.clock = clock;
	}

	/**
	 * Load a token.
	 * @param cache the cache that it is loaded into
	 * @param forced whether to ask Authing whatever is shared
	 * @return the token, never empty unless the client's answer was
	 */
	Mono<ReceivedToken> load(Cache cache, boolean forced) {
		return ask(cache.credentials());
	}

	/**
	 * Adopt what is shared, if it is of use.
	 */
	void adopt(Cache cache) {
	}

	/**
	 * Tell others that a token was rejected.
	 */
	void drop(WechatMpCredentials credentials, String accessToken) {
	}

	/**
	 * Wait for a moment until what was fetched last is shared.
	 */
	void awaitPublications() {
	}

	final Mono<ReceivedToken> ask(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			// An answer that was long on its way is no newer than its question.
			long askedAt = this.clock.nanoTime();
			return this.client.fetch(credentials).map((response) -> {
				learnTime(response, askedAt);
				return received(response.token(), WechatMpRefreshPolicy.MAX_LIFE, askedAt, WechatMpTokenOrigin.AUTHING);
			});
		});
	}

	// An answer that was long on its way says nothing about the clocks, if its date is
	// between question and answer.
	private void learnTime(AuthingTokenResponse response, long askedAt) {
		Instant serverTime = response.serverTime();
		Instant now = this.clock.instant();
		Instant asked = now.minusNanos(nanoTime() - askedAt);
		Duration offset = Duration.ZERO;
		if (serverTime != null && serverTime.isAfter(now.plus(IGNORED_CLOCK_SKEW))) {
			offset = Duration.between(now, serverTime);
		}
		else if (serverTime != null && serverTime.isBefore(asked.minus(IGNORED_CLOCK_SKEW))) {
			offset = Duration.between(asked, serverTime);
		}
		this.offset = offset;
	}

	final Instant authingTime() {
		return this.clock.instant().plus(this.offset);
	}

	final long nanoTime() {
		return this.clock.nanoTime();
	}

	/**
	 * Return a token that has just come, with its life within what can be.
	 */
	final ReceivedToken received(WechatMpAccessToken token, long maxLife, long askedAt, WechatMpTokenOrigin origin) {
		// First, so that the time which the rest takes is none that the token lives.
		long now = nanoTime();
		long life = TimeUnit.NANOSECONDS.convert(Duration.between(authingTime(), token.expiresAt()));
		life = Math.min(life, maxLife);
		return new ReceivedToken(token, life, now + life, askedAt, origin, false);
	}

	/**
	 * The cache that a token is loaded into.
	 */
	interface Cache {

		WechatMpCredentials credentials();

		TokenSnapshot snapshot();

		/**
		 * Take over a token that another instance has shared, if it is of use.
		 */
		void adopt(ReceivedToken shared);

	}

}
