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
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;

/**
 * Where the instances of an application share tokens. It is asked only where Authing
 * would be asked otherwise; callers never wait for it while a valid token is cached.
 * <p>
 * It can be implemented on a database or another cache: it takes a value with an expiry,
 * compare-and-set, and (for {@link #lease}) a lock that ends by itself. Notifications are
 * optional: {@link Flux#never()} costs only that a change is found by the next
 * {@link #read}.
 * <p>
 * Implementations must contain their own failures and delays: a {@code Mono} that cannot
 * tell in time completes as if there were nothing to share (an empty {@link #read}, a
 * {@link #publish} that returns its argument, a granted {@link #lease}). One that throws,
 * hangs or returns {@code null} all the same is as good as none. Nothing happens until a
 * subscription. Methods are called, and what they return is subscribed to, by any number
 * of threads, which may be blocked except where a method says otherwise.
 * <p>
 * <b>Provisional:</b> this SPI may change in a minor release, until a second
 * implementation has proved it.
 *
 * @since 1.0.0
 */
public interface WechatMpTokenStore {

	/**
	 * Return how long a caller may wait for this store, for {@link #read} and
	 * {@link #lease} together. Called once; two thirds of the timeout of a fetch are the
	 * most that counts.
	 * @return the time, by default 200 ms
	 */
	default Duration maxWait() {
		return Duration.ofMillis(200);
	}

	/**
	 * Read the shared token.
	 * @param credentials the account
	 * @return the token, or empty if there is none. Must be the token last published (or
	 * one that is newer), never one that was dropped since
	 */
	Mono<StoredToken> read(WechatMpCredentials credentials);

	/**
	 * Share a token, unless a newer one is shared already ({@link StoredToken#fetchedAt()
	 * fetched} later or, if at the same time, expiring later): compare and set must be
	 * one atomic operation. The token must be gone when its life is over.
	 * @param credentials the account
	 * @param token the token
	 * @return the token that is shared now: the argument, or the newer one
	 */
	Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token);

	/**
	 * Remove the shared token, if it is this one (atomically: never a newer one), and
	 * tell the other instances that it was rejected.
	 * @param credentials the account
	 * @param accessToken the token that was rejected
	 * @return a {@code Mono} that completes when that is done
	 */
	Mono<Void> drop(WechatMpCredentials credentials, String accessToken);

	/**
	 * Try to become the one instance that fetches.
	 * @param credentials the account
	 * @return the lease, or empty if another instance holds it. At most one instance
	 * holds it until it is released; it ends by itself soon after its holder has died, or
	 * when no fetch can take that long
	 */
	Mono<Lease> lease(WechatMpCredentials credentials);

	/**
	 * Return the status of the store, for monitoring. Must not block.
	 * @return the status, or {@code null} if there is nothing to tell
	 */
	default @Nullable WechatMpTokenStoreStatus status() {
		return null;
	}

	/**
	 * Return the changes that other instances make (those of this one may be left out),
	 * for as long as there is a subscription. Neither ends nor fails; what is missed
	 * while the connection is down is found by the next {@link #read}.
	 * @return the changes
	 */
	Flux<Change> changes();

	/**
	 * A token in a store.
	 *
	 * @param token the token
	 * @param life the time to its expiry when it was read or is written; measured by the
	 * store's clock where it has one, so that the instances' clocks do not matter
	 * @param fetchedAt when Authing was asked for it, by Authing's clock where the local
	 * one is off
	 */
	record StoredToken(WechatMpAccessToken token, Duration life, Instant fetchedAt) {

		/**
		 * Return how long ago Authing was asked for the token: what is gone of the life
		 * that it had then. Depends on no clock of this instance.
		 * @return the age
		 */
		public Duration age() {
			Duration whole = Duration.between(this.fetchedAt, this.token.expiresAt());
			Duration held = Duration.ofNanos(WechatMpRefreshPolicy.MAX_LIFE);
			return ((whole.compareTo(held) < 0) ? whole : held).minus(this.life);
		}

	}

	/**
	 * A change made by another instance.
	 */
	sealed interface Change permits Published, Rejected {

		/**
		 * Return the account whose token has changed.
		 * @return the app id and secret
		 */
		WechatMpCredentials credentials();

	}

	/**
	 * Another instance has published a token: {@link #read} returns it.
	 *
	 * @param credentials the account
	 */
	record Published(WechatMpCredentials credentials) implements Change {

	}

	/**
	 * Another instance was told by WeChat that a token is invalid, and has dropped it.
	 *
	 * @param credentials the account
	 * @param token tells whether an access token is the rejected one, so that a store
	 * need not send the token itself
	 */
	record Rejected(WechatMpCredentials credentials, Predicate<String> token) implements Change {

	}

	/**
	 * The right to fetch.
	 */
	interface Lease {

		/**
		 * Return what was shared when the lease was granted: another instance may have
		 * fetched between the last {@link WechatMpTokenStore#read} and then.
		 * @return the token, or {@code null} if there was none
		 */
		@Nullable StoredToken shared();

		/**
		 * Give the lease back.
		 * @return a {@code Mono} that completes when that is done
		 */
		Mono<Void> release();

	}

}
