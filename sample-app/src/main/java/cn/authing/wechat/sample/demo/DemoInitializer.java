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

package cn.authing.wechat.sample.demo;

import java.time.Duration;
import java.time.InstantSource;
import java.util.stream.Stream;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.Profiles;

/**
 * Starts the {@link Demo} in profile {@code demo}, before any bean reads where Authing
 * is, and stops it after the last bean is gone. Not a bean definition, so that what was
 * built ahead of time can run with and without it.
 */
final class DemoInitializer implements ApplicationContextInitializer<GenericApplicationContext> {

	private static final Log logger = LogFactory.getLog(DemoInitializer.class);

	@Override
	public void initialize(GenericApplicationContext context) {
		if (!context.getEnvironment().acceptsProfiles(Profiles.of(DemoEnvironmentPostProcessor.PROFILE))) {
			return;
		}
		ConfigurableEnvironment environment = context.getEnvironment();
		Demo demo = Demo.start(InstantSource.system(), tokenLife(environment), startRedis(environment));
		DefaultListableBeanFactory beanFactory = context.getDefaultListableBeanFactory();
		beanFactory.registerSingleton("demo", demo);
		beanFactory.registerDisposableBean("demo", demo::stop);
		// First, so that the demo is never half real.
		environment.getPropertySources().addFirst(new MapPropertySource("demo", demo.properties()));
		logger.info("Running the demo with an Authing and a WeChat of its own. For the real ones set AUTHING_APP_ID,"
				+ " AUTHING_APP_SECRET and AUTHING_APP_HOST.");
	}

	// The demo's clock may run faster in a test.
	private static Duration tokenLife(ConfigurableEnvironment environment) {
		String life = environment.getProperty("sample.demo.token-life");
		return (life != null) ? DurationStyle.detectAndParse(life) : EmbeddedWechat.TOKEN_LIFE;
	}

	// A Redis that was configured is used as it is.
	private static @Nullable EmbeddedRedis startRedis(ConfigurableEnvironment environment) {
		boolean configured = Stream.of("host", "port", "url")
			.anyMatch((name) -> environment.containsProperty("spring.data.redis." + name));
		return (!configured && environment.acceptsProfiles(Profiles.of("redis"))) ? EmbeddedRedis.startIfInstalled()
				: null;
	}

}
