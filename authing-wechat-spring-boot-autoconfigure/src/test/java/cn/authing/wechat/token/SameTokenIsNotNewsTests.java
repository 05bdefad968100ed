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

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.WechatMpAccessToken;

import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Rule 2: the same token again is not news.
 */
class SameTokenIsNotNewsTests {

	private static final Duration MOMENT = Duration.ofMillis(1);

	private static final Duration MIN_REFRESH_INTERVAL = POLICY.minRefreshInterval();

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Test
	void sameTokenWhenDueShouldStayDueAndBeAskedAfterMinRefreshInterval() {
		this.fixture.hold("A");
		WechatMpAccessToken held = this.fixture.service.getAccessTokenSync();
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().succeed(new WechatMpAccessToken("A", held.expiresAt()), true);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		assertThat(this.fixture.service.getAccessTokenSync()).isSameAs(held);
		assertIsAskedForAfterMinRefreshInterval();
	}

	@Test
	void sameTokenWhenACallerHadAuthingAskedShouldBeAskedAfterMinRefreshInterval() {
		this.fixture.hold("A");
		WechatMpAccessToken held = this.fixture.service.getAccessTokenSync();
		this.fixture.advance(UNTIL_DUE);
		this.fixture.refresh();
		this.fixture.client.call().succeed(new WechatMpAccessToken("A", held.expiresAt()), true);
		assertIsAskedForAfterMinRefreshInterval();
	}

	@Test
	void sameTokenWhenExpiryIsComputedAnewShouldNotBeNews() {
		this.fixture.hold("A");
		WechatMpAccessToken held = this.fixture.service.getAccessTokenSync();
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().succeed(new WechatMpAccessToken("A", held.expiresAt().plusSeconds(2)), true);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		this.fixture.advance(UNTIL_STALE.minus(UNTIL_DUE));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
	}

	@Test
	void sameTokenWhenItLivesLongerShouldLiveLonger() {
		Duration defaultTtl = Duration.ofSeconds(60);
		this.fixture.hold("A", defaultTtl);
		this.fixture.advance(Duration.ofSeconds(40));
		this.fixture.ask();
		this.fixture.client.call().succeed("A", defaultTtl);
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.FRESH);
		this.fixture.advance(Duration.ofSeconds(40));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.DUE);
		assertThat(this.fixture.held()).isEqualTo("A");
		this.fixture.time.runDue();
		assertThat(this.fixture.fetches()).isEqualTo(3);
	}

	@Test
	void sameTokenWhenItExpiresSoonerShouldNotLiveOn() {
		this.fixture.hold("A");
		this.fixture.refresh();
		this.fixture.client.call().succeed("A", Duration.ofMinutes(10));
		this.fixture.advance(Duration.ofMinutes(10));
		this.fixture.client.onCall((call) -> call.fail());
		assertThat(this.fixture.ask().failure()).isInstanceOf(AuthingApiException.class);
	}

	@Test
	void sameTokenWhenPastItsHardExpiryShouldStayStale() {
		this.fixture.hold("A");
		WechatMpAccessToken held = this.fixture.service.getAccessTokenSync();
		this.fixture.advance(UNTIL_STALE);
		Caller caller = this.fixture.ask();
		this.fixture.client.call().succeed(held, true);
		assertThat(caller.accessToken()).isEqualTo("A");
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		this.fixture.advance(POLICY.expiryMargin());
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.EXPIRED);
	}

	private void assertIsAskedForAfterMinRefreshInterval() {
		this.fixture.advance(MIN_REFRESH_INTERVAL.minus(MOMENT));
		this.fixture.ask();
		assertThat(this.fixture.fetches()).isEqualTo(2);
		this.fixture.advance(MOMENT);
		this.fixture.ask();
		assertThat(this.fixture.fetches()).isEqualTo(3);
	}

}
