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
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.test.ForkedJvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests that a whole application lets no secret and no token out, whatever is logged and
 * whatever goes wrong.
 */
class ApplicationSecretsTests {

	@Test
	void runWhenEverythingIsLoggedShouldLetNoSecretOut(@TempDir Path secrets, @TempDir Path work) throws IOException {
		// The files that an orchestrator mounts
		Files.writeString(secrets.resolve("authing.app-secret"), TalkativeApplication.APP_SECRET);
		Files.writeString(secrets.resolve("authing.wechat.app-secret"), TalkativeApplication.WECHAT_SECRET);
		Files.writeString(secrets.resolve("authing.wechat.accounts.shop.app-secret"),
				TalkativeApplication.WECHAT_SECRET);
		Files.writeString(secrets.resolve("authing.headers.authorization"),
				"Bearer " + TalkativeApplication.GATEWAY_SECRET);
		String output = new ForkedJvm(work).run(TalkativeApplication.class,
				"--spring.config.import=configtree:" + secrets + "/", "--logging.level.root=TRACE", "--debug",
				"--spring.main.web-application-type=none", "--authing.app-id=app", "--authing.wechat.app-id=wx1",
				"--authing.wechat.accounts.shop.app-id=wx2", "--authing.timeout=8s",
				"--authing.retry.initial-backoff=1ms", "--spring.http.codecs.log-request-details=true");
		assertThat(output.lines()
			.filter((line) -> TalkativeApplication.SECRET_BEGINNINGS.stream().anyMatch(line::contains))).isEmpty();
		assertThat(output).contains("a first token: WechatMpAccessToken[accessToken=***",
				"another token: WechatMpAccessToken[accessToken=***",
				"a valid token: WechatMpAccessToken[accessToken=***", "refused: cn.authing.wechat.AuthingApiException",
				"html: cn.authing.wechat.AuthingResponseException",
				"gateway: cn.authing.wechat.AuthingTransportException",
				"redirected: cn.authing.wechat.AuthingTransportException",
				"broken: cn.authing.wechat.AuthingTransportException",
				"reset: cn.authing.wechat.AuthingTransportException",
				"silent: cn.authing.wechat.AuthingTransportException", "a failed refresh: cn.authing.wechat.Authing",
				"a closed service: java.lang.IllegalStateException");
		assertThat(output).contains("CONDITIONS EVALUATION REPORT", "ExchangeFunctions", "reactor.netty.http.client",
				"Observation name='http.client.requests'", "Meter MeterId{name='authing.wechat.token.fetch'",
				"Bean authingWechatMpTokenService");
	}

	@ParameterizedTest
	@ExtendWith(OutputCaptureExtension.class)
	@ValueSource(strings = { "authing.app-id=", "authing.app-secret= AppSecret-0123456789",
			"authing.app-secret=AppSecret- 0123456789", "authing.wechat.app-secret=WechatSecr-0123456789",
			"authing.wechat.accounts.shop.app-secret=WechatSecr-\u00e9",
			"authing.wechat.accounts.shop=WechatSecr-0123456789", "authing.wechat.accounts=wx1:WechatSecr-0123456789",
			"authing.headers.authorization=Gateway-0123456789\n", "authing.headers=Gateway-0123456789",
			"authing.app-host=https://user:Gateway-0123456789@example.authing.cn",
			"authing.app-host=https://example.authing.cn?key=Gateway-0123456789",
			"authing.app-host=https://user:Gateway-0123456789 @example.authing.cn", "authing.ssl.bundle=unknown" })
	void startWhenPropertyIsBadShouldNameItAndShowNoSecret(String property, CapturedOutput output) {
		List<String> properties = List.of("--spring.main.web-application-type=none", "--authing.app-id=app",
				"--authing.app-secret=" + TalkativeApplication.APP_SECRET,
				"--authing.app-host=https://example.authing.cn",
				"--authing.headers.authorization=" + TalkativeApplication.GATEWAY_SECRET);
		String name = property.substring(0, property.indexOf('='));
		String[] arguments = Stream
			.concat(properties.stream().filter((argument) -> !argument.startsWith("--" + name)),
					Stream.of("--" + property))
			.toArray(String[]::new);
		assertThatException().isThrownBy(() -> SpringApplication.run(Application.class, arguments));
		assertThat(output).contains("APPLICATION FAILED TO START", name)
			.doesNotContain(TalkativeApplication.SECRET_BEGINNINGS);
	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ AuthingClientAutoConfiguration.class, AuthingWechatAutoConfiguration.class })
	static class Application {

	}

}
