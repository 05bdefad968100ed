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

import cn.binarywang.wx.miniapp.api.WxMaService;
import cn.binarywang.wx.miniapp.config.WxMaConfig;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;

/**
 * Supplies tokens to {@link WxMaService} and {@link WxMaConfig} beans.
 *
 * @since 1.0.0
 */
// Serializable by inheritance only: a bean post-processor is never serialized.
@SuppressWarnings("serial")
public class WxMaBeanPostProcessor extends WxJavaBeanPostProcessor<WxMaService, WxMaConfig> {

	/**
	 * Create a new post-processor.
	 * @param accounts the managed accounts
	 */
	public WxMaBeanPostProcessor(ObjectProvider<WxJavaAccounts> accounts) {
		super(WxMaService.class, WxMaConfig.class, "configMap",
				"com.binarywang.spring.starter.wxjava.miniapp.service.WxMaMultiServices", accounts);
	}

	@Override
	@Nullable String getAppId(WxMaConfig configuration) {
		return configuration.getAppid();
	}

	@Override
	@Nullable WxMaConfig getConfiguration(WxMaService service) {
		return service.getWxMaConfig();
	}

}
