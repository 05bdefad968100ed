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
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.scheduler.NonBlocking;

import org.springframework.core.log.LogMessage;

/**
 * What all fetches of a registry share: clock, policy, threads, listeners, and the list
 * of the fetches in flight, which keeps them and their entries reachable.
 */
final class FetchContext {

	private static final Log logger = LogFactory.getLog(FetchContext.class);

	// Fetching a thousand accounts at once would take a thousand threads, and flood
	// Authing.
	private static final long WARM_UP_INTERVAL = Duration.ofMillis(10).toNanos();

	private final TokenClock clock;

	private final Executors executors;

	private final DoubleSupplier random;

	private final WechatMpRefreshPolicy policy;

	private final List<Notifications> notifications;

	private final Set<Disposable> fetches = ConcurrentHashMap.newKeySet();

	// Guarded by this.
	private long nextWarmUp = TokenClock.LONG_AGO;

	private volatile boolean stopped;

	FetchContext(TokenClock clock, Executors executors, DoubleSupplier random, WechatMpRefreshPolicy policy,
			List<WechatMpTokenListener> listeners) {
		this.clock = clock;
		this.executors = executors;
		this.random = random;
		this.policy = policy;
		this.notifications = listeners.stream().map(Notifications::new).toList();
	}

	TokenClock clock() {
		return this.clock;
	}

	WechatMpRefreshPolicy policy() {
		return this.policy;
	}

	Executors executors() {
		return this.executors;
	}

	double random() {
		return this.random.getAsDouble();
	}

	/**
	 * Return how long a fetch may take and a caller waits for it, in nanoseconds: a
	 * little longer than the client's own timeout, whose failure tells more. A long delay
	 * before the fetch comes on top.
	 */
	long fetchDeadline() {
		long timeout = this.policy.timeout().toNanos();
		return timeout + timeout / 50;
	}

	/**
	 * Run a task that does not block on the timer's thread.
	 * @param delay the delay, in nanoseconds
	 * @return what cancels the task; {@code null} if the executors are shut down, so that
	 * it never runs
	 */
	@Nullable Future<?> schedule(Runnable task, long delay) {
		try {
			return this.executors.timer().schedule(task, delay, TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			return null;
		}
	}

	/**
	 * Return the delay, in nanoseconds, of the first fetch without demand of another
	 * account, so that these come one after the other.
	 */
	synchronized long warmUpDelay() {
		long now = this.clock.nanoTime();
		long next = Math.max(this.nextWarmUp, now);
		this.nextWarmUp = next + WARM_UP_INTERVAL;
		return next - now;
	}

	void register(Disposable fetch) {
		this.fetches.add(fetch);
	}

	void unregister(Disposable fetch) {
		this.fetches.remove(fetch);
	}

	/**
	 * Notify the listeners, each in the order of the events, on other threads. Never
	 * blocks.
	 */
	void publish(WechatMpTokenEvent event) {
		this.notifications.forEach((listener) -> listener.add(event, this.executors.callbacks()));
	}

	static void cancel(@Nullable Future<?> task) {
		if (task != null) {
			task.cancel(false);
		}
	}

	boolean isStopped() {
		return this.stopped;
	}

	/**
	 * End all fetches; those that start before {@link #resume()} end at once.
	 */
	void stop() {
		this.stopped = true;
		this.fetches.forEach(Disposable::dispose);
	}

	void resume() {
		this.stopped = false;
	}

	/**
	 * The notifications of a listener, one after the other, on a thread that only this
	 * listener can delay.
	 */
	private static final class Notifications {

		// The events for a listener that hangs must not fill the memory.
		private static final int MAX_PENDING = 1000;

		private static final int CAUGHT_UP = MAX_PENDING / 2;

		private final WechatMpTokenListener listener;

		private final AtomicInteger pending = new AtomicInteger();

		// Guarded by this.
		private CompletableFuture<Void> last = CompletableFuture.completedFuture(null);

		private boolean behind;

		Notifications(WechatMpTokenListener listener) {
			this.listener = listener;
		}

		synchronized void add(WechatMpTokenEvent event, ExecutorService executor) {
			// It misses many events in a row rather than one now and then, since each
			// gap is one warning.
			boolean behind = this.pending.get() >= (this.behind ? CAUGHT_UP : MAX_PENDING);
			if (behind && !this.behind) {
				logger.warn(LogMessage.format("%s takes too long: it is told of no more events until it has caught up",
						this.listener.getClass().getName()));
			}
			this.behind = behind;
			if (!behind) {
				this.pending.incrementAndGet();
				// Also if the one before found no thread. Once this is closed none is
				// delivered: what a listener looks up may be gone.
				this.last = this.last.<Void>handleAsync((done, failure) -> {
					notify(event);
					return null;
				}, executor).whenComplete((done, failure) -> this.pending.decrementAndGet());
			}
		}

		private void notify(WechatMpTokenEvent event) {
			try {
				this.listener.onEvent(event);
			}
			catch (Throwable ex) {
				// An Error, too, is only logged: it concerns nobody but the listener.
				logger.warn(LogMessage.format("%s failed", this.listener.getClass().getName()), ex);
			}
		}

	}

	/**
	 * The threads of a registry. They live only while there is something to do.
	 *
	 * @param timer for timers alone: nothing that could block runs there
	 * @param fetches where fetches start: plain threads of our own, so that no caller's
	 * thread-locals, and no hooks that hand them on, reach a fetch, and as many as there
	 * are clients that block
	 * @param callbacks where the code of subscribers, listeners and stores runs
	 */
	record Executors(ScheduledExecutorService timer, ExecutorService fetches, ExecutorService callbacks) {

		static Executors create() {
			ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, TimerThread::new);
			timer.setKeepAliveTime(10, TimeUnit.SECONDS);
			timer.allowCoreThreadTimeOut(true);
			timer.setRemoveOnCancelPolicy(true);
			ExecutorService workers = new ThreadPoolExecutor(0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS,
					new SynchronousQueue<>(),
					(task) -> prepare(new Thread(null, task, "authing-wechat-token", 0, false)));
			return new Executors(timer, workers, workers);
		}

		private static Thread prepare(Thread thread) {
			thread.setDaemon(true);
			thread.setContextClassLoader(FetchContext.class.getClassLoader());
			return thread;
		}

		void shutdown() {
			this.timer.shutdownNow();
			// Those who were just released must still be told.
			this.fetches.shutdown();
			this.callbacks.shutdown();
		}

		private static final class TimerThread extends Thread implements NonBlocking {

			TimerThread(Runnable task) {
				super(null, task, "authing-wechat-token-timer", 0, false);
				prepare(this);
			}

		}

	}

}
