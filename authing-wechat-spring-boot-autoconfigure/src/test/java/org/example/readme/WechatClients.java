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

package org.example.readme;

import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

import org.springframework.boot.restclient.RestTemplateBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

@Configuration(proxyBeanMethods = false)
class WechatClients {

	private static final String WECHAT = "https://api.weixin.qq.com";

	@Bean
	WebClient wechatWebClient(WebClient.Builder builder, WechatMpTokenExchangeFilterFunction tokens) {
		return builder.baseUrl(WECHAT).filter(tokens).build();
	}

	@Bean
	RestClient wechatRestClient(RestClient.Builder builder, WechatMpTokenClientHttpRequestInterceptor tokens) {
		return builder.baseUrl(WECHAT).requestInterceptor(tokens).build();
	}

	@Bean
	RestTemplate wechatRestTemplate(RestTemplateBuilder builder, WechatMpTokenClientHttpRequestInterceptor tokens) {
		return builder.additionalInterceptors(tokens).build();
	}

}
