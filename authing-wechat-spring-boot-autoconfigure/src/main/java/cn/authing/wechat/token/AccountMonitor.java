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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.core.log.LogMessage;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.token.TokenFetch.ReceivedToken;
import cn.authing.wechat.token.TokenSnapshot.Change;

/**
 * Counts and logs what happens to an account's tokens, and creates the events. No
 * decision about a token depends on what it counts. All dynamic accounts share one. Safe
 * for use by any number of threads.
 */
final class AccountMonitor {

	/**
	 * The name under which the dynamic accounts are counted. Not a name that a configured
	 * account can have.
	 */
	static final String DYNAMIC_ACCOUNTS = "(dynamic)";

	private static final Log logger = LogFactory.getLog(AccountMonitor.class);

	final String account;

	final RequestCounter fresh = new RequestCounter();

	final LongAdder due = new LongAdder();

	final LongAdder stale = new LongAdder();

	final LongAdder waited = new LongAdder();

	final LongAdder failed = new LongAdder();

	final LongAdder fetches = new LongAdder();

	final LongAdder rejections = new LongAdder();

	volatile @Nullable Instant lastFetchedAt;

	volatile @Nullable LastFailure lastFailure;

	// Until the first token of the account was logged; never of the dynamic accounts.
	private final AtomicBoolean firstToken;

	AccountMonitor(String account) {
		this.account = account;
		this.firstToken = new AtomicBoolean(!isDynamic());
	}

	boolean isDynamic() {
		return DYNAMIC_ACCOUNTS.equals(this.account);
	}

	/**
	 * Return how to call the account of some credentials in messages.
	 */
	String describe(WechatMpCredentials credentials) {
		return isDynamic() ? "WeChat app '" + SafeText.of(credentials.appId()) + "'"
				: "account '" + SafeText.of(this.account) + "'";
	}

	WechatMpRequestCounts requests() {
		return new WechatMpRequestCounts(this.fresh.sum(), this.due.sum(), this.stale.sum(), this.waited.sum(),
				this.failed.sum());
	}

	/**
	 * Count an answer that was given at once.
	 */
	void countHeld(WechatMpTokenState state) {
		if (state == WechatMpTokenState.FRESH) {
			this.fresh.increment();
		}
		else if (state == WechatMpTokenState.DUE) {
			this.due.increment();
		}
		else if (state == WechatMpTokenState.STALE) {
			this.stale.increment();
		}
	}

	/**
	 * Count an answer that a caller had to wait for.
	 */
	void countAwaited(boolean success, WechatMpTokenState state) {
		LongAdder answered = (state == WechatMpTokenState.STALE) ? this.stale : this.waited;
		(success ? answered : this.failed).increment();
	}

	/**
	 * Count and log that a fetch brought a token. One that is expired, or was rejected
	 * before, counts as a failure.
	 */
	WechatMpTokenEvent tokenReceived(Object entry, ReceivedToken received, Change change, Duration duration,
			Instant now) {
		long life = TimeUnit.NANOSECONDS.toSeconds(received.life());
		if (change.logsStreak()) {
			logger.warn(LogMessage.format("Authing keeps returning an expired token for %s (%d s left); retrying."
					+ " Authing may serve stale tokens, or a clock is wrong", entry, life));
		}
		logger.debug(LogMessage.format("Received %s of %s from %s; it expires in %d s",
				change.before().holds(received.token().accessToken()) ? "the same token" : "a new token", entry,
				received.origin(), life));
		logRejections(entry, change);
		String problem = null;
		if (received.isExpired()) {
			problem = "Authing returned an expired token (expired %d s ago): it serves stale tokens, or a clock is wrong"
				.formatted(-life);
		}
		else if (change.after().validity() == TokenSnapshot.Validity.REISSUED) {
			problem = "Authing returned the token that WeChat had rejected";
		}
		if (problem != null) {
			return fetchFailed(new AuthingResponseException(problem, null), duration, now);
		}
		logRecovery(entry, change);
		this.fetches.increment();
		this.lastFetchedAt = now;
		return new WechatMpTokenEvent.Fetched(this.account, duration, received.origin());
	}

	WechatMpTokenEvent fetchFailed(Object entry, AuthingException failure, Change change, long nanoTime,
			Duration duration, Instant now) {
		TokenSnapshot after = change.after();
		if (change.logsStreak()) {
			logger.warn(LogMessage.format("The token of %s could not be fetched; retrying. %s: %s", entry,
					remains(after, nanoTime), SafeText.messageOf(failure)));
		}
		else {
			logger.debug(LogMessage.format("Attempt %d to fetch the token of %s failed: %s", after.failures().count(),
					entry, SafeText.messageOf(failure)));
		}
		return fetchFailed(failure, duration, now);
	}

	private static String remains(TokenSnapshot snapshot, long now) {
		long remaining = Math.max(snapshot.workingUntil(), now) - now;
		if (remaining > 0) {
			return "The current one is valid for another %d s".formatted(TimeUnit.NANOSECONDS.toSeconds(remaining));
		}
		return (snapshot.staleIfError(now) != null) ? "Callers get the last one, which has expired or was rejected"
				: "No valid token is left";
	}

	private WechatMpTokenEvent fetchFailed(AuthingException failure, Duration duration, Instant now) {
		this.fetches.increment();
		this.lastFailure = new LastFailure(failure, now);
		return new WechatMpTokenEvent.Failed(this.account, duration, failure);
	}

	WechatMpTokenEvent countRejection() {
		this.rejections.increment();
		return new WechatMpTokenEvent.Rejected(this.account);
	}

	void logRejection(Object entry, Change change) {
		logger.debug(LogMessage.format("The token of %s was rejected by WeChat", entry));
		logRejections(entry, change);
	}

	WechatMpTokenEvent adopted(Object entry, Change change) {
		logRecovery(entry, change);
		logger.debug(LogMessage.format("Adopted the token of %s fetched by another instance", entry));
		return new WechatMpTokenEvent.Adopted(this.account);
	}

	private void logRejections(Object entry, Change change) {
		if (change.startsRejectionStreak()) {
			logger.warn(LogMessage
				.format("WeChat rejects one token of %s after the other, or Authing returns the rejected"
						+ " one; retrying with growing pauses. Another program may ask WeChat for tokens of the same app id",
						entry));
		}
	}

	private void logRecovery(Object entry, Change change) {
		boolean first = this.firstToken.compareAndSet(true, false);
		if (change.endsLoggedStreak()) {
			logger.info(LogMessage.format("The token of %s is refreshed again, after %d failed attempts", entry,
					change.before().failures().count()));
		}
		else if (change.replacesRejected()) {
			logger.info(LogMessage.format(
					"The token of %s that WeChat had rejected is replaced (rejections reported here so far: %d)", entry,
					this.rejections.sum()));
		}
		else if (first) {
			logger.info(LogMessage.format("Fetched the first token of %s", entry));
		}
	}

	record LastFailure(AuthingException exception, Instant at) {

	}

}
