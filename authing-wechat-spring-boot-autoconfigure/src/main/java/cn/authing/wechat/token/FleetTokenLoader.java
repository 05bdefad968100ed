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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

import org.springframework.core.log.LogMessage;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.TokenFetch.ReceivedToken;
import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * Loads tokens where instances share them: adopts what is shared; else the holder of the
 * lease asks Authing and publishes the answer. A store that throws, hangs, blocks or
 * returns nonsense is as good as none.
 */
final class FleetTokenLoader extends TokenLoader {

	private static final Log logger = LogFactory.getLog(FleetTokenLoader.class);

	// How often to ask the store while another instance holds the lease. If that one
	// dies, its lease soon ends and is taken over.
	private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

	// When the application ends.
	private static final Duration MAX_PUBLISH_WAIT = Duration.ofSeconds(2);

	// Each of two instances' clocks may be off by IGNORED_CLOCK_SKEW without being
	// corrected; as much again for the whole seconds of a Date.
	private static final Duration TIME_TOLERANCE = IGNORED_CLOCK_SKEW.multipliedBy(3);

	// A life counts from the request, whose response may have been long on its way.
	private static final Duration MAX_LIFE = Duration.ofNanos(WechatMpRefreshPolicy.MAX_LIFE).plus(TIME_TOLERANCE);

	private final WechatMpTokenStore store;

	// How long to wait for other instances; the rest is for a fetch of this one's own.
	private final Duration timeForOthers;

	private final Duration storeTimeout;

	private final WechatMpRefreshPolicy policy;

	private final Scheduler timer;

	private final Scheduler storeThreads;

	private final Scheduler clientThreads;

	private final Set<CompletableFuture<?>> publications = ConcurrentHashMap.newKeySet();

	FleetTokenLoader(AuthingWechatClient client, WechatMpTokenStore store, FetchContext context) {
		super(client, context.clock());
		this.store = store;
		this.policy = context.policy();
		this.timeForOthers = this.policy.timeout().multipliedBy(2).dividedBy(3);
		this.storeTimeout = storeTimeout(store, this.timeForOthers);
		this.timer = Schedulers.fromExecutorService(context.executors().timer(), "authing-wechat-token-timer");
		this.storeThreads = Schedulers.fromExecutorService(context.executors().callbacks(), "authing-wechat-token");
		this.clientThreads = Schedulers.fromExecutorService(context.executors().fetches(), "authing-wechat-token");
	}

	private static Duration storeTimeout(WechatMpTokenStore store, Duration max) {
		try {
			Duration time = store.maxWait();
			return (time.compareTo(max) < 0) ? time : max;
		}
		catch (Throwable ex) {
			return Duration.ofMillis(200);
		}
	}

	@Override
	Mono<ReceivedToken> load(Cache cache, boolean forced) {
		if (forced) {
			return carryOut(Decision.ASK_ALONE, cache);
		}
		long lastPoll = nanoTime() + this.timeForOthers.minus(POLL_INTERVAL).toNanos();
		return decide(cache)
			.repeatWhenEmpty((empty) -> empty.takeWhile((poll) -> nanoTime() <= lastPoll)
				.delayElements(POLL_INTERVAL, this.timer))
			.defaultIfEmpty(Decision.ASK_ALONE)
			.flatMap((decision) -> carryOut(decision, cache))
			.doOnDiscard(Decision.class, Decision::giveUp)
			// Another instance may have shared a token since the store was read.
			.onErrorResume((failure) -> shared(cache, this.storeTimeout).switchIfEmpty(Mono.error(failure)));
	}

	/**
	 * Decide what to do, at the latest when the store takes too long to tell.
	 * @return the decision; empty while another instance asks
	 */
	private Mono<Decision> decide(Cache cache) {
		return Mono.defer(() -> {
			// While a valid token is cached nobody waits: the store has more time.
			Duration maxWait = (nanoTime() < cache.snapshot().hardExpiry()) ? this.timeForOthers : this.storeTimeout;
			CompletableFuture<@Nullable Decision> decided = new CompletableFuture<>();
			Disposable timeout = this.timer.schedule(() -> decided.complete(Decision.ASK_ALONE), maxWait.toNanos(),
					TimeUnit.NANOSECONDS);
			consult(cache).subscribe((decision) -> {
				if (!decided.complete(decision)) {
					Decision.giveUp(decision);
				}
			}, (failure) -> decided.complete(Decision.ASK_ALONE), () -> decided.complete(null));
			AtomicBoolean delivered = new AtomicBoolean();
			return Mono.fromFuture(decided).doOnNext((decision) -> delivered.set(true)).doFinally((signal) -> {
				timeout.dispose();
				if (!delivered.get()) {
					// Cancelled, maybe before anybody asked for the decision.
					decided.thenAccept(Decision::giveUp);
				}
			});
		});
	}

