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

import java.util.concurrent.Future;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Keeps a token warm: refreshes it on time without demand. One timer at most is
 * scheduled; each end of a fetch schedules the next. No method blocks.
 */
final class TokenWarmer {

	private final FetchContext context;

	private final Runnable refresh;

	private final LongSupplier nextDelay;

	// Guarded by this.
	private @Nullable Future<?> timer;

	private volatile boolean stopped;

	/**
	 * Create a new warmer.
	 * @param context runs the timers
	 * @param refresh starts a fetch, if one is due, without blocking
	 * @param nextDelay supplies the time to the next fetch, in nanoseconds; negative
	 * while one is in flight
	 */
	TokenWarmer(FetchContext context, Runnable refresh, LongSupplier nextDelay) {
		this.context = context;
		this.refresh = refresh;
		this.nextDelay = nextDelay;
	}

	/**
	 * Schedule the next fetch, in place of the one that was scheduled.
	 */
	void schedule() {
		schedule(false);
	}

	private synchronized void schedule(boolean first) {
		long delay = this.nextDelay.getAsLong();
		if (!this.stopped && !this.context.isStopped() && delay >= 0) {
			replace(this.context.schedule(this::run, (first && delay == 0) ? this.context.warmUpDelay() : delay));
		}
	}

	private void run() {
		if (!this.stopped) {
			this.refresh.run();
			schedule();
		}
	}

	/**
	 * Cancel what is scheduled, and schedule nothing until {@link #resume()}.
	 */
	synchronized void stop() {
		this.stopped = true;
		replace(null);
	}

	/**
	 * Schedule a first fetch, unless one is scheduled.
	 */
	synchronized void resume() {
		// What is scheduled keeps its turn among the first fetches: accounts that are
		// reloaded again and again would otherwise never be fetched.
		if (this.stopped || this.timer == null || this.timer.isDone()) {
			this.stopped = false;
			schedule(true);
		}
	}

	private void replace(@Nullable Future<?> timer) {
		FetchContext.cancel(this.timer);
		this.timer = timer;
	}

}
