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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests for what an application that cannot start says, and for what one that starts says
 * about its configuration.
 */
@ExtendWith(OutputCaptureExtension.class)
class FailureAnalysisTests {

	private static final String SECRET = "s3cr3t-0123456789";

	private static final List<String> REQUIRED = List.of("--authing.app-id=app", "--authing.app-secret=" + SECRET,
			"--authing.app-host=https://localhost:1", "--logging.level.org.springframework.boot=DEBUG");

	@TempDir
	private Path directory;

	@ParameterizedTest
	@ValueSource(strings = { "authing.wechat.cache.redis.encryption-keys[1]=" + SECRET,
			"authing.wechat.cache.redis.encryption-keys.first=" + SECRET, "authing.headers=" + SECRET,
			"authing.headers[0].name=" + SECRET + " ", "authing.wechat.accounts=" + SECRET,
			"authing.wechat.accounts.app-secret=" + SECRET, "authing.wechat.accounts[0]=" + SECRET,
			"authing.wechat.accounts.shop.app-secret[0]=" + SECRET, "authing.app-secret.value=" + SECRET,
			"authing.wechat.app-secret=${a${" + SECRET + "}", "authing.app-secret=" + SECRET + "${authing.app-secret}",
			"authing.wechat.cache.redis=" + SECRET, "authing.wechat=" + SECRET })
	void misboundSecretShouldNotBeShown(String argument, CapturedOutput output) {
		try (ConfigurableApplicationContext context = run("--" + argument)) {
			assertThat(context.isActive()).isTrue();
		}
		catch (RuntimeException ex) {
			assertThat(output).contains("APPLICATION FAILED TO START").contains("authing.");
		}
		assertThat(output).doesNotContain(SECRET);
	}

	@Test
	void keyThatIsNotAsciiShouldBeAdvisedToGoIntoBrackets(CapturedOutput output) {
		assertThatException().isThrownBy(() -> runWithYaml("""
				authing:
				  wechat:
				    accounts:
				      旗舰店:
				        app-id: wx1
				        app-secret: s3cr3t-0123456789
				"""));
		assertThat(output).contains("APPLICATION FAILED TO START", "in YAML, write the name as \"[旗舰店]\"",
				"(set in URL [file:", "application.yaml] - 5:17)");
		assertThat(output).doesNotContain(SECRET);
	}

	@Test
	void keysThatDifferInWhatIsLeftOutShouldBeAdvisedToGoIntoBrackets(CapturedOutput output) {
		assertThatException().isThrownBy(() -> runWithYaml("""
				authing:
				  wechat:
				    accounts:
				      上海shop:
				        app-id: wx1
				        app-secret: s3cr3t-0123456789
				      北京 shop:
				        app-id: wx2
				        app-secret: s3cr3t-0123456789
				      "[南京 shop]":
				        app-id: wx3
				        app-secret: s3cr3t-0123456789
				"""));
		assertThat(output)
			.contains("authing.wechat.accounts.上海shop.app-id would be read as authing.wechat.accounts.shop.app-id",
					"application.yaml] - 5:17)", "authing.wechat.accounts.北京 shop.app-secret would be read as",
					"such as authing.wechat.accounts[旗舰店].app-id")
			.doesNotContain("南京", SECRET);
	}

	@Test
	void keysThatAreOneForSpringBootShouldBeReported(CapturedOutput output) {
		assertThatException().isThrownBy(() -> runWithYaml("""
				authing:
				  wechat:
				    accounts:
				      my_shop:
				        app-id: wx1
				        app-secret: s3cr3t-0123456789
				      my-shop:
				        app-id: wx2
				        app-secret: s3cr3t-0123456789
				"""));
		assertThat(output)
			.contains("app-id is written twice, with other capitals, hyphens or underscores (set in URL [file:",
					"Choose names of accounts that differ in more than that.")
			.doesNotContain(SECRET);
	}

	@Test
	void keyWithDotShouldBeAdvisedToGoIntoBrackets(CapturedOutput output) {
		assertThatException().isThrownBy(() -> runWithYaml("""
				authing:
				  wechat:
				    accounts:
				      Shop.A:
				        app-id: wx1
				        app-secret: s3cr3t-0123456789
				"""));
		assertThat(output).contains("belongs to no account, since a dot ends the account's name",
				"Write authing.wechat.accounts[Shop.A].app-id; in YAML, write the name as \"[Shop.A]\".");
	}

