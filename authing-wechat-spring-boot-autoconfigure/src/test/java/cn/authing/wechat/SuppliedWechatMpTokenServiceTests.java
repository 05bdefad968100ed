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

package cn.authing.wechat;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests for the {@link WechatMpTokenService} that needs no Authing.
 */
class SuppliedWechatMpTokenServiceTests {

	private static final WechatMpAccessToken SHOP = new WechatMpAccessToken("the-shop-token",
			Instant.parse("2026-01-01T00:00:00Z"));

	@Test
	void ofTokenShouldAlwaysReturnIt() {
		WechatMpTokenService service = WechatMpTokenService.of("the-token");
		assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("the-token");
		assertThat(service.getAccessTokenSync().expiresAt().toEpochMilli()).isGreaterThan(Instant.now().toEpochMilli());
		assertThat(service.account("default").getAccessTokenSync()).isSameAs(service.getAccessTokenSync());
		StepVerifier.create(service.getAccessToken().map(WechatMpAccessToken::accessToken))
			.expectNext("the-token")
			.verifyComplete();
		assertThat(service.accountNames()).containsExactly(WechatMpTokenService.DEFAULT_ACCOUNT);
		assertThat(service).asString().doesNotContain("the-token");
	}

	@Test
	void invalidateShouldDropNothing() {
		WechatMpTokenService service = WechatMpTokenService.of("the-token");
		assertThat(service.invalidate("the-token")).isFalse();
		assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("the-token");
	}

	@Test
	void ofSupplierShouldAskItEachTimeOnSubscription() {
		AtomicInteger calls = new AtomicInteger();
		WechatMpTokenService service = WechatMpTokenService
			.of(() -> new WechatMpAccessToken("token-" + calls.incrementAndGet(), Instant.EPOCH));
		Mono<String> token = service.getAccessToken().map(WechatMpAccessToken::accessToken);
		Mono<String> refreshed = service.refreshAccessToken().map(WechatMpAccessToken::accessToken);
		assertThat(calls).hasValue(0);
		StepVerifier.create(token.concatWith(token).concatWith(refreshed))
			.expectNext("token-1", "token-2", "token-3")
			.verifyComplete();
		assertThat(service.getAccessTokenSync().accessToken()).isEqualTo("token-4");
	}

	@Test
	void ofSupplierWhenItThrowsShouldPassThatOn() {
		IllegalStateException failure = new IllegalStateException("no token today");
		WechatMpTokenService service = WechatMpTokenService.of(() -> {
			throw failure;
		});
		StepVerifier.create(service.getAccessToken())
			.verifyErrorSatisfies((error) -> assertThat(error).isSameAs(failure));
		assertThatIllegalStateException().isThrownBy(service::getAccessTokenSync).isSameAs(failure);
	}

	@Test
	@SuppressWarnings("NullAway") // What a caller without null checks may do
	void ofSupplierWhenItReturnsNullShouldSayWhose() {
		WechatMpTokenService service = WechatMpTokenService.of(() -> null);
		assertThatIllegalStateException().isThrownBy(service::getAccessTokenSync)
			.withMessage("The supplier of account 'default' has returned no token");
		StepVerifier.create(service.getAccessToken()).verifyError(IllegalStateException.class);
	}

	@Test
	void ofAccountsShouldKeepThemApartAndInOrder() {
		WechatMpTokenService service = WechatMpTokenService.of(accounts("default", "shop"));
		assertThat(service.accountNames()).containsExactly("default", "shop");
		assertThat(service.account("shop").getAccessTokenSync()).isSameAs(SHOP);
		assertThatIllegalArgumentException().isThrownBy(() -> service.account("club"))
			.withMessage("There is no WeChat account 'club'; this service has [default, shop]");
		assertThatExceptionOfType(UnsupportedOperationException.class)
			.isThrownBy(() -> service.account(new WechatMpCredentials("wx1", "the-secret")))
			.withMessage("This service gets no tokens for credentials; it has the accounts [default, shop]");
	}

	@Test
	void ofWhenArgumentIsUnusableShouldNameIt() {
		assertThatIllegalArgumentException().isThrownBy(() -> WechatMpTokenService.of(" "))
			.withMessageContaining("'accessToken'");
		assertThatIllegalArgumentException().isThrownBy(() -> WechatMpTokenService.of(accounts("shop")))
			.withMessage("'accounts' must contain the account 'default'; it contains [shop]");
		assertThatIllegalArgumentException().isThrownBy(() -> WechatMpTokenService.of(accounts("default", "")))
			.withMessage("'accounts' must not contain a blank name");
		Map<String, @Nullable Supplier<WechatMpAccessToken>> accounts = new LinkedHashMap<>(accounts("default"));
		accounts.put("shop", null);
		assertThatIllegalArgumentException().isThrownBy(() -> create(accounts))
			.withMessage("'accounts' must not contain null: give a supplier for 'shop'");
	}

	@SuppressWarnings({ "unchecked", "rawtypes", "NullAway" }) // See above
	private static void create(Map accounts) {
		WechatMpTokenService.of(accounts);
	}

	private static Map<String, Supplier<WechatMpAccessToken>> accounts(String... names) {
		Map<String, Supplier<WechatMpAccessToken>> accounts = new LinkedHashMap<>();
		for (String name : names) {
			accounts.put(name, () -> SHOP);
		}
		return accounts;
	}

}
