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
package com.example;

import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.Callable;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpTokenState;

import static com.example.Loopback.check;

/**
 * Two instances that share their tokens in Redis, with whatever client of Redis the
 * application has: argument {@code expected.factory} tells which one.
 */
@EnableAutoConfiguration
public class FleetConsumer {

	public static void main(String[] args) throws Exception {
		try (Loopback authing = new Loopback();
				ConfigurableApplicationContext first = authing.run(FleetConsumer.class, args);
				ConfigurableApplicationContext second = authing.run(FleetConsumer.class, args)) {
			String factory = first.getBean(ReactiveRedisConnectionFactory.class).getClass().getSimpleName();
			check("factory", factory.equals(first.getEnvironment().getProperty("expected.factory")), factory);
			WechatMpTokenService tokens = first.getBean(WechatMpTokenService.class);
			String token = tokens.getAccessTokenSync().accessToken();
			WechatMpTokenService others = second.getBean(WechatMpTokenService.class);
			check("shared", others.getAccessTokenSync().accessToken().equals(token), token);
			check("requests", authing.requests() == 1, authing.requests());
			awaitListeners(first.getEnvironment().getRequiredProperty("spring.data.redis.port", int.class));
			check("invalidate", tokens.invalidate(token), tokens);
			WechatMpAccountRegistry registry = second.getBean(WechatMpAccountRegistry.class);
			await("told of the rejection", () -> registry.status("default").state() == WechatMpTokenState.EXPIRED);
			check("another", !tokens.getAccessTokenSync().accessToken().equals(token), token);
			await("adopted", () -> registry.status("default").state() == WechatMpTokenState.FRESH);
			check("shared again", others.getAccessTokenSync().equals(tokens.getAccessTokenSync()), others);
			check("requests after the rejection", authing.requests() == 2, authing.requests());
		}
		Loopback.succeed(FleetConsumer.class);
	}

	// What is told before an instance listens does not reach it.
	private static void awaitListeners(int port) throws Exception {
		try (Socket redis = new Socket(InetAddress.getLoopbackAddress(), port)) {
			byte[] answer = new byte[1024];
			await("listening", () -> {
				redis.getOutputStream().write("PUBSUB NUMSUB authing:wechat:changes\r\n".getBytes());
				return new String(answer, 0, redis.getInputStream().read(answer)).endsWith(":2\r\n");
			});
		}
	}

	private static void await(String what, Callable<Boolean> condition) throws Exception {
		long end = System.nanoTime() + Loopback.LIMIT.toNanos();
		while (!condition.call()) {
			check(what, System.nanoTime() < end, "not in time");
			Thread.sleep(10);
		}
	}

}
