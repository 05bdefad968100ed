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
 * Health, metrics and the actuator endpoint of the tokens. Internal: only the
 * auto-configuration uses it, and nothing here is promised but the names of the meters,
 * of the health details and of the endpoint's JSON. Neither a token nor a secret is part
 * of any of them.
 * <p>
 * All of it reads the {@link cn.authing.wechat.token.WechatMpAccountRegistry}, so that it
 * does not change with a {@link cn.authing.wechat.WechatMpTokenService} that is replaced,
 * decorated or mocked.
 */
@NullMarked
package cn.authing.wechat.actuate;

import org.jspecify.annotations.NullMarked;
