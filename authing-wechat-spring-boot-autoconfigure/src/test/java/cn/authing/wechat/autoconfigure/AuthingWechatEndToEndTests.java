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

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingServer;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The starter as an application has it, between an Authing and a WeChat on loopback.
 */
class AuthingWechatEndToEndTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(30);

	private final FakeWechat wechat = FakeWechat.start();

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void thousandFirstCallersCauseOneRequestAndAllLaterOnesNone() {
		CountDownLatch callersAreWaiting = new CountDownLatch(1);
		try (AuthingServer authing = new AuthingServer((socket) -> {
			await(callersAreWaiting);
			AuthingServer.token("the-token").write(socket);
		})) {
			run(authing, (context) -> {
				WechatMpTokenService tokens = context.getBean(WechatMpTokenService.class);
				List<String> answers = Flux.range(0, 1000)
					.flatMap((caller) -> tokens.getAccessToken().subscribeOn(Schedulers.parallel()), 1000)
					.map((token) -> token.accessToken())
					.doOnSubscribe((subscription) -> Schedulers.boundedElastic().schedule(callersAreWaiting::countDown))
					.collectList()
					.block(TIMEOUT);
				assertThat(answers).hasSize(1000).containsOnly("the-token");
				for (int caller = 0; caller < 10_000; caller++) {
					assertThat(tokens.getAccessTokenSync().accessToken()).isEqualTo("the-token");
				}
				assertThat(authing.requests()).hasSize(1);
				assertThat(authing.request().method()).isEqualTo("POST");
				assertThat(authing.request().path()).isEqualTo("/api/v3/get-wechat-access-token");
				assertThat(authing.request().headers()).containsEntry("x-authing-app-id", "the-app");
				assertThat(authing.request().body()).isEqualTo("{\"appId\":\"wx1\",\"appSecret\":\"the-secret\"}");
			});
		}
	}

	@Test
	void callsThatMeetADeadTokenRecoverWithOneFetch() {
		this.wechat.acceptOnly("second");
		try (AuthingServer authing = new AuthingServer(AuthingServer.token("first"), AuthingServer.token("second"))) {
			run(authing, (context) -> {
				assertThat(context.getBean(WechatMpTokenService.class).getAccessTokenSync().accessToken())
					.isEqualTo("first");
				WebClient client = WebClient.builder()
					.baseUrl(this.wechat.url())
					.filter(context.getBean(WechatMpTokenExchangeFilterFunction.class))
					.build();
				List<String> answers = Flux.range(0, 200)
					.flatMap((call) -> client.get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class),
							200)
					.collectList()
					.block(TIMEOUT);
				assertThat(answers).hasSize(200).allMatch((answer) -> answer.contains("ip_list"));
				assertThat(authing.requests()).hasSize(2);
				assertThat(this.wechat.requests()).hasSizeLessThanOrEqualTo(400);
			});
		}
	}

	@Test
	void nextCallAfterTheBackOffWorksOnceAuthingDoes() {
		try (AuthingServer authing = new AuthingServer(AuthingServer.answer(503, "down"),
				AuthingServer.token("the-token"))) {
			run(authing, (context) -> {
				WechatMpTokenService tokens = context.getBean(WechatMpTokenService.class);
				assertThatExceptionOfType(AuthingTransportException.class).isThrownBy(tokens::getAccessTokenSync)
					.satisfies((failure) -> assertThat(failure.isRetryable()).isTrue());
				assertThat(tokens.refreshAccessToken().block(TIMEOUT)).extracting("accessToken").isEqualTo("the-token");
				assertThat(tokens.getAccessTokenSync().accessToken()).isEqualTo("the-token");
				assertThat(authing.requests()).hasSize(2);
			});
		}
	}

	private void run(AuthingServer authing, ContextConsumer<AssertableApplicationContext> consumer) {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, JacksonAutoConfiguration.class,
					HttpClientAutoConfiguration.class, ReactiveHttpClientAutoConfiguration.class,
					WebClientAutoConfiguration.class, AuthingClientAutoConfiguration.class,
					AuthingWechatAutoConfiguration.class, AuthingWechatWebClientAutoConfiguration.class))
			.withPropertyValues("authing.app-id=the-app", "authing.app-secret=the-app-secret",
					"authing.app-host=" + authing.uri(), "authing.retry.max-attempts=1", "authing.wechat.app-id=wx1",
					"authing.wechat.app-secret=the-secret", "authing.wechat.api.hosts=" + this.wechat.host())
			.run(consumer);
	}

	private static void await(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
