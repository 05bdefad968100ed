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

import java.time.Instant;

import io.netty.util.concurrent.FastThreadLocalThread;
import reactor.core.publisher.Mono;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisReactiveAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingWechatClient;

/**
 * A command-line application that needs one token and ends. Its arguments are properties.
 * Says what would keep it from ending.
 */
@ImportAutoConfiguration({ AuthingWechatAutoConfiguration.class, AuthingWechatRedisAutoConfiguration.class,
		DataRedisAutoConfiguration.class, DataRedisReactiveAutoConfiguration.class })
@Configuration(proxyBeanMethods = false)
class RedisJob {

	static final String UNENDING = "The JVM does not end because of ";

	public static void main(String[] args) {
		SpringApplication application = new SpringApplication(RedisJob.class);
		application.setWebApplicationType(WebApplicationType.NONE);
		try (ConfigurableApplicationContext context = application.run(args)) {
			context.getBean(WechatMpTokenService.class).getAccessTokenSync();
		}
		Thread.getAllStackTraces()
			.keySet()
			.stream()
			// Those of Netty end by themselves
			.filter((thread) -> !thread.isDaemon() && !(thread instanceof FastThreadLocalThread))
			.filter((thread) -> thread != Thread.currentThread())
			.forEach((thread) -> System.out.println(UNENDING + thread));
	}

	@Bean
	AuthingWechatClient authingWechatClient() {
		return (credentials) -> Mono
			.fromSupplier(() -> new WechatMpAccessToken("72_job", Instant.now().plusSeconds(7200)));
	}

}
