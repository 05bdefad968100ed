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

import io.netty.resolver.DefaultAddressResolverGroup;

import org.springframework.boot.data.redis.autoconfigure.ClientResourcesBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Finds a Redis that has come back with another address. Beside Reactor Netty, the Redis
 * client looks names up with Netty, which keeps an address for as long as DNS allows: ten
 * minutes for the name of a container. The JDK asks again after 30 s.
 */
@Configuration(proxyBeanMethods = false)
class RedisConfiguration {

	@Bean
	ClientResourcesBuilderCustomizer jdkAddressResolver() {
		return (builder) -> builder.addressResolverGroup(DefaultAddressResolverGroup.INSTANCE);
	}

}
