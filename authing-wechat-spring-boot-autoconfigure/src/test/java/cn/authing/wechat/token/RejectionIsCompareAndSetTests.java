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
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;

import cn.authing.wechat.AuthingApiException;

import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for tokens that WeChat rejects.
 */
class RejectionIsCompareAndSetTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private static final Duration LONG_AFTER = Duration.ofMinutes(1);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Test
	void invalidateWhenTokenIsCurrentShouldDropItOnceAndFetchNothing() {
		this.fixture.hold("A");
		assertThat(this.fixture.service.invalidate("A")).isTrue();
		assertThat(this.fixture.service.invalidate("A")).isFalse();
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
		this.fixture.time.runDue();
		assertThat(this.fixture.fetches()).isEqualTo(1);
		assertThat(this.fixture.status().rejections()).isEqualTo(1);
	}

	@Test
	void invalidateWhenReportedByManyShouldCountAsOneRejection() {
		this.fixture.hold("A");
		for (int report = 0; report < 1000; report++) {
			this.fixture.service.invalidate("A");
		}
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
		Caller caller = this.fixture.ask();
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.status().rejections()).isEqualTo(1);
		this.fixture.service.invalidate("B");
		this.fixture.advance(POLICY.initialBackoff().multipliedBy(2));
		this.fixture.ask();
		assertThat(this.fixture.fetches()).as("after the back-off of a second rejection").isEqualTo(3);
	}

	@Test
	void invalidateWhenAnotherReportComesFirstShouldNotDropTwice() {
		this.fixture.hold("A");
		AtomicBoolean first = new AtomicBoolean();
		this.fixture.meanwhile(() -> first.set(this.fixture.service.invalidate("A")));
		assertThat(this.fixture.service.invalidate("A")).isFalse();
		assertThat(first).isTrue();
		assertThat(this.fixture.status().rejections()).isEqualTo(1);
	}

	@Test
	void invalidateWhenNewTokenArrivesFirstShouldNotDropIt() {
		this.fixture.hold("A");
		this.fixture.refresh();
		this.fixture.meanwhile(() -> this.fixture.client.call().succeed("B", LIFE));
		assertThat(this.fixture.service.invalidate("A")).isFalse();
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	void invalidateWhenFailureArrivesMeanwhileShouldNotBeLost() {
		this.fixture.hold("A");
		this.fixture.refresh();
		this.fixture.meanwhile(() -> this.fixture.service.invalidate("A"));
		this.fixture.client.call().fail();
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FAILING);
	}

	@Test
	void invalidateJustAsSameTokenArrivesShouldHaveAuthingAskedOnceMore() {
		this.fixture.hold("A");
		Caller caller = this.fixture.refresh();
		this.fixture.advance(MOMENT);
		this.fixture.meanwhile(() -> this.fixture.service.invalidate("A"));
		this.fixture.client.call().succeed("A", LIFE);
		this.fixture.time.runDue();
		assertThat(caller.isWaiting()).isTrue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.fetches()).isEqualTo(3);
	}

	@Test
	void invalidateWhenTokenIsAnotherShouldDoNothing() {
		assertThat(this.fixture.service.invalidate("A")).isFalse();
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.service.invalidate("A")).isFalse();
		assertThat(this.fixture.held()).isEqualTo("B");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
	}

	@Test
	@SuppressWarnings("NullAway") // what a caller without null checks may do
	void invalidateWhenTokenIsNullShouldThrow() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.fixture.service.invalidate(null))
			.withMessage("'accessToken' must not be null");
	}

	@Test
	void getAccessTokenWhenRejectedLongAfterItCameShouldFetchAtOnceAndOnce() {
		this.fixture.hold("A");
		this.fixture.advance(LONG_AFTER);
		this.fixture.service.invalidate("A");
		Caller first = this.fixture.ask();
		Caller second = this.fixture.ask();
		assertThat(first.isWaiting()).isTrue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(first.accessToken()).isEqualTo("B");
		assertThat(second.accessToken()).isEqualTo("B");
		assertThat(this.fixture.fetches()).isEqualTo(2);
	}

	@Test
	void getAccessTokenWhenRejectedRightAfterItCameShouldWaitForInitialBackOffAndFetchOnce() {
		this.fixture.hold("A");
		this.fixture.advance(Duration.ofMillis(300));
		this.fixture.service.invalidate("A");
		Caller first = this.fixture.ask();
		this.fixture.advance(Duration.ofMillis(699));
		Caller second = this.fixture.ask();
		assertThat(this.fixture.fetches()).isEqualTo(1);
		this.fixture.advance(MOMENT);
		assertThat(this.fixture.fetches()).isEqualTo(2);
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(first.accessToken()).isEqualTo("B");
		assertThat(second.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenRejectedDuringRefreshShouldJoinIt() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		assertThat(this.fixture.service.invalidate("A")).isTrue();
		Caller caller = this.fixture.ask();
		assertThat(caller.isWaiting()).isTrue();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.fetches()).isEqualTo(2);
	}

	@Test
	void getAccessTokenWhenRejectedDuringRefreshThatFailsShouldAnswerWithFailure() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.service.invalidate("A");
		Caller caller = this.fixture.ask();
		this.fixture.client.call().fail();
		assertThat(caller.failure()).isInstanceOf(AuthingApiException.class);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FAILING);
	}

	@Test
	void getAccessTokenWhenRejectedWhileAnswersArriveExpiredShouldFetchWithinInitialBackOff() {
		this.fixture.hold("A");
		for (int refresh = 0; refresh < 5; refresh++) {
			this.fixture.refresh();
			this.fixture.client.call().succeed("X", Duration.ofSeconds(-1));
		}
		this.fixture.service.invalidate("A");
		Caller caller = this.fixture.ask();
		assertThat(caller.accessToken()).isNull();
		this.fixture.advance(Duration.ofSeconds(1));
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void rejectedTokenWhenHandedOutAgainShouldBeGivenToCallersAndAskedAgainAfterGrowingPauses() {
		this.fixture.hold("A");
		this.fixture.advance(LONG_AFTER);
		this.fixture.service.invalidate("A");
		Caller caller = this.fixture.ask();
		this.fixture.client.call().succeed("A", LIFE.minus(LONG_AFTER));
		assertThat(caller.accessToken()).isEqualTo("A");
		for (long pause : new long[] { 1, 2, 4, 8, 16, 30, 30 }) {
			int before = this.fixture.fetches();
			this.fixture.advance(Duration.ofSeconds(pause).minus(MOMENT));
			assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
			assertThat(this.fixture.fetches()).isEqualTo(before);
			assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
			this.fixture.advance(MOMENT);
			Caller waiting = this.fixture.ask();
			assertThat(waiting.isWaiting()).isTrue();
			assertThat(this.fixture.fetches()).isEqualTo(before + 1);
			this.fixture.client.call().succeed("A", LIFE.minus(LONG_AFTER));
			assertThat(waiting.accessToken()).isEqualTo("A");
		}
		this.fixture.advance(Duration.ofSeconds(30));
		this.fixture.ask();
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(this.fixture.held()).isEqualTo("B");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
	}

	@Test
	void getAccessTokenWhenWechatRejectsEveryTokenShouldBoundFetchesAndAnswerMeanwhile() {
		this.fixture.client.onCall((call) -> call.succeed("T" + this.fixture.fetches(), LIFE));
		Duration observed = Duration.ofMinutes(10);
		int failed = 0;
		for (long elapsed = 0; elapsed < observed.toMillis(); elapsed += 100) {
			Caller caller = this.fixture.ask();
			String token = caller.accessToken();
			if (token != null) {
				this.fixture.service.invalidate(token);
			}
			failed += (caller.failure() != null) ? 1 : 0;
			this.fixture.advance(Duration.ofMillis(100));
		}
		assertThat(failed).isZero();
		assertThat(this.fixture.fetches()).isBetween(20, 30);
	}

	@Test
	void getAccessTokenWhenTokensAreRejectedInARowShouldNotWaitLongerThanInitialBackOff() {
		this.fixture.client.onCall((call) -> call.succeed("T" + this.fixture.fetches(), LIFE));
		for (int round = 0; round < 2000; round++) {
			Caller caller = this.fixture.ask();
			if (caller.isWaiting()) {
				this.fixture.advance(Duration.ofSeconds(1));
			}
			assertThat(caller.accessToken()).isNotNull();
			this.fixture.service.invalidate(this.fixture.held());
			this.fixture.advance(Duration.ofMillis(50));
		}
	}

	@Test
	void getAccessTokenInTheLastCoolDownOfTheBackOffShouldWaitForATokenRatherThanGiveTheRejectedOne() {
		rejectTwice(LIFE);
		assertThat(this.fixture.ask().accessToken()).isEqualTo("B");
		this.fixture.advance(POLICY.initialBackoff());
		Caller caller = this.fixture.ask();
		assertThat(caller.isWaiting()).isTrue();
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.client.call().succeed("C", LIFE);
		assertThat(caller.accessToken()).isEqualTo("C");
	}

	@Test
	void getAccessTokenWhenTheRejectedTokenExpiresDuringTheBackOffShouldNotGiveItAnyMore() {
		rejectTwice(Duration.ofMillis(500));
		this.fixture.advance(Duration.ofMillis(400));
		assertThat(this.fixture.ask().accessToken()).isEqualTo("B");
		this.fixture.advance(Duration.ofMillis(100));
		assertThat(this.fixture.ask().isWaiting()).isTrue();
	}

	@Test
	void getAccessTokenWhenRejectedTwiceWhileFetchesFailShouldTellTheFailure() {
		holdAfterRejection("B", LIFE);
		this.fixture.refresh();
		this.fixture.client.call().fail();
		this.fixture.service.invalidate("B");
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
	}

	@Test
	void getAccessTokenWhenRejectionsEndShouldForgetThem() {
		holdAfterRejection("B", LIFE);
		this.fixture.advance(LONG_AFTER);
		this.fixture.service.invalidate("B");
		Caller caller = this.fixture.ask();
		this.fixture.client.call().succeed("C", LIFE);
		assertThat(caller.accessToken()).isEqualTo("C");
	}

	@Test
	void fetchThatBeganBeforeTheRejectionAndBringsAnotherTokenShouldBeTheAnswer() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.advance(MOMENT);
		assertThat(this.fixture.service.invalidate("A")).isTrue();
		Caller caller = this.fixture.ask();
		this.fixture.client.call().succeed("B", LIFE);
		this.fixture.time.runDue();
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.fixture.fetches()).isEqualTo(2);
	}

	@Test
	void fetchThatBeganBeforeTheRejectionAndBringsTheRejectedTokenShouldAskOnceMoreAtOnce() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.advance(MOMENT);
		assertThat(this.fixture.service.invalidate("A")).isTrue();
		Caller reporter = this.fixture.ask();
		Caller refreshing = this.fixture.refresh();
		this.fixture.client.call().succeed("A", Duration.ofMinutes(5));
		assertThat(reporter.isWaiting()).as("the killed token is no answer").isTrue();
		this.fixture.time.runDue();
		assertThat(this.fixture.fetches()).isEqualTo(3);
		this.fixture.client.call().succeed("B", LIFE);
		assertThat(reporter.accessToken()).isEqualTo("B");
		assertThat(refreshing.accessToken()).isEqualTo("B");
		assertThat(this.fixture.held()).isEqualTo("B");
	}

	@Test
	void fetchThatAsksOnceMoreShouldTakeTheSecondAnswerWhateverItIs() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.advance(MOMENT);
		this.fixture.service.invalidate("A");
		Caller reporter = this.fixture.ask();
		this.fixture.client.call().succeed("A", Duration.ofMinutes(5));
		this.fixture.time.runDue();
		this.fixture.client.call().succeed("A", Duration.ofMinutes(5));
		assertThat(reporter.accessToken()).isEqualTo("A");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		this.fixture.advance(Duration.ofMillis(999));
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
		assertThat(this.fixture.fetches()).as("never a loop").isEqualTo(3);
		assertThat(this.fixture.status().failures()).isZero();
		assertThat(this.fixture.lastFailure()).as("no success").hasMessageContaining("rejected");
	}

	private void rejectTwice(Duration life) {
		holdAfterRejection("B", life);
		this.fixture.service.invalidate("B");
	}

	private void holdAfterRejection(String accessToken, Duration life) {
		this.fixture.hold("A");
		this.fixture.service.invalidate("A");
		this.fixture.ask();
		this.fixture.advance(POLICY.initialBackoff());
		this.fixture.client.call().succeed(accessToken, life);
	}

}
