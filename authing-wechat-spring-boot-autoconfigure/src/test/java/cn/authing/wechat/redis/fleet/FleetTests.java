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

import java.util.Random;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A short run of a {@link Fleet}.
 */
class FleetTests {

	private static final int SIZE = 8;

	private static final int PERIODS = 3;

	// There are more processes than processors: what is to be seen is not the scheduler
	private static final int REDIS_TIMEOUT = 1000;

	@Test
	void fleetShouldFetchEachTokenOnceAndServeEveryCallerAlsoWhenItIsDoneHarm() throws Exception {
		try (Fleet fleet = new Fleet(REDIS_TIMEOUT)) {
			fleet.start(SIZE);
			fleet.run(PERIODS, null);
			assertThat(fleet.tokens().fetchesByToken()).as(fleet.report())
				.hasSizeGreaterThanOrEqualTo(PERIODS)
				.allSatisfy((token, fetches) -> assertThat(fetches).isEqualTo(1));
			assertServed(fleet, fleet.report());
			int before = fleet.tokens().fetches();
			long seed = System.nanoTime();
			fleet.run(PERIODS, new Random(seed));
			String report = "seed " + seed + ": " + fleet.report();
			assertServed(fleet, report);
			// Whatever happens, each process asks at most once for each token
			assertThat(fleet.tokens().fetches() - before).as(report)
				.isLessThanOrEqualTo((PERIODS + 1) * SIZE + fleet.started());
		}
	}

	private static void assertServed(Fleet fleet, String report) {
		assertThat(fleet.counts().calls()).as(report).isGreaterThan(SIZE);
		assertThat(fleet.counts().errors()).as(report).isZero();
		assertThat(fleet.counts().expired()).as(report).isZero();
	}

}
