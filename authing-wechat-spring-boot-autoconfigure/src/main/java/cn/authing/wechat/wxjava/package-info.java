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
 * Supplies the token service's access tokens to WxJava's services. Internal: an
 * application goes on using WxJava's own types.
 * <p>
 * WxJava asks its configuration ({@code WxMpConfigStorage}, {@code WxMaConfig}) for the
 * token and goes to WeChat when that has none. Here the configurations of the accounts
 * that are also accounts of the token service answer with its token, always have one, and
 * report a rejected one; and {@code getAccessToken(true)} of the services, which asks no
 * configuration, is answered in front of them. Beans stay what they are: they are proxied
 * by class, never replaced.
 */
@NullMarked
package cn.authing.wechat.wxjava;

import org.jspecify.annotations.NullMarked;
