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
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;

/**
 * One fetch, shared by all who wait for it and owned by none of them: it runs on a thread
 * of the cache, with nothing of a caller's context, to its own end.
 */
final class TokenFetch {

	private final TokenEntry entry;

	private final TokenCache cache;

	private final boolean inBackground;

	private final boolean forced;

	private final AtomicBoolean ended = new AtomicBoolean();

	private final Disposable.Swap call = Disposables.swap();

	private final CompletableFuture<WechatMpAccessToken> answer = new CompletableFuture<>();

	private final CompletableFuture<WechatMpAccessToken> outcome = new CompletableFuture<>();

	private volatile @Nullable Future<?> deadline;

	private volatile long startedAt;

	TokenFetch(TokenEntry entry, TokenCache cache, boolean inBackground, boolean forced) {
		this.entry = entry;
		this.cache = cache;
		this.inBackground = inBackground;
		this.forced = forced;
	}

	/**
	 * What those get who need a valid token.
	 */
	CompletableFuture<WechatMpAccessToken> answer() {
		return this.answer;
	}

	/**
	 * What those get who asked for this very fetch: its failure even while a valid token
	 * is held.
	 */
	CompletableFuture<WechatMpAccessToken> outcome() {
		return this.outcome;
	}

	boolean isInBackground() {
		return this.inBackground;
	}

	/**
	 * Start, after a pause.
	 * @param delay the pause, in nanoseconds
	 */
	void start(long delay) {
		this.startedAt = this.cache.clock().nanoTime();
		this.cache.register(this);
		this.deadline = this.cache.schedule(this::timeout, this.cache.patience());
		this.cache.schedule(this::call, delay);
		if (this.cache.isClosed()) {
			close();
		}
	}

	private void call() {
		this.startedAt = this.cache.clock().nanoTime();
		if (this.ended.get()) {
			return;
		}
		try {
			this.call.update(Mono.defer(() -> this.cache.loader().load(this.entry, this.forced))
				.switchIfEmpty(Mono.error(() -> new AuthingResponseException(
						"The AuthingWechatClient completed without a token; it must emit one or fail", null)))
				.subscribe(this::received, this::failed));
		}
		catch (LinkageError ex) {
			// Jars that do not fit together. Reactor throws it instead of passing it on.
			failed(ex);
		}
	}

	private void received(ReceivedToken token) {
		if (end()) {
			WechatMpAccessToken current = this.entry.received(token, this);
			try {
				this.cache.fetched(this.entry, this.startedAt, token.origin(), null);
			}
			finally {
				this.answer.complete(current);
				this.outcome.complete(token.token());
			}
		}
	}

	private void failed(Throwable failure) {
		if (end()) {
			AuthingException exception = (failure instanceof AuthingException authing) ? authing
					: new AuthingTransportException(
							"The AuthingWechatClient failed with " + failure.getClass().getName(), failure, null, true,
							null);
			WechatMpAccessToken held = this.entry.failed(exception, this);
			try {
				this.cache.fetched(this.entry, this.startedAt, null, exception);
			}
			finally {
				if (held != null) {
					this.answer.complete(held);
				}
				else {
					this.answer.completeExceptionally(exception);
				}
				this.outcome.completeExceptionally(exception);
			}
		}
	}

	private void timeout() {
		failed(new AuthingTransportException("No answer for " + this.entry + " within "
				+ this.cache.policy().timeout().toMillis() + " ms (authing.timeout)", null, null, true, null));
		this.call.dispose();
	}

	/**
	 * End without a result, because the service is closed.
	 */
	void close() {
		if (end()) {
			this.call.dispose();
			this.entry.abandoned();
			IllegalStateException closed = new IllegalStateException(
					"The WechatMpTokenService was closed while its token was being fetched");
			this.answer.completeExceptionally(closed);
			this.outcome.completeExceptionally(closed);
		}
	}

	private boolean end() {
		if (!this.ended.compareAndSet(false, true)) {
			return false;
		}
		Future<?> deadline = this.deadline;
		if (deadline != null) {
			deadline.cancel(false);
		}
		this.cache.unregister(this);
		return true;
	}

}
