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

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;

import cn.authing.wechat.WechatMpTokenService;

/**
 * An application whose service decorates Authing's where there is one. Says which it has.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration(excludeName = { "com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
		"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
class AheadOfTimeApplication {

	@Bean
	@Primary
	static WechatMpTokenService decorator(
			@Qualifier("authingWechatMpTokenService") ObjectProvider<WechatMpTokenService> delegate) {
		WechatMpTokenService service = delegate.getIfAvailable();
		return (service != null) ? new ApplicationBeansTests.Decorator(service) : WechatMpTokenService.of("token");
	}

	public static void main(String[] arguments) {
		try (ConfigurableApplicationContext context = SpringApplication.run(AheadOfTimeApplication.class, arguments)) {
			System.out.println("service: " + context.getBean(WechatMpTokenService.class));
		}
	}

}
