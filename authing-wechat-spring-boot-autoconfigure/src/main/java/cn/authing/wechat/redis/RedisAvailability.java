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

import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Whether Redis can be used. One failure is enough to leave it alone: nobody waits for it
 * again until it has answered a probe, made behind the callers' backs at growing
 * intervals. Failures that follow each other closely are one streak, which is logged at
 * its begin and its end.
 */
final class RedisAvailability {

	private static final Log logger = LogFactory.getLog(RedisAvailability.class);

	// What a Redis error begins with, in Redis 6 behind where in the script it was. The
	// rest may repeat arguments, so a token.
	private static final Pattern ERROR_CODE = Pattern
		.compile("(?:ERR Error running script .*@user_script: ?\\d+: -?)?([A-Z]{2,20})( .*)?", Pattern.DOTALL);

	private final LongAdder succeeded = new LongAdder();

	private final LongAdder failed = new LongAdder();

	private final LongAdder skipped = new LongAdder();

	private final Mono<?> probe;

	private final Duration timeout;

	private final Duration initialPause;

	private final Duration maxPause;

	// The next probe or, when Redis has just come back, the end of the streak.
	private final Disposable.Swap next = Disposables.swap();

	private volatile @Nullable Absence absence;

	private volatile boolean suspended;

	// Between probes, while a streak lasts. Guarded by this.
	private @Nullable Duration pause;

	/**
	 * Create a new instance.
	 * @param probe fails while Redis cannot be used
	 * @param timeout the time that Redis was given to answer
	 * @param initialPause the time to the first probe, which doubles with each further
	 * one
	 * @param maxPause the longest time between two probes, and how long all must be well
	 * for a streak to end
	 */
	RedisAvailability(Mono<?> probe, Duration timeout, Duration initialPause, Duration maxPause) {
		this.probe = probe;
		this.timeout = timeout;
		this.initialPause = initialPause;
		this.maxPause = maxPause;
	}

	/**
	 * Return whether to use Redis; counts the operation if not.
	 */
	boolean admits() {
		if (this.absence == null && !this.suspended) {
			return true;
		}
		this.skipped.increment();
		return false;
	}

	void succeeded() {
		this.succeeded.increment();
	}

	void failed(Throwable failure) {
		if (!this.suspended) {
			this.failed.increment();
			leave(failure);
		}
	}

	private synchronized void leave(Throwable failure) {
		if (this.absence != null || this.suspended) {
			return;
		}
		Absence absence = new Absence(describe(failure), Instant.now());
		this.absence = absence;
		if (this.pause == null) {
			logger.warn(LogMessage.format("Redis %s. Until it is back, this instance shares no access tokens with the"
					+ " others and fetches for itself", absence.reason()));
		}
		else {
			logger.debug(LogMessage.format("Redis %s again", absence.reason()));
		}
		probeLater();
	}

	private synchronized void probeLater() {
		Duration pause = (this.pause != null) ? this.pause.multipliedBy(2) : this.initialPause;
		pause = (pause.compareTo(this.maxPause) < 0) ? pause : this.maxPause;
		this.pause = pause;
		this.next.update(Mono.delay(pause).then(this.probe).subscribe((reply) -> comeBack(), (failure) -> {
			logger.debug(LogMessage.format("Redis still %s", describe(failure)));
			probeLater();
		}));
	}

	private synchronized void comeBack() {
		this.absence = null;
		this.next.update(Mono.delay(this.maxPause).subscribe((elapsed) -> endStreak()));
	}

	private synchronized void endStreak() {
		if (this.absence == null && !this.suspended) {
			this.pause = null;
			logger.info("Redis is back, and access tokens are shared again");
		}
	}

	/**
	 * Use Redis no more, and say nothing of it.
	 */
	synchronized void suspend() {
		this.suspended = true;
		this.next.update(Disposables.disposed());
	}

	/**
	 * Use Redis again.
	 */
	synchronized void resume() {
		this.suspended = false;
		this.absence = null;
		this.pause = null;
	}

	boolean isSuspended() {
		return this.suspended;
	}

	WechatMpTokenStoreStatus status(long undecodable) {
		Absence absence = this.absence;
		return new WechatMpTokenStoreStatus((absence != null) ? absence.reason() : null,
				(absence != null) ? absence.since() : null, this.succeeded.sum(), this.failed.sum(), this.skipped.sum(),
				undecodable);
	}

	private String describe(Throwable failure) {
		if (failure instanceof TimeoutException) {
			return "did not answer within " + this.timeout.toMillis() + " ms";
		}
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof IOException) {
				return "cannot be reached (" + cause.getClass().getSimpleName() + ": " + cause.getMessage() + ")";
			}
		}
		Throwable cause = NestedExceptionUtils.getMostSpecificCause(failure);
		Matcher error = ERROR_CODE.matcher(String.valueOf(cause.getMessage()));
		return error.matches() ? "answered with the error " + error.group(1)
				: "cannot be used (" + cause.getClass().getName() + ")";
	}

	private record Absence(String reason, Instant since) {

	}

}
