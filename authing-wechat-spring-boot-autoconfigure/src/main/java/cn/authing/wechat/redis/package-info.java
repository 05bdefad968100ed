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

/**
 * The token store that the instances of an application share through Redis.
 * <p>
 * Internal, but for {@link cn.authing.wechat.redis.RedisWechatMpTokenStore} and its
 * settings. What is in Redis, behind the prefix: per account a token
 * ({@code {appId:digest}:token}, see {@link cn.authing.wechat.redis.TokenCodec}) and,
 * while one instance fetches, a lease ({@code {appId:digest}:lease}); one channel
 * ({@code changes}); and a key that is written to find out whether Redis is well
 * ({@code probe}). All keys expire.
 */
@NullMarked
package cn.authing.wechat.redis;

import org.jspecify.annotations.NullMarked;
