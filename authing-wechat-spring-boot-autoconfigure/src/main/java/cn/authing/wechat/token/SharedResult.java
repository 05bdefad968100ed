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

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.core.log.LogMessage;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;

/**
 * A result that any number of callers wait for without delaying each other: blocked
 * threads are woken first, and a subscriber that blocks in its own callback costs one
 * thread, while another one goes on with the subscribers behind it.
 */
final class SharedResult {

	private static final Log logger = LogFactory.getLog(SharedResult.class);

	// If so many subscribers block at the same time, the others do wait for them.
	private static final int MAX_BLOCKED = 64;

	private final Executor executor;

	private final CompletableFuture<WechatMpAccessToken> future = new CompletableFuture<>();

	private final Queue<Runnable> subscribers = new ConcurrentLinkedQueue<>();

	// Threads that are on their way to the next subscriber.
	private final AtomicInteger free = new AtomicInteger();

	// Threads in a callback.
	private final AtomicInteger blocked = new AtomicInteger();

	SharedResult(Executor executor) {
		this.executor = executor;
	}

	static SharedResult of(WechatMpAccessToken token) {
		SharedResult result = new SharedResult(Runnable::run);
		result.future.complete(token);
		return result;
	}

	static SharedResult failed(Throwable failure) {
		SharedResult result = new SharedResult(Runnable::run);
		result.future.completeExceptionally(failure);
		return result;
	}

	void complete(@Nullable WechatMpAccessToken token, @Nullable Throwable failure) {
		boolean completed = (token != null) ? this.future.complete(token)
				: this.future.completeExceptionally((failure != null) ? failure : new IllegalStateException());
		if (completed && !this.subscribers.isEmpty()) {
			proceed();
		}
	}

	boolean isDone() {
		return this.future.isDone();
	}

	WechatMpAccessToken await(long nanos) throws InterruptedException, ExecutionException, TimeoutException {
		return this.future.get(nanos, TimeUnit.NANOSECONDS);
	}

	/**
	 * Do something of our own, which never blocks, before any subscriber is told of the
	 * result; at once if there is one.
	 */
	void whenComplete(BiConsumer<? super @Nullable WechatMpAccessToken, ? super @Nullable Throwable> action) {
		this.future.whenComplete(action);
	}

	/**
	 * Return the result for subscribers. Each is given a failure of its own. It goes
	 * through the sink as a value, a Mono that fails: an error that comes after a
	 * cancellation would be logged by Reactor.
	 */
	Mono<WechatMpAccessToken> mono() {
		return Mono.<Mono<WechatMpAccessToken>>create((sink) -> subscribe(() -> sink.success(forSubscriber())))
			.flatMap(Function.identity());
	}

	private Mono<WechatMpAccessToken> forSubscriber() {
		return this.future
			.handle((token,
					failure) -> (failure == null) ? Mono.just(token)
							: Mono.<WechatMpAccessToken>error(
									(failure instanceof AuthingException authing) ? authing.forCaller() : failure))
			.join();
	}

	private void subscribe(Runnable subscriber) {
		if (this.future.isDone()) {
			subscriber.run();
			return;
		}
		this.subscribers.add(subscriber);
		if (this.future.isDone()) {
			proceed();
		}
	}

	private void proceed() {
		this.free.incrementAndGet();
		try {
			this.executor.execute(this::callSubscribers);
		}
		catch (Throwable ex) {
			// Closed meanwhile, or no thread can be had.
			callSubscribers();
		}
	}

	private void callSubscribers() {
		for (Runnable next = this.subscribers.poll(); next != null; next = this.subscribers.poll()) {
			// This callback may block: then somebody else must be there for the next one.
			boolean mayBlock = this.blocked.incrementAndGet() <= MAX_BLOCKED;
			boolean lastFree = this.free.decrementAndGet() == 0;
			if (mayBlock && lastFree && !this.subscribers.isEmpty()) {
				proceed();
			}
			try {
				next.run();
			}
			catch (Throwable ex) {
				logger.debug(LogMessage.format("A subscriber failed with %s", ex.getClass().getName()));
			}
			this.free.incrementAndGet();
			this.blocked.decrementAndGet();
		}
		this.free.decrementAndGet();
	}

}
