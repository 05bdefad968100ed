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

import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.health.contributor.CompositeReactiveHealthContributor;
import org.springframework.boot.health.contributor.ReactiveHealthContributor;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * Health of all accounts, whichever there are at the time of the probe.
 */
class AccountsHealthContributor implements CompositeReactiveHealthContributor {

	private final WechatMpTokenService service;

	private final @Nullable WechatMpAccountRegistry registry;

	AccountsHealthContributor(WechatMpTokenService service, @Nullable WechatMpAccountRegistry registry) {
		this.service = service;
		this.registry = registry;
	}

	@Override
	public @Nullable ReactiveHealthContributor getContributor(String name) {
		return this.service.accountNames().contains(name)
				? new AccountHealthIndicator(this.service, this.registry, name) : null;
	}

	@Override
	public Stream<Entry> stream() {
		return this.service.accountNames()
			.stream()
			.map((name) -> new Entry(name, new AccountHealthIndicator(this.service, this.registry, name)));
	}

}
