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
 * Loads tokens from Authing, and keeps the offset to Authing's clock, by which tokens
 * expire. Safe for use by any number of threads.
 */
class TokenLoader {

	// The Date header counts whole seconds, and the response takes time: a smaller
	// difference says nothing about the clocks.
	static final Duration IGNORED_CLOCK_SKEW = Duration.ofSeconds(5);

	private final AuthingWechatClient client;

	private final TokenClock clock;

	// What to add to the local wall clock to get Authing's time.
	private volatile Duration clockOffset = Duration.ZERO;

	TokenLoader(AuthingWechatClient client, TokenClock clock) {
		this.client = client;
		this.clock = clock;
	}

	/**
	 * Load a token. Nothing happens until a subscription, whose thread the client may
	 * block; any failure is signalled.
	 * @param cache the cache that it is loaded into
	 * @param forced whether to ask Authing even if a shared token would do
	 * @return the token; empty only if the client's answer was
	 */
	Mono<ReceivedToken> load(Cache cache, boolean forced) {
		return ask(cache.credentials());
	}

	/**
	 * Have the cache adopt the shared token, if it is of use. Does not block.
	 */
	void adopt(Cache cache) {
	}

	/**
	 * Tell the other instances that a token was rejected. Does not block.
	 */
	void drop(WechatMpCredentials credentials, String accessToken) {
	}

	/**
	 * Block for a moment, until what was fetched last is shared.
	 */
	void awaitPublications() {
	}

	final Mono<ReceivedToken> ask(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			// A token counts as no newer than the request for it: the response may have
			// been long on its way.
			long askedAt = this.clock.nanoTime();
			return this.client.fetch(credentials).map((response) -> {
				updateClockOffset(response, askedAt);
				return received(response.token(), WechatMpRefreshPolicy.MAX_LIFE, askedAt, WechatMpTokenOrigin.AUTHING);
			});
		});
	}

	// A date between request and response says nothing about the clocks, however long the
	// response was on its way.
	private void updateClockOffset(AuthingTokenResponse response, long askedAt) {
		Instant serverTime = response.serverTime();
		Instant now = this.clock.instant();
		Instant asked = now.minusNanos(nanoTime() - askedAt);
		Duration clockOffset = Duration.ZERO;
		if (serverTime != null && serverTime.isAfter(now.plus(IGNORED_CLOCK_SKEW))) {
			clockOffset = Duration.between(now, serverTime);
		}
		else if (serverTime != null && serverTime.isBefore(asked.minus(IGNORED_CLOCK_SKEW))) {
			clockOffset = Duration.between(asked, serverTime);
		}
		this.clockOffset = clockOffset;
	}

	final Instant authingTime() {
		return this.clock.instant().plus(this.clockOffset);
	}

	final long nanoTime() {
		return this.clock.nanoTime();
	}

	/**
	 * Return a token that has just arrived, with the time to its real expiry.
	 * @param maxLife the longest life to believe in, in nanoseconds
	 * @param askedAt when Authing was asked for it, a reading of {@link #nanoTime()}
	 */
	final ReceivedToken received(WechatMpAccessToken token, long maxLife, long askedAt, WechatMpTokenOrigin origin) {
		// Read first: what the rest of this takes must not make the token live longer.
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
