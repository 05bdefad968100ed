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

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * Fetches the token of the default account before the application is ready, so that one
 * that cannot have it does not start. Runs when the accounts are, before requests are
 * served.
 */
class DefaultAccountCheck implements SmartLifecycle {

	private final WechatMpAccountRegistry registry;

	private final ObjectProvider<WechatMpTokenService> service;

	private volatile boolean running;

	DefaultAccountCheck(WechatMpAccountRegistry registry, ObjectProvider<WechatMpTokenService> service) {
		this.registry = registry;
		this.service = service;
	}

	@Override
	public void start() {
		try {
			// A test may have replaced it; a parent context may have another
			WechatMpTokenSource service = this.service.getIfUnique();
			((service != null) ? service : this.registry.account(WechatMpTokenService.DEFAULT_ACCOUNT))
				.getAccessTokenSync();
		}
		catch (AuthingException ex) {
			throw new DefaultAccountException(ex);
		}
		this.running = true;
	}

	@Override
	public void stop() {
		this.running = false;
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	@Override
	public int getPhase() {
		return this.registry.getPhase() + 1;
	}

	/**
	 * The default account's token could not be fetched.
	 */
	static final class DefaultAccountException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		DefaultAccountException(AuthingException cause) {
			super(cause.getMessage(), cause);
		}

	}

}
