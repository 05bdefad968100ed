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

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * The callers' side of a cached token: hands out what is held, or waits for a fetch that
 * belongs to nobody.
 */
abstract class CachedTokenSource implements WechatMpTokenSource {

	private final Mono<WechatMpAccessToken> accessToken = new AccessTokenMono(this);

	/**
	 * Return the token if one may be handed out at once; counts it.
	 */
	abstract @Nullable WechatMpAccessToken held();

	/**
	 * Return the answer for a caller for whom no token was held: already there, or that
	 * of the one fetch, which is started if it is not in flight.
	 */
	abstract CompletableFuture<WechatMpAccessToken> join();

	/**
	 * Return the outcome of the fetch in flight, or of a new one.
	 */
	abstract CompletableFuture<WechatMpAccessToken> refresh();

	/**
	 * Count the answer to a caller that had to wait for it.
	 */
	abstract void answered(boolean success);

	/**
	 * Return how long a blocking caller waits at most, in nanoseconds.
	 */
	abstract long patience();

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
		return Mono.defer(() -> whenComplete(refresh()));
	}

	/**
	 * Answer a subscriber for whom no token was held.
	 */
	final Mono<WechatMpAccessToken> joinLater() {
		return whenComplete(join()).doOnSuccess((token) -> answered(true)).doOnError((failure) -> answered(false));
	}

	// The future is shared: a subscriber that cancels must not cancel it. A failure is
	// passed on as a value, as Reactor logs one that finds its subscriber gone as an
	// error.
	private static Mono<WechatMpAccessToken> whenComplete(CompletableFuture<WechatMpAccessToken> future) {
		return Mono.fromFuture(future.handle(CachedTokenSource::forCaller), true).flatMap(Function.identity());
	}

	private static Mono<WechatMpAccessToken> forCaller(@Nullable WechatMpAccessToken token,
			@Nullable Throwable failure) {
		if (failure != null) {
			return Mono.error((failure instanceof AuthingException authing) ? authing.forCaller() : failure);
		}
		return Mono.justOrEmpty(token);
	}

	private WechatMpAccessToken await(CompletableFuture<WechatMpAccessToken> answer) {
		if (!answer.isDone() && Schedulers.isInNonBlockingThread()) {
			answered(false);
			throw new IllegalStateException("getAccessTokenSync() would have to wait for a token to be fetched, and the"
					+ " thread '" + Thread.currentThread().getName()
					+ "' must not block; call getAccessToken() here and subscribe to it");
		}
		try {
			WechatMpAccessToken token = answer.get(patience(), TimeUnit.NANOSECONDS);
			answered(true);
			return token;
		}
		catch (ExecutionException ex) {
			answered(false);
			Throwable cause = ex.getCause();
			// Else the service is closed or the account removed, as its message tells.
			throw (cause instanceof AuthingException failure) ? failure.forCaller()
					: new IllegalStateException((cause != null) ? cause.getMessage() : null, cause);
		}
		catch (TimeoutException ex) {
			answered(false);
			throw new AuthingTransportException("No access token within " + TimeUnit.NANOSECONDS.toMillis(patience())
					+ " ms (authing.timeout); the fetch goes on", null, null, true, null);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			answered(false);
			throw new AuthingTransportException("Interrupted while waiting for an access token; the fetch goes on", ex,
					null, true, null);
		}
	}

}
