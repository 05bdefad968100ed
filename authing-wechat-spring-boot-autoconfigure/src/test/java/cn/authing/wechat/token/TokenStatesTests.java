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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.test.subscriber.TestSubscriber;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.WechatMpAccessToken;

import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for the states of a token: what a caller gets and what happens upstream.
 */
class TokenStatesTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Nested
	class Empty {

		@Test
		void callersWhoHadToWaitShouldBeCountedByWhatTheyGot() {
			TokenServiceFixture fixture = new TokenServiceFixture();
			fixture.ask();
			fixture.client.call().fail();
			fixture.advance(Duration.ofSeconds(1));
			fixture.hold("A");
			fixture.advance(UNTIL_STALE);
			fixture.ask();
			fixture.client.call().fail();
			assertThat(fixture.registry.requestCounts("default")).isEqualTo(new WechatMpRequestCounts(0, 0, 1, 1, 1));
		}

		@Test
		void stateWhenNothingWasFetchedShouldBeEmpty() {
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.EMPTY);
			assertThat(fixture().fetches()).isZero();
		}

		@Test
		void getAccessTokenWhenNotSubscribedShouldFetchNothing() {
			fixture().service.getAccessToken();
			fixture().service.refreshAccessToken();
			fixture().time.runDue();
			assertThat(fixture().fetches()).isZero();
		}

		@Test
		void getAccessTokenWhenManyCallersComeShouldFetchOnce() {
			Caller first = fixture().ask();
			Caller second = fixture().ask();
			Caller third = fixture().ask(fixture().service.account("default"));
			assertThat(fixture().fetches()).isEqualTo(1);
			assertThat(first.isWaiting()).isTrue();
			fixture().client.call().succeed("A", LIFE);
			assertThat(first.accessToken()).isEqualTo("A");
			assertThat(second.accessToken()).isEqualTo("A");
			assertThat(third.accessToken()).isEqualTo("A");
			assertThat(fixture().fetches()).isEqualTo(1);
		}

		@Test
		void getAccessTokenWhenAnotherCallerComesFirstShouldJoinItsFetch() {
			Caller[] first = new Caller[1];
			fixture().time.onReading(2, () -> first[0] = Caller.of(fixture().service.getAccessToken()));
			Caller second = fixture().ask();
			assertThat(fixture().fetches()).isEqualTo(1);
			fixture().client.call().succeed("A", LIFE);
			assertThat(first[0].accessToken()).isEqualTo("A");
			assertThat(second.accessToken()).isEqualTo("A");
		}

		@Test
		void getAccessTokenWhenKeptShouldEvaluateEachSubscription() {
			var mono = fixture().service.getAccessToken();
			Caller.of(mono);
			fixture().time.runDue();
			fixture().client.call().succeed("A", LIFE);
			fixture().service.invalidate("A");
			fixture().advance(UNTIL_STALE);
			Caller second = fixture().ask();
			fixture().client.call().succeed("B", LIFE);
			assertThat(second.accessToken()).isEqualTo("B");
			assertThat(Caller.of(mono).accessToken()).isEqualTo("B");
		}

	}

	@Nested
	class Fresh {

		@Test
		void getAccessTokenWhenFreshShouldAnswerTheFirstRequestAndNoneBeforeIt() {
			fixture().hold("A");
			TestSubscriber<WechatMpAccessToken> subscriber = TestSubscriber.builder().initialRequest(0).build();
			fixture().service.getAccessToken().subscribe(subscriber);
			assertThat(subscriber.getReceivedOnNext()).isEmpty();
			assertThat(subscriber.isTerminatedComplete()).isFalse();
			subscriber.request(1);
			subscriber.request(1);
			assertThat(subscriber.getReceivedOnNext()).extracting(WechatMpAccessToken::accessToken)
				.containsExactly("A");
			assertThat(subscriber.isTerminatedComplete()).isTrue();
			assertThat(subscriber.getProtocolErrors()).isEmpty();
		}

		@Test
		void getAccessTokenWhenFreshShouldNotCompleteOneWhoCancelsUponTheToken() {
			fixture().hold("A");
			List<String> signals = new ArrayList<>();
			fixture().service.getAccessToken().subscribe(new CoreSubscriber<>() {

				private @Nullable Subscription subscription;

				@Override
				public void onSubscribe(Subscription subscription) {
					this.subscription = subscription;
					subscription.request(1);
				}

				@Override
				public void onNext(WechatMpAccessToken token) {
					signals.add(token.accessToken());
					Objects.requireNonNull(this.subscription).cancel();
				}

				@Override
				public void onError(Throwable failure) {
					signals.add("error");
				}

				@Override
				public void onComplete() {
					signals.add("complete");
				}

			});
			assertThat(signals).containsExactly("A");
		}

		@Test
		void getAccessTokenWhenFreshShouldSendNothingAfterCancel() {
			fixture().hold("A");
			TestSubscriber<WechatMpAccessToken> subscriber = TestSubscriber.builder().initialRequest(0).build();
			fixture().service.getAccessToken().subscribe(subscriber);
			subscriber.cancel();
			subscriber.request(1);
			assertThat(subscriber.getReceivedOnNext()).isEmpty();
			assertThat(fixture().service.getAccessToken().concatWith(Mono.never()).blockFirst())
				.extracting(WechatMpAccessToken::accessToken)
				.isEqualTo("A");
		}

		@Test
		void getAccessTokenSyncWhenFreshShouldReturnSameInstanceAndFetchNothing() {
			fixture().hold("A");
			WechatMpAccessToken token = fixture().service.getAccessTokenSync();
			fixture().advance(UNTIL_DUE.minus(MOMENT));
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.FRESH);
			assertThat(fixture().service.getAccessTokenSync()).isSameAs(token);
			assertThat(fixture().service.getAccessToken().block()).isSameAs(token);
			assertThat(fixture().service.getAccessToken().block(MOMENT)).isSameAs(token);
			assertThat(fixture().ask().accessToken()).isEqualTo("A");
			assertThat(fixture().time.pendingTasks()).isZero();
			assertThat(fixture().fetches()).isEqualTo(1);
		}

	}

	@Nested
	class Due {

		@Test
		void getAccessTokenWhenDueShouldAnswerAtOnceAndRefreshOnceInBackground() {
			fixture().hold("A");
			fixture().advance(UNTIL_DUE);
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.DUE);
			assertThat(fixture().held()).isEqualTo("A");
			assertThat(fixture().fetches()).as("nothing runs on the caller's thread").isEqualTo(1);
			assertThat(fixture().ask().accessToken()).isEqualTo("A");
			assertThat(fixture().ask().accessToken()).isEqualTo("A");
			assertThat(fixture().fetches()).isEqualTo(2);
			fixture().client.call().succeed("B", LIFE);
			assertThat(fixture().held()).isEqualTo("B");
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.FRESH);
		}

		@Test
		void getAccessTokenWhenAnotherCallerComesFirstShouldNotRefreshTwice() {
			fixture().hold("A");
			fixture().advance(UNTIL_DUE);
			fixture().time.onReading(1, () -> fixture().service.getAccessTokenSync());
			assertThat(fixture().held()).isEqualTo("A");
			fixture().time.runDue();
			assertThat(fixture().fetches()).isEqualTo(2);
		}

		@Test
		void getAccessTokenWhenAboutToExpireShouldStillAnswerAtOnce() {
			fixture().hold("A");
			fixture().advance(UNTIL_STALE.minus(MOMENT));
			assertThat(fixture().held()).isEqualTo("A");
		}

		@Test
		void getAccessTokenWhenNobodyAsksShouldNotRefresh() {
			fixture().hold("A");
			fixture().advance(LIFE);
			assertThat(fixture().fetches()).isEqualTo(1);
		}

	}

	@Nested
	class Expired {

		@Test
		void getAccessTokenWhenExpiredShouldJoinOneFetch() {
			fixture().hold("A");
			fixture().advance(LIFE);
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.EXPIRED);
			Caller first = fixture().ask();
			Caller second = fixture().ask();
			assertThat(first.isWaiting()).isTrue();
			assertThat(fixture().fetches()).isEqualTo(2);
			fixture().client.call().succeed("B", LIFE);
			assertThat(first.accessToken()).isEqualTo("B");
			assertThat(second.accessToken()).isEqualTo("B");
		}

		@Test
		void getAccessTokenWhenExpiredWhileRefreshedShouldJoinThatRefresh() {
			fixture().hold("A");
			fixture().advance(UNTIL_STALE.minusSeconds(1));
			fixture().ask();
			fixture().advance(Duration.ofSeconds(1));
			Caller caller = fixture().ask();
			assertThat(caller.isWaiting()).isTrue();
			fixture().client.call().succeed("B", LIFE);
			assertThat(caller.accessToken()).isEqualTo("B");
			assertThat(fixture().fetches()).isEqualTo(2);
		}

	}

	@Nested
	class Failing {

		@Test
		void getAccessTokenWhenFetchFailedShouldAnswerWithFailureUntilBackOffHasPassed() {
			Caller waiting = fixture().ask();
			fixture().client.call().fail();
			assertThat(waiting.failure()).isInstanceOf(AuthingApiException.class);
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.FAILING);
			fixture().advance(Duration.ofSeconds(1).minus(MOMENT));
			assertThat(fixture().ask().failure()).isInstanceOf(AuthingApiException.class);
			assertThatExceptionOfType(AuthingApiException.class)
				.isThrownBy(() -> fixture().service.getAccessTokenSync());
			assertThat(fixture().fetches()).isEqualTo(1);
			fixture().advance(MOMENT);
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.EMPTY);
			Caller next = fixture().ask();
			assertThat(fixture().fetches()).isEqualTo(2);
			fixture().client.call().succeed("A", LIFE);
			assertThat(next.accessToken()).isEqualTo("A");
		}

		@Test
		void getAccessTokenWhenRefreshFailedAndTokenExpiredShouldAnswerWithFailure() {
			fixture().hold("A");
			fixture().advance(LIFE.minus(MOMENT));
			fixture().ask();
			fixture().client.call().fail();
			fixture().advance(MOMENT);
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.FAILING);
			assertThat(fixture().ask().failure()).isInstanceOf(AuthingApiException.class);
			assertThat(fixture().fetches()).isEqualTo(2);
		}

	}

	private TokenServiceFixture fixture() {
		return this.fixture;
	}

}
