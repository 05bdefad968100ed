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
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * What one fetch does where instances share tokens: take what another has shared, or else
 * ask as the only one of the fleet.
 */
final class FleetTokenLoader extends TokenLoader {

	// While another instance fetches. Its lease is renewed while it lives and soon taken
	// over when it dies, so that this is also how soon a dead one is found out.
	private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

	// A token is in the store a moment after it was received.
	private static final Duration PUBLICATION = Duration.ofSeconds(1);

	private final WechatMpTokenStore store;

	private final TokenClock clock;

	private final WechatMpRefreshPolicy policy;

	private final Scheduler scheduler;

	FleetTokenLoader(AuthingWechatClient client, WechatMpTokenStore store, TokenClock clock,
			WechatMpRefreshPolicy policy, Scheduler scheduler) {
		super(client, clock);
		this.store = store;
		this.clock = clock;
		this.policy = policy;
		this.scheduler = scheduler;
	}

	@Override
	Mono<ReceivedToken> load(TokenEntry entry, boolean forced) {
		if (forced) {
			return askAlone(entry);
		}
		// Half of the time is for others; the rest for an attempt of one's own.
		long lastPoll = this.clock.nanoTime() + this.policy.timeout().dividedBy(2).minus(POLL_INTERVAL).toNanos();
		return Mono.defer(() -> takeOrAsk(entry))
			.repeatWhenEmpty((empty) -> empty.takeWhile((poll) -> this.clock.nanoTime() <= lastPoll)
				.delayElements(POLL_INTERVAL, this.scheduler))
			.defaultIfEmpty(askAlone(entry))
			.flatMap(Function.identity())
			// The store may not have been there yet when it was read.
			.onErrorResume((failure) -> inTime(shared(entry)).switchIfEmpty(Mono.error(failure)));
	}

	/**
	 * Decide whether to take what is shared, or to ask as the holder of the lease, or
	 * alone if the store takes too long to tell; empty while another instance asks. While
	 * a valid token is held that is what there is: the instance that holds the lease will
	 * tell of another one.
	 */
	private Mono<Mono<ReceivedToken>> takeOrAsk(TokenEntry entry) {
		AtomicBoolean decided = new AtomicBoolean();
		// Nobody waits while a valid token is held.
		Duration patience = (entry.heldAgain() != null) ? this.policy.timeout().dividedBy(2) : this.store.maxWait();
		Mono<Mono<ReceivedToken>> decision = this.store.read(entry.credentials())
			.flatMap((stored) -> Mono.justOrEmpty(settled(entry, stored)))
			.map(Mono::just)
			.switchIfEmpty(Mono.defer(() -> decided.get() ? Mono.never() : this.store.lease(entry.credentials()))
				.flatMap((lease) -> decided.compareAndSet(false, true) ? Mono.just(askAsHolder(entry, lease))
						: lease.release().then(Mono.never())))
			.switchIfEmpty(Mono.fromSupplier(entry::heldAgain).map(Mono::just));
		Mono<Mono<ReceivedToken>> impatience = Mono.delay(patience, this.scheduler)
			.filter((elapsed) -> decided.compareAndSet(false, true))
			.map((elapsed) -> askAndShareLater(entry));
		// A lease that comes too late must still be given back, so that it is waited for.
		return Mono
			.firstWithValue(
					Mono.fromFuture(decision.map(Optional::of).defaultIfEmpty(Optional.empty()).toFuture(), true),
					impatience.map(Optional::of))
			.doOnCancel(() -> decided.set(true))
			.flatMap(Mono::justOrEmpty);
	}

	@Override
	Mono<ReceivedToken> shared(TokenEntry entry) {
		return this.store.read(entry.credentials()).map(FleetTokenLoader::fromStore).filter(entry::wants);
	}

	@Override
	void drop(WechatMpCredentials credentials, String accessToken) {
		this.store.drop(credentials, accessToken).subscribe();
	}

	/**
	 * Return the token that makes it needless to ask Authing, if there is one.
	 */
	private @Nullable ReceivedToken settled(TokenEntry entry, @Nullable StoredToken stored) {
		if (stored != null) {
			ReceivedToken shared = fromStore(stored);
			if (entry.wants(shared) || entry.isHandedOutAgain(shared, stored.age())) {
				return shared;
			}
			if (entry.snapshot().holds(shared.token().accessToken())
					&& stored.age().compareTo(this.policy.minRefreshInterval()) < 0
					&& entry.isReceivedBefore(stored.age().plus(PUBLICATION))) {
				// Since then another instance has asked, and Authing has no news yet.
				return entry.heldAgain();
			}
		}
		// It may have been taken over meanwhile.
		return entry.freshAgain();
	}

	private Mono<ReceivedToken> askAsHolder(TokenEntry entry, Lease lease) {
		AtomicReference<Mono<?>> publication = new AtomicReference<>(Mono.empty());
		Mono<ReceivedToken> answer = Mono.fromSupplier(() -> settled(entry, lease.shared()))
			.switchIfEmpty(
					ask(entry).doOnNext((fetched) -> publication.set(publish(entry, fetched).doOnNext(entry::adopt)))
						.map(Fetched::token));
		// Those who wait need not wait for this, too.
		return Mono.using(() -> lease, (held) -> answer,
				(held) -> publication.get().then(Mono.defer(held::release)).subscribe(), false);
	}

	private Mono<ReceivedToken> askAlone(TokenEntry entry) {
		return ask(entry).flatMap((fetched) -> publish(entry, fetched).defaultIfEmpty(fetched.token()));
	}

	private Mono<ReceivedToken> askAndShareLater(TokenEntry entry) {
		return ask(entry).flatMap((fetched) -> Mono.just(fetched.token())
			.doAfterTerminate(() -> publish(entry, fetched).subscribe(entry::adopt)));
	}

	/**
	 * Share a token. It was received and is handed out, whatever becomes of the sharing.
	 * @return the newer one, if there is one; never an error
	 */
	private Mono<ReceivedToken> publish(TokenEntry entry, Fetched fetched) {
		ReceivedToken received = fetched.token();
		if (this.policy.usable(received.life()) <= 0) {
			return Mono.empty();
		}
		StoredToken token = new StoredToken(received.token(), Duration.ofNanos(received.life()), fetched.at());
		return inTime(Mono.defer(() -> this.store.publish(entry.credentials(), token))
			.filter((shared) -> !shared.token().equals(token.token())
					&& !shared.token().expiresAt().isBefore(token.token().expiresAt()))
			.map(FleetTokenLoader::fromStore));
	}

	private <T> Mono<T> inTime(Mono<T> operation) {
		return operation.timeout(this.store.maxWait(), Mono.empty(), this.scheduler).onErrorComplete();
	}

	private static ReceivedToken fromStore(StoredToken stored) {
		long life = Math.min(stored.life().toMillis(), Duration.ofNanos(WechatMpRefreshPolicy.MAX_LIFE).toMillis());
		return new ReceivedToken(stored.token(), Duration.ofMillis(life).toNanos(), WechatMpTokenOrigin.STORE, false);
	}

}
