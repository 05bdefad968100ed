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

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingException;

/**
 * Told of what happens beyond the path of a held token. Called on the thread where it
 * happens; must neither block nor throw.
 *
 * @since 1.0.0
 */
public interface WechatMpTokenListener {

	/**
	 * A fetch has ended.
	 * @param account the name of the account; all that are known at run time only have
	 * the same
	 * @param duration how long it took, retries included
	 * @param origin where the token came from; {@code null} if there was none
	 * @param failure the failure; {@code null} if there was none
	 */
	void fetched(String account, Duration duration, @Nullable WechatMpTokenOrigin origin,
			@Nullable AuthingException failure);

}
