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

import java.util.function.Function;

import me.chanjar.weixin.mp.api.WxMpService;
import me.chanjar.weixin.mp.api.impl.BaseWxMpServiceImpl;
import me.chanjar.weixin.mp.config.WxMpConfigStorage;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;

/**
 * Supplies tokens to {@link WxMpService} and {@link WxMpConfigStorage} beans.
 *
 * @since 1.0.0
 */
// Serializable by inheritance only: a bean post-processor is never serialized.
@SuppressWarnings("serial")
public class WxMpBeanPostProcessor extends WxJavaBeanPostProcessor<WxMpService, WxMpConfigStorage> {

	/**
	 * Create a new post-processor.
	 * @param accounts the managed accounts
	 */
	public WxMpBeanPostProcessor(ObjectProvider<WxJavaAccounts> accounts) {
		super(WxMpService.class, WxMpConfigStorage.class, "configStorageMap",
				"com.binarywang.spring.starter.wxjava.mp.service.WxMpMultiServices", accounts);
	}

	@Override
	@Nullable String getAppId(WxMpConfigStorage configuration) {
		return configuration.getAppId();
	}

	@Override
	@Nullable WxMpConfigStorage getConfiguration(WxMpService service) {
		return service.getWxMpConfigStorage();
	}

	@Override
	void manageConfigurationFactory(WxMpService service) {
		if (service instanceof BaseWxMpServiceImpl<?, ?> implementation) {
			Function<String, WxMpConfigStorage> factory = implementation.getConfigStorageFunction();
			if (factory != null) {
				implementation.setConfigStorageFunction((id) -> {
					WxMpConfigStorage configuration = factory.apply(id);
					return (configuration != null) ? manage(configuration) : null;
				});
			}
		}
	}

}
