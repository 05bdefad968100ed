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

package cn.authing.wechat.benchmark;

import java.util.Arrays;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/**
 * The least application with WebFlux and Actuator: starts, counts its beans and ends.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class StartUpApplication {

	public static void main(String[] args) {
		try (ConfigurableApplicationContext context = SpringApplication.run(StartUpApplication.class, args)) {
			String[] names = context.getBeanDefinitionNames();
			long ours = Arrays.stream(names)
				.map(context::getType)
				.filter((type) -> type != null && type != StartUpApplication.class)
				.filter((type) -> type.getName().startsWith("cn.authing."))
				.count();
			System.out.printf("beans: %d, of which the starter's: %d%n", names.length, ours);
		}
	}

}
