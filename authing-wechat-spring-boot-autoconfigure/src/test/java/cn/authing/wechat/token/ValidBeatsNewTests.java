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
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import cn.authing.wechat.AuthingApiException;

import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the refresh of a valid token: when it is due, that valid beats new, and that
 * the same token again is not news.
 */
class ValidBeatsNewTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private static final Duration MIN_REFRESH_INTERVAL = POLICY.minRefreshInterval();

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@ParameterizedTest
	@CsvSource({
			// refresh-ahead before the expiry, up to a tenth of that earlier
			"7200, 0, 6900", "7200, 0.5, 6885", "7200, 0.999999, 6870.00003", "600, 0, 300",
			// below twice refresh-ahead: the last fifth of the usable time
			"599, 0, 471.2", "60, 0, 40", "60, 0.5, 39.5", "50, 0, 32",
			// below five margins the margin is a fifth
			"10, 0, 6.4", "1, 0, 0.64" })
	void refreshAtWhenTokenArrivesShouldFollowItsLife(long life, double random, double refreshAfter) {
		this.fixture.random = random;
		this.fixture.hold("A", Duration.ofSeconds(life));
		Duration untilDue = Duration.ofMillis((long) (refreshAfter * 1000));
		this.fixture.advance(untilDue.minus(MOMENT));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
		this.fixture.advance(MOMENT.multipliedBy(2));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
	}

	@Test
	void expiryWhenLifeIsImplausiblyLongShouldBeCapped() {
		this.fixture.hold("A", Duration.ofDays(4000));
		this.fixture.advance(LIFE);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	@Test
	void getAccessTokenWhenRefreshFailsShouldNotTellCallers() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().fail();
		assertThat(this.fixture.held()).isEqualTo("A");
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
		assertThat(this.fixture.lastFailure()).isInstanceOf(AuthingApiException.class);
		assertThat(this.fixture.status().failures()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenRefreshHangsShouldAnswerAtOnceAndEndItAtDeadline() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		ScriptedClient.Call hanging = this.fixture.client.call();
		this.fixture.advance(Duration.ofMillis(10_199));
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
		assertThat(hanging.isCancelled()).isFalse();
		this.fixture.advance(MOMENT);
		assertThat(hanging.isCancelled()).isTrue();
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
		assertThat(this.fixture.lastFailure()).hasMessageContaining("authing.timeout");
	}

	@ParameterizedTest
	@ValueSource(ints = { 12, 10, 4 })
	void getAccessTokenWhenFetchHangsUntilTheExpiryShouldAnswerWhileTheTokenWorks(int secondsBeforeExpiry) {
		Duration margin = POLICY.expiryMargin();
		Duration left = Duration.ofSeconds(secondsBeforeExpiry);
		this.fixture.hold("A");
		this.fixture.advance(LIFE.minus(left));
		this.fixture.ask();
		if (left.compareTo(margin) > 0) {
			this.fixture.advance(left.minus(margin));
			left = margin;
		}
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		Caller early = this.fixture.ask();
		this.fixture.advance(left.dividedBy(2).minus(MOMENT));
		Caller late = this.fixture.ask();
		assertThat(early.isWaiting()).isTrue();
		this.fixture.advance(MOMENT);
		assertThat(List.of(early, late, this.fixture.ask())).extracting(Caller::accessToken).containsOnly("A");
		this.fixture.advance(left.dividedBy(2));
		Caller expired = this.fixture.ask();
		assertThat(expired.isWaiting()).isTrue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(expired.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenFetchHangsShouldAnswerWhileAnEarlierTokenWorks() {
		this.fixture.hold("A");
		this.fixture.advance(LIFE.minusSeconds(60));
		this.fixture.refresh();
		this.fixture.client.call().succeed("B", Duration.ofSeconds(50));
		this.fixture.advance(Duration.ofSeconds(52));
		Caller caller = this.fixture.ask();
		this.fixture.advance(Duration.ofSeconds(4).minus(MOMENT));
		assertThat(caller.isWaiting()).isTrue();
		this.fixture.advance(MOMENT);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@Test
	void getAccessTokenWhenForcedFetchHangsShouldNotAnswerWithATokenThatArrivedExpired() {
		this.fixture.ask();
		this.fixture.client.call().succeed("expired", Duration.ofSeconds(-100));
		this.fixture.refresh();
		Caller caller = this.fixture.ask();
		this.fixture.advance(Duration.ofMillis(999));
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenFetchHangsAndTheTokenIsRejectedShouldWaitForTheFetch() {
		this.fixture.hold("A");
		this.fixture.advance(LIFE.minusSeconds(4));
		Caller caller = this.fixture.ask();
		assertThat(this.fixture.service.invalidate("A")).isTrue();
		this.fixture.advance(Duration.ofSeconds(4));
		assertThat(caller.isWaiting()).isTrue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void refreshWhenFailingShouldBeRepeatedEachMinRefreshInterval() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		for (int attempt = 1; attempt <= 5; attempt++) {
			this.fixture.ask();
			this.fixture.client.call().fail();
			this.fixture.advance(MIN_REFRESH_INTERVAL.minus(MOMENT));
			this.fixture.ask();
			assertThat(this.fixture.fetches()).isEqualTo(1 + attempt);
			this.fixture.advance(MOMENT);
		}
	}

	@Test
	void refreshWhenMinRefreshIntervalIsShortShouldBackOff() {
		WechatMpRefreshPolicy policy = new WechatMpRefreshPolicy(POLICY.refreshAhead(), Duration.ofSeconds(1),
				POLICY.expiryMargin(), POLICY.initialBackoff(), POLICY.maxBackoff(), POLICY.timeout());
		TokenServiceFixture eager = new TokenServiceFixture((setup) -> setup.withPolicy(policy));
		eager.hold("A");
		eager.advance(UNTIL_DUE);
		for (long pause : new long[] { 1, 2, 4, 8, 16, 30, 30 }) {
			int before = eager.fetches();
			eager.ask();
			eager.client.call().fail();
			eager.advance(Duration.ofSeconds(pause).minus(MOMENT));
			eager.ask();
			assertThat(eager.fetches()).isEqualTo(before + 1);
			eager.advance(MOMENT);
		}
	}

	@Test
	void refreshWhenRecoveredShouldBeFreshAgain() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().fail();
		this.fixture.advance(MIN_REFRESH_INTERVAL);
		this.fixture.ask();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.held()).isEqualTo("B");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
		assertThat(this.fixture.status().failures()).isZero();
		assertThat(this.fixture.lastFailure()).as("kept for people").isNotNull();
	}

	@Test
	void refreshWhenOneWasJustDoneShouldWaitForMinRefreshInterval() {
		this.fixture.hold("A", Duration.ofSeconds(60));
		this.fixture.advance(Duration.ofSeconds(40));
		this.fixture.ask();
		this.fixture.client.call().succeed("B", Duration.ofSeconds(10));
		this.fixture.advance(Duration.ofMillis(6400));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		assertThat(this.fixture.ask().accessToken()).isEqualTo("B");
		assertThat(this.fixture.fetches()).isEqualTo(2);
		this.fixture.advance(Duration.ofMillis(1600));
		this.fixture.ask();
		this.fixture.client.call().succeed("C", Duration.ofSeconds(20));
		this.fixture.advance(Duration.ofSeconds(13));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		this.fixture.ask();
		assertThat(this.fixture.fetches()).as("21 s after the last refresh").isEqualTo(3);
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void refreshOfATokenThatACallerWaitedForShouldNotWaitForMinRefreshInterval(boolean fleet) {
		ManualTime time = new ManualTime();
		SharedTestStore store = new SharedTestStore(time);
		TokenServiceFixture fixture = new TokenServiceFixture(
				(setup) -> fleet ? setup.withTime(time).withStore(store.newInstance()) : setup.withTime(time));
		fixture.hold("A", Duration.ofSeconds(20));
		fixture.advance(Duration.ofSeconds(13));
		assertThat(fixture.ask().accessToken()).isEqualTo("A");
		assertThat(fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		fixture.client.call().succeed("B", LIFE);
		assertThat(fixture.held()).isEqualTo("B");
	}

	@Test
	void refreshAccessTokenWhenFreshShouldAskAuthing() {
		this.fixture.hold("A");
		Caller caller = this.fixture.refresh();
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	void refreshAccessTokenWhenFetchIsInFlightShouldShareIt() {
		Caller waiting = this.fixture.ask();
		Caller refreshing = this.fixture.refresh();
		Caller another = this.fixture.refresh();
		assertThat(this.fixture.fetches()).isEqualTo(1);
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(waiting.accessToken()).isEqualTo("A");
		assertThat(refreshing.accessToken()).isEqualTo("A");
		assertThat(another.accessToken()).isEqualTo("A");
	}

	@Test
	void refreshAccessTokenWhenItFailsShouldFailAndKeepToken() {
		this.fixture.hold("A");
		Caller caller = this.fixture.refresh();
		this.fixture.client.call().fail();
		assertThat(caller.failure()).isInstanceOf(AuthingApiException.class);
		assertThat(this.fixture.held()).isEqualTo("A");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
	}

	@Test
	void refreshAccessTokenWhenFailingShouldAskAllTheSame() {
		this.fixture.ask();
		this.fixture.client.call().fail();
		Caller caller = this.fixture.refresh();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
		assertThat(this.fixture.held()).isEqualTo("A");
	}

	@Test
	void refreshAccessTokenWhenAnswerHasExpiredShouldTellAndKeepValidToken() {
		this.fixture.hold("A");
		Caller caller = this.fixture.refresh();
		this.fixture.client.call().succeed("B", Duration.ofSeconds(-1));
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.held()).isEqualTo("A");
	}

	@Test
	void staleTokenShouldBeServedUntilItsRealExpiryWhileFetchesFail() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_STALE);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		this.fixture.client.onCall((call) -> call.fail());
		for (int ask = 0; ask < 100; ask++) {
			assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
			this.fixture.advance(POLICY.expiryMargin().dividedBy(100));
		}
		assertThat(this.fixture.fetches()).as("not during a back-off").isEqualTo(1 + 4);
		assertThat(this.fixture.registry.requestCounts("default").stale()).isEqualTo(100);
		this.fixture.advance(Duration.ofSeconds(30));
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
	}

	@Test
	void staleTokenWhenFetchSucceedsShouldNotBeServed() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_STALE);
		Caller caller = this.fixture.ask();
		assertThat(caller.isWaiting()).isTrue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.registry.requestCounts("default").stale()).isZero();
	}

	@Test
	void longerLivedTokenShouldBeKeptForWhenAShorterOneHasExpiredAndFetchesFail() {
		this.fixture.hold("LONG");
		this.fixture.refresh();
		this.fixture.client.call().succeed("SHORT", Duration.ofMinutes(1));
		assertThat(this.fixture.held()).isEqualTo("SHORT");
		this.fixture.advance(Duration.ofMinutes(2));
		this.fixture.client.onCall((call) -> call.fail());
		assertThat(this.fixture.ask().accessToken()).isEqualTo("LONG");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		assertThat(this.fixture.service.invalidate("LONG")).as("WeChat had killed it").isTrue();
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
	}

	@Test
	void longerLivedTokenWhenItHasExpiredTooShouldNotBeServed() {
		this.fixture.hold("LONG");
		this.fixture.refresh();
		this.fixture.client.call().succeed("SHORT", Duration.ofMinutes(1));
		this.fixture.advance(LIFE);
		this.fixture.client.onCall((call) -> call.fail());
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
	}

	@Test
	void longerLivedTokenWhenAnAnswerHasExpiredShouldBeServed() {
		this.fixture.hold("LONG");
		this.fixture.refresh();
		this.fixture.client.call().succeed("SHORT", Duration.ofMinutes(1));
		this.fixture.advance(Duration.ofMinutes(2));
		Caller caller = this.fixture.ask();
		this.fixture.client.call().succeed("EXPIRED", Duration.ofMinutes(-1));
		assertThat(caller.accessToken()).isEqualTo("LONG");
		assertThat(this.fixture.held()).isEqualTo("LONG");
	}

	@Test
	void longerLivedTokenWhenAnotherIsReportedAsRejectedShouldBeKept() {
		this.fixture.hold("LONG");
		this.fixture.refresh();
		this.fixture.client.call().succeed("SHORT", Duration.ofMinutes(1));
		assertThat(this.fixture.service.invalidate("ANOTHER")).isFalse();
		this.fixture.advance(Duration.ofMinutes(2));
		this.fixture.client.onCall((call) -> call.fail());
		assertThat(this.fixture.ask().accessToken()).isEqualTo("LONG");
	}

	@Test
	void longerLivedTokenWhenReportedAsRejectedMeanwhileShouldBeForgotten() {
		this.fixture.hold("LONG");
		this.fixture.refresh();
		this.fixture.client.call().succeed("SHORT", Duration.ofMinutes(1));
		assertThat(this.fixture.service.invalidate("LONG")).as("not the current one").isFalse();
		this.fixture.advance(Duration.ofMinutes(2));
		this.fixture.client.onCall((call) -> call.fail());
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
	}

	@Test
	void earlierTokenWhenItsExpiryDiffersByASecondShouldNotComeBack() {
		this.fixture.hold("A");
		this.fixture.refresh();
		this.fixture.client.call().succeed("B", LIFE.minusSeconds(1));
		assertThat(this.fixture.service.invalidate("B")).isTrue();
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	@Test
	void tokenThatLivesForLessThanTheMarginShouldBeServedWithoutFetchingAllTheTime() {
		this.fixture.hold("A", Duration.ofSeconds(5));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
		this.fixture.advance(Duration.ofMillis(4000).minus(MOMENT));
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.advance(MOMENT);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
	}

	@Test
	void earlierTokenThatLivesLongerShouldServeAlsoAfterTheCurrentOneWasExtended() {
		this.fixture.hold("A");
		for (int minutes : new int[] { 10, 20 }) {
			this.fixture.advance(Duration.ofSeconds(10));
			this.fixture.refresh();
			this.fixture.client.call().succeed("B", Duration.ofMinutes(minutes));
		}
		this.fixture.advance(Duration.ofMinutes(20));
		Caller caller = this.fixture.ask();
		this.fixture.client.call().fail();
		assertThat(caller.accessToken()).isEqualTo("A");
	}

}
