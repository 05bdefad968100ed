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

package cn.authing.wechat.autoconfigure;

import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;

/**
 * Hints for the classes that Caffeine finds by name, those of a cache with a maximum
 * size, with and without an expiry after writing, and of its nodes, and for the fields in
 * which WxJava's services hold their configurations.
 */
final class AuthingRuntimeHints implements RuntimeHintsRegistrar {

	/**
	 * The field in which WxJava's service for official accounts holds its configurations.
	 */
	static final String WX_MP_CONFIGURATIONS = "configStorageMap";

	/**
	 * The field in which WxJava's service for mini programs holds its configurations.
	 */
	static final String WX_MA_CONFIGURATIONS = "configMap";

	@Override
	public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
		ReflectionHints reflection = hints.reflection();
		for (String name : List.of("SSMS", "PSMS", "SSMSW", "PSWMS")) {
			reflection.registerTypeIfPresent(classLoader, "com.github.benmanes.caffeine.cache." + name,
					MemberCategory.ACCESS_DECLARED_FIELDS, MemberCategory.INVOKE_DECLARED_CONSTRUCTORS);
		}
		reflection
			.registerTypeIfPresent(classLoader, "me.chanjar.weixin.mp.api.impl.BaseWxMpServiceImpl",
					(hint) -> hint.withField(WX_MP_CONFIGURATIONS))
			.registerTypeIfPresent(classLoader, "cn.binarywang.wx.miniapp.api.impl.BaseWxMaServiceImpl",
					(hint) -> hint.withField(WX_MA_CONFIGURATIONS));
	}

}
