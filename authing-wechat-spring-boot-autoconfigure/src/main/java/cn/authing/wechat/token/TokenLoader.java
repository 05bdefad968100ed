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

import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingTokenResponse;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * What one fetch does: ask Authing; where instances share tokens, take what another has
 * shared, or else ask as the only one of the fleet.
 */
final class TokenLoader {

	// While another instance fetches. Its lease is renewed while it lives and soon taken
	// over when it dies, so that this is also how soon a dead one is found out.
	private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

	private final AuthingWechatClient client;

	private final WechatMpTokenStore store;

	private final TokenClock clock;

	private final RefreshPolicy policy;

	private final Scheduler scheduler;

	TokenLoader(AuthingWechatClient client, WechatMpTokenStore store, TokenClock clock, RefreshPolicy policy,
			Scheduler scheduler) {
		this.client = client;
		this.store = store;
		this.clock = clock;
		this.policy = policy;
		this.scheduler = scheduler;
	}

	/**
	 * Load a token.
	 * @param entry the entry that wants it
	 * @param forced whether to ask Authing whatever is shared
	 * @return the token, never empty unless the client's answer was
	 */
	Mono<ReceivedToken> load(TokenEntry entry, boolean forced) {
		WechatMpCredentials credentials = entry.credentials();
		if (!this.store.isShared()) {
			return ask(credentials);
		}
		if (forced) {
			return askAndPublish(credentials);
		}
		// What is shared may have been taken over already, when it was told of.
		Mono<ReceivedToken> asOnlyOne = Mono.usingWhen(this.store.lease(credentials),
				(lease) -> shared(entry).switchIfEmpty(Mono.fromSupplier(entry::freshAgain))
					.switchIfEmpty(askAndPublish(credentials)),
				Lease::release);
		// While a valid token is held, the instance that holds the lease will tell; until
		// then there is no news.
		Mono<ReceivedToken> attempt = shared(entry).switchIfEmpty(asOnlyOne)
			.switchIfEmpty(Mono.fromSupplier(entry::heldAgain));
		long polls = this.policy.timeout().dividedBy(2).dividedBy(POLL_INTERVAL);
		return attempt.repeatWhenEmpty((empty) -> empty.take(polls).delayElements(POLL_INTERVAL, this.scheduler))
			.switchIfEmpty(askAndPublish(credentials));
	}

	/**
	 * Read what is shared, if it is of use to an entry.
	 */
	Mono<ReceivedToken> shared(TokenEntry entry) {
		return this.store.read(entry.credentials()).map(TokenLoader::fromStore).filter(entry::wants);
	}

	void drop(WechatMpCredentials credentials, String accessToken) {
		if (this.store.isShared()) {
			this.store.drop(credentials, accessToken).subscribe();
		}
	}

	private Mono<ReceivedToken> ask(WechatMpCredentials credentials) {
		return this.client.fetch(credentials)
			.map((response) -> ReceivedToken.fromAuthing(response, this.clock.instant()));
	}

	private Mono<ReceivedToken> askAndPublish(WechatMpCredentials credentials) {
		return Mono.defer(() -> this.client.fetch(credentials)).flatMap((response) -> {
			Instant now = this.clock.instant();
			ReceivedToken received = ReceivedToken.fromAuthing(response, now);
			return (this.policy.usable(received.life()) > 0) ? publish(credentials, received, response, now)
					: Mono.just(received);
		});
	}

	private Mono<ReceivedToken> publish(WechatMpCredentials credentials, ReceivedToken received,
			AuthingTokenResponse response, Instant now) {
		StoredToken token = new StoredToken(received.token(), Duration.ofNanos(received.life()),
				ReceivedToken.authingTime(response, now));
		return this.store.publish(credentials, token)
			.map((shared) -> shared.equals(token) ? received : fromStore(shared))
			.defaultIfEmpty(received);
	}

	private static ReceivedToken fromStore(StoredToken stored) {
		long life = Math.min(stored.life().toMillis(), Duration.ofNanos(RefreshPolicy.MAX_LIFE).toMillis());
		return new ReceivedToken(stored.token(), Duration.ofMillis(life).toNanos(), TokenOrigin.STORE);
	}

}
