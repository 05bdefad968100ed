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

/**
 * How many requests for a token of an account this instance has had since its start, by
 * the result.
 *
 * @param fresh answered at once with a token before its soft expiry
 * @param due answered at once with a token past its soft expiry, while it is, or will
 * soon be, refreshed in the background
 * @param stale answered with a token in state {@link WechatMpTokenState#STALE}
 * @param waited answered with the token that a fetch brought
 * @param failed not answered with a token
 * @since 1.0.0
 */
public record WechatMpRequestCounts(long fresh, long due, long stale, long waited, long failed) {

}
