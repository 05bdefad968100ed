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
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

import org.springframework.core.log.LogMessage;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;

/**
 * A single flight: one fetch, shared by all who wait for it and owned by none of them. It
 * runs on a thread of its own, with nothing of a caller's context, to its own end.
 */
final class TokenFetch implements Disposable {

	private static final Log logger = LogFactory.getLog(TokenFetch.class);

	// Under this name Reactor finds the consumer of errors that come after the end.
	private static final Context CONTEXT = Context.of("reactor.onErrorDropped.local",
			(Consumer<Throwable>) (failure) -> logger
				.debug(LogMessage.format("Abandoned fetch failed with %s", failure.getClass().getName())));

	private final FetchContext context;

	private final Function<Boolean, Mono<ReceivedToken>> loader;

	private final Recipient recipient;

	private final boolean inBackground;

	private final boolean forced;

	// What is cancelled at a time-out or a stop: calls, and the threads of clients that
	// block.
	private final Disposable.Composite running = Disposables.composite();

	private final SharedResult resultOrStale;

	// In place of resultOrStale, once that was completed with a stale token.
	private final SharedResult lateResultOrStale;

	private final SharedResult result;

	// Later than any deadline: whoever is in flight then has lost its timer.
	private final long lostAt;

	private volatile @Nullable Future<?> deadline;

	private volatile @Nullable Future<?> maxWaitDeadline;

	private volatile boolean overdue;

	// Without the delay before the fetch, which is no part of its duration.
	private volatile long startedAt;

	private volatile long loadStartedAt = TokenClock.LONG_AGO;

	private volatile boolean repeated;

	// Set before an end by time-out or stop reads loadStartedAt, and read after
	// loadStartedAt was set. So either that end knows that Authing is asked, and sets a
	// back-off, or Authing is not asked.
	private volatile boolean cancelled;

	/**
	 * Create a new fetch.
	 * @param context what all fetches share
	 * @param loader loads a token; given whether it is forced
	 * @param recipient who is told how the fetch ended
	 * @param inBackground whether nobody was waiting when it was started
	 * @param forced whether Authing must be asked, whatever another instance has fetched
	 */
	TokenFetch(FetchContext context, Function<Boolean, Mono<ReceivedToken>> loader, Recipient recipient,
			boolean inBackground, boolean forced) {
		this.context = context;
		this.loader = loader;
		this.recipient = recipient;
		this.inBackground = inBackground;
		this.forced = forced;
		this.lostAt = context.clock().nanoTime() + 2 * context.fetchDeadline()
				+ context.policy().initialBackoff().toNanos();
		Executor callbacks = context.executors().callbacks();
		this.resultOrStale = new SharedResult(callbacks);
		this.lateResultOrStale = new SharedResult(callbacks);
		this.result = new SharedResult(callbacks);
	}

	/**
	 * Return the answer for those who need a token: if the fetch fails, a stale one where
	 * there is one.
	 */
	SharedResult resultOrStale() {
		return this.overdue ? this.lateResultOrStale : this.resultOrStale;
	}

	/**
	 * Return whether those who waited have been given a stale token, as the fetch takes
	 * too long.
	 */
	boolean isOverdue() {
		return this.overdue;
	}

	/**
	 * Return whether even the deadline of the fetch got lost.
	 */
	boolean isLost(long now) {
		return now >= this.lostAt;
	}

	/**
	 * Return the answer for those who asked for this very fetch: what it brought, or its
	 * failure.
	 */
	SharedResult result() {
		return this.result;
	}

	boolean isInBackground() {
		return this.inBackground;
	}

	/**
	 * Return when the fetch began to load the token, for the last time.
	 */
	long loadStartedAt() {
		return this.loadStartedAt;
	}

	/**
	 * Start, after a pause.
	 * @param delay the pause, in nanoseconds
	 * @param maxWait how long those who need a token wait at most, while there is one
	 * that works, in nanoseconds
	 */
	void start(long delay, long maxWait) {
		try {
			this.startedAt = this.context.clock().nanoTime();
			this.context.register(this);
			if (this.context.isStopped()) {
				dispose();
				return;
			}
			long deadline = this.context.fetchDeadline();
			// A long pause is added, so that the fetch still has its whole time.
			deadline += (delay > deadline / 4) ? delay : 0;
			this.deadline = this.context.schedule(this::timeout, deadline);
			if (maxWait < deadline) {
				this.maxWaitDeadline = this.context.schedule(this::answerStale, maxWait);
			}
			if (delay > 0) {
				this.context.schedule(() -> run(this.forced), delay);
			}
			else {
				run(this.forced);
			}
			if (this.context.isStopped()) {
				dispose();
				// Of a stop that came before the timers were there.
				release();
			}
		}
		catch (Throwable ex) {
			// No thread can be had, for one.
			failed(ex);
		}
	}

	private void run(boolean forced) {
		try {
			Future<?> task = this.context.executors().fetches().submit(() -> call(forced));
			this.running.add(() -> task.cancel(true));
		}
		catch (Throwable ex) {
			failed(ex);
		}
	}

