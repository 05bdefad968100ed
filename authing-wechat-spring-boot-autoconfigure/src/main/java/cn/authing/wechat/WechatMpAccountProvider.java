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

/**
 * Where the configured accounts come from. The default reads
 * {@code authing.wechat.app-id} and {@code authing.wechat.accounts.*}; an application may
 * define a bean of its own, to read a database or a secret manager.
 * <p>
 * Asked once at start-up and again at every {@link WechatMpAccountsChangedEvent}, on the
 * thread that publishes it; it may block. What it throws at start-up ends the start;
 * later, it reaches the publisher of the event, and the accounts stay as they were.
 *
 * @since 1.0.0
 */
@FunctionalInterface
public interface WechatMpAccountProvider {

	/**
	 * Return the accounts by name, in the order in which they are to be listed. The one
	 * named {@value WechatMpTokenService#DEFAULT_ACCOUNT} is required.
	 * @return the accounts
	 */
	Map<String, WechatMpCredentials> getAccounts();

}
