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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

import org.springframework.util.Assert;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;

/**
 * A store in memory that instances share, with leases that outlive a dead holder for a
 * while.
 */
final class SharedTestStore {

	static final Duration LEASE_TIME = Duration.ofSeconds(2);

	private final ManualTime time;

	private final Scheduler scheduler;

	private final Map<WechatMpCredentials, Entry> tokens = new HashMap<>();

	private final Map<WechatMpCredentials, Instance> leases = new HashMap<>();

	private final Set<Instance> instances = new HashSet<>();

	private final List<Runnable> untold = new ArrayList<>();

	private boolean silent;

	private int operations;

	SharedTestStore(ManualTime time) {
		this.time = time;
		this.scheduler = Schedulers.fromExecutorService(time.newExecutor());
	}

	/**
	 * Tell the instances nothing more.
	 */
	void beSilent() {
		this.silent = true;
	}

	/**
	 * Tell the instances what was not told while silent.
	 */
	void tell() {
		this.silent = false;
		this.untold.forEach(Runnable::run);
		this.untold.clear();
	}

	int operations() {
		return this.operations;
	}

	boolean isLeased(WechatMpCredentials credentials) {
		return this.leases.containsKey(credentials);
	}

	@Nullable String shared(WechatMpCredentials credentials) {
		Entry entry = this.tokens.get(credentials);
		return (entry != null) ? entry.token.accessToken() : null;
	}

	Instance newInstance() {
		Instance instance = new Instance();
		this.instances.add(instance);
		return instance;
	}

	private record Entry(WechatMpAccessToken token, long expiresAt, Instant fetchedAt) {

		boolean isNewerThan(WechatMpTokenStore.StoredToken other) {
			int fetched = this.fetchedAt.compareTo(other.fetchedAt());
			return fetched > 0 || (fetched == 0 && this.token.expiresAt().isAfter(other.token().expiresAt()));
		}

	}

	/**
	 * The store as one instance sees it.
	 */
	class Instance implements WechatMpTokenStore {

		private final Sinks.Many<Change> changes = Sinks.many().multicast().directBestEffort();

		private long diesAt = Long.MAX_VALUE;

		private boolean refusing;

		private boolean hanging;

		private boolean unreadable;

		private Duration latency = Duration.ZERO;

		/**
		 * Stop renewing leases, as an instance does that has crashed.
		 */
		void die() {
			this.diesAt = SharedTestStore.this.time.nanoTime() + LEASE_TIME.toNanos();
		}

		/**
		 * Fail to publish, which a store must not.
		 */
		void refuse() {
			this.refusing = true;
		}

		/**
		 * Never end to publish, which a store must not.
		 */
		void hang() {
			this.hanging = true;
		}

		/**
		 * Fail to read, which a store must not.
		 */
		void beUnreadable() {
			this.unreadable = true;
		}

		/**
		 * Take some time to answer each reading and each lease.
		 */
		void beSlow(Duration latency) {
			this.latency = latency;
		}

		@Override
		public Mono<StoredToken> read(WechatMpCredentials credentials) {
			return slowly(Mono.fromSupplier(() -> {
				SharedTestStore.this.operations++;
				Assert.state(!this.unreadable, "unreadable");
				Entry entry = SharedTestStore.this.tokens.get(credentials);
				return (entry != null) ? stored(entry) : null;
			}));
		}

		private <T> Mono<T> slowly(Mono<T> operation) {
			if (this.latency.isZero()) {
				return operation;
			}
			// It is the answer that comes late, also of what nobody waits for any more
			return Mono.defer(() -> Mono.delay(this.latency, SharedTestStore.this.scheduler)
				.then(Mono.fromFuture(operation.toFuture())));
		}

		@Override
		public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
			return this.hanging ? Mono.never() : Mono.fromSupplier(() -> {
				SharedTestStore.this.operations++;
				Assert.state(!this.refusing, "refused");
				Entry entry = SharedTestStore.this.tokens.get(credentials);
				if (entry != null && entry.isNewerThan(token)) {
					return stored(entry);
				}
				SharedTestStore.this.tokens.put(credentials, new Entry(token.token(),
						SharedTestStore.this.time.nanoTime() + token.life().toNanos(), token.fetchedAt()));
				tellOthers(new Published(credentials));
				return token;
			});
		}

		@Override
		public Mono<Void> drop(WechatMpCredentials credentials, String accessToken) {
			return Mono.fromRunnable(() -> {
				SharedTestStore.this.operations++;
				if (accessToken.equals(shared(credentials))) {
					SharedTestStore.this.tokens.remove(credentials);
				}
				tellOthers(new Rejected(credentials, accessToken::equals));
			});
		}

		@Override
		public Mono<Lease> lease(WechatMpCredentials credentials) {
			return slowly(Mono.fromSupplier(() -> {
				SharedTestStore.this.operations++;
				Instance holder = SharedTestStore.this.leases.get(credentials);
				if (holder != null && SharedTestStore.this.time.nanoTime() < holder.diesAt) {
					return null;
				}
				SharedTestStore.this.leases.put(credentials, this);
				Entry entry = SharedTestStore.this.tokens.get(credentials);
				return new TestLease((entry != null) ? stored(entry) : null,
						Mono.fromRunnable(() -> SharedTestStore.this.leases.remove(credentials, this)));
			}));
		}

		@Override
		public Flux<Change> changes() {
			return this.changes.asFlux();
		}

		private StoredToken stored(Entry entry) {
			Duration life = Duration.ofNanos(entry.expiresAt - SharedTestStore.this.time.nanoTime());
			return new StoredToken(entry.token, life, entry.fetchedAt);
		}

		private void tellOthers(Change change) {
			Runnable telling = () -> SharedTestStore.this.instances.stream()
				.filter((instance) -> instance != this)
				.forEach((instance) -> instance.changes.tryEmitNext(change));
			if (SharedTestStore.this.silent) {
				SharedTestStore.this.untold.add(telling);
			}
			else {
				telling.run();
			}
		}

	}

}
