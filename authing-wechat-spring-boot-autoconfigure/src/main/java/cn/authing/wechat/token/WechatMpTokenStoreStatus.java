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

import java.time.Instant;

import org.jspecify.annotations.Nullable;

/**
 * How a store is doing, for people. While it is away each instance fetches for itself.
 *
 * @param reason why it is away, as a predicate of the store's name; {@code null} if it is
 * not
 * @param unavailableSince since when it is away; {@code null} if it is not
 * @param succeeded how many operations succeeded
 * @param failed how many failed or took too long
 * @param skipped how many were not tried, because the store was known to be away
 * @param undecodable how many shared values made no sense to this instance: damaged, or
 * encrypted with a key that it does not have
 * @since 1.0.0
 */
public record WechatMpTokenStoreStatus(@Nullable String reason, @Nullable Instant unavailableSince, long succeeded,
		long failed, long skipped, long undecodable) {

	/**
	 * Return whether tokens are being shared.
	 * @return {@code false} while the store is away
	 */
	public boolean isAvailable() {
		return this.reason == null;
	}

}
