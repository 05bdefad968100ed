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

package cn.authing.wechat.sample.page;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * What happened lately, for people. What happens to an account again and again is one
 * entry that counts.
 */
final class EventLog {

	private static final int MAX_ENTRIES = 100;

	private final InstantSource clock;

	private final Deque<Entry> entries = new ArrayDeque<>();

	private long version;

	EventLog(InstantSource clock) {
		this.clock = clock;
	}

	/**
	 * Add an entry, or count the latest one of the account once more if that is of the
	 * same type.
	 * @param type the type
	 * @param account the account's name, or {@code null} where no account is concerned
	 * @param data what the page's sentence about it mentions
	 */
	synchronized void add(Type type, @Nullable String account, Map<String, Object> data) {
		long now = this.clock.millis();
		Entry latest = this.entries.stream()
			.filter((entry) -> Objects.equals(entry.account(), account) && !entry.type().isStateOf(type))
			.findFirst()
			.orElse(null);
		this.version++;
		if (latest != null && latest.type() == type && type.counts) {
			this.entries.remove(latest);
			this.entries.addFirst(
					new Entry(latest.id(), this.version, type, account, latest.first(), now, latest.count() + 1, data));
			return;
		}
		this.entries.addFirst(new Entry(this.version, this.version, type, account, now, now, 1, data));
		if (this.entries.size() > MAX_ENTRIES) {
			this.entries.removeLast();
		}
	}

	/**
	 * Return the entries that were added or have changed.
	 * @param version the version that is known already; 0 for none
	 * @return the entries, the latest first
	 */
	synchronized List<Entry> since(long version) {
		return this.entries.stream().takeWhile((entry) -> entry.version() > version).toList();
	}

	enum Type {

		STARTED(false), FETCHED(true), REFRESHED(true), ADOPTED(true), FAILED(true), STALE(false), EXPIRED(false),
		REJECTED(true), RECOVERED(false), DROPPED(false), BURST(false), STREAM(false), AUTHING(false), REDIS(false),
		STORE(false);

		private final boolean counts;

		Type(boolean counts) {
			this.counts = counts;
		}

		// A failing streak goes on while its token grows old.
		private boolean isStateOf(Type type) {
			return type == FAILED && (this == STALE || this == EXPIRED);
		}

	}

	/**
	 * An entry.
	 *
	 * @param id identifies it
	 * @param version grows with each change of the log
	 * @param type the type
	 * @param account the account's name
	 * @param first when it happened first, in epoch milliseconds
	 * @param last when it happened last
	 * @param count how often it happened
	 * @param data what the page's sentence about it mentions
	 */
	record Entry(long id, long version, Type type, @Nullable String account, long first, long last, int count,
			Map<String, Object> data) {
	}

}
