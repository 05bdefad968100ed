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
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenSource;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for instances that share their tokens.
 */
class FleetTests {

	private static final Duration TIME_FOR_OTHERS = POLICY.timeout().multipliedBy(2).dividedBy(3);

	private static final Duration POLL = Duration.ofMillis(200);

	private static final Duration MAX_WAIT = Duration.ofMillis(200);

	private final ManualTime time = new ManualTime();

	private final SharedTestStore store = new SharedTestStore(this.time);

	private final List<SharedTestStore.Instance> stores = Stream.generate(this.store::newInstance).limit(3).toList();

	private final List<TokenServiceFixture> fleet = this.stores.stream()
		.map((store) -> new TokenServiceFixture((setup) -> setup.withTime(this.time).withStore(store)))
		.toList();

	private final TokenServiceFixture a = this.fleet.get(0);

	private final TokenServiceFixture b = this.fleet.get(1);

	@BeforeEach
	void spreadRefreshes() {
		// The first is the first to refresh.
		this.b.random = 0;
		this.a.random = 0.5;
	}

	private int fetches() {
		return this.fleet.stream().mapToInt(TokenServiceFixture::fetches).sum();
	}

	private void holdEverywhere(String accessToken) {
		this.a.hold(accessToken);
		this.fleet.forEach(TokenServiceFixture::ask);
		assertThat(this.fleet).allSatisfy((instance) -> assertThat(instance.held()).isEqualTo(accessToken));
		assertThat(fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenAllAreEmptyShouldFetchOnceForAll() {
		List<Caller> callers = this.fleet.stream().map(TokenServiceFixture::ask).toList();
		assertThat(fetches()).isEqualTo(1);
		this.a.client.call().succeed("A", LIFE);
		this.time.advance(POLL);
		assertThat(callers).extracting(Caller::accessToken).containsOnly("A");
		assertThat(fetches()).isEqualTo(1);
		assertThat(this.b.status().origin()).isEqualTo(WechatMpTokenOrigin.STORE);
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
	}

	@ParameterizedTest
	@ValueSource(longs = { -3600, 70, 3600 })
	void getAccessTokenWhenAuthingsClockIsOffShouldFetchOnceForAll(long ahead) {
		this.time.setWallOffset(Duration.ofSeconds(-ahead));
		List<Caller> callers = this.fleet.stream().map(TokenServiceFixture::ask).toList();
		this.a.client.call().succeed("A", LIFE);
		this.time.advance(POLL);
		assertThat(callers).extracting(Caller::accessToken).containsOnly("A");
		assertThat(fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenTokenClaimsToLiveTooLongShouldShareWhatCanBe() {
		this.a.ask();
		this.a.client.call().succeed("A", Duration.ofHours(3));
		WechatMpTokenStore.StoredToken shared = Objects.requireNonNull(this.stores.get(1).read(CREDENTIALS).block());
		assertThat(Duration.between(shared.fetchedAt(), shared.token().expiresAt()))
			.isLessThan(Duration.ofHours(2).plusMinutes(1));
		assertThat(this.b.ask().accessToken()).isEqualTo("A");
	}

	@Test
	void keepWarmWhenFleetStartsShouldFetchOnceForAll() {
		this.fleet.forEach((instance) -> instance.service.registry().keepWarm());
		this.time.runDue();
		assertThat(fetches()).isEqualTo(1);
		this.a.client.call().succeed("A", LIFE);
		this.time.advance(POLL);
		assertThat(this.fleet).allSatisfy((instance) -> assertThat(instance.held()).isEqualTo("A"));
		assertThat(fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenFreshShouldNotTouchStore() {
		holdEverywhere("A");
		int before = this.store.operations();
		this.fleet.forEach(TokenServiceFixture::held);
		this.fleet.forEach(TokenServiceFixture::ask);
		assertThat(this.store.operations()).isEqualTo(before);
	}

	@Test
	void refreshWhenAllAreDueShouldFetchOnceForAllAndLetNobodyWait() {
		holdEverywhere("A");
		this.time.advance(UNTIL_DUE);
		assertThat(this.fleet).allSatisfy((instance) -> assertThat(instance.ask().accessToken()).isEqualTo("A"));
		assertThat(fetches()).isEqualTo(2);
		this.a.client.call().succeed("B", LIFE);
		assertThat(this.fleet).as("told of it").allSatisfy((instance) -> {
			assertThat(instance.held()).isEqualTo("B");
			assertThat(instance.state()).isEqualTo(WechatMpTokenState.FRESH);
		});
		this.time.advance(Duration.ofMinutes(1));
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void refreshWhenNotificationsAreMissedShouldFindSharedToken() {
		holdEverywhere("A");
		this.store.beSilent();
		this.time.advance(UNTIL_DUE);
		this.a.ask();
		this.a.client.call().succeed("B", LIFE);
		assertThat(this.b.ask().accessToken()).isEqualTo("A");
		assertThat(this.b.held()).isEqualTo("B");
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void getAccessTokenWhenWaitingForAnotherThatTellsShouldNotFetchAgain() {
		holdEverywhere("A");
		this.time.advance(UNTIL_STALE);
		this.a.ask();
		Caller waiting = this.b.ask();
		this.a.client.call().succeed("B", LIFE);
		assertThat(this.b.held()).as("taken over at once").isEqualTo("B");
		this.time.advance(POLL);
		assertThat(waiting.accessToken()).isEqualTo("B");
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void getAccessTokenWhenAnotherSharesATokenJustBeforeTheLeaseIsGrantedShouldTakeThat() {
		SharedTestStore.Instance late = this.store.new Instance() {

			@Override
			public Mono<Lease> lease(WechatMpCredentials credentials) {
				FleetTests.this.a.hold("A");
				return super.lease(credentials);
			}

		};
		TokenServiceFixture instance = new TokenServiceFixture((setup) -> setup.withTime(this.time).withStore(late));
		assertThat(instance.ask().accessToken()).isEqualTo("A");
		assertThat(instance.fetches()).isZero();
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
	}

	@Test
	void sharedTokenWhenClocksDifferByNoMoreThanIsIgnoredShouldBeBelieved() {
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(LIFE));
		this.stores.get(0).publish(CREDENTIALS, stored(token, Duration.ofSeconds(-10))).block();
		assertThat(this.b.ask().accessToken()).isEqualTo("A");
	}

	@Test
	void getAccessTokenWhenLeaseHolderDiedShouldTakeOver() {
		this.a.ask();
		this.stores.get(0).die();
		Caller caller = this.b.ask();
		this.time.advance(SharedTestStore.LEASE_TIME.minusMillis(1));
		assertThat(this.b.fetches()).isZero();
		this.time.advance(POLL);
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenLeaseHolderHangsShouldAskWithinTwoThirdsOfTheTimeout() {
		this.a.ask();
		Caller caller = this.b.ask();
		this.time.advance(TIME_FOR_OTHERS.plus(POLL));
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenLeaseHolderHangsAndStoreIsSlowShouldAskWithinTwoThirdsOfTheTimeout() {
		this.a.ask();
		this.stores.get(1).beSlow(MAX_WAIT.dividedBy(2).minusMillis(1));
		Caller caller = this.b.ask();
		this.time.advance(TIME_FOR_OTHERS.minusSeconds(1));
		assertThat(this.b.fetches()).isZero();
		this.time.advance(Duration.ofSeconds(1).plus(POLL));
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenStoreIsTooSlowShouldAskInTimeAndShareAllTheSame() {
		this.stores.get(0).beSlow(MAX_WAIT.dividedBy(2).plusMillis(1));
		Caller caller = this.a.ask();
		this.time.advance(MAX_WAIT.minusMillis(1));
		assertThat(this.a.fetches()).isZero();
		this.time.advance(Duration.ofMillis(1));
		this.a.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
		assertThat(this.store.shared(CREDENTIALS)).isEqualTo("A");
		this.time.advance(MAX_WAIT);
		assertThat(this.store.isLeased(CREDENTIALS)).as("lease that came too late").isFalse();
		assertThat(fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenStoreWantsMoreTimeThanThereIsShouldAskWithinTwoThirdsOfTheTimeout() {
		SharedTestStore.Instance patient = this.store.new Instance() {

			@Override
			public Duration maxWait() {
				return Duration.ofHours(1);
			}

		};
		patient.beSlow(Duration.ofHours(1));
		TokenServiceFixture instance = new TokenServiceFixture((setup) -> setup.withTime(this.time).withStore(patient));
		Caller caller = instance.ask();
		this.time.advance(TIME_FOR_OTHERS);
		instance.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@Test
	void fetchShouldLeaveNoTimer() {
		this.a.hold("A");
		assertThat(this.time.pendingTasks()).isZero();
	}

	@Test
	void getAccessTokenWhenStoreIsTooSlowAndSharesANewerTokenShouldTakeItOver() {
		this.stores.get(0).beSlow(MAX_WAIT);
		Caller caller = this.a.ask();
		this.time.advance(MAX_WAIT);
		answerOnceNewerIsShared();
		assertThat(caller.accessToken()).isEqualTo("OLD");
		assertThat(this.a.held()).isEqualTo("NEW");
	}

	@Test
	void getAccessTokenWhenStoreIsTooSlowAndAuthingFailsShouldTakeWhatIsShared() {
		this.b.hold("B");
		this.stores.get(0).beSlow(MAX_WAIT.multipliedBy(2));
		Caller caller = this.a.ask();
		this.time.advance(MAX_WAIT);
		this.stores.get(0).beSlow(Duration.ZERO);
		this.a.client.call().fail();
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void refreshWhenStoreIsSlowShouldBePatientAsNobodyWaits() {
		holdEverywhere("A");
		this.time.advance(UNTIL_DUE);
		this.stores.get(0).beSlow(MAX_WAIT);
		this.stores.get(1).beSlow(MAX_WAIT);
		assertThat(this.a.ask().accessToken()).isEqualTo("A");
		assertThat(this.b.ask().accessToken()).isEqualTo("A");
		this.time.advance(MAX_WAIT.multipliedBy(2));
		this.a.client.call().succeed("B", LIFE);
		this.time.advance(MAX_WAIT.multipliedBy(2));
		assertThat(this.b.held()).isEqualTo("B");
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void getAccessTokenWhenPublishingHangsShouldAnswerAndGiveLeaseBack() {
		this.stores.get(0).hang();
		Caller caller = this.a.ask();
		this.a.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
		this.time.advance(MAX_WAIT);
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
		Caller refreshing = this.a.refresh();
		this.a.client.call().succeed("B", LIFE);
		this.time.advance(MAX_WAIT);
		assertThat(refreshing.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenClientCompletesEmptyShouldAskOnce() {
		Caller caller = this.a.ask();
		this.a.client.call().completeEmpty();
		this.time.advance(Duration.ofSeconds(10));
		assertThat(caller.failure()).isInstanceOf(AuthingResponseException.class);
		assertThat(fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenNewerIsSharedWhileAskingAsHolderShouldTakeNewerOver() {
		Caller caller = this.a.ask();
		answerOnceNewerIsShared();
		assertThat(caller.accessToken()).isEqualTo("OLD");
		assertThat(this.a.held()).isEqualTo("NEW");
	}

	@Test
	void refreshWhenRejectedWhileAnotherAsksShouldNotTakeTheTokenBack() {
		holdEverywhere("A");
		this.time.advance(UNTIL_DUE);
		this.b.ask();
		this.a.meanwhile(() -> this.a.service.invalidate("A"));
		this.a.ask();
		assertThat(this.a.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	@Test
	void refreshWhenAnotherSharesItsTokenMeanwhileShouldNotTakeTheOldOneBack() {
		holdEverywhere("A");
		this.time.advance(UNTIL_DUE);
		this.b.ask();
		this.a.meanwhile(() -> this.b.client.call().succeed("B", LIFE));
		this.a.ask();
		assertThat(this.a.held()).isEqualTo("B");
	}

	@Test
	void tokenThatSeemedExpiredShouldBeAdoptedWhenAnotherSharesItAsValid() {
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(LIFE));
		this.time.setWallOffset(LIFE.plus(LIFE));
		this.a.ask();
		this.a.client.call().succeed(token, false);
		assertThat(this.a.state()).isEqualTo(WechatMpTokenState.STALE);
		this.time.setWallOffset(Duration.ZERO);
		this.b.ask();
		this.b.client.call().succeed(token, true);
		assertThat(this.a.state()).isEqualTo(WechatMpTokenState.FRESH);
	}

	@Test
	void getAccessTokenWhenLeaseIsGrantedAfterCloseShouldGiveItBack() {
		this.stores.get(0).beSlow(MAX_WAIT.dividedBy(2).minusMillis(1));
		this.a.ask();
		this.time.advance(MAX_WAIT.dividedBy(2));
		assertThat(this.store.isLeased(CREDENTIALS)).isTrue();
		this.a.close();
		this.time.advance(MAX_WAIT);
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
		assertThat(this.a.fetches()).isZero();
	}

	@Test
	void getAccessTokenWhenOwnFetchFailsAfterAnotherHasSharedShouldAnswerWithThat() {
		holdEverywhere("A");
		this.time.advance(LIFE);
		this.a.ask();
		Caller waiting = this.b.ask();
		this.time.advance(TIME_FOR_OTHERS.plus(POLL));
		this.a.client.call().succeed("B", LIFE);
		this.b.client.call().fail();
		assertThat(waiting.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenFetchIsOverdueShouldAnswerWithWhatAnotherSharesMeanwhile() {
		holdEverywhere("A");
		this.time.advance(LIFE.minusSeconds(4));
		Caller early = this.b.ask();
		this.time.advance(Duration.ofSeconds(4));
		assertThat(early.accessToken()).isEqualTo("A");
		Caller late = this.b.ask();
		assertThat(late.isWaiting()).isTrue();
		WechatMpAccessToken shared = new WechatMpAccessToken("B", this.time.authingTime().plus(LIFE));
		this.stores.get(0).publish(CREDENTIALS, stored(shared, Duration.ZERO)).block();
		this.time.runDue();
		this.b.client.call().fail();
		assertThat(late.accessToken()).isEqualTo("B");
	}

	@Test
	void getAccessTokenWhenFetchFailsShouldGiveLeaseBack() {
		Caller failed = this.a.ask();
		Caller other = this.b.ask();
		this.a.client.call().fail();
		assertThat(failed.failure()).isInstanceOf(AuthingApiException.class);
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
		this.time.advance(POLL);
		this.b.client.call().succeed("B", LIFE);
		assertThat(other.accessToken()).isEqualTo("B");
		assertThat(this.a.ask().accessToken()).as("told of it during the back-off").isEqualTo("B");
		assertThat(this.a.fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenWhenPublishingFailsShouldAnswerAndGiveLeaseBack() {
		this.stores.get(0).refuse();
		Caller caller = this.a.ask();
		this.a.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
	}

	@Test
	void getAccessTokenWhenReadingFailsShouldAnswer() {
		this.stores.get(0).beUnreadable();
		Caller caller = this.a.ask();
		this.time.advance(MAX_WAIT);
		this.a.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@Test
	void refreshAccessTokenWhenPublishingFailsShouldAnswer() {
		this.stores.get(0).refuse();
		Caller caller = this.a.refresh();
		this.a.client.call().succeed("A", LIFE);
		assertThat(caller.accessToken()).isEqualTo("A");
	}

	@Test
	void sharedTokenWhenItsLifeIsLongerThanWechatGivesShouldNotBeBelieved() {
		WechatMpAccessToken token = new WechatMpAccessToken("A", this.time.authingTime().plus(LIFE));
		this.stores.get(0)
			.publish(CREDENTIALS, new WechatMpTokenStore.StoredToken(token, Duration.ofDays(4000), Instant.EPOCH))
			.block();
		Caller caller = this.b.ask();
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void closeWhenFetchIsInFlightShouldGiveLeaseBack() {
		this.a.ask();
		assertThat(this.store.isLeased(CREDENTIALS)).isTrue();
		this.a.close();
		assertThat(this.store.isLeased(CREDENTIALS)).isFalse();
	}

	@Test
	void invalidateShouldDropTokenEverywhereAndFetchOnce() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		assertThat(this.b.service.invalidate("A")).isTrue();
		assertThat(this.store.shared(CREDENTIALS)).isNull();
		assertThat(this.fleet)
			.allSatisfy((instance) -> assertThat(instance.state()).isEqualTo(WechatMpTokenState.EXPIRED));
		List<Caller> callers = this.fleet.stream().map(TokenServiceFixture::ask).toList();
		this.a.client.call().succeed("B", LIFE);
		this.time.advance(POLL);
		assertThat(callers).extracting(Caller::accessToken).containsOnly("B");
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void sourceThatACallerKeepsShouldHearOfChangesWhenEvicted() {
		TokenServiceFixture small = new TokenServiceFixture(
				(setup) -> setup.withTime(this.time).withStore(this.store.newInstance()).withMaxEntries(1));
		small.client.onCall((call) -> call.succeed("T" + small.fetches(), LIFE));
		this.a.client.onCall((call) -> call.succeed("of a", LIFE));
		WechatMpCredentials credentials = new WechatMpCredentials("wx-kept", "secret");
		WechatMpTokenSource kept = small.service.account(credentials);
		assertThat(small.ask(kept).accessToken()).isEqualTo("T1");
		for (int account = 0; account < 20; account++) {
			small.ask(small.service.account(new WechatMpCredentials("wx" + account, "secret")));
		}
		this.time.advance(Duration.ofMinutes(1));
		WechatMpTokenSource other = this.a.service.account(credentials);
		assertThat(this.a.ask(other).accessToken()).isEqualTo("T1");
		this.time.advance(Duration.ofMinutes(1));
		other.invalidate("T1");
		assertThat(this.a.ask(other).accessToken()).isEqualTo("of a");
		assertThat(small.ask(kept).accessToken()).isEqualTo("of a");
	}

	@Test
	void invalidateWhenAuthingHandsTheRejectedTokenOutAgainShouldAskOnceForAll() {
		holdEverywhere("A");
		invalidateWhenHandedOutAgain();
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void invalidateWhenExpiryIsImplausiblyFarAndTokenIsHandedOutAgainShouldAskOnceForAll() {
		this.a.hold("A", Duration.ofHours(3));
		this.fleet.forEach(TokenServiceFixture::ask);
		invalidateWhenHandedOutAgain();
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void invalidateWhenTokenHandedOutAgainIsTakenShouldAskForAnotherAfterTheBackOff() {
		holdEverywhere("A");
		invalidateWhenHandedOutAgain();
		this.time.advance(Duration.ofMillis(1100));
		this.b.ask();
		assertThat(this.b.client.openCalls()).hasSize(1);
	}

	private void invalidateWhenHandedOutAgain() {
		this.time.advance(Duration.ofMinutes(1));
		WechatMpAccessToken token = this.b.service.getAccessTokenSync();
		this.b.service.invalidate("A");
		List<Caller> callers = this.fleet.stream().map(TokenServiceFixture::ask).toList();
		this.a.client.call().succeed(token, true);
		this.time.advance(POLL);
		assertThat(callers).extracting(Caller::accessToken).containsOnly("A");
	}

	@Test
	void invalidateWhenFetchFailsBeforeAnotherIsHandedTheTokenAgainShouldTakeThat() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		WechatMpAccessToken token = this.b.service.getAccessTokenSync();
		this.b.service.invalidate("A");
		this.b.ask();
		this.b.client.call().fail();
		this.a.ask();
		this.a.client.call().succeed(token, true);
		this.time.advance(Duration.ofSeconds(1));
		assertThat(this.b.ask().accessToken()).isEqualTo("A");
		assertThat(fetches()).isEqualTo(3);
	}

	@Test
	void invalidateWhenOthersHearOfItOnceTheTokenIsHandedOutAgainShouldTakeThat() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		WechatMpAccessToken token = this.b.service.getAccessTokenSync();
		this.store.beSilent();
		this.b.service.invalidate("A");
		this.b.ask();
		this.time.advance(Duration.ofMillis(300));
		this.b.client.call().succeed(token, true);
		this.store.tell();
		assertThat(this.a.state()).isEqualTo(WechatMpTokenState.EXPIRED);
		assertThat(this.a.ask().accessToken()).isEqualTo("A");
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void invalidateWhenTheTokenHandedOutAgainHasExpiredShouldAsk() {
		holdEverywhere("A");
		WechatMpAccessToken token = this.b.service.getAccessTokenSync();
		this.time.advance(LIFE.minusSeconds(1));
		this.b.service.invalidate("A");
		this.b.ask();
		this.b.client.call().succeed(token, true);
		assertThat(this.store.shared(CREDENTIALS)).isEqualTo("A");
		this.time.advance(Duration.ofSeconds(1));
		Caller caller = this.a.ask();
		this.a.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void invalidateWhenStoreStillSharesTheRejectedTokenShouldNotTakeItBack() {
		holdEverywhere("A");
		this.store.beSilent();
		this.time.advance(Duration.ofMinutes(1));
		this.a.service.invalidate("A");
		WechatMpTokenStore.StoredToken shared = stored(this.b.service.getAccessTokenSync(), Duration.ofMillis(1));
		this.stores.get(1).publish(CREDENTIALS, shared).block();
		Caller caller = this.a.ask();
		this.a.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void publicationOfATokenThatWasRejectedMeanwhileShouldNotBeAdopted() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		shareRejectedToken();
		this.store.tell();
		assertThat(this.a.state()).isEqualTo(WechatMpTokenState.EXPIRED);
		assertThat(this.a.ask().isWaiting()).isTrue();
	}

	@Test
	void getAccessTokenWhenFetchFailsAndTheRejectedTokenIsSharedShouldTellTheFailure() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		shareRejectedToken();
		Caller caller = this.a.ask();
		this.a.client.call().fail();
		assertThat(caller.failure()).isInstanceOf(AuthingApiException.class);
	}

	private void shareRejectedToken() {
		WechatMpTokenStore.StoredToken shared = stored(this.b.service.getAccessTokenSync(), Duration.ofMillis(1));
		this.store.beSilent();
		this.a.service.invalidate("A");
		this.stores.get(1).publish(CREDENTIALS, shared).block();
		assertThat(this.store.shared(CREDENTIALS)).isEqualTo("A");
	}

	@Test
	void answerThatIsRejectedOnItsWayShouldNotBeShared() {
		holdEverywhere("A");
		WechatMpAccessToken token = this.a.service.getAccessTokenSync();
		this.a.refresh();
		this.time.advance(Duration.ofMillis(1));
		assertThat(this.a.service.invalidate("A")).isTrue();
		this.a.client.call().succeed(token, true);
		assertThat(this.store.shared(CREDENTIALS)).isNull();
	}

	@Test
	void fetchThatBeganBeforeThisInstanceHeardOfTheRejectionShouldAskOnceMore() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		WechatMpAccessToken token = this.a.service.getAccessTokenSync();
		Caller caller = this.a.refresh();
		this.time.advance(Duration.ofMillis(500));
		assertThat(this.b.service.invalidate("A")).isTrue();
		this.a.client.call().succeed(token, true);
		this.time.runDue();
		assertThat(caller.isWaiting()).isTrue();
		this.a.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void invalidateWhenOthersHoldANewerTokenShouldNotDropIt() {
		holdEverywhere("A");
		this.store.beSilent();
		this.time.advance(UNTIL_DUE);
		this.a.refresh();
		this.a.client.call().succeed("B", LIFE);
		assertThat(this.b.service.invalidate("A")).isTrue();
		assertThat(this.store.shared(CREDENTIALS)).isEqualTo("B");
		assertThat(this.a.held()).isEqualTo("B");
		assertThat(this.b.ask().accessToken()).isEqualTo("B");
		assertThat(fetches()).isEqualTo(2);
	}

	@Test
	void refreshAccessTokenWhenEachAnswerIsRejectedOnItsWayShouldAskOnceMoreOnly() {
		holdEverywhere("A");
		Caller caller = this.a.refresh();
		shareAndReject("B");
		this.a.client.call().succeed("B", LIFE);
		this.time.runDue();
		shareAndReject("C");
		int fetches = this.a.fetches();
		this.a.client.call().succeed("C", LIFE);
		this.time.runDue();
		assertThat(caller.accessToken()).isEqualTo("C");
		assertThat(this.a.fetches()).isEqualTo(fetches);
	}

	private void shareAndReject(String accessToken) {
		this.time.advance(Duration.ofMillis(1));
		this.b.refresh();
		this.b.client.call().succeed(accessToken, LIFE);
		this.time.advance(Duration.ofMillis(1));
		assertThat(this.a.held()).isEqualTo(accessToken);
		assertThat(this.a.service.invalidate(accessToken)).isTrue();
		this.time.advance(Duration.ofMillis(1));
	}

	@Test
	void refreshAccessTokenWhenNewerIsSharedMeanwhileShouldReturnTheAnswerAndAdoptNewer() {
		Caller slow = this.a.refresh();
		answerOnceNewerIsShared();
		assertThat(slow.accessToken()).isEqualTo("OLD");
		assertThat(this.a.held()).isEqualTo("NEW");
	}

	@Test
	void refreshAccessTokenWhenAnswerWasLongOnItsWayShouldNotReplaceNewer() {
		this.store.beSilent();
		Caller slow = this.a.refresh();
		Instant answered = this.time.authingTime();
		this.time.advance(Duration.ofSeconds(2));
		this.b.refresh();
		this.b.client.call().succeed("NEW", LIFE);
		this.time.advance(Duration.ofSeconds(2));
		this.a.client.call().succeed(new WechatMpAccessToken("OLD", answered.plus(LIFE)), answered);
		assertThat(slow.accessToken()).isEqualTo("OLD");
		assertThat(this.a.held()).isEqualTo("NEW");
		assertThat(this.store.shared(CREDENTIALS)).isEqualTo("NEW");
	}

	@Test
	void getAccessTokenWhenAnswerHasExpiredShouldNotShareIt() {
		Caller caller = this.a.ask();
		this.a.client.call().succeed("A", Duration.ofSeconds(-1));
		assertThat(caller.accessToken()).isEqualTo("A");
		assertThat(this.store.shared(CREDENTIALS)).isNull();
	}

	/**
	 * Answer the first instance with a token that is older than what another one has
	 * shared meanwhile, without the first being told. The answer's Date is that of now.
	 */
	private void answerOnceNewerIsShared() {
		WechatMpAccessToken older = new WechatMpAccessToken("OLD", this.time.authingTime().plus(LIFE));
		this.time.advance(Duration.ofSeconds(8));
		this.store.beSilent();
		this.b.refresh();
		this.b.client.call().succeed("NEW", LIFE);
		this.a.client.call().succeed(older, true);
	}

	private WechatMpTokenStore.StoredToken stored(WechatMpAccessToken token, Duration age) {
		Instant now = this.time.authingTime();
		return new WechatMpTokenStore.StoredToken(token, Duration.between(now, token.expiresAt()), now.minus(age));
	}

	@Test
	void sharedTokenWhenFetchedInTheFutureShouldNotBeBelieved() {
		WechatMpAccessToken forged = new WechatMpAccessToken("FORGED", this.time.authingTime().plus(LIFE));
		this.stores.get(0).publish(CREDENTIALS, stored(forged, Duration.ofMinutes(-10))).block();
		Caller caller = this.b.ask();
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
		assertThat(this.b.held()).as("though the store says that the other is newer").isEqualTo("B");
		Caller refreshing = this.b.refresh();
		this.b.client.call().succeed("C", LIFE);
		assertThat(refreshing.accessToken()).isEqualTo("C");
		assertThat(this.b.held()).isEqualTo("C");
	}

	@Test
	void sharedTokenWhenItHasExpiredShouldNotBeTaken() {
		WechatMpAccessToken old = new WechatMpAccessToken("OLD", this.time.authingTime().plusSeconds(60));
		this.stores.get(0)
			.publish(CREDENTIALS, new WechatMpTokenStore.StoredToken(old, LIFE, this.time.authingTime()))
			.block();
		this.time.advance(Duration.ofSeconds(60));
		Caller caller = this.b.ask();
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void sharedTokenWhenItExpiresSoonerThanTheCachedOneShouldNotBeAdopted() {
		holdEverywhere("A");
		this.time.advance(Duration.ofMinutes(1));
		WechatMpAccessToken sooner = new WechatMpAccessToken("SOONER", this.time.authingTime().plusSeconds(1800));
		this.stores.get(0).publish(CREDENTIALS, stored(sooner, Duration.ZERO)).block();
		this.time.runDue();
		assertThat(this.b.held()).isEqualTo("A");
	}

	@Test
	void sharedTokenWhenStoredAgainWithALongLifeShouldLiveNoLongerThanItsExpiry() {
		WechatMpAccessToken old = new WechatMpAccessToken("OLD", this.time.authingTime().plusSeconds(60));
		this.stores.get(0)
			.publish(CREDENTIALS, new WechatMpTokenStore.StoredToken(old, LIFE, this.time.authingTime()))
			.block();
		assertThat(this.b.ask().accessToken()).isEqualTo("OLD");
		this.time.advance(Duration.ofSeconds(60));
		Caller caller = this.b.ask();
		this.b.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

}
