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

package cn.authing.wechat.actuate;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpRequestCounts;
import cn.authing.wechat.token.WechatMpTokenOrigin;
import cn.authing.wechat.token.WechatMpTokenState;

import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.mock;

/**
 * A registry with one account that stays in the state that a test is about.
 */
final class FixedAccounts {

	static final Instant EXPIRES_AT = Instant.parse("2026-01-01T02:00:00Z");

	private static final String ACCOUNT = WechatMpTokenService.DEFAULT_ACCOUNT;

	private FixedAccounts() {
	}

	static WechatMpAccountRegistry in(WechatMpTokenState state) {
		AuthingException failure = new AuthingApiException("busy (statusCode 503)", 503, null, "request-503", null);
		boolean callersFail = state == WechatMpTokenState.EXPIRED || state == WechatMpTokenState.FAILING;
		WechatMpAccountStatus status = new WechatMpAccountStatus(ACCOUNT, "wx-default", state,
				EXPIRES_AT.minusSeconds(7200), EXPIRES_AT.minusSeconds(300), EXPIRES_AT.minusSeconds(10), EXPIRES_AT,
				Duration.ofSeconds((state == WechatMpTokenState.FRESH) ? 600 : 0), WechatMpTokenOrigin.AUTHING,
				EXPIRES_AT.minusSeconds(7200), failure, EXPIRES_AT, 2, 3, 1, false);
		WechatMpRequestCounts counts = new WechatMpRequestCounts(1, 2, 3, 4, 5);
		WechatMpAccountRegistry registry = mock(WechatMpAccountRegistry.class);
		given(registry.accountNames()).willReturn(Set.of(ACCOUNT));
		given(registry.status()).willReturn(List.of(status));
		given(registry.status(ACCOUNT)).willReturn(status);
		given(registry.requestCounts()).willReturn(Map.of(ACCOUNT, counts));
		given(registry.requestCounts(ACCOUNT)).willReturn(counts);
		given(registry.account(ACCOUNT)).willReturn(WechatMpTokenService.of(() -> {
			if (callersFail) {
				throw failure;
			}
			return new WechatMpAccessToken("the-access-token", EXPIRES_AT);
		}));
		return registry;
	}

}
