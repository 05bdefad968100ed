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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import cn.authing.wechat.WechatMpAccessToken;

import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for clocks that differ, and for tokens that arrive expired.
 */
class ClocksDifferTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	private final ManualTime time = this.fixture.time;

	private void assertExpiresAfter(Duration duration) {
		this.fixture.advance(duration.minus(MOMENT));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		this.fixture.advance(MOMENT);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		this.fixture.advance(POLICY.expiryMargin());
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	@ParameterizedTest
	@ValueSource(longs = { 6, -6, 3600, -3600, 400_000_000, -400_000_000 })
	void expiryWhenWallClockIsOffShouldBeJudgedByDateHeader(long offset) {
		this.time.setWallOffset(Duration.ofSeconds(offset));
		this.fixture.hold("A");
		assertExpiresAfter(UNTIL_STALE);
	}

	@ParameterizedTest
	@ValueSource(longs = { 0, 5, -5 })
	void expiryWhenClocksDifferByLittleShouldBeJudgedByWallClock(long offset) {
		this.time.setWallOffset(Duration.ofSeconds(offset));
		this.fixture.hold("A", Duration.ofHours(1));
		assertExpiresAfter(Duration.ofHours(1).minusSeconds(offset).minusSeconds(10));
	}

	@Test
	void expiryWhenAnswerWasLongOnItsWayShouldNotBeLater() {
		this.fixture.ask();
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(LIFE));
		Instant answered = this.time.authingTime();
		this.fixture.advance(Duration.ofSeconds(8));
		this.fixture.client.call().succeed(token, answered);
		assertExpiresAfter(UNTIL_STALE.minusSeconds(8));
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 3, 4, 5, 6, 7, 8 })
	void expiryWhenTimePassesWhileTheTokenIsTakenInShouldNotBeLater(int reading) {
		this.fixture.ask();
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(LIFE));
		Duration pause = Duration.ofSeconds(2);
		this.time.onReading(reading, () -> this.fixture.advance(pause));
		this.fixture.client.call().succeed(token, false);
		this.fixture.advance(LIFE.minus(pause));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	@Test
	void expiryWhenAnswerHasNoDateShouldBeJudgedByWallClock() {
		this.time.setWallOffset(Duration.ofMinutes(10));
		this.fixture.ask();
		this.fixture.client.call()
			.succeed(new WechatMpAccessToken("A", this.time.authingTime().plus(Duration.ofHours(1))), false);
		assertExpiresAfter(Duration.ofMinutes(50).minusSeconds(10));
	}

	@ParameterizedTest
	@ValueSource(longs = { 1_000_000, -1_000_000 })
	void wallClockWhenItJumpsWhileTokenIsHeldShouldChangeNothing(long jump) {
		this.fixture.hold("A");
		this.time.setWallOffset(Duration.ofSeconds(jump));
		this.fixture.advance(UNTIL_DUE.minus(MOMENT));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
		this.fixture.advance(MOMENT);
		assertExpiresAfter(UNTIL_STALE.minus(UNTIL_DUE));
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void expiryWhenItIsBeyondAllMeasureShouldBeCapped() {
		this.fixture.ask();
		this.fixture.client.call().succeed(new WechatMpAccessToken("A", Instant.MAX), true);
		this.fixture.advance(UNTIL_DUE);
		assertExpiresAfter(UNTIL_STALE.minus(UNTIL_DUE));
		this.fixture.ask();
		this.fixture.client.call().succeed(new WechatMpAccessToken("B", Instant.MIN), true);
		assertThat(this.fixture.held()).isEqualTo("B");
		this.fixture.advance(Duration.ofSeconds(1));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	@ParameterizedTest
	@ValueSource(longs = { 0, -1, -100_000 })
	void tokenWhenItArrivesExpiredShouldBeHandedOutAndKeptForFailureBackOff(long life) {
		Caller waiting = this.fixture.ask();
		this.fixture.client.call().succeed("A", Duration.ofSeconds(life));
		assertThat(waiting.accessToken()).isEqualTo("A");
		for (long pause : new long[] { 1, 2, 4, 8, 16, 30, 30 }) {
			int before = this.fixture.fetches();
			this.fixture.advance(Duration.ofSeconds(pause).minus(MOMENT));
			assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
			assertThat(this.fixture.fetches()).as("not fetched for each call").isEqualTo(before);
			this.fixture.advance(MOMENT);
			Caller caller = this.fixture.ask();
			assertThat(caller.isWaiting()).isTrue();
			this.fixture.client.call().succeed("A", Duration.ofSeconds(life));
			assertThat(caller.accessToken()).isEqualTo("A");
		}
		this.fixture.advance(Duration.ofSeconds(30));
		this.fixture.hold("B");
		assertThat(this.fixture.held()).isEqualTo("B");
		this.fixture.advance(UNTIL_DUE.minus(MOMENT));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
	}

	@Test
	void tokenWhenItSeemsExpiredUntilAuthingsTimeIsKnownShouldBeFreshFromThenOn() {
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(Duration.ofHours(1)));
		receiveAsExpiredAndThenAsAlive(token);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
	}

	@Test
	void rejectedTokenWhenItSeemsExpiredUntilAuthingsTimeIsKnownShouldBeStale() {
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(Duration.ofHours(1)));
		this.fixture.ask();
		this.fixture.client.call().succeed(token, true);
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.service.invalidate("A");
		receiveAsExpiredAndThenAsAlive(token);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
	}

	private void receiveAsExpiredAndThenAsAlive(WechatMpAccessToken token) {
		this.time.setWallOffset(Duration.ofHours(3));
		this.fixture.ask();
		this.fixture.client.call().succeed(token, false);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		this.fixture.refresh();
		this.fixture.client.call().succeed(token, true);
		assertThat(this.fixture.held()).isEqualTo(token.accessToken());
	}

	@Test
	void tokenWhenItArrivesExpiredDuringRefreshShouldNotReplaceValidOne() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().succeed("B", Duration.ofSeconds(-1));
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.advance(Duration.ofSeconds(30).minus(MOMENT));
		this.fixture.ask();
		assertThat(this.fixture.fetches()).isEqualTo(2);
		this.fixture.advance(MOMENT);
		this.fixture.ask();
		assertThat(this.fixture.fetches()).isEqualTo(3);
	}

	@ParameterizedTest
	@ValueSource(longs = { 86_400, -86_400 })
	void fetchesWhenClockIsWrongAndAnswersHaveNoDateShouldStayBounded(long offset) {
		this.time.setWallOffset(Duration.ofSeconds(offset));
		this.fixture.client.onCall((call) -> call
			.succeed(new WechatMpAccessToken("T" + this.fixture.fetches(), this.time.authingTime().plus(LIFE)), false));
		for (int second = 0; second < 600; second++) {
			this.fixture.ask();
			this.fixture.advance(Duration.ofSeconds(1));
		}
		assertThat(this.fixture.fetches()).isLessThanOrEqualTo(25);
	}

}
