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

package cn.authing.wechat.http;

import java.net.URI;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import org.springframework.util.Assert;
import org.springframework.util.backoff.BackOff;
import org.springframework.util.backoff.BackOffExecution;
import org.springframework.util.backoff.FixedBackOff;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * Decides which requests get a token, and whose: what filter and interceptor have in
 * common.
 *
 * @param tokens the tokens of requests that choose no account
 * @param accounts where the account that a request chooses is looked up, if known
 * @param hosts the hosts that may be sent a token
 * @param busyBackOff the pauses before a call that WeChat is too busy for is repeated
 */
record WechatCalls(WechatMpTokenSource tokens, @Nullable WechatMpTokenService accounts, WechatApiHosts hosts,
		BackOff busyBackOff) {

	private static final int SYSTEM_BUSY = -1;

	// Invalid credential or not the latest, invalid access_token, expired.
	private static final Set<Integer> TOKEN_REJECTED = Set.of(40001, 40014, 42001);

	static WechatCalls of(WechatMpTokenSource tokens) {
		return new WechatCalls(tokens, null, WechatApiHosts.DEFAULT, new FixedBackOff(0, 0)).withTokenSource(tokens);
	}

	WechatCalls withTokenSource(WechatMpTokenSource tokens) {
		Assert.notNull(tokens, "'tokens' must not be null");
		return new WechatCalls(tokens, (tokens instanceof WechatMpTokenService service) ? service : this.accounts,
				this.hosts, this.busyBackOff);
	}

	WechatCalls withHosts(String... hosts) {
		return new WechatCalls(this.tokens, this.accounts, WechatApiHosts.of(hosts), this.busyBackOff);
	}

	WechatCalls withBusyBackOff(BackOff backOff) {
		Assert.notNull(backOff, "'backOff' must not be null");
		return new WechatCalls(this.tokens, this.accounts, this.hosts, backOff);
	}

	/**
	 * Return whether a request is for WeChat, with or without a token.
	 */
	boolean include(URI uri, Map<String, Object> attributes) {
		boolean included = this.hosts.include(uri);
		if (!included && !isWithoutToken(attributes)) {
			this.hosts.reportExcluded(uri);
		}
		return included;
	}

	/**
	 * Return a new call for a request to WeChat, or {@code null} if it is to be sent as
	 * it is.
	 */
	@Nullable Call create(URI uri, Map<String, Object> attributes) {
		return (isWithoutToken(attributes) || !AccessTokenQuery.accepts(uri)) ? null
				: new Call(findTokens(attributes.get(WechatMpRequestAttributes.ACCOUNT)), this.busyBackOff);
	}

	private static boolean isWithoutToken(Map<String, Object> attributes) {
		return Boolean.TRUE.equals(attributes.get(WechatMpRequestAttributes.WITHOUT_TOKEN));
	}

	private WechatMpTokenSource findTokens(@Nullable Object account) {
		if (account == null) {
			return this.tokens;
		}
		Assert.state(this.accounts != null, "A request chooses its account by the attribute '"
				+ WechatMpRequestAttributes.ACCOUNT
				+ "', but this filter or interceptor knows one account only: make it of a WechatMpTokenService");
		if (account instanceof String name) {
			return this.accounts.account(name);
		}
		Assert.isInstanceOf(WechatMpCredentials.class, account,
				"The request attribute '" + WechatMpRequestAttributes.ACCOUNT
						+ "' must be the name of an account or its WechatMpCredentials, but is of another type:");
		return this.accounts.account((WechatMpCredentials) account);
	}

	/**
	 * What happens to one call after each of its answers. Not safe for use by several
	 * threads at a time.
	 */
	static final class Call {

		/**
		 * Answer to {@link #nextRetryDelay} if the call is not to be repeated.
		 */
		static final long STOP = BackOffExecution.STOP;

		private final WechatMpTokenSource tokens;

		private final BackOff busyBackOff;

		private @Nullable BackOffExecution busy;

		private @Nullable String rejected;

		Call(WechatMpTokenSource tokens, BackOff busyBackOff) {
			this.tokens = tokens;
			this.busyBackOff = busyBackOff;
		}

		WechatMpTokenSource tokens() {
			return this.tokens;
		}

		/**
		 * Take note of an answer: a rejected token is reported, whether or not the call
		 * can be repeated.
		 * @param errcode the answer's {@code errcode}, if it has one
		 * @param accessToken the token that the call was made with
		 * @param replayable whether the request can be sent again
		 * @return the milliseconds to wait before the call is repeated, or {@link #STOP}
		 * if the answer is to be passed on
		 */
		long nextRetryDelay(@Nullable Integer errcode, String accessToken, boolean replayable) {
			if (errcode == null) {
				return STOP;
			}
			if (TOKEN_REJECTED.contains(errcode)) {
				this.tokens.invalidate(accessToken);
				boolean first = this.rejected == null;
				this.rejected = accessToken;
				return (first && replayable) ? 0 : STOP;
			}
			return (errcode == SYSTEM_BUSY && replayable) ? nextBusyBackOff() : STOP;
		}

		/**
		 * Return whether the call need not be repeated with a token: it is the rejected
		 * one, as no other can be had yet.
		 */
		boolean isRejected(String next) {
			return next.equals(this.rejected);
		}

		private long nextBusyBackOff() {
			if (this.busy == null) {
				this.busy = this.busyBackOff.start();
			}
			return this.busy.nextBackOff();
		}

	}

}
