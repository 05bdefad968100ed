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

import java.time.Duration;

import io.lettuce.core.SocketOptions.KeepAliveOptions;
import io.lettuce.core.SocketOptions.TcpUserTimeoutOptions;
import io.netty.resolver.DefaultAddressResolverGroup;

import org.springframework.boot.data.redis.autoconfigure.ClientResourcesBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientOptionsBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Finds a Redis that has come back with another address, or behind a network that had
 * lost the connection without a word. Beside Reactor Netty, the Redis client looks names
 * up with Netty, which keeps an address for as long as DNS allows: ten minutes for the
 * name of a container. The JDK asks again after 30 s. Linux waits 15 minutes for an
 * answer from the network, and for ever where nothing is sent, as on the connection of a
 * subscription.
 */
@Configuration(proxyBeanMethods = false)
class RedisConfiguration {

	@Bean
	ClientResourcesBuilderCustomizer jdkAddressResolver() {
		return (builder) -> builder.addressResolverGroup(DefaultAddressResolverGroup.INSTANCE);
	}

	@Bean
	LettuceClientOptionsBuilderCustomizer lostConnections() {
		Duration patience = Duration.ofSeconds(10);
		KeepAliveOptions keepAlive = KeepAliveOptions.builder()
			.enable()
			.idle(patience)
			.interval(patience.dividedBy(3))
			.count(3)
			.build();
		TcpUserTimeoutOptions answers = TcpUserTimeoutOptions.builder().enable().tcpUserTimeout(patience).build();
		return (options) -> options.socketOptions(
				options.build().getSocketOptions().mutate().keepAlive(keepAlive).tcpUserTimeout(answers).build());
	}

}
