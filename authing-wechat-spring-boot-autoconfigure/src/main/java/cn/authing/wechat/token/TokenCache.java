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
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.NonBlocking;

import org.springframework.core.log.LogMessage;
import org.springframework.util.Assert;

import cn.authing.wechat.AuthingException;

/**
 * What all entries of a service share: clock, policy, the one thread on which fetches
 * start, and the fetches in flight.
 */
final class TokenCache implements AutoCloseable {

	private static final Log logger = LogFactory.getLog(TokenCache.class);

	private final TokenClock clock;

	private final ScheduledExecutorService executor;

	private final DoubleSupplier random;

	private final WechatMpRefreshPolicy policy;

	private final TokenLoader loader;

	private final List<WechatMpTokenListener> listeners;

	private final Set<TokenFetch> fetches = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	TokenCache(TokenClock clock, ScheduledExecutorService executor, DoubleSupplier random, WechatMpRefreshPolicy policy,
			TokenLoader loader, List<WechatMpTokenListener> listeners) {
		this.clock = clock;
		this.executor = executor;
		this.random = random;
		this.policy = policy;
		this.loader = loader;
		this.listeners = List.copyOf(listeners);
	}

	/**
	 * Create the thread that fetches start on: a plain one of our own, so that no
	 * caller's thread-locals, and no hooks that hand them on, reach a fetch. It lives
	 * only while there is something to do.
	 */
	static ScheduledExecutorService newExecutor() {
		ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, FetchThread::new);
		executor.setKeepAliveTime(10, TimeUnit.SECONDS);
		executor.allowCoreThreadTimeOut(true);
		executor.setRemoveOnCancelPolicy(true);
		return executor;
	}

	TokenClock clock() {
		return this.clock;
	}

	WechatMpRefreshPolicy policy() {
		return this.policy;
	}

	TokenLoader loader() {
		return this.loader;
	}

	double random() {
		return this.random.getAsDouble();
	}

	/**
	 * Return how long a fetch may take and a caller wait, in nanoseconds: a little longer
	 * than the client gives itself, whose own failure tells more.
	 */
	long patience() {
		long timeout = this.policy.timeout().toNanos();
		return timeout + timeout / 50;
	}

	/**
	 * Run a task later, unless the cache is closed.
	 */
	@Nullable Future<?> schedule(Runnable task, long delay) {
		try {
			return this.executor.schedule(task, delay, TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			Assert.state(this.closed, () -> "Not closed, but " + ex.getMessage());
			return null;
		}
	}

	boolean isClosed() {
		return this.closed;
	}

	void register(TokenFetch fetch) {
		this.fetches.add(fetch);
	}

	void unregister(TokenFetch fetch) {
		this.fetches.remove(fetch);
	}

	void fetched(TokenEntry entry, long startedAt, @Nullable WechatMpTokenOrigin origin,
			@Nullable AuthingException failure) {
		AccountStatistics statistics = entry.statistics();
		statistics.fetches.increment();
		if (failure == null) {
			statistics.lastFetchedAt = this.clock.instant();
		}
		else {
			statistics.lastFailure = new AccountStatistics.LastFailure(failure, this.clock.instant());
		}
		Duration duration = Duration.ofNanos(this.clock.nanoTime() - startedAt);
		publish((origin != null) ? new WechatMpTokenEvent.Fetched(statistics.account, duration, origin)
				: new WechatMpTokenEvent.Failed(statistics.account, duration, Objects.requireNonNull(failure)));
	}

	void publish(WechatMpTokenEvent event) {
		for (WechatMpTokenListener listener : this.listeners) {
			try {
				listener.onEvent(event);
			}
			catch (RuntimeException | LinkageError ex) {
				// Those who wait for the fetch must be answered all the same.
				logger.warn(LogMessage.format("%s failed", listener.getClass().getName()), ex);
			}
		}
	}

	@Override
	public void close() {
		this.closed = true;
		// First, so that those who wait are told why, and not of what the next line
		// breaks.
		this.fetches.forEach(TokenFetch::close);
		this.executor.shutdownNow();
	}

	/**
	 * Not to be blocked: to wait here for a token would be to wait for a fetch that only
	 * this thread can start.
	 */
	private static final class FetchThread extends Thread implements NonBlocking {

		FetchThread(Runnable task) {
			super(null, task, "authing-wechat-token", 0, false);
			setDaemon(true);
			setContextClassLoader(TokenCache.class.getClassLoader());
		}

	}

}
