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

import cn.authing.wechat.AuthingException;

/**
 * What happened to the token of an account.
 *
 * @since 1.0.0
 */
public sealed interface WechatMpTokenEvent {

	/**
	 * Return the name of the account; all dynamic accounts have the same.
	 * @return the name
	 */
	String account();

	/**
	 * A fetch brought a token.
	 *
	 * @param account the name of the account
	 * @param duration how long it took, retries included
	 * @param origin where the token came from
	 */
	record Fetched(String account, Duration duration, WechatMpTokenOrigin origin) implements WechatMpTokenEvent {

	}

	/**
	 * A fetch failed.
	 *
	 * @param account the name of the account
	 * @param duration how long it took, retries included
	 * @param failure the failure
	 */
	record Failed(String account, Duration duration, AuthingException failure) implements WechatMpTokenEvent {

	}

	/**
	 * The current token was reported as rejected by WeChat and is dropped.
	 *
	 * @param account the name of the account
	 */
	record Rejected(String account) implements WechatMpTokenEvent {

	}

	/**
	 * A token that another instance had fetched was adopted outside of a fetch.
	 *
	 * @param account the name of the account
	 */
	record Adopted(String account) implements WechatMpTokenEvent {

	}

}
