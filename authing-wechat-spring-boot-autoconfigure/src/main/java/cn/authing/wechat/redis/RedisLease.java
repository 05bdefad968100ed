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

import java.time.Duration;
import java.util.List;

import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * The right to fetch, renewed until it is given back or no fetch can take any longer.
 */
final class RedisLease implements Lease {

	/**
	 * After its holder has died a lease ends within this time, and is then taken over at
	 * the next attempt of another instance: within 2 s in all.
	 */
	static final Duration LIFE = Duration.ofMillis(1500);

	private static final Duration RENEWAL_INTERVAL = Duration.ofMillis(500);

	private final RedisScriptExecutor executor;

	private final List<String> keys;

	private final String owner;

	private final @Nullable StoredToken shared;

	private @Nullable Disposable renewal;

	RedisLease(RedisScriptExecutor executor, RedisAccount account, String owner, @Nullable StoredToken shared) {
		this.executor = executor;
		this.keys = List.of(account.leaseKey());
		this.owner = owner;
		this.shared = shared;
	}

	/**
	 * Renew the lease from now on.
	 * @param maxLife for how long at most
	 */
	RedisLease renewed(Duration maxLife) {
		this.renewal = Flux.interval(RENEWAL_INTERVAL)
			.take(maxLife)
			.onBackpressureDrop()
			.concatMap((tick) -> this.executor.execute(RedisScripts.RENEW, this.keys, this.owner,
					String.valueOf(LIFE.toMillis())))
			.takeWhile((reply) -> !reply.is(RedisReply.LOST))
			.subscribe();
		return this;
	}

	@Override
	public @Nullable StoredToken shared() {
		return this.shared;
	}

	@Override
	public Mono<Void> release() {
		return Mono.defer(() -> {
			Disposable renewal = this.renewal;
			if (renewal == null) {
				return Mono.empty();
			}
			renewal.dispose();
			return this.executor.execute(RedisScripts.RELEASE, this.keys, this.owner).then();
		});
	}

}
