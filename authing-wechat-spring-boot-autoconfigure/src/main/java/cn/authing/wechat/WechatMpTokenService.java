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

import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

import org.springframework.util.Assert;

/**
 * The bean to inject: access tokens of all accounts. It is itself the source of the
 * default account, {@value #DEFAULT_ACCOUNT}.
 *
 * <pre class="code">
 * &#64;Service
 * class Messages {
 *
 *     private final WechatMpTokenService tokens;
 *
 *     Mono&lt;String&gt; token() {
 *         return this.tokens.getAccessToken().map(WechatMpAccessToken::accessToken);
 *     }
 *
 *     String tokenOfTheShop() {
 *         return this.tokens.account("shop").getAccessTokenSync().accessToken();
 *     }
 *
 * }
 * </pre>
 *
 * @since 1.0.0
 */
public interface WechatMpTokenService extends WechatMpTokenSource {

	/**
	 * Name of the default account, the one of {@code authing.wechat.app-id}.
	 */
	String DEFAULT_ACCOUNT = "default";

	/**
	 * Return the tokens of a configured account.
	 * @param name the name, as in {@code authing.wechat.accounts.<name>}, or
	 * {@value #DEFAULT_ACCOUNT}
	 * @return the source of that account's tokens. It follows the account when its
	 * credentials change, and fails with an {@link IllegalStateException} once the
	 * account is removed
	 * @throws IllegalArgumentException if there is no such account; the message lists
	 * those that there are
	 */
	WechatMpTokenSource account(String name);

	/**
	 * Return the tokens of an account that is known only at run time, such as a tenant's.
	 * Equal credentials lead to the same token. Tokens of at most
	 * {@code authing.wechat.cache.max-entries} such accounts are cached. Beyond that,
	 * those that are used least are evicted, and fetched again when asked for; sources go
	 * on working. Fetches nothing by itself.
	 * @param credentials the WeChat app id and secret
	 * @return the source of that account's tokens
	 */
	WechatMpTokenSource account(WechatMpCredentials credentials);

	/**
	 * Return the names of the configured accounts, the default one included.
	 * @return the names, in the order of the configuration; a snapshot that does not
	 * change
	 */
	Set<String> accountNames();

	/**
	 * Return a service that needs no Authing and always has the same token, which does
	 * not expire: for tests.
	 * @param accessToken the token of the default account, the only one
	 * @return the service
	 * @see #of(Map)
	 */
	static WechatMpTokenService of(String accessToken) {
		WechatMpAccessToken token = new WechatMpAccessToken(accessToken, SuppliedWechatMpTokenService.NEVER);
		return of(() -> token);
	}

	/**
	 * Return a service that needs no Authing and gets its tokens from elsewhere.
	 * @param tokens supplies the token of the default account, the only one
	 * @return the service
	 * @see #of(Map)
	 */
	static WechatMpTokenService of(Supplier<WechatMpAccessToken> tokens) {
		Assert.notNull(tokens, "'tokens' must not be null");
		return of(Map.of(DEFAULT_ACCOUNT, tokens));
	}

	/**
	 * Return a service that needs no Authing and gets its tokens from elsewhere. Nothing
	 * is cached: each call, also one that refreshes, asks the account's supplier, on the
	 * calling or subscribing thread, and passes on what it throws. Suppliers are called
	 * by several threads at a time, and must not block where those threads must not. As
	 * no token is cached, {@code invalidate} does nothing and returns {@code false}.
	 * {@linkplain #account(WechatMpCredentials) Dynamic accounts} are refused with an
	 * {@link UnsupportedOperationException}.
	 * @param accounts the suppliers by the account's name, the default account's included
	 * @return the service
	 * @throws IllegalArgumentException if the default account is missing, a name is blank
	 * or a supplier is {@code null}
	 */
	static WechatMpTokenService of(Map<String, Supplier<WechatMpAccessToken>> accounts) {
		return SuppliedWechatMpTokenService.of(accounts);
	}

}
