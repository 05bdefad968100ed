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

package cn.authing.wechat.wxjava;

import java.time.Instant;
import java.util.concurrent.CompletableFuture;

import me.chanjar.weixin.common.error.WxRuntimeException;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.test.FakeAccounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link WxJavaAccount}: WxJava compares and drops a rejected token in two
 * calls under the lock, and other threads do not wait for that.
 */
class WxJavaAccountTests {

	private final FakeAccounts accounts = new FakeAccounts("wx1");

	private final WxJavaAccount account = new WxJavaAccount("wx1", WechatMpTokenService.DEFAULT_ACCOUNT, this.accounts);

	@Test
	void expireAccessTokenWhenOtherThreadGotNewerTokenShouldDropComparedOne() {
		this.account.getLock().lock();
		try {
			assertThat(this.account.getAccessToken()).isEqualTo("authing-default-1");
			this.accounts.refreshAccessToken().block();
			assertThat(CompletableFuture.supplyAsync(this.account::getAccessToken).join())
				.isEqualTo("authing-default-2");
			this.account.expireAccessToken();
		}
		finally {
			this.account.getLock().unlock();
		}
		assertThat(this.accounts.tokens().reports()).containsExactly("authing-default-1");
		assertThat(this.account.getAccessToken()).isEqualTo("authing-default-2");
	}

	@Test
	void expireAccessTokenWhenNoTokenCouldBeComparedShouldDropNothing() {
		assertThat(this.account.getAccessToken()).isEqualTo("authing-default-1");
		this.accounts.invalidate("authing-default-1");
		this.account.getLock().lock();
		try {
			assertThat(this.account.getAccessToken()).isEqualTo("authing-default-2");
		}
		finally {
			this.account.getLock().unlock();
		}
		this.accounts.invalidate("authing-default-2");
		this.accounts.tokens().fetchAfter(Mono.error(new AuthingResponseException("Not JSON", null)));
		this.account.getLock().lock();
		try {
			assertThatExceptionOfType(WxRuntimeException.class).isThrownBy(this.account::getAccessToken);
			this.account.expireAccessToken();
		}
		finally {
			this.account.getLock().unlock();
		}
		assertThat(this.accounts.tokens().reports()).containsExactly("authing-default-1", "authing-default-2");
	}

	@Test
	void expireAccessTokenWhenTokenWasForcedShouldDropThatOne() {
		String accessToken = this.account.refreshAccessToken();
		this.account.expireAccessToken();
		assertThat(this.accounts.tokens().reports()).containsExactly(accessToken);
	}

	@Test
	void getExpiresTimeWhenTokenNeverExpiresShouldBeTheLatestTime() {
		WechatMpTokenService service = WechatMpTokenService.of(() -> new WechatMpAccessToken("the-token", Instant.MAX));
		assertThat(new WxJavaAccount("wx1", WechatMpTokenService.DEFAULT_ACCOUNT, service).getExpiresTime())
			.isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void messagesShouldShowForeignAppIdsOnOneLine() {
		assertThat(new WxJavaAccount("wx1\r\nERROR forged", "default", this.accounts)).asString()
			.isEqualTo("'wx1 ERROR forged' (account 'default')");
	}

}