	@Test
	void secretThatYamlReadsAsAnotherValueShouldBeReported(CapturedOutput output) {
		assertThatException().isThrownBy(() -> runWithYaml("""
				authing:
				  wechat:
				    app-id: wx42
				    app-secret: 0123456
				"""));
		assertThat(output)
			.contains("authing.wechat.app-secret may not be read as it is written", "Put the value in quotes.")
			.doesNotContain("authing.wechat.app-id", "42798");
	}

	@Test
	void durationThatCannotBeReadShouldBeAdvisedToHaveAUnit(CapturedOutput output) {
		assertThatException().isThrownBy(() -> runWithYaml("""
				authing:
				  wechat:
				    cache:
				      refresh-ahead: 5min
				"""));
		assertThat(output).contains("authing.wechat.cache.refresh-ahead is '5min', which is not a duration (set in ",
				"application.yaml] - 4:22).", "Write a whole number and its unit: 500ms, 10s, 5m or 2h.");
	}

	@Test
	void propertiesInAnotherPlaceShouldBeReported(CapturedOutput output) throws IOException {
		runWithYaml("""
				wechat:
				  app-id: wx1
				  accounts.shop.app-id: wx2
				  message: hello
				spring.authing.lang: en-US
				spring.authing.app-id: set
				staging.authing.wechat.api.hosts[0]: proxy.example.com
				authing.wechat.api.hosts[0]: api.weixin.qq.com
				""").close();
		assertThat(output).containsOnlyOnce("Configuration properties that nothing of Authing's reads")
			.contains("wechat.app-id (did you mean authing.wechat.app-id?)",
					"wechat.accounts.shop.app-id (did you mean authing.wechat.accounts.shop.app-id?)",
					"spring.authing.lang (did you mean authing.lang?)")
			.doesNotContain("wechat.message", "spring.authing.app-id", "staging");
	}

	@Test
	void propertiesInAnotherPlaceThatAreReadFromThereShouldNotBeReported(CapturedOutput output) throws IOException {
		runWithYaml("""
				wechat:
				  app-id: wx1
				  app-secret: s3cr3t
				authing:
				  wechat:
				    app-id: ${wechat.app-id}
				    app-secret: ${wechat.app-secret}
				""").close();
		assertThat(output).doesNotContain("Configuration properties that nothing of Authing's reads");
	}

	@Test
	void unknownPropertiesShouldBeOneWarningWithWhatIsMeant(CapturedOutput output) {
		run("--authing.app-hosts=x", "--authing.wechat.cache.refresh-ahed=1m", "--authing.wechat.keep-warm=true",
				"--authing.wechat.app-host=https://x", "--authing.wechat.nonsense=1", "--authing.user-pool-id=mine",
				"--authing.headers.x-any=1")
			.close();
		assertThat(output.toString()
			.lines()
			.filter((line) -> line.contains("Configuration properties that nothing of Authing's reads")))
			.singleElement()
			.asString()
			.contains("authing.app-hosts (did you mean authing.app-host?)",
					"authing.wechat.cache.refresh-ahed (did you mean authing.wechat.cache.refresh-ahead?)",
					"authing.wechat.keep-warm (did you mean authing.wechat.cache.keep-warm?)",
					"authing.wechat.app-host (did you mean authing.app-host?)", "authing.wechat.nonsense")
			.doesNotContain("user-pool-id", "x-any", "wxjava");
	}

	@Test
	void whatIsMeantShouldBeNeitherAnotherAccountNorAGroupOfProperties(CapturedOutput output) {
		run("--authing.wechat.accounts.first.app-id=wx1", "--authing.wechat.accounts.first.app-secret=" + SECRET,
				"--authing.wechat.acounts.shop.app-id=wx2", "--authing.wechat.stall.app-secret=" + SECRET,
				"--authing.wechat.accounts.second.app-id=wx3", "--authing.wechat.accounts.second.app-secret=" + SECRET,
				"--authing.wechat.accounts.second.app-idd=wx3", "--authing.wechat.foo=1", "--authing.host=x")
			.close();
		assertThat(output)
			.contains("authing.wechat.acounts.shop.app-id (did you mean authing.wechat.accounts.shop.app-id?)",
					"authing.wechat.stall.app-secret (did you mean authing.wechat.accounts.stall.app-secret?)",
					"authing.wechat.accounts.second.app-idd (did you mean authing.wechat.accounts.second.app-id?)",
					"authing.wechat.foo")
			.doesNotContain("foo (did", "authing.host (did");
	}

	@Test
	void valueThatIsNotUsedShouldNotBeLookedAt() throws IOException {
		String yaml = """
				authing:
				  app-secret: 123456
				""";
		Path file = Files.writeString(this.directory.resolve("application.yaml"), yaml);
		run("--spring.config.location=" + file, "--authing.app-secret=" + SECRET).close();
	}

