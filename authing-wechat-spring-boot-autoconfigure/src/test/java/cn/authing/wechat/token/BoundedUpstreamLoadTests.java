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
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingWechatClient;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Rule 6: bounded upstream load, whatever callers and failures do, for every credentials
 * pair, also beyond {@code max-entries}.
 */
class BoundedUpstreamLoadTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	private void assertAnsweredFromMemoryFor(Duration pause) {
		int before = this.fixture.fetches();
		this.fixture.advance(pause.minus(MOMENT));
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
		assertThat(this.fixture.fetches()).isEqualTo(before);
		this.fixture.advance(MOMENT);
		assertThat(this.fixture.ask().isWaiting()).isTrue();
		assertThat(this.fixture.fetches()).isEqualTo(before + 1);
	}

	@Test
	void backOffShouldGrowWhileFailuresRepeatUpToItsLimit() {
		this.fixture.ask();
		for (long pause : new long[] { 1, 2, 4, 8, 16, 30, 30, 30 }) {
			this.fixture.client.call().fail();
			assertAnsweredFromMemoryFor(Duration.ofSeconds(pause));
		}
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.advance(LIFE);
		this.fixture.ask();
		this.fixture.client.call().fail();
		assertAnsweredFromMemoryFor(Duration.ofSeconds(1));
	}

	@Test
	void backOffShouldBeShortenedAtRandomByUpToAFifth() {
		this.fixture.random = 0.5;
		this.fixture.ask();
		for (long millis : new long[] { 1000, 1800, 3600 }) {
			this.fixture.client.call().fail();
			assertAnsweredFromMemoryFor(Duration.ofMillis(millis));
		}
	}

	@ParameterizedTest
	@CsvSource({ "0, 1", "1, 1", "7, 7", "30, 30", "31, 30", "999999999, 30" })
	void backOffWhenAuthingAskedForAPauseShouldHonourItWithinTheLimit(long retryAfter, long pause) {
		this.fixture.ask();
		this.fixture.client.call().fail(ScriptedClient.failure(Duration.ofSeconds(retryAfter)));
		assertAnsweredFromMemoryFor(Duration.ofSeconds(pause));
	}

	@Test
	void backOffThatAuthingAskedForShouldOutlastAFetchThatAStopEnds() {
		this.fixture.ask();
		this.fixture.client.call().fail(ScriptedClient.failure(Duration.ofSeconds(20)));
		this.fixture.refresh();
		this.fixture.registry.stop();
		this.fixture.registry.start();
		assertAnsweredFromMemoryFor(Duration.ofSeconds(20));
	}

	@Test
	void fetchThatWaitsForALongCoolDownShouldHaveItsTimeoutAfterThat() {
		TokenServiceFixture slow = new TokenServiceFixture(
				(setup) -> setup.withPolicy(POLICY.withBackoff(Duration.ofSeconds(20), Duration.ofSeconds(30))));
		slow.hold("A");
		assertThat(slow.service.invalidate("A")).isTrue();
		Caller caller = slow.ask();
		slow.advance(Duration.ofSeconds(20));
		slow.advance(POLICY.timeout());
		slow.ask();
		slow.client.call().succeed("B", LIFE);
		assertThat(caller.accessToken()).isEqualTo("B");
	}

	@Test
	void fetchThatWaitsForAShortCoolDownShouldEndAtItsTimeoutAllTheSame() {
		this.fixture.hold("A");
		assertThat(this.fixture.service.invalidate("A")).isTrue();
		Caller caller = this.fixture.ask();
		this.fixture.advance(POLICY.timeout().plus(POLICY.timeout().dividedBy(50)));
		assertThat(caller.failure()).isInstanceOf(AuthingTransportException.class);
	}

	@Test
	void failuresWhenUpstreamIsDownForHoursShouldBeFewAndRecoveryQuick() {
		this.fixture.client.onCall((call) -> call.fail());
		for (int second = 0; second < 7200; second++) {
			this.fixture.ask();
			this.fixture.advance(Duration.ofSeconds(1));
		}
		assertThat(this.fixture.fetches()).isBetween(240, 250);
		this.fixture.client.onCall((call) -> call.succeed("A", LIFE));
		this.fixture.ask();
		this.fixture.advance(POLICY.maxBackoff());
		assertThat(this.fixture.ask().accessToken()).isEqualTo("A");
	}

	@Test
	void requestCountsShouldTellHowRequestsWereAnswered() {
		this.fixture.ask();
		this.fixture.client.call().fail();
		this.fixture.ask();
		this.fixture.advance(Duration.ofSeconds(1));
		this.fixture.hold("A");
		this.fixture.held();
		this.fixture.ask();
		this.fixture.advance(TokenServiceFixture.UNTIL_DUE);
		this.fixture.held();
		assertThat(this.fixture.registry.requestCounts("default")).isEqualTo(new WechatMpRequestCounts(2, 1, 0, 1, 2));
	}

	@ParameterizedTest
	@CsvSource({ "PT5S, PT30S, PT10S, PT1S, PT30S, PT10S, 'refreshAhead'",
			"PT5M, PT-1S, PT10S, PT1S, PT30S, PT10S, 'minRefreshInterval'",
			"PT5M, PT30S, PT-1S, PT1S, PT30S, PT10S, 'expiryMargin'",
			"PT5M, PT30S, PT10S, PT0S, PT30S, PT10S, 'initialBackoff'",
			"PT5M, PT30S, PT10S, PT1M, PT30S, PT10S, 'maxBackoff'",
			"PT5M, PT30S, PT10S, PT1S, PT30S, PT0S, 'timeout'" })
	void policyWhenInvalidShouldNameWhatIsWrong(Duration refreshAhead, Duration minRefreshInterval,
			Duration expiryMargin, Duration initialBackoff, Duration maxBackoff, Duration timeout, String name) {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> new WechatMpRefreshPolicy(refreshAhead, minRefreshInterval, expiryMargin, initialBackoff,
					maxBackoff, timeout))
			.withMessageContaining(name);
	}

	@ParameterizedTest
	@CsvSource({ "50, false", "500, false", "50, true" })
	void fetchesWhenMaxEntriesIsFullShouldBeOneForEachAccount(int accounts, boolean failing) {
		TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withMaxEntries(10));
		fixture.client.onCall((call) -> {
			if (failing) {
				call.fail(ScriptedClient.failure(Duration.ofSeconds(30)));
			}
		});
		for (int caller = 0; caller < 5; caller++) {
			for (int account = 0; account < accounts; account++) {
				fixture.ask(fixture.service.account(new WechatMpCredentials("wx" + account, "secret")));
			}
			System.gc();
			fixture.advance(Duration.ofMillis(100));
		}
		assertThat(fixture.fetches()).isEqualTo(accounts);
	}

	@Test
	void backOffOfAnEvictedEntryShouldNotBeForgotten() {
		assertThat(fetchesOfEvictedEntriesThatAreAskedTwice(Mono.error(ScriptedClient.failure(Duration.ofSeconds(30))),
				(registry) -> System.gc()))
			.isEqualTo(50);
	}

	@Test
	void coolDownOfAnEvictedEntryWhoseFirstFetchWasStoppedShouldNotBeForgotten() {
		assertThat(fetchesOfEvictedEntriesThatAreAskedTwice(Mono.never(), (registry) -> {
			registry.stop();
			System.gc();
			registry.start();
		})).isEqualTo(50);
	}

	@Test
	void backOffOfARejectionAfterTheEvictionShouldNotBeForgotten() {
		ManualTime time = new ManualTime();
		WechatMpCredentials credentials = new WechatMpCredentials("wx-kept", "secret");
		AtomicInteger fetches = new AtomicInteger();
		TestTokenService service = new TestTokenService((asked) -> Mono.fromSupplier(() -> {
			int number = asked.equals(credentials) ? fetches.incrementAndGet() : 0;
			return new WechatMpAccessToken("T" + number, time.authingTime().plus(LIFE));
		}), null, () -> Map.of("default", CREDENTIALS), 2,
				new FetchContext(time, time.newExecutors(), () -> 0, POLICY, List.of()));
		rejectOneAfterTheOtherAndTheLastAfterItsEviction(time, service, credentials);
		System.gc();
		time.advance(POLICY.initialBackoff().plus(MOMENT));
		System.gc();
		Caller.of(service.account(credentials).getAccessToken());
		time.runDue();
		assertThat(fetches).hasValue(5);
	}

	// A method of its own, so that nothing holds the entry afterwards.
	private static void rejectOneAfterTheOtherAndTheLastAfterItsEviction(ManualTime time, TestTokenService service,
			WechatMpCredentials credentials) {
		WechatMpTokenSource source = service.account(credentials);
		for (int number = 1; number <= 5; number++) {
			Caller.of(source.getAccessToken());
			time.runDue();
			if (number < 5) {
				assertThat(source.invalidate("T" + number)).isTrue();
				time.advance(POLICY.maxBackoff());
			}
		}
		for (int account = 0; account < 50; account++) {
			Caller.of(service.account(new WechatMpCredentials("wx" + account, "secret")).getAccessToken());
			time.runDue();
		}
		assertThat(source.invalidate("T5")).isTrue();
	}

	private static int fetchesOfEvictedEntriesThatAreAskedTwice(Mono<WechatMpAccessToken> answer,
			Consumer<WechatMpAccountRegistry> afterEachRound) {
		ManualTime time = new ManualTime();
		AtomicInteger fetches = new AtomicInteger();
		// Remembers no call, as that would hold the entry
		AuthingWechatClient client = (credentials) -> {
			fetches.incrementAndGet();
			return answer;
		};
		TestTokenService service = new TestTokenService(client, null, () -> Map.of("default", CREDENTIALS), 2,
				new FetchContext(time, time.newExecutors(), () -> 0, POLICY, List.of()));
		for (int round = 0; round < 2; round++) {
			for (int account = 0; account < 50; account++) {
				Caller.of(service.account(new WechatMpCredentials("wx" + account, "secret")).getAccessToken());
				time.runDue();
			}
			afterEachRound.accept(service.registry());
		}
		return fetches.get();
	}

	@Test
	void sourceThatACallerKeepsShouldShareItsTokenWithEqualCredentialsWhenEvicted() {
		TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withMaxEntries(2));
		fixture.client.onCall((call) -> call.succeed("T" + fixture.fetches(), LIFE));
		WechatMpTokenSource kept = fixture.service.account(new WechatMpCredentials("wx-kept", "secret"));
		String token = fixture.ask(kept).accessToken();
		for (int account = 0; account < 200; account++) {
			fixture.ask(fixture.service.account(new WechatMpCredentials("wx" + account, "secret")));
		}
		fixture.advance(Duration.ofMinutes(1));
		System.gc();
		assertThat(fixture.ask(fixture.service.account(new WechatMpCredentials("wx-kept", "secret"))).accessToken())
			.isEqualTo(token);
		assertThat(fixture.ask(kept).accessToken()).isEqualTo(token);
	}

	@Test
	void accountThatIsNoLongerConfiguredShouldKeepItsBackOff() {
		this.fixture.accounts.put("shop", new WechatMpCredentials("wx-shop", "secret"));
		this.fixture.registry.reload();
		this.fixture.ask(this.fixture.service.account("shop"));
		this.fixture.client.call().fail();
		this.fixture.accounts.remove("shop");
		this.fixture.registry.reload();
		System.gc();
		Caller caller = this.fixture.ask(this.fixture.service.account(new WechatMpCredentials("wx-shop", "secret")));
		assertThat(caller.failure()).isInstanceOf(AuthingApiException.class);
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

}
