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

import org.jspecify.annotations.Nullable;

import org.springframework.boot.health.contributor.ReactiveHealthContributor;
import org.springframework.boot.health.registry.ReactiveHealthContributorRegistry;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * Health of the WeChat access tokens: an indicator if there is one account, a composite
 * with one for each account if there are several.
 *
 * @since 1.0.0
 */
public class WechatMpTokenHealth {

	private final WechatMpTokenService service;

	private final @Nullable WechatMpAccountRegistry registry;

	/**
	 * Create a new instance.
	 * @param service the service whose accounts are asked for their tokens
	 * @param registry what more is known of these accounts; {@code null} if nothing is
	 */
	public WechatMpTokenHealth(WechatMpTokenService service, @Nullable WechatMpAccountRegistry registry) {
		this.service = service;
		this.registry = registry;
	}

	/**
	 * Return the contributor for the accounts that there are now. A composite follows the
	 * accounts by itself.
	 * @return the contributor
	 */
	public ReactiveHealthContributor contributor() {
		return (this.service.accountNames().size() > 1) ? new AccountsHealthContributor(this.service, this.registry)
				: new AccountHealthIndicator(this.service, this.registry, WechatMpTokenService.DEFAULT_ACCOUNT);
	}

	/**
	 * Put another contributor in the place of the registered one, if the accounts now ask
	 * for one of the other kind.
	 * @param registry the registry
	 * @param name the name of the contributor
	 */
	public synchronized void update(ReactiveHealthContributorRegistry registry, String name) {
		ReactiveHealthContributor current = registry.getContributor(name);
		ReactiveHealthContributor next = contributor();
		if (current != null && current.getClass() != next.getClass()) {
			registry.unregisterContributor(name);
			registry.registerContributor(name, next);
		}
	}

}
