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

import org.springframework.context.ApplicationEvent;

/**
 * Publish this when what the {@link WechatMpAccountProvider} returns has changed. The
 * {@link WechatMpTokenService} reads it again: a new account works at once, a removed one
 * is refused, and where a secret changed the old token is served until the new secret has
 * produced one or the old token has expired.
 *
 * @since 1.0.0
 */
public class WechatMpAccountsChangedEvent extends ApplicationEvent {

	private static final long serialVersionUID = 1L;

	/**
	 * Create a new event.
	 * @param source the object that knows of the change
	 */
	public WechatMpAccountsChangedEvent(Object source) {
		super(source);
	}

}
