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

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingServer;
import cn.authing.wechat.test.ForkedJvm;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the classes that an application loads: none of a feature that it does not
 * use.
 */
class LoadedClassesTests {

	private static final Pattern OPTIONAL_JARS = Pattern.compile("(httpclient|jedis|lettuce|micrometer-core|weixin"
			+ "|wx-java|spring-boot-(actuator|data-redis|health|micrometer|restclient|tomcat|webmvc)|spring-data-redis|tomcat).*");

	private static final String CAFFEINES_GENERATED = "com\\.github\\.benmanes\\.caffeine\\.cache\\.[A-Z]{3,}";

	private static final String RUN_TIME_ACCOUNT = "--run-time-account";

	private static final Pattern LOADED = Pattern.compile("(?m)^\\[.*?] (\\S+) source: ");

	@TempDir
	Path directory;

	@Test
	void startWhenOptionalJarsAreAbsentShouldLoadNoneOfTheirFeatures() throws IOException {
		Set<String> classes = run(true);
		assertThat(classes).contains("cn.authing.wechat.token.DefaultWechatMpTokenService")
			.filteredOn((name) -> name.matches("cn\\.authing\\.wechat\\.(actuate|redis|wxjava)\\..*"))
			.isEmpty();
	}

	@Test
	void startWhenOptionalFeaturesAreOffShouldLoadNoneOfThem() throws IOException {
		Set<String> classes = run(false, "--authing.wechat.wxjava.enabled=false",
				"--management.health.authing-wechat.enabled=false");
		assertThat(classes).contains("cn.authing.wechat.token.DefaultWechatMpTokenService")
			.filteredOn((name) -> name
				.matches("cn\\.authing\\.wechat\\.(redis|wxjava)\\..*|me\\.chanjar\\..*|cn\\.binarywang\\..*|"
						+ CAFFEINES_GENERATED))
			// What conditions ask for
			.isSubsetOf("me.chanjar.weixin.common.error.WxRuntimeException");
	}

	@Test
	void startWhenSwitchedOffShouldLoadNothing() throws IOException {
		Set<String> classes = run(false, "--authing.wechat.enabled=false");
		// Conditions ask for the service
		assertThat(classes)
			.filteredOn((name) -> name.matches(
					"cn\\.authing\\.wechat\\.((actuate|redis|http|wxjava)\\..*|client\\.Default.*|token\\.Token.*)"))
			.isEmpty();
	}

	@Test
	void startShouldLoadOfCaffeinesGeneratedClassesOnlyThoseWithHints() throws IOException {
		assertThat(run(true, RUN_TIME_ACCOUNT)).filteredOn((name) -> name.matches(CAFFEINES_GENERATED))
			.containsExactlyInAnyOrder("com.github.benmanes.caffeine.cache.SSMS",
					"com.github.benmanes.caffeine.cache.PSMS");
	}

	private Set<String> run(boolean withoutOptionalJars, String... arguments) throws IOException {
		Path log = this.directory.resolve("classes.txt");
		new ForkedJvm(this.directory).withOption("-Xlog:class+load:file=" + log)
			.withClassPath((jar) -> !withoutOptionalJars || !OPTIONAL_JARS.matcher(jar).matches())
			.run(Application.class, arguments);
		return LOADED.matcher(Files.readString(log))
			.results()
			.map((result) -> result.group(1))
			.collect(Collectors.toSet());
	}

	/**
	 * The plainest application there is. Gets a token of the default account or of one
	 * known at run time only, unless the starter is switched off.
	 */
	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(excludeName = { "com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
			"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
	static class Application {

		public static void main(String[] arguments) {
			try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
				System.setProperty("authing.app-host", server.uri().toString());
				System.setProperty("authing.app-id", "app");
				System.setProperty("authing.app-secret", "secret");
				System.setProperty("spring.main.web-application-type", "none");
				try (ConfigurableApplicationContext context = SpringApplication.run(Application.class, arguments)) {
					List<String> accessTokens = context.getBeanProvider(WechatMpTokenService.class)
						.stream()
						.map((service) -> List.of(arguments).contains(RUN_TIME_ACCOUNT)
								? service.account(new WechatMpCredentials("wx1", "secret")) : service)
						.map((tokens) -> tokens.getAccessTokenSync().accessToken())
						.toList();
					assertThat(accessTokens)
						.hasSize(List.of(arguments).contains("--authing.wechat.enabled=false") ? 0 : 1);
				}
			}
		}

	}

}