	/**
	 * Read what is shared, and try for the lease if that is of no use. While a valid
	 * token is cached and another instance has the lease, that token is the answer: the
	 * other one will tell of its own.
	 */
	private Mono<Decision> consult(Cache cache) {
		return read(cache).map(Optional::of)
			.defaultIfEmpty(Optional.empty())
			.flatMap((shared) -> Mono.justOrEmpty(answerOf(cache, shared.orElse(null))))
			.map(Decision::answer)
			.switchIfEmpty(Mono.defer(() -> lease(cache)))
			.switchIfEmpty(Mono.fromSupplier(() -> cache.snapshot().currentAsResult(nanoTime())).map(Decision::answer));
	}

	private Mono<ReceivedToken> carryOut(Decision decision, Cache cache) {
		return (decision.answer() != null) ? Mono.just(decision.answer())
				: fetchAndPublish(cache, decision.releaseOfLease());
	}

	@Override
	void adopt(Cache cache) {
		// Nobody waits for this, so the store may take as long as a fetch.
		shared(cache, this.policy.timeout()).subscribe(cache::adopt);
	}

	@Override
	void drop(WechatMpCredentials credentials, String accessToken) {
		call("drop", () -> this.store.drop(credentials, accessToken)).timeout(this.policy.timeout(), this.timer)
			.onErrorComplete()
			.subscribe();
	}

	private @Nullable ReceivedToken answerOf(Cache cache, @Nullable ReceivedToken shared) {
		return cache.snapshot().answerOf(shared, nanoTime(), this.policy);
	}

	/**
	 * Fetch and then publish. Callers do not wait for the publication. The lease is kept
	 * until it has ended, so that others find the token, but no longer than the store may
	 * take.
	 */
	private Mono<ReceivedToken> fetchAndPublish(Cache cache, Mono<Void> releaseOfLease) {
		return Mono.defer(() -> {
			AtomicReference<@Nullable ReceivedToken> fetched = new AtomicReference<>();
			CompletableFuture<@Nullable Void> published = new CompletableFuture<>();
			// The client may block, so not on the timer's thread nor on one of the
			// store's.
			Mono<ReceivedToken> answer = contained(() -> ask(cache.credentials())).singleOrEmpty();
			return answer.subscribeOn(this.clientThreads).doOnNext((token) -> {
				fetched.set(token);
				// The application may end as soon as it has the token.
				this.publications.add(published);
			}).doFinally((signal) -> {
				publish(cache, fetched.get()).doFinally((end) -> {
					this.publications.remove(published);
					published.complete(null);
				}).subscribe();
				Mono.fromFuture(published, true)
					.timeout(this.storeTimeout, Mono.empty(), this.timer)
					// Closed meanwhile.
					.onErrorComplete()
					.then(releaseOfLease)
					.subscribe();
			});
		});
	}

	/**
	 * Share a token. It is handed out whatever becomes of that; where another one is
	 * newer, that one is adopted.
	 */
	private Mono<ReceivedToken> publish(Cache cache, @Nullable ReceivedToken fetched) {
		if (fetched == null || fetched.isExpired() || cache.snapshot().isOutdated(fetched.token(), fetched.askedAt())) {
			return Mono.empty();
		}
		Instant fetchedAt = authingTime().minusNanos(nanoTime() - fetched.askedAt());
		StoredToken token = new StoredToken(within(fetched.token(), fetchedAt.plus(MAX_LIFE)),
				Duration.ofNanos(fetched.expiry() - nanoTime()), fetchedAt);
		return call("publish", () -> this.store.publish(cache.credentials(), token))
			.timeout(this.policy.timeout(), Mono.empty(), this.timer)
			.filter((shared) -> !shared.token().equals(token.token()))
			.flatMap((shared) -> Mono.justOrEmpty(fromStore(shared)))
			.doOnNext(cache::adopt)
			.onErrorComplete();
	}

	/**
	 * Return a token that claims to expire no later than it can.
	 */
	private static WechatMpAccessToken within(WechatMpAccessToken token, Instant latest) {
		return token.expiresAt().isAfter(latest) ? new WechatMpAccessToken(token.accessToken(), latest) : token;
	}

