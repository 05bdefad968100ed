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

package org.example.calling;

import java.util.List;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.http.WechatMpRequestAttributes;
import com.fasterxml.jackson.annotation.JsonProperty;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.registry.HttpServiceGroup.ClientType;
import org.springframework.web.service.registry.ImportHttpServices;

@Configuration(proxyBeanMethods = false)
@ImportHttpServices(group = "wechat", types = WechatServices.Blocking.class)
@ImportHttpServices(group = "wechat-shop", types = WechatServices.Reactive.class, clientType = ClientType.WEB_CLIENT)
class WechatServices {

	interface Blocking {

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp();

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp(@RequestAttribute(WechatMpRequestAttributes.ACCOUNT) String account);

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp(@RequestAttribute(WechatMpRequestAttributes.ACCOUNT) WechatMpCredentials tenant);

	}

	interface Reactive {

		@GetExchange("/cgi-bin/getcallbackip")
		Mono<IpList> getCallbackIp();

	}

	record IpList(@JsonProperty("ip_list") List<String> addresses) {

	}

}
