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

import java.util.Map;
import java.util.function.Consumer;

import org.springframework.util.Assert;
import org.springframework.web.bind.annotation.RequestAttribute;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;

/**
 * Attributes of a request that choose its token, for {@code WebClient} and
 * {@code RestClient} alike:
 *
 * <pre class="code">
 * client.get().uri("/cgi-bin/getcallbackip").attributes(WechatMpRequestAttributes.account("shop"))
 * </pre>
 *
 * An HTTP interface is given them as an argument:
 *
 * <pre class="code">
 * &#64;GetExchange("/cgi-bin/getcallbackip")
 * IpList getCallbackIp(&#64;RequestAttribute(WechatMpRequestAttributes.ACCOUNT) String account);
 * </pre>
 *
 * Accounts can be chosen if the filter or interceptor was made of a
 * {@link WechatMpTokenService}, as the beans are.
 *
 * @since 1.0.0
 * @see RequestAttribute
 */
public final class WechatMpRequestAttributes {

	/**
	 * Name of the attribute that chooses the account: the name of a configured one, or
	 * {@link WechatMpCredentials}.
	 */
	public static final String ACCOUNT = "cn.authing.wechat.account";

	/**
	 * Name of the attribute that, if it is {@code true}, keeps a request from being given
	 * a token.
	 */
	public static final String WITHOUT_TOKEN = "cn.authing.wechat.without-token";

	private WechatMpRequestAttributes() {
	}

	/**
	 * Give a request the token of a configured account.
	 * @param name the name of the account
	 * @return what sets the attribute
	 */
	public static Consumer<Map<String, Object>> account(String name) {
		Assert.hasText(name, "'name' must not be empty");
		return (attributes) -> attributes.put(ACCOUNT, name);
	}

	/**
	 * Give a request the token of an account that is known at run time only.
	 * @param credentials the credentials of the account
	 * @return what sets the attribute
	 */
	public static Consumer<Map<String, Object>> account(WechatMpCredentials credentials) {
		Assert.notNull(credentials, "'credentials' must not be null");
		return (attributes) -> attributes.put(ACCOUNT, credentials);
	}

	/**
	 * Send a request without a token.
	 * @return what sets the attribute
	 */
	public static Consumer<Map<String, Object>> withoutToken() {
		return (attributes) -> attributes.put(WITHOUT_TOKEN, true);
	}

}
