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

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.config.ConfigDataEnvironmentPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;

/**
 * Activates profile {@code demo} when the environment knows nothing of an Authing or a
 * WeChat account. As soon as one setting is there the real ones are meant, and what is
 * missing is for the starter to report.
 * <p>
 * Also lets {@code WECHAT_APP_ID} and {@code WECHAT_APP_SECRET} stand for the longer
 * names that the starter binds.
 */
final class DemoEnvironmentPostProcessor implements EnvironmentPostProcessor, Ordered {

	static final String PROFILE = "demo";

	// Whoever says where more configuration is, such as files with secrets, means the
	// real ones: what is in there is not known yet.
	private static final List<String> REAL = List.of("authing.app-id", "authing.app-secret", "authing.app-host",
			"spring.config.import", "spring.config.additional-location", "spring.config.location");

	private static final Map<String, String> ALIASES = Map.of("WECHAT_APP_ID", "authing.wechat.app-id",
			"WECHAT_APP_SECRET", "authing.wechat.app-secret");

	@Override
	public void postProcessEnvironment(ConfigurableEnvironment environment, SpringApplication application) {
		Map<String, Object> aliased = new LinkedHashMap<>();
		ALIASES.forEach((alias, name) -> {
			String value = environment.getProperty(alias);
			if (value != null) {
				aliased.put(name, value);
			}
		});
		environment.getPropertySources().addLast(new MapPropertySource("wechatAccount", aliased));
		// What is built ahead of time must serve both: nobody knows yet where it will
		// run.
		boolean buildTime = Boolean.getBoolean("spring.aot.processing");
		if (!buildTime && aliased.isEmpty() && REAL.stream().noneMatch(environment::containsProperty)) {
			environment.addActiveProfile(PROFILE);
		}
	}

	/**
	 * Run before the configuration files are read: the profile decides which.
	 */
	@Override
	public int getOrder() {
		return ConfigDataEnvironmentPostProcessor.ORDER - 1;
	}

}
