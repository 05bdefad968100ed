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
import java.util.Map;

import org.junit.jupiter.api.Test;

import cn.authing.wechat.sample.page.EventLog.Type;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link EventLog}.
 */
class EventLogTests {

	private final EventLog log = new EventLog(InstantSource.system());

	@Test
	void addWhenStreakGoesOnShouldCountOneEntry() {
		this.log.add(Type.FAILED, "default", Map.of("kind", "transport"));
		this.log.add(Type.FAILED, "shop", Map.of());
		this.log.add(Type.FAILED, "default", Map.of("kind", "throttled"));
		assertThat(this.log.since(0)).hasSize(2);
		assertThat(this.log.since(0).get(0)).satisfies((entry) -> {
			assertThat(entry.account()).isEqualTo("default");
			assertThat(entry.count()).isEqualTo(2);
			assertThat(entry.data()).containsEntry("kind", "throttled");
		});
	}

	@Test
	void addWhenTokenGrowsOldWithinAStreakShouldGoOnCounting() {
		this.log.add(Type.FAILED, "default", Map.of());
		this.log.add(Type.STALE, "default", Map.of());
		this.log.add(Type.FAILED, "default", Map.of());
		assertThat(this.log.since(0)).extracting((entry) -> entry.type() + " " + entry.count())
			.containsExactly("FAILED 2", "STALE 1");
	}

	@Test
	void addWhenStreakHasEndedShouldBeginAnotherEntry() {
		this.log.add(Type.FAILED, "default", Map.of());
		this.log.add(Type.RECOVERED, "default", Map.of());
		this.log.add(Type.FAILED, "default", Map.of());
		assertThat(this.log.since(0)).extracting((entry) -> entry.type() + " " + entry.count())
			.containsExactly("FAILED 1", "RECOVERED 1", "FAILED 1");
	}

	@Test
	void sinceShouldReturnWhatIsNewOrHasChanged() {
		this.log.add(Type.FAILED, "default", Map.of());
		this.log.add(Type.FAILED, "shop", Map.of());
		long version = this.log.since(0).get(0).version();
		assertThat(this.log.since(version)).isEmpty();
		this.log.add(Type.FAILED, "default", Map.of());
		assertThat(this.log.since(version)).extracting((entry) -> entry.account()).containsExactly("default");
	}

	@Test
	void addShouldKeepAHundredEntries() {
		for (int i = 0; i < 200; i++) {
			this.log.add(Type.RECOVERED, "default", Map.of());
		}
		assertThat(this.log.since(0)).hasSize(100);
	}

}
