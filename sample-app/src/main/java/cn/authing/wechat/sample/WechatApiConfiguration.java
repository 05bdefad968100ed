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

package cn.authing.wechat.sample;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.registry.HttpServiceGroup.ClientType;
import org.springframework.web.service.registry.ImportHttpServices;

import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

/**
 * Makes {@link WechatApi} a bean. Where WeChat is stands in
 * {@code spring.http.serviceclient.wechat.base-url}.
 */
@Configuration(proxyBeanMethods = false)
@ImportHttpServices(group = "wechat", types = WechatApi.class, clientType = ClientType.WEB_CLIENT)
class WechatApiConfiguration {

	@Bean
	WebClientHttpServiceGroupConfigurer wechatGroup(WechatMpTokenExchangeFilterFunction tokenFilter) {
		return (groups) -> groups.filterByName("wechat").forEachClient((group, builder) -> builder.filter(tokenFilter));
	}

}
