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

package cn.authing.wechat.autoconfigure;

import java.util.stream.Collectors;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.core.log.LogMessage;
import org.springframework.util.ClassUtils;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.client.DefaultAuthingWechatClient;
import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpTokenStore;

/**
 * One line that says what was set up: where tokens come from, for which accounts, and
 * where they are shared.
 */
final class StartUpReport {

	private static final Log logger = LogFactory.getLog(StartUpReport.class);

	private StartUpReport() {
	}

	static void log(WechatMpAccountRegistry registry, AuthingWechatClient client, AuthingConnectionDetails connection,
			@Nullable WechatMpTokenStore store, WechatMpAccountProvider accounts) {
		logger.info(
				LogMessage.of(
						() -> "WeChat access tokens are fetched from %s for %s; store: %s%s"
							.formatted(
									(client instanceof DefaultAuthingWechatClient) ? connection
										.getAppHost() : nameOf(client),
									registry.status()
										.stream()
										.map((account) -> "%s (%s)".formatted(SafeText.of(account.account()),
												SafeText.of(account.appId())))
										.collect(Collectors.joining(", ")),
									(store != null) ? nameOf(store) : "local",
									(accounts instanceof PropertiesWechatMpAccountProvider properties && properties
										.isAuthingPair())
												? "; no authing.wechat.app-id: the Authing application's own pair is used"
												: "")));
	}

	private static String nameOf(Object bean) {
		return ClassUtils.getUserClass(bean).getSimpleName();
	}

}
