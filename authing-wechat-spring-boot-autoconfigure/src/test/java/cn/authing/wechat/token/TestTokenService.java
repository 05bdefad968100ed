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

import java.util.List;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.client.AuthingWechatClient;

/**
 * A service together with its registry of accounts.
 */
public final class TestTokenService extends DefaultWechatMpTokenService implements AutoCloseable {

	private final WechatMpAccountRegistry registry;

	public TestTokenService(AuthingWechatClient client, @Nullable WechatMpTokenStore store,
			WechatMpAccountProvider accountProvider, WechatMpRefreshPolicy policy, long maxEntries,
			List<WechatMpTokenListener> listeners) {
		this(new WechatMpAccountRegistry(client, store, accountProvider, policy, maxEntries, listeners));
	}

	TestTokenService(AuthingWechatClient client, @Nullable WechatMpTokenStore store,
			WechatMpAccountProvider accountProvider, long maxEntries, FetchContext context) {
		this(new WechatMpAccountRegistry(client, store, accountProvider, maxEntries, context));
	}

	private TestTokenService(WechatMpAccountRegistry registry) {
		super(registry);
		this.registry = registry;
		registry.start();
	}

	public WechatMpAccountRegistry registry() {
		return this.registry;
	}

	@Override
	public void close() {
		this.registry.close();
	}

}
