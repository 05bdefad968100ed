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

import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingException;

/**
 * Per-account counters for monitoring and log messages, never consulted in decisions. All
 * dynamic accounts share one.
 */
final class AccountStatistics {

	/**
	 * The name under which the dynamic accounts are counted. Not a name that a configured
	 * account can have.
	 */
	static final String DYNAMIC_ACCOUNTS = "(dynamic)";

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

	// The first token of an account is logged.
	private final AtomicBoolean firstToken;

	AccountStatistics(String account) {
		this.account = account;
		this.firstToken = new AtomicBoolean(!account.equals(DYNAMIC_ACCOUNTS));
	}

	/**
	 * Return whether this is the account's first token; true once.
	 */
	boolean takeFirstToken() {
		return this.firstToken.compareAndSet(true, false);
	}

	void recordFetch(@Nullable AuthingException failure, Instant now) {
		this.fetches.increment();
		if (failure == null) {
			this.lastFetchedAt = now;
		}
		else {
			this.lastFailure = new LastFailure(failure, now);
		}
	}

	WechatMpRequestCounts requests() {
		return new WechatMpRequestCounts(this.fresh.sum(), this.due.sum(), this.stale.sum(), this.waited.sum(),
				this.failed.sum());
	}

	record LastFailure(AuthingException exception, Instant at) {

	}

}