	@Test
	void startShouldSayWhatIsUsedInOneLine(CapturedOutput output) {
		run("--authing.wechat.accounts.shop.app-id=wx2", "--authing.wechat.accounts.shop.app-secret=" + SECRET).close();
		assertThat(output).containsOnlyOnce("WeChat access tokens are fetched from https://localhost:1 for "
				+ "default (app), shop (wx2); store: local; no authing.wechat.app-id: the Authing application's own "
				+ "pair is used");
		assertThat(output).doesNotContain(SECRET);
	}

	@Test
	void blankAppIdOfDefaultAccountShouldBeReported(CapturedOutput output) {
		assertThatException()
			.isThrownBy(() -> run("--authing.wechat.app-id=", "--authing.wechat.app-secret=" + SECRET));
		assertThat(output).contains("authing.wechat.app-id is blank",
				"Remove both authing.wechat.app-id and authing.wechat.app-secret to send the pair");
	}

	@Test
	void appSecretOfAuthingShouldOnlyBeNeededInPlaceOfWechatAccount() {
		SpringApplication application = new SpringApplication(Application.class);
		application.setWebApplicationType(WebApplicationType.NONE);
		application
			.run("--authing.app-id=app", "--authing.app-host=https://localhost:1", "--authing.wechat.app-id=wx1",
					"--authing.wechat.app-secret=" + SECRET)
			.close();
	}

	@Test
	void failFastShouldAnalyzeWhatAuthingAnswered(CapturedOutput output) {
		try (AuthingServer server = new AuthingServer(AuthingServer
			.json("{\"statusCode\":602,\"message\":\"no\",\"requestId\":\"request-7\",\"apiCode\":40125}"))) {
			assertThatException().isThrownBy(() -> run("--authing.app-host=" + server.uri(),
					"--authing.wechat.fail-fast=true", "--authing.retry.max-attempts=1"));
		}
		assertThat(output).contains("APPLICATION FAILED TO START", "statusCode: 602", "apiCode: 40125",
				"requestId: request-7", "authing.wechat.app-id", "remove authing.wechat.fail-fast");
		assertThat(output).doesNotContain(SECRET);
	}

	@Test
	void failFastShouldLeaveOutWhatAuthingDidNotSend(CapturedOutput output) {
		try (AuthingServer server = new AuthingServer(AuthingServer.json("{\"statusCode\":602,\"message\":\"no\"}"))) {
			assertThatException().isThrownBy(() -> run("--authing.app-host=" + server.uri(),
					"--authing.wechat.fail-fast=true", "--authing.retry.max-attempts=1"));
		}
		assertThat(output).contains("    statusCode: 602", "    retryable: ")
			.doesNotContain("apiCode: ", "requestId: ");
	}

	@Test
	void failFastShouldStartWithToken() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			run("--authing.app-host=" + server.uri(), "--authing.wechat.fail-fast=true").close();
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@CsvSource({ "false,false", "yes,yes", "'',blank" })
	void missingBeanShouldBeAnalyzedWhenSwitchedOff(String value, String shown, CapturedOutput output) {
		assertThatException().isThrownBy(() -> start(Consumer.class, "--authing.wechat.enabled=" + value));
		assertThat(output)
			.contains("which does not exist, since authing.wechat.enabled is " + shown,
					WechatMpTokenService.class.getName(), "Remove authing.wechat.enabled",
					"To do without Authing, remove "
							+ "authing.wechat.enabled and define a WechatMpTokenService of your own")
			.doesNotContain("Consider defining");
	}

	private ConfigurableApplicationContext runWithYaml(String yaml) throws IOException {
		Path file = Files.writeString(this.directory.resolve("application.yaml"), yaml);
		return run("--spring.config.location=" + file);
	}

	private static ConfigurableApplicationContext run(String... arguments) {
		return start(Application.class, arguments);
	}

	private static ConfigurableApplicationContext start(Class<?> source, String... arguments) {
		SpringApplication application = new SpringApplication(source);
		application.setWebApplicationType(WebApplicationType.NONE);
		List<String> all = new ArrayList<>();
		for (String argument : REQUIRED) {
			String name = argument.substring(0, argument.indexOf('=') + 1);
			if (Arrays.stream(arguments).noneMatch((other) -> other.startsWith(name))) {
				all.add(argument);
			}
		}
		return application.run(Stream.concat(all.stream(), Arrays.stream(arguments)).toArray(String[]::new));
	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class })
	static class Application {

	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class })
	static class Consumer {

		@Bean
		StringBuilder consumer(WechatMpTokenService service) {
			return new StringBuilder(service.accountNames().toString());
		}

	}

}
