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

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;

import cn.authing.wechat.WechatMpTokenService;

import static com.example.Loopback.check;

/**
 * A job on the command line. Closes nothing and calls no {@code System.exit}: the JVM must
 * end by itself soon after the last line.
 */
@EnableAutoConfiguration
public class JobConsumer {

	public static void main(String[] args) throws Exception {
		try (Loopback authing = new Loopback()) {
			String type = authing.run(JobConsumer.class, args)
				.getEnvironment()
				.getProperty("spring.main.web-application-type");
			check("type", "none".equals(type), type);
		}
		Loopback.succeed(JobConsumer.class);
	}

	@Bean
	CommandLineRunner job(WechatMpTokenService tokens) {
		return (args) -> {
			String token = tokens.getAccessTokenSync().accessToken();
			check("token", token.equals("wx1-token-1"), token);
		};
	}

}
