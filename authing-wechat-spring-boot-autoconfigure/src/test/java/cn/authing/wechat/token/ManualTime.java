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
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

/**
 * Time that passes only when a test says so: a clock, and executors that run their tasks
 * in order on the thread that moves it. Authing's clock is always right; the wall clock
 * of this machine can be moved against it.
 */
final class ManualTime implements TokenClock {

	private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

	private final AtomicLong nanoTime = new AtomicLong();

	private final AtomicLong sequence = new AtomicLong();

	private final Queue<Task<?>> tasks = new PriorityQueue<>(
			Comparator.<Task<?>>comparingLong((task) -> task.at).thenComparingLong((task) -> task.number));

	private final List<Throwable> failures = new CopyOnWriteArrayList<>();

	private @Nullable Runnable meanwhile;

	private int readingsLeft;

	private volatile Duration wallOffset = Duration.ZERO;

	@Override
	public long nanoTime() {
		Runnable action = (this.readingsLeft > 0 && --this.readingsLeft == 0) ? this.meanwhile : null;
		if (action != null) {
			action.run();
		}
		return this.nanoTime.get();
	}

	/**
	 * Do something during the n-th reading of the clock from now, as another thread may:
	 * an entry reads a snapshot, then the clock, and then swaps the snapshot.
	 */
	void onReading(int number, Runnable action) {
		this.meanwhile = action;
		this.readingsLeft = number;
	}

	@Override
	public Instant instant() {
		return authingTime().plus(this.wallOffset);
	}

	Instant authingTime() {
		return START.plusNanos(nanoTime());
	}

	Duration wallOffset() {
		return this.wallOffset;
	}

	void setWallOffset(Duration wallOffset) {
		this.wallOffset = wallOffset;
	}

	ScheduledExecutorService newExecutor() {
		return new Executor();
	}

	/**
	 * Create executors whose timers and fetches run when the time is moved, and whose
	 * callbacks run where the result comes.
	 */
	FetchContext.Executors newExecutors() {
		ScheduledExecutorService executor = newExecutor();
		return new FetchContext.Executors(executor, executor, new DirectExecutor());
	}

	/**
	 * Run what is due, without moving the clock.
	 */
	void runDue() {
		advance(Duration.ZERO);
	}

	/**
	 * Move the clock, running what becomes due on the way at its own time.
	 */
	void advance(Duration duration) {
		long end = nanoTime() + duration.toNanos();
		for (Task<?> task = poll(end); task != null; task = poll(end)) {
			this.nanoTime.accumulateAndGet(task.at, Math::max);
			task.run();
			if (!this.failures.isEmpty()) {
				throw new AssertionError("A task failed", this.failures.get(0));
			}
		}
		this.nanoTime.set(end);
	}

	int pendingTasks() {
		synchronized (this.tasks) {
			return this.tasks.size();
		}
	}

	private @Nullable Task<?> poll(long end) {
		synchronized (this.tasks) {
			Task<?> next = this.tasks.peek();
			return (next != null && next.at <= end) ? this.tasks.poll() : null;
		}
	}

	private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {

		private final Executor executor;

		private final long at;

		private final long number = ManualTime.this.sequence.getAndIncrement();

		Task(Executor executor, Callable<V> callable, long delay) {
			super(callable);
			this.executor = executor;
			this.at = nanoTime() + Math.max(delay, 0);
		}

		@Override
		public long getDelay(TimeUnit unit) {
			return unit.convert(this.at - nanoTime(), TimeUnit.NANOSECONDS);
		}

		@Override
		public int compareTo(Delayed other) {
			return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
		}

		@Override
		protected void setException(Throwable failure) {
			ManualTime.this.failures.add(failure);
			super.setException(failure);
		}

		@Override
		protected void done() {
			if (isCancelled()) {
				synchronized (ManualTime.this.tasks) {
					ManualTime.this.tasks.remove(this);
				}
			}
		}

	}

	private static final class DirectExecutor extends AbstractExecutorService {

		private volatile boolean shutdown;

		@Override
		public void execute(Runnable command) {
			command.run();
		}

		@Override
		public void shutdown() {
			this.shutdown = true;
		}

		@Override
		public List<Runnable> shutdownNow() {
			shutdown();
			return List.of();
		}

		@Override
		public boolean isShutdown() {
			return this.shutdown;
		}

		@Override
		public boolean isTerminated() {
			return this.shutdown;
		}

		@Override
		public boolean awaitTermination(long timeout, TimeUnit unit) {
			return this.shutdown;
		}

	}

	private final class Executor extends AbstractExecutorService implements ScheduledExecutorService {

		private volatile boolean shutdown;

		@Override
		public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
			if (this.shutdown) {
				throw new RejectedExecutionException("shut down");
			}
			Task<V> task = new Task<>(this, callable, unit.toNanos(delay));
			synchronized (ManualTime.this.tasks) {
				ManualTime.this.tasks.add(task);
			}
			return task;
		}

		@Override
		public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
			return schedule(Executors.callable(command), delay, unit);
		}

		@Override
		public void execute(Runnable command) {
			schedule(command, 0, TimeUnit.NANOSECONDS);
		}

		@Override
		public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
			throw new UnsupportedOperationException();
		}

		@Override
		public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay,
				TimeUnit unit) {
			throw new UnsupportedOperationException();
		}

		@Override
		public void shutdown() {
			this.shutdown = true;
		}

		@Override
		public List<Runnable> shutdownNow() {
			this.shutdown = true;
			synchronized (ManualTime.this.tasks) {
				ManualTime.this.tasks.removeIf((task) -> task.executor == this);
			}
			return List.of();
		}

		@Override
		public boolean isShutdown() {
			return this.shutdown;
		}

		@Override
		public boolean isTerminated() {
			return this.shutdown;
		}

		@Override
		public boolean awaitTermination(long timeout, TimeUnit unit) {
			return this.shutdown;
		}

	}

}
