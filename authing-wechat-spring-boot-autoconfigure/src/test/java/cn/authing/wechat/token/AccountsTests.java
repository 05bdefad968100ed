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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingWechatClient;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests for the accounts of a service: configured ones, their changes, and those known at
 * run time only.
 */
class AccountsTests {

	private static final WechatMpCredentials SHOP = new WechatMpCredentials("wx-shop", "shop-secret");

	private static final WechatMpCredentials NEW_SECRET = new WechatMpCredentials(CREDENTIALS.appId(), "new-secret");

	static final WechatMpCredentials OTHER_APP = new WechatMpCredentials("wx-other", "other-secret");

	private final TokenServiceFixture fixture = new TokenServiceFixture(
			(setup) -> setup.withAccounts(accounts(CREDENTIALS, SHOP)).withMaxEntries(2));

	private static Map<String, WechatMpCredentials> accounts(WechatMpCredentials defaultAccount,
			WechatMpCredentials shop) {
		Map<String, WechatMpCredentials> accounts = new LinkedHashMap<>();
		accounts.put("default", defaultAccount);
		accounts.put("shop", shop);
		return accounts;
	}

	private TokenServiceFixture fixture() {
		return this.fixture;
	}

	private void configure(String name, WechatMpCredentials credentials) {
		this.fixture.accounts.put(name, credentials);
		this.fixture.registry.reload();
		this.fixture.time.runDue();
	}

	@Nested
	class Configured {

		@Test
		void accountWhenNamedShouldHaveTokensOfItsOwn() {
			Caller defaultCaller = fixture().ask();
			fixture().client.call().succeed("A", LIFE);
			Caller shopCaller = fixture().ask(fixture().service.account("shop"));
			assertThat(fixture().client.call().credentials()).isEqualTo(SHOP);
			fixture().client.call().succeed("S", LIFE);
			assertThat(defaultCaller.accessToken()).isEqualTo("A");
			assertThat(shopCaller.accessToken()).isEqualTo("S");
			assertThat(fixture().service.account("shop").invalidate("A")).isFalse();
			assertThat(fixture().service.accountNames()).containsExactly("default", "shop");
		}

		@Test
		void accountWhenUnknownShouldNameTheKnownOnes() {
			assertThatIllegalArgumentException().isThrownBy(() -> fixture().service.account("hsop"))
				.withMessageContaining("'hsop'")
				.withMessageContaining("[default, shop]");
		}

		@Test
		void accountWhenTwoHaveSameCredentialsShouldShareOneFetch() {
			TokenServiceFixture twins = new TokenServiceFixture(
					(setup) -> setup.withAccounts(accounts(CREDENTIALS, CREDENTIALS)));
			Caller first = twins.ask();
			Caller second = twins.ask(twins.service.account("shop"));
			twins.client.call().succeed("A", LIFE);
			assertThat(first.accessToken()).isEqualTo("A");
			assertThat(second.accessToken()).isEqualTo("A");
		}

	}

	@Nested
	class Changed {

		private final WechatMpTokenSource shop = fixture().service.account("shop");

		@Test
		void reloadWhenNothingChangedShouldKeepTokens() {
			fixture().hold("A");
			fixture().registry.reload();
			assertThat(fixture().held()).isEqualTo("A");
			assertThat(fixture().fetches()).isEqualTo(1);
		}

		@Test
		void reloadWhenSecretChangedShouldServeOldTokenUntilNewSecretHasProducedOne() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			assertThat(fixture().held()).isEqualTo("A");
			assertThat(fixture().status().credentialsRotationPending()).isTrue();
			assertThat(fixture().client.call().credentials()).isEqualTo(NEW_SECRET);
			fixture().client.call().succeed("B", LIFE);
			assertThat(fixture().held()).isEqualTo("B");
			assertThat(fixture().status().credentialsRotationPending()).isFalse();
		}