	@Override
	void awaitPublications() {
		try {
			CompletableFuture.allOf(this.publications.toArray(CompletableFuture[]::new))
				.get(MAX_PUBLISH_WAIT.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (ExecutionException | TimeoutException ex) {
			logger.debug("A token was not shared before the end of the application");
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private Mono<ReceivedToken> shared(Cache cache, Duration timeout) {
		return read(cache).timeout(timeout, Mono.empty(), this.timer)
			.onErrorComplete()
			.filter((shared) -> cache.snapshot().shouldAdopt(shared, nanoTime()));
	}

	private Mono<ReceivedToken> read(Cache cache) {
		return call("read", () -> this.store.read(cache.credentials()))
			.flatMap((stored) -> Mono.justOrEmpty(fromStore(stored)))
			.onErrorComplete();
	}

	private Mono<Decision> lease(Cache cache) {
		return call("lease", () -> this.store.lease(cache.credentials())).map((lease) -> {
			Mono<Void> release = call("release", lease::release).onErrorComplete();
			ReceivedToken answer = answerOf(cache, sharedBy(lease));
			if (answer == null) {
				return Decision.ask(release);
			}
			release.subscribe();
			return Decision.answer(answer);
		}).onErrorReturn(Decision.ASK_ALONE);
	}

	private @Nullable ReceivedToken sharedBy(Lease lease) {
		try {
			StoredToken shared = lease.shared();
			return (shared != null) ? fromStore(shared) : null;
		}
		catch (Throwable ex) {
			logger.debug(
					LogMessage.format("Operation shared of the token store failed with %s", ex.getClass().getName()));
			return null;
		}
	}

	/**
	 * Call the store on a thread that it may block.
	 */
	private <T> Mono<T> call(String operation, Supplier<Mono<T>> call) {
		Mono<T> deferred = contained(call).singleOrEmpty();
		return deferred.subscribeOn(this.storeThreads)
			// Closed meanwhile: a lease is given back all the same.
			.onErrorResume(RejectedExecutionException.class, (ex) -> deferred)
			.doOnError((failure) -> logger.debug(LogMessage.format("Operation %s of the token store failed with %s",
					operation, failure.getClass().getName())));
	}

	/**
	 * Return what a call returns, with any error as a signal: some, Reactor would throw
	 * on a thread where nobody hears of it. What blocks while it is subscribed to is
	 * cancelled all the same.
	 */
	static <T> Flux<T> contained(Supplier<? extends Publisher<T>> call) {
		return Flux.create((sink) -> {
			try {
				Flux.from(call.get())
					.doOnSubscribe((subscription) -> sink.onCancel(subscription::cancel))
					.contextWrite(sink.contextView())
					.subscribe(sink::next, sink::error, sink::complete);
			}
			catch (Throwable ex) {
				sink.error(ex);
			}
		});
	}

	/**
	 * Return a shared token, unless its times cannot be: a wrong clock or a forger wrote
	 * them. One that has more left than its whole life was fetched in the future; no
	 * clock tells, as Authing's may be any time ahead of the local one.
	 */
	private @Nullable ReceivedToken fromStore(StoredToken stored) {
		Duration left = Duration.between(authingTime(), stored.token().expiresAt());
		Duration life = (left.compareTo(stored.life()) < 0) ? left : stored.life();
		if (stored.life().compareTo(MAX_LIFE) > 0
				|| new StoredToken(stored.token(), life, stored.fetchedAt()).age().plus(TIME_TOLERANCE).isNegative()) {
			logger.debug("A shared token is ignored, as it was fetched in the future or lives too long");
			return null;
		}
		// An old value that was stored again lives no longer than its token.
		return received(stored.token(), Math.min(stored.life().toNanos(), WechatMpRefreshPolicy.MAX_LIFE),
				nanoTime() - stored.age().toNanos(), WechatMpTokenOrigin.STORE);
	}

	/**
	 * What to do for a token: answer with one, or ask Authing.
	 *
	 * @param answer the token that makes it needless to ask Authing, if there is one
	 * @param releaseOfLease gives back the lease to ask under, once, however often it is
	 * subscribed to; empty where Authing is asked without one
	 */
	private record Decision(@Nullable ReceivedToken answer, Mono<Void> releaseOfLease) {

		static final Decision ASK_ALONE = ask(Mono.empty());

		static Decision answer(ReceivedToken token) {
			return new Decision(token, Mono.empty());
		}

		static Decision ask(Mono<Void> releaseOfLease) {
			return new Decision(null, releaseOfLease.cache());
		}

		/**
		 * Give the lease back, as nobody carries this decision out.
		 */
		static void giveUp(@Nullable Decision decision) {
			if (decision != null) {
				decision.releaseOfLease.subscribe();
			}
		}

	}

}
