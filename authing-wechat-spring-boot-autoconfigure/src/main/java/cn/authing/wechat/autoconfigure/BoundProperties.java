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

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.Environment;

/**
 * All properties below {@code authing}, as they were bound at one time.
 *
 * @param authing the connection to Authing
 * @param wechat the WeChat accounts
 * @param cache the cache of tokens
 * @param api the calls of WeChat
 */
record BoundProperties(AuthingProperties authing, AuthingWechatProperties wechat, AuthingWechatCacheProperties cache,
		AuthingWechatApiProperties api) {

	static BoundProperties from(Environment environment) {
		Binder binder = Binder.get(environment);
		return new BoundProperties(bind(binder, AuthingProperties.class), bind(binder, AuthingWechatProperties.class),
				bind(binder, AuthingWechatCacheProperties.class), bind(binder, AuthingWechatApiProperties.class));
	}

	private static <T> T bind(Binder binder, Class<T> type) {
		return binder.bindOrCreate(type.getAnnotation(ConfigurationProperties.class).value(), type);
	}

}
