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

import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;

import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * Makes the service read the accounts again, before others who listen for the event look
 * at what has changed.
 */
class WechatMpAccountsReloader implements ApplicationListener<WechatMpAccountsChangedEvent>, Ordered {

	private final WechatMpAccountRegistry registry;

	WechatMpAccountsReloader(WechatMpAccountRegistry registry) {
		this.registry = registry;
	}

	@Override
	public void onApplicationEvent(WechatMpAccountsChangedEvent event) {
		this.registry.reload();
	}

	@Override
	public int getOrder() {
		return HIGHEST_PRECEDENCE;
	}

}