	private void call(boolean forced) {
		this.loadStartedAt = this.context.clock().nanoTime();
		if (!this.repeated) {
			this.startedAt = this.loadStartedAt;
		}
		if (this.cancelled) {
			return;
		}
		try {
			this.running.add(Mono.defer(() -> this.loader.apply(forced))
				.switchIfEmpty(Mono.error(() -> new AuthingResponseException(
						"The AuthingWechatClient completed without a token; it must emit one or fail", null)))
				.contextWrite(CONTEXT)
				.subscribe((received) -> this.recipient.received(received, this), this::failed));
		}
		catch (Throwable ex) {
			// Reactor throws what it takes for fatal instead of passing it on.
			failed(ex);
		}
	}

	/**
	 * Ask Authing once more: the token that it answered with has been rejected meanwhile.
	 */
	void repeat() {
		this.repeated = true;
		run(true);
	}

	boolean isRepeated() {
		return this.repeated;
	}

	private boolean failed(Throwable failure) {
		AuthingException exception = (failure instanceof AuthingException authing) ? authing
				: new AuthingTransportException("The AuthingWechatClient failed with " + failure.getClass().getName(),
						failure, null, true, null);
		return this.recipient.failed(exception, this);
	}

	private void release() {
		FetchContext.cancel(this.deadline);
		FetchContext.cancel(this.maxWaitDeadline);
		this.context.unregister(this);
	}

	/**
	 * Tell those who wait how the fetch ended.
	 * @param resultOrStale what those get who need a token
	 * @param result what those get who asked for this very fetch
	 * @param failure what both get if there is none
	 */
	void end(@Nullable WechatMpAccessToken resultOrStale, @Nullable WechatMpAccessToken result,
			@Nullable Throwable failure) {
		release();
		this.resultOrStale.complete(resultOrStale, failure);
		this.lateResultOrStale.complete(resultOrStale, failure);
		this.result.complete(result, failure);
	}

	private void answerStale() {
		WechatMpAccessToken stale = this.recipient.staleIfError();
		if (stale != null) {
			this.overdue = true;
			this.resultOrStale.complete(stale, null);
		}
	}

	/**
	 * End at the deadline.
	 */
	void timeout() {
		this.cancelled = true;
		if (failed(new AuthingTransportException(
				"No answer for " + this.recipient + within(this.context.policy().timeout().toMillis()), null, null,
				true, null))) {
			cancelRunning();
		}
	}

	/**
	 * Return the end of a message that nothing came in time, with what to check.
	 */
	static String within(long millis) {
		return " within " + millis + " ms (authing.timeout): check authing.app-host and the network in between";
	}

	// What a client does when it is cancelled may throw or block.
	private void cancelRunning() {
		try {
			this.context.executors().callbacks().submit(this.running::dispose);
		}
		catch (Throwable ex) {
			logger.debug(LogMessage.format("An ended fetch was not cancelled: %s", ex.getClass().getName()));
		}
	}

	/**
	 * Return how long the fetch has taken, retries included.
	 */
	Duration duration() {
		return Duration.ofNanos(this.context.clock().nanoTime() - this.startedAt);
	}

	/**
	 * End without a result, as all fetches are stopped.
	 */
	@Override
	public void dispose() {
		this.cancelled = true;
		if (this.recipient.abandoned(this)) {
			end(this.recipient.staleIfError(), null, new IllegalStateException(
					"The WechatMpTokenService was stopped, as its application context is closed or paused"));
			cancelRunning();
		}
	}

	/**
	 * Who is told how a fetch ended, and decides which of its ends comes first: only that
	 * one has an effect, and is handed to {@link TokenFetch#end}.
	 */
	interface Recipient {

		/**
		 * Return what those get who need a token, if no other is brought.
		 */
		@Nullable WechatMpAccessToken staleIfError();

		/**
		 * Take in what the fetch brought, or have it {@linkplain TokenFetch#repeat() ask
		 * again}.
		 */
		void received(ReceivedToken received, TokenFetch fetch);

		/**
		 * Take in that the fetch failed.
		 * @return whether it had not ended before
		 */
		boolean failed(AuthingException failure, TokenFetch fetch);

		/**
		 * Take in that the fetch ended without a result.
		 * @return whether it had not ended before
		 */
		boolean abandoned(TokenFetch fetch);

	}

	/**
	 * A token as a fetch brings it, or as another instance has shared it.
	 *
	 * @param token the token
	 * @param life the time to its real expiry when it came, in nanoseconds
	 * @param expiry the real expiry, a reading of {@link TokenClock#nanoTime()}
	 * @param askedAt when Authing was asked for it, a reading of
	 * {@link TokenClock#nanoTime()}
	 * @param origin where it came from
	 * @param redelivered whether this is the cached token returned unchanged rather than
	 * a new response
	 */
	record ReceivedToken(WechatMpAccessToken token, long life, long expiry, long askedAt, WechatMpTokenOrigin origin,
			boolean redelivered) {

		boolean isExpired() {
			return this.life <= 0;
		}

	}

	/**
	 * A result that any number of callers wait for without delaying each other: blocked
	 * threads are woken first, and a subscriber that blocks in its own callback costs one
	 * thread, while another one goes on with the subscribers behind it.
	 */
	static final class SharedResult {

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
		 * Do something of our own, which never blocks, before any subscriber is told of
		 * the result; at once if there is one.
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
				// This callback may block: then somebody else must be there for the next
				// one.
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

}
