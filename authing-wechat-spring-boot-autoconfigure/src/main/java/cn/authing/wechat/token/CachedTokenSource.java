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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Schedulers;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.token.TokenFetch.SharedResult;

/**
 * How callers, blocking ones and subscribers, are answered: at once where a token is
 * held, else by the single flight.
 */
abstract class CachedTokenSource implements WechatMpTokenSource {

	final FetchContext context;

	private final Mono<WechatMpAccessToken> accessToken = new AccessTokenMono(this);

	CachedTokenSource(FetchContext context) {
		this.context = context;
	}

	/**
	 * Return the token if one may be handed out at once; counts it.
	 */
	abstract @Nullable WechatMpAccessToken held();

	/**
	 * Return the answer for a caller for whom no token was held: already there, or that
	 * of the single flight, which is started if there is none.
	 */
	abstract SharedResult join();

	/**
	 * Return the result of the fetch in flight, or of a new one.
	 */
	abstract SharedResult refresh();

	/**
	 * Return the token that callers get if a fetch fails, for one who cannot wait (any
	 * longer).
	 */
	abstract @Nullable WechatMpAccessToken staleIfError();

	/**
	 * Count the answer to a caller that had to wait for it.
	 */
	abstract void recordOutcome(boolean success);

	@Override
	public final Mono<WechatMpAccessToken> getAccessToken() {
		return this.accessToken;
	}

	@Override
	public final WechatMpAccessToken getAccessTokenSync() {
		WechatMpAccessToken token = held();
		return (token != null) ? token : await(join());
	}

	@Override
	public final Mono<WechatMpAccessToken> refreshAccessToken() {
		return Mono.defer(() -> refresh().mono());
	}

	private Mono<WechatMpAccessToken> joinLater() {
		return join().mono().doOnSuccess((token) -> recordOutcome(true)).doOnError((failure) -> recordOutcome(false));
	}

	private WechatMpAccessToken await(SharedResult answer) {
		boolean success = false;
		long maxWait = this.context.fetchDeadline();
		try {
			boolean mayWait = answer.isDone() || !Schedulers.isInNonBlockingThread();
			WechatMpAccessToken token = mayWait ? answer.await(maxWait) : staleIfError();
			success = token != null;
			if (token != null) {
				return token;
			}
			throw new IllegalStateException("getAccessTokenSync() would have to wait for a token to be fetched, and the"
					+ " thread '" + Thread.currentThread().getName()
					+ "' must not block; call getAccessToken() here and subscribe to it");
		}
		catch (ExecutionException ex) {
			Throwable cause = ex.getCause();
			// Else the service is stopped or the account removed, as its message tells.
			throw (cause instanceof AuthingException failure) ? failure.forCaller()
					: new IllegalStateException((cause != null) ? cause.getMessage() : null, cause);
		}
		catch (TimeoutException | InterruptedException ex) {
			boolean interrupted = ex instanceof InterruptedException;
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
			WechatMpAccessToken stale = staleIfError();
			success = stale != null;
			if (stale != null) {
				return stale;
			}
			throw new AuthingTransportException((interrupted ? "Interrupted while waiting for an access token"
					: "No access token" + TokenFetch.within(TimeUnit.NANOSECONDS.toMillis(maxWait)))
					+ "; the fetch goes on", interrupted ? ex : null, null, true, null);
		}
		finally {
			recordOutcome(success);
		}
	}

	/**
	 * The token as a {@link Mono}: each subscription is answered with what is held at
	 * that moment, without an operator in between, or by the fetch that is in flight
	 * then.
	 */
	private static final class AccessTokenMono extends Mono<WechatMpAccessToken> {

		private final CachedTokenSource source;

		AccessTokenMono(CachedTokenSource source) {
			this.source = source;
		}

		@Override
		public void subscribe(CoreSubscriber<? super WechatMpAccessToken> actual) {
			WechatMpAccessToken token = this.source.held();
			if (token != null) {
				actual.onSubscribe(new HeldToken(actual, token));
			}
			else {
				this.source.joinLater().subscribe(actual);
			}
		}

		// Blocking for what is held needs neither a subscriber nor a latch.

		@Override
		public @Nullable WechatMpAccessToken block() {
			WechatMpAccessToken token = this.source.held();
			return (token != null) ? token : this.source.joinLater().block();
		}

		@Override
		public @Nullable WechatMpAccessToken block(Duration timeout) {
			WechatMpAccessToken token = this.source.held();
			return (token != null) ? token : this.source.joinLater().block(timeout);
		}

	}

	/**
	 * Answers the first request. Reactive Streams (rule 2.7) has a subscriber make its
	 * requests one after the other, so that it takes no atomic operation to tell which
	 * one is the first.
	 */
	private static final class HeldToken implements Subscription {

		private final CoreSubscriber<? super WechatMpAccessToken> actual;

		private final WechatMpAccessToken token;

		private boolean requested;

		private volatile boolean cancelled;

		HeldToken(CoreSubscriber<? super WechatMpAccessToken> actual, WechatMpAccessToken token) {
			this.actual = actual;
			this.token = token;
		}

		@Override
		public void request(long count) {
			if (!Operators.validate(count) || this.requested || this.cancelled) {
				return;
			}
			this.requested = true;
			this.actual.onNext(this.token);
			if (!this.cancelled) {
				this.actual.onComplete();
			}
		}

		@Override
		public void cancel() {
			this.cancelled = true;
		}

	}

}
