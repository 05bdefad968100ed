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

package cn.authing.wechat.redis.fleet;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

import cn.authing.wechat.test.FakeAuthing;

/**
 * Tokens that follow each other like WeChat's, on a short clock: a new one in each
 * period, and the one before valid for a while longer. Counts by token and by instance.
 */
final class FleetTokens implements Function<FakeAuthing.Request, String> {

	static final String INSTANCE_HEADER = "x-instance";

	static final Duration PERIOD = Duration.ofSeconds(3);

	static final Duration OVERLAP = Duration.ofSeconds(2);

	private static final Duration LATENCY = Duration.ofMillis(150);

	private final long start = System.currentTimeMillis();

	private final Map<Long, Integer> fetchesByToken = new ConcurrentHashMap<>();

	private final Map<String, Integer> fetchesByInstance = new ConcurrentHashMap<>();

	private volatile Consumer<String> whileFetching = (instance) -> {
	};

	/**
	 * Do something to an instance whose request has come and is not answered yet.
	 */
	void whileFetching(Consumer<String> action) {
		this.whileFetching = action;
	}

	Map<Long, Integer> fetchesByToken() {
		return this.fetchesByToken;
	}

	Map<String, Integer> fetchesByInstance() {
		return this.fetchesByInstance;
	}

	int fetches() {
		return this.fetchesByInstance.values().stream().mapToInt(Integer::intValue).sum();
	}

	@Override
	public String apply(FakeAuthing.Request request) {
		long number = (System.currentTimeMillis() - this.start) / PERIOD.toMillis();
		long expiresAt = this.start + (number + 1) * PERIOD.toMillis() + OVERLAP.toMillis();
		if (request.body().contains(FleetInstance.CREDENTIALS.appId())) {
			String instance = request.headers().getFirst(INSTANCE_HEADER);
			this.fetchesByToken.merge(number, 1, Integer::sum);
			this.fetchesByInstance.merge(instance, 1, Integer::sum);
			this.whileFetching.accept(instance);
			LockSupport.parkNanos(LATENCY.toNanos());
		}
		return FakeAuthing.token("T-%d-%d".formatted(number, expiresAt), Instant.ofEpochMilli(expiresAt));
	}

}
