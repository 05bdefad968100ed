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

package cn.authing.wechat.wxjava;

import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;

/**
 * Hints for the fields in which WxJava's services hold their configurations.
 *
 * @since 1.0.0
 */
public final class WxJavaRuntimeHints implements RuntimeHintsRegistrar {

	@Override
	public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
		hints.reflection()
			.registerTypeIfPresent(classLoader, "me.chanjar.weixin.mp.api.impl.BaseWxMpServiceImpl",
					(hint) -> hint.withField(WxMpBeanPostProcessor.CONFIGURATIONS_FIELD))
			.registerTypeIfPresent(classLoader, "cn.binarywang.wx.miniapp.api.impl.BaseWxMaServiceImpl",
					(hint) -> hint.withField(WxMaBeanPostProcessor.CONFIGURATIONS_FIELD));
	}

}
