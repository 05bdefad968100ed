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

import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.codec.json.JacksonJsonDecoder;
import org.springframework.http.converter.json.JacksonJsonHttpMessageConverter;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

@Configuration(proxyBeanMethods = false)
class TextPlainJson {

	private static final String WECHAT = "https://api.weixin.qq.com";

	@Bean
	RestClient wechatRestClient(RestClient.Builder builder, WechatMpTokenClientHttpRequestInterceptor tokens,
			JsonMapper jsonMapper) {
		JacksonJsonHttpMessageConverter json = new JacksonJsonHttpMessageConverter(jsonMapper);
		json.setSupportedMediaTypes(List.of(MediaType.APPLICATION_JSON, MediaType.TEXT_PLAIN));
		return builder.baseUrl(WECHAT)
			.configureMessageConverters((converters) -> converters.withJsonConverter(json))
			.requestInterceptor(tokens)
			.build();
	}

	@Bean
	WebClient wechatWebClient(WebClient.Builder builder, WechatMpTokenExchangeFilterFunction tokens,
			JsonMapper jsonMapper) {
		JacksonJsonDecoder json = new JacksonJsonDecoder(jsonMapper, MediaType.TEXT_PLAIN);
		return builder.baseUrl(WECHAT)
			.codecs((codecs) -> codecs.customCodecs().registerWithDefaultConfig(json))
			.filter(tokens)
			.build();
	}

}
