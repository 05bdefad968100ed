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
import java.time.Instant;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingException;

/**
 * Status of an account's token at one moment, for monitoring. Contains neither the token
 * nor the secret. What describes a token is {@code null} where there has been none, times
 * of what has not happened likewise; soft and hard expiry also where the token was
 * rejected or arrived expired. Counts are those of this instance since its start.
 *
 * @param account the name of the account
 * @param appId the WeChat app id
 * @param state the state
 * @param receivedAt when the token was received, by the local clock
 * @param softExpiry from when on the token is refreshed in the background, by the local
 * clock
 * @param hardExpiry from when on a caller waits for a fetch, by the local clock
 * @param expiresAt when the token expires, by Authing's clock
 * @param expiresIn for how much longer the token is served without a wait; zero if a
 * caller has to wait now
 * @param origin where the token came from
 * @param lastFetchedAt when a fetch last succeeded, by the local clock
 * @param lastFailure the failure of the last fetch that failed; kept when later ones
 * succeed
 * @param lastFailureAt when that was, by the local clock
 * @param failures how many fetches in a row have failed; while changed credentials are
 * pending, of those
 * @param fetches how many fetches ended with a token or a failure
 * @param rejections how many tokens were rejected by WeChat
 * @param credentialsRotationPending whether the credentials were changed and have
 * produced no valid token yet, so that the token of the old ones is still in use
 * @since 1.0.0
 */
public record WechatMpAccountStatus(String account, String appId, WechatMpTokenState state,
		@Nullable Instant receivedAt, @Nullable Instant softExpiry, @Nullable Instant hardExpiry,
		@Nullable Instant expiresAt, Duration expiresIn, @Nullable WechatMpTokenOrigin origin,
		@Nullable Instant lastFetchedAt, @Nullable AuthingException lastFailure, @Nullable Instant lastFailureAt,
		int failures, long fetches, long rejections, boolean credentialsRotationPending) {

}
