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
 * Status of a shared token store, for monitoring. While the store is unavailable each
 * instance fetches for itself. Counts are those of this instance since its start.
 *
 * @param reason why it is unavailable, as a predicate of the store's name; {@code null}
 * if it is available
 * @param unavailableSince since when it is unavailable, by the local clock; {@code null}
 * if it is available
 * @param succeeded how many operations succeeded
 * @param failed how many failed or took too long
 * @param skipped how many were not tried, because the store was known to be unavailable
 * @param undecodable how many shared values made no sense to this instance: damaged, or
 * encrypted with a key that it does not have
 * @since 1.0.0
 */
public record WechatMpTokenStoreStatus(@Nullable String reason, @Nullable Instant unavailableSince, long succeeded,
		long failed, long skipped, long undecodable) {

	/**
	 * Return whether tokens are being shared.
	 * @return {@code false} while the store is unavailable
	 */
	public boolean isAvailable() {
		return this.reason == null;
	}

}
