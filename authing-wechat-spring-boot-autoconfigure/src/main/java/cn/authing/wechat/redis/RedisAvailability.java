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

package cn.authing.wechat.redis;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;

import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.log.LogMessage;
import org.springframework.util.backoff.BackOffExecution;
import org.springframework.util.backoff.ExponentialBackOff;

import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Circuit breaker: opens on the first failure, but for a time-out while others are
 * answered in time, and closes after a background probe succeeds or the first connection
 * is made, probing with exponential back-off. Failures that follow each other closely are
 * one streak, which is logged at its beginning and its end.
 */
final class RedisAvailability {

	private static final Log logger = LogFactory.getLog(RedisAvailability.class);

	// What a Redis error begins with, in Redis 6 behind where in the script it was. The
	// rest may repeat arguments, so a token.
	private static final Pattern ERROR_CODE = Pattern
		.compile("(?:ERR Error running script .*@user_script: ?\\d+: -?)?([A-Z]{2,20})( .*)?", Pattern.DOTALL);

	// What Redis 6 and 7 say in a script instead of NOPERM.
	private static final Pattern NO_PERMISSION = Pattern
		.compile("ACL failure in script|The user executing the script can't");

	private final LongAdder succeeded = new LongAdder();

	private final LongAdder failed = new LongAdder();

	private final LongAdder skipped = new LongAdder();

	private final AtomicBoolean feedErrorLogged = new AtomicBoolean();

	private final Mono<?> probe;

	private final Runnable onClose;

	private final ExponentialBackOff backOff;

	// The next probe or, when the circuit has just closed, the end of the streak.
	private final Disposable.Swap next = Disposables.swap();

	// What could not be written although Redis is well.
	private final Disposable.Swap rewrite = Disposables.swap();

	private volatile long answeredAt = System.nanoTime();

	// Why Redis is not used, and since when.
	private volatile @Nullable String outage;

	private @Nullable Instant outageSince;

	private volatile boolean suspended;

	// The back-off of the current streak. Guarded by this.
	private @Nullable BackOffExecution streak;

	/**
	 * Create a new instance.
	 * @param probe fails while Redis cannot be used
	 * @param onClose called whenever the circuit closes, or what has failed may work
	 * again
	 * @param initialBackoff the time to the first probe, which doubles with each further
	 * one
	 * @param maxBackoff the longest time between two probes, and how long the circuit
	 * must stay closed for a streak to end
	 */
	RedisAvailability(Mono<?> probe, Runnable onClose, Duration initialBackoff, Duration maxBackoff) {
		this.probe = probe;
		this.onClose = onClose;
		this.backOff = new ExponentialBackOff(initialBackoff.toMillis(), 2);
		this.backOff.setMaxInterval(maxBackoff.toMillis());
	}

	/**
	 * Return whether to use Redis; counts the operation if not.
	 */
	boolean isCallPermitted() {
		if (this.outage == null && !this.suspended) {
			return true;
		}
		this.skipped.increment();
		return false;
	}

	void onSuccess() {
		this.succeeded.increment();
		this.answeredAt = System.nanoTime();
	}

	/**
	 * Take in that an operation has failed. If it took too long, but others were answered
	 * since its beginning, then Redis is well: this process is busy, or one node of many
	 * is away.
	 */
	void onError(Throwable failure, long begunAt) {
		if (failure instanceof TimeoutException && this.answeredAt - begunAt > 0) {
			this.failed.increment();
			Disposable scheduled = this.rewrite.get();
			if (scheduled == null || scheduled.isDisposed()) {
				this.rewrite.update(Mono.delay(Duration.ofMillis(this.backOff.getInitialInterval()))
					.subscribe((elapsed) -> this.onClose.run()));
			}
		}
		else {
			onError(failure);
		}
	}

	void onError(Throwable failure) {
		if (!this.suspended) {
			this.failed.increment();
			open(failure);
		}
	}

	/**
	 * Take in that Redis tells of changes.
	 */
	void onFeedSuccess() {
		this.feedErrorLogged.set(false);
	}

	/**
	 * Take in that Redis, which can be used otherwise, does not tell of changes.
	 */
	void onFeedError(Throwable failure) {
		this.failed.increment();
		if (this.feedErrorLogged.compareAndSet(false, true)) {
			logger.warn(LogMessage.format("Redis %s to a subscription; what other instances do is noticed late",
					describe(failure)));
		}
	}

	private synchronized void open(Throwable failure) {
		if (this.outage != null || this.suspended) {
			return;
		}
		String reason = describe(failure);
		this.outage = reason;
		this.outageSince = Instant.now();
		if (this.streak == null) {
			this.streak = this.backOff.start();
			logger.warn(LogMessage.format("Redis %s; access tokens are not shared until it recovers", reason));
		}
		else {
			logger.debug(LogMessage.format("Redis failed again: it %s", reason));
		}
		BackOffExecution backOff = this.streak;
		this.next.update(Mono.defer(() -> Mono.delay(Duration.ofMillis(backOff.nextBackOff())))
			.then(this.probe)
			.doOnError((error) -> logger.debug(LogMessage.format("Redis probe failed: it %s", describe(error))))
			.retry()
			.subscribe((reply) -> close()));
	}

	/**
	 * Close the circuit, since Redis has answered.
	 */
	void close() {
		synchronized (this) {
			this.outage = null;
			this.next.update(
					Mono.delay(Duration.ofMillis(this.backOff.getMaxInterval())).subscribe((elapsed) -> endStreak()));
		}
		this.onClose.run();
	}

	private synchronized void endStreak() {
		if (this.outage == null && this.streak != null) {
			this.streak = null;
			logger.info("Redis has recovered, and access tokens are shared again");
		}
	}

	/**
	 * Permit no more calls, and log nothing, until {@link #resume()}.
	 */
	synchronized void suspend() {
		this.suspended = true;
		this.streak = null;
		this.next.update(Disposables.disposed());
		this.rewrite.update(Disposables.disposed());
	}

	synchronized void resume() {
		this.suspended = false;
		this.outage = null;
	}

	synchronized WechatMpTokenStoreStatus status(long undecodable) {
		return new WechatMpTokenStoreStatus(this.outage, (this.outage != null) ? this.outageSince : null,
				this.succeeded.sum(), this.failed.sum(), this.skipped.sum(), undecodable);
	}

	private static String describe(Throwable failure) {
		if (failure instanceof TimeoutException) {
			return String.valueOf(failure.getMessage());
		}
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof IOException) {
				return "cannot be reached (" + cause.getClass().getSimpleName() + ": " + cause.getMessage() + ")";
			}
		}
		Throwable cause = NestedExceptionUtils.getMostSpecificCause(failure);
		String message = String.valueOf(cause.getMessage());
		if (NO_PERMISSION.matcher(message).find()) {
			return "answered with the error NOPERM";
		}
		Matcher error = ERROR_CODE.matcher(message);
		return error.matches() ? "answered with the error " + error.group(1)
				: "cannot be used (" + cause.getClass().getName() + ")";
	}

}
