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

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.WechatMpCredentials;

/**
 * The entries that are no longer kept but still held by somebody: a fetch in flight, a
 * back-off, a caller. As long as there is such an entry, its credentials lead to it.
 */
final class EvictedEntries {

	private final Map<WechatMpCredentials, Evicted> entries = new ConcurrentHashMap<>();

	private final ReferenceQueue<TokenEntry> collected = new ReferenceQueue<>();

	void add(TokenEntry entry) {
		this.entries.put(entry.credentials(), new Evicted(entry, this.collected));
		entry.evict();
		for (Reference<?> reference = this.collected.poll(); reference != null; reference = this.collected.poll()) {
			if (reference instanceof Evicted evicted) {
				this.entries.remove(evicted.credentials, evicted);
			}
		}
	}

	/**
	 * Take an entry out, as it is kept again.
	 */
	@Nullable TokenEntry remove(WechatMpCredentials credentials) {
		Evicted evicted = this.entries.remove(credentials);
		TokenEntry entry = (evicted != null) ? evicted.get() : null;
		if (entry != null) {
			entry.keep();
		}
		return entry;
	}

	private static final class Evicted extends WeakReference<TokenEntry> {

		private final WechatMpCredentials credentials;

		Evicted(TokenEntry entry, ReferenceQueue<TokenEntry> collected) {
			super(entry, collected);
			this.credentials = entry.credentials();
		}

	}

}
