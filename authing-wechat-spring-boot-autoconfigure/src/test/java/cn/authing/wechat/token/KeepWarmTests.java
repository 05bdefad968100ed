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

import org.junit.jupiter.api.Test;

import cn.authing.wechat.WechatMpCredentials;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for accounts that are kept warm: refreshed though nobody asks.
 */
class KeepWarmTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	private void keepWarm() {
		this.fixture.registry.keepWarm();
		this.fixture.time.runDue();
	}

	@Test
	void keepWarmWhenEmptyShouldFetchInBackground() {
		this.fixture.registry.keepWarm();
		assertThat(this.fixture.fetches()).as("nothing runs on the calling thread").isZero();
		this.fixture.time.runDue();
		Caller caller = this.fixture.ask();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@Test
	void keepWarmShouldRefreshOnTimeForever() {
		keepWarm();
		this.fixture.client.call().succeed("T", LIFE);
		for (int refresh = 1; refresh <= 10; refresh++) {
			this.fixture.advance(UNTIL_DUE.minus(MOMENT));
			assertThat(this.fixture.fetches()).isEqualTo(refresh);
			this.fixture.advance(MOMENT);
			this.fixture.client.call().succeed("T" + refresh, LIFE);
			assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
		}
		assertThat(this.fixture.time.pendingTasks()).isEqualTo(1);
	}

	@Test
	void keepWarmWhenThereAreManyAccountsShouldFetchOneAfterTheOther() {
		for (int account = 1; account < 100; account++) {
			this.fixture.accounts.put("shop" + account, new WechatMpCredentials("wx" + account, "secret"));
		}
		this.fixture.registry.reload();
		keepWarm();
		assertThat(this.fixture.fetches()).isEqualTo(1);
		this.fixture.advance(Duration.ofMillis(500));
		assertThat(this.fixture.fetches()).isEqualTo(51);
		this.fixture.advance(Duration.ofMillis(500));
		assertThat(this.fixture.fetches()).isEqualTo(100);
	}

	@Test
	void keepWarmWhenReloadedOverAndOverShouldNotPutOffFirstFetches() {
		for (int account = 1; account < 100; account++) {
			this.fixture.accounts.put("shop" + account, new WechatMpCredentials("wx" + account, "secret"));
		}
		this.fixture.registry.reload();
		keepWarm();
		for (int reload = 0; reload < 10; reload++) {
			this.fixture.advance(Duration.ofMillis(100));
			this.fixture.registry.reload();
		}
		assertThat(this.fixture.fetches()).isEqualTo(100);
	}

	@Test
	void keepWarmWhenCalledAgainShouldNotFetchAgain() {
		keepWarm();
		keepWarm();
		this.fixture.client.call().succeed("A", LIFE);
		keepWarm();
		assertThat(this.fixture.fetches()).isEqualTo(1);
		assertThat(this.fixture.time.pendingTasks()).isEqualTo(1);
	}

	@Test
	void keepWarmWhenFetchesFailShouldBackOffAndRecover() {
		this.fixture.client.onCall((call) -> call.fail());
		keepWarm();
		this.fixture.advance(Duration.ofSeconds(1 + 2 + 4 + 8 + 16 + 30));
		assertThat(this.fixture.fetches()).isEqualTo(7);
		this.fixture.client.onCall((call) -> call.succeed("A", LIFE));
		this.fixture.advance(Duration.ofSeconds(30));
		assertThat(this.fixture.held()).isEqualTo("A");
	}

	@Test
	void keepWarmWhenTokenIsRejectedShouldFetchAnother() {
		keepWarm();
		this.fixture.client.call().succeed("A", LIFE);
		this.fixture.advance(Duration.ofMinutes(1));
		this.fixture.service.invalidate("A");
		this.fixture.time.runDue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	void keepWarmWhenRefreshMayComeOnlyAfterExpiryShouldFetchAtExpiry() {
		WechatMpRefreshPolicy slow = new WechatMpRefreshPolicy(POLICY.refreshAhead(), Duration.ofMinutes(20),
				POLICY.expiryMargin(), POLICY.initialBackoff(), POLICY.maxBackoff(), POLICY.timeout());
		TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withPolicy(slow));
		fixture.registry.keepWarm();
		fixture.time.runDue();
		fixture.client.call().succeed("A", LIFE);
		fixture.advance(UNTIL_DUE);
		fixture.client.call().fail();
		fixture.advance(Duration.ofMinutes(5));
		fixture.client.call().succeed("B", LIFE);
		assertThat(fixture.held()).isEqualTo("B");
	}

	@Test
	void runTimeAccountsShouldNotBeKeptWarm() {
		keepWarm();
		this.fixture.client.call().succeed("A", LIFE);
		this.fixture.ask(this.fixture.service.account(AccountsTests.OTHER_APP));
		this.fixture.client.call().succeed("O", LIFE);
		this.fixture.client.onCall((call) -> call.succeed("N", LIFE));
		this.fixture.advance(LIFE);
		assertThat(this.fixture.client.calls().stream().skip(2)).isNotEmpty()
			.allSatisfy((call) -> assertThat(call.credentials()).isEqualTo(CREDENTIALS));
	}

}