		@Test
		void reloadWhenSecretIsWrongShouldServeOldTokenUntilItExpiresAndThenFail() {
			fixture().hold("A");
			fixture().client.onCall((call) -> call.fail());
			configure("default", NEW_SECRET);
			fixture().advance(UNTIL_DUE);
			assertThat(fixture().ask().accessToken()).isEqualTo("A");
			assertThat(fixture().status().failures()).isPositive();
			assertThat(fixture().client.calls().stream().skip(1)).as("the old secret is used no more")
				.allSatisfy((call) -> assertThat(call.credentials()).isEqualTo(NEW_SECRET));
			fixture().advance(LIFE.minus(UNTIL_DUE));
			assertThat(fixture().ask().failure()).isInstanceOf(AuthingApiException.class);
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.FAILING);
		}

		@Test
		void reloadWhenSecretIsWrongAndThenRightShouldServeWithoutGap() {
			fixture().hold("A");
			configure("default", new WechatMpCredentials(CREDENTIALS.appId(), "wrong"));
			fixture().client.call().fail();
			configure("default", NEW_SECRET);
			assertThat(fixture().held()).isEqualTo("A");
			fixture().client.call().succeed("B", LIFE);
			assertThat(fixture().held()).isEqualTo("B");
			fixture().advance(Duration.ofMinutes(1));
			assertThat(fixture().fetches()).as("the wrong secret is tried no more").isEqualTo(3);
		}

		@Test
		void reloadWhenNewSecretProducesAnExpiredTokenShouldServeOldTokenUntilItProducesAValidOne() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			fixture().client.call().succeed("B", Duration.ofSeconds(-1));
			assertThat(fixture().held()).isEqualTo("A");
			Caller refresh = fixture().refresh();
			fixture().client.call().succeed("B", Duration.ofSeconds(-1));
			assertThat(refresh.accessToken()).isEqualTo("B");
			assertThat(fixture().held()).isEqualTo("A");
			fixture().advance(Duration.ofSeconds(5));
			fixture().client.call().succeed("C", LIFE);
			assertThat(fixture().held()).isEqualTo("C");
		}

		@Test
		void reloadWhenAccountIsRenamedShouldKeepItsTokenAndCountForTheNewName() {
			fixture().hold("A");
			Caller caller = fixture().ask(this.shop);
			fixture().client.call().succeed("S", LIFE);
			assertThat(caller.accessToken()).isEqualTo("S");
			fixture().accounts.remove("shop");
			configure("store", SHOP);
			assertThat(fixture().service.account("store").getAccessTokenSync().accessToken()).isEqualTo("S");
			assertThat(fixture().registry.requestCounts("store").fresh()).isEqualTo(1);
			assertThat(fixture().registry.requestCounts("shop").fresh()).isZero();
			fixture().accounts.remove("store");
			fixture().registry.reload();
			fixture().service.account(SHOP).getAccessTokenSync();
			assertThat(fixture().registry.requestCounts("store").fresh()).isEqualTo(1);
		}

		@Test
		void reloadWhenChangeIsTakenBackShouldRefreshAsBefore() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			fixture().client.call().fail();
			configure("default", CREDENTIALS);
			assertThat(fixture().held()).isEqualTo("A");
			fixture().client.openCalls().forEach((call) -> call.succeed("B", LIFE));
			fixture().advance(UNTIL_DUE);
			fixture().ask();
			assertThat(fixture().client.call().credentials()).isEqualTo(CREDENTIALS);
		}

		@Test
		void reloadWhenAppIsAnotherShouldNotServeItsTokenAnyMore() {
			fixture().hold("A");
			configure("default", OTHER_APP);
			Caller caller = fixture().ask();
			assertThat(caller.isWaiting()).isTrue();
			fixture().client.call().succeed("O", LIFE);
			assertThat(caller.accessToken()).isEqualTo("O");
		}

		@Test
		void reloadWhenNoTokenIsHeldShouldUseNewSecretAtOnce() {
			configure("default", NEW_SECRET);
			fixture().ask();
			assertThat(fixture().client.call().credentials()).isEqualTo(NEW_SECRET);
		}

		@Test
		void invalidateWhenChangeIsPendingShouldUseNewSecret() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			assertThat(fixture().service.invalidate("A")).isTrue();
			Caller caller = fixture().ask();
			fixture().client.call().succeed("B", LIFE);
			assertThat(caller.accessToken()).isEqualTo("B");
		}

		@Test
		void invalidateWhenChangeIsPendingShouldReachThoseWhoWaitForOldSecret() {
			fixture().hold("A");
			fixture().advance(UNTIL_STALE);
			Caller caller = fixture().ask();
			ScriptedClient.Call ofOldSecret = fixture().client.call();
			configure("default", NEW_SECRET);
			assertThat(fixture().service.invalidate("A")).isTrue();
			ofOldSecret.fail();
			assertThat(caller.failure()).as("what a caller gets who waits, of a token that was rejected meanwhile")
				.isInstanceOf(AuthingApiException.class);
		}

		@Test
		void accountWhenChangeIsPendingShouldHaveOneEntryForOldSecret() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			WechatMpTokenSource old = fixture().service.account(CREDENTIALS);
			assertThat(old.getAccessTokenSync().accessToken()).isEqualTo("A");
			assertThat(old.invalidate("A")).isTrue();
			assertThat(fixture().ask().isWaiting()).as("a token that was rejected is served no more").isTrue();
		}

		@Test
		void refreshAccessTokenWhenChangeIsPendingShouldUseNewSecret() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			fixture().client.call().fail();
			Caller caller = fixture().refresh();
			assertThat(fixture().client.call().credentials()).isEqualTo(NEW_SECRET);
			fixture().client.call().succeed("B", LIFE);
			assertThat(caller.accessToken()).isEqualTo("B");
			assertThat(fixture().held()).isEqualTo("B");
		}

		@Test
		void reloadWhenAnotherAccountKeepsCredentialsShouldRefreshThem() {
			configure("shop", CREDENTIALS);
			fixture().hold("A");
			configure("default", NEW_SECRET);
			fixture().client.call().succeed("B", LIFE);
			fixture().advance(UNTIL_DUE);
			assertThat(this.shop.getAccessTokenSync().accessToken()).isEqualTo("A");
			fixture().time.runDue();
			assertThat(fixture().client.call().credentials()).isEqualTo(CREDENTIALS);
		}

		@Test
		void reloadWhenChangeIsPendingShouldNotKeepOldTokenWarm() {
			fixture().registry.keepWarm();
			fixture().time.runDue();
			fixture().client.openCalls().forEach((call) -> call.succeed("T", LIFE));
			fixture().client.onCall((call) -> call.fail());
			int before = fixture().fetches();
			configure("default", NEW_SECRET);
			fixture().advance(UNTIL_STALE);
			assertThat(fixture().client.calls().stream().skip(before)).isNotEmpty()
				.noneSatisfy((call) -> assertThat(call.credentials()).isEqualTo(CREDENTIALS));
		}

		@Test
		void reloadWhenAccountIsRemovedShouldRefuseIt() {
			fixture().registry.keepWarm();
			fixture().time.runDue();
			fixture().client.openCalls().forEach((call) -> call.succeed("T", LIFE));
			fixture().accounts.remove("shop");
			fixture().registry.reload();
			assertThatIllegalArgumentException().isThrownBy(() -> fixture().service.account("shop"));
			assertThatIllegalStateException().isThrownBy(this.shop::getAccessTokenSync)
				.withMessageContaining("'shop' is no longer configured");
			assertThatIllegalStateException().isThrownBy(() -> this.shop.getAccessToken().block())
				.withMessageContaining("'shop' is no longer configured");
			assertThatIllegalStateException().isThrownBy(() -> this.shop.refreshAccessToken().block());
			assertThat(this.shop.invalidate("T")).isFalse();
			fixture().client.onCall((call) -> call.succeed("U", LIFE));
			fixture().advance(LIFE);
			assertThat(fixture().client.calls().stream().skip(2))
				.allSatisfy((call) -> assertThat(call.credentials()).isEqualTo(CREDENTIALS));
		}

		@Test
		void reloadWhenAccountIsNewShouldServeAndKeepItWarm() {
			fixture().registry.keepWarm();
			configure("club", OTHER_APP);
			fixture().advance(Duration.ofSeconds(1));
			assertThat(fixture().client.openCalls()).extracting(ScriptedClient.Call::credentials)
				.containsExactlyInAnyOrder(CREDENTIALS, SHOP, OTHER_APP);
		}

		@Test
		void reloadWhenDefaultIsMissingShouldThrowAndChangeNothing() {
			fixture().accounts.remove("default");
			assertThatIllegalStateException().isThrownBy(() -> fixture().registry.reload())
				.withMessageContaining("'default'");
			assertThat(fixture().service.accountNames()).containsExactly("default", "shop");
		}

		@Test
		void reloadWhenProviderIsSlowShouldLetNobodyWaitForIt() {
			fixture().onAccountsRead(() -> {
				CompletableFuture<WechatMpTokenSource> other = CompletableFuture
					.supplyAsync(() -> fixture().service.account(OTHER_APP));
				assertThat(other).succeedsWithin(Duration.ofSeconds(10));
				assertThat(fixture().service.account("shop")).isNotNull();
			});
			fixture().registry.reload();
			assertThat(fixture().service.accountNames()).containsExactly("default", "shop");
		}

	}

	@Nested
	class AtRunTime {

		@Test
		void accountWhenCredentialsAreEqualShouldShareOneToken() {
			Caller first = fixture().ask(fixture().service.account(OTHER_APP));
			Caller second = fixture()
				.ask(fixture().service.account(new WechatMpCredentials("wx-other", "other-secret")));
			fixture().client.call().succeed("O", LIFE);
			assertThat(first.accessToken()).isEqualTo("O");
			assertThat(second.accessToken()).isEqualTo("O");
		}

		@Test
		void accountWhenSecretIsWrongShouldNotBeGivenTokenOfTheRightOne() {
			fixture().hold("A");
			Caller caller = fixture().ask(fixture().service.account(NEW_SECRET));
			assertThat(caller.isWaiting()).isTrue();
			fixture().client.call().fail();
			assertThat(caller.failure()).isInstanceOf(AuthingApiException.class);
			assertThat(fixture().held()).isEqualTo("A");
		}

		@Test
		void accountWhenCredentialsAreConfiguredShouldShareToken() {
			fixture().hold("A");
			assertThat(fixture().ask(fixture().service.account(CREDENTIALS)).accessToken()).isEqualTo("A");
			assertThat(fixture().service.account(CREDENTIALS).invalidate("A")).isTrue();
			assertThat(fixture().state()).isEqualTo(WechatMpTokenState.EXPIRED);
		}

		@Test
		void accountWhenChangeIsPendingShouldShareFetchOfNewCredentials() {
			fixture().hold("A");
			configure("default", NEW_SECRET);
			Caller caller = fixture().ask(fixture().service.account(NEW_SECRET));
			fixture().client.call().succeed("B", LIFE);
			assertThat(caller.accessToken()).isEqualTo("B");
		}

		@Test
		void accountWhenConfiguredLaterShouldStayTheSame() {
			WechatMpTokenSource source = fixture().service.account(OTHER_APP);
			Caller caller = fixture().ask(source);
			configure("club", OTHER_APP);
			fixture().ask(fixture().service.account("club"));
			fixture().client.call().succeed("O", LIFE);
			assertThat(caller.accessToken()).isEqualTo("O");
			assertThat(fixture().service.account("club").invalidate("O")).isTrue();
			assertThat(source.invalidate("O")).as("dropped for all").isFalse();
			assertThat(fixture().registry.requestCounts("club")).isEqualTo(new WechatMpRequestCounts(0, 0, 0, 2, 0));
		}

		@Test
		void accountWhenMoreThanMaxEntriesAreKnownShouldForgetSome() {
			ManualTime time = new ManualTime();
			AtomicInteger fetches = new AtomicInteger();
			// Remembers no call, as that would hold the entry
			AuthingWechatClient client = (credentials) -> Mono.fromSupplier(() -> {
				fetches.incrementAndGet();
				return new WechatMpAccessToken("T", time.instant().plus(LIFE));
			});
			TestTokenService service = new TestTokenService(client, null, () -> Map.of("default", CREDENTIALS), 2,
					new FetchContext(time, time.newExecutors(), () -> 0, POLICY, List.of()));
			for (int round = 0; round < 2; round++) {
				for (int tenant = 0; tenant < 100; tenant++) {
					Caller.of(service.account(new WechatMpCredentials("wx-" + tenant, "secret")).getAccessToken());
					time.runDue();
				}
				// From then on nothing but the bounded cache holds them
				time.advance(POLICY.initialBackoff());
				System.gc();
			}
			assertThat(fetches).hasValueGreaterThanOrEqualTo(198);
		}

		@Test
		void accountWhenOthersAreForgottenShouldNotForgetConfiguredOnes() {
			fixture().hold("A");
			for (int tenant = 0; tenant < 100; tenant++) {
				fixture().service.account(new WechatMpCredentials("wx-" + tenant, "secret"));
			}
			assertThat(fixture().held()).isEqualTo("A");
			assertThat(fixture().ask(fixture().service.account(CREDENTIALS)).accessToken()).isEqualTo("A");
		}

		@Test
		@SuppressWarnings("NullAway") // what a caller without null checks may do
		void accountWhenCredentialsAreNullShouldThrow() {
			assertThatIllegalArgumentException().isThrownBy(() -> fixture().service.account((WechatMpCredentials) null))
				.withMessage("'credentials' must not be null");
		}

		@Test
		void requestCountsShouldCountRunTimeAccountsUnderOneName() {
			fixture().client.onCall((call) -> call.succeed("T", LIFE));
			fixture().ask(fixture().service.account(OTHER_APP));
			fixture().ask(fixture().service.account(NEW_SECRET));
			fixture().ask(fixture().service.account(NEW_SECRET));
			assertThat(fixture().registry.requestCounts("(dynamic)"))
				.isEqualTo(new WechatMpRequestCounts(1, 0, 0, 2, 0));
		}

	}

	@Test
	void changedCredentialsWhoseFetchHangsShouldBeTriedAgainAfterAPause() {
		this.fixture.hold("A");
		WechatMpCredentials changed = new WechatMpCredentials(CREDENTIALS.appId(), "changed-secret");
		this.fixture.ask(this.fixture.service.account(changed));
		this.fixture.client.call().succeed("T", Duration.ofSeconds(60));
		this.fixture.advance(Duration.ofSeconds(52));
		this.fixture.accounts.put("default", changed);
		this.fixture.registry.reload();
		this.fixture.advance(Duration.ofSeconds(6));
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.client.call().succeed("B", LIFE);
		this.fixture.advance(Duration.ofSeconds(1));
		assertThat(this.fixture.held()).isEqualTo("B");
	}

}
