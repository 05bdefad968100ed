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

package cn.authing.wechat.actuate;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

import brave.handler.MutableSpan;
import brave.handler.SpanHandler;
import brave.propagation.TraceContext;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.test.FakeAuthing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * How the calls of Authing appear in traces and in the metrics of Boot's client
 * observations, in an application that propagates its context everywhere.
 */
class TracingTests {

	private static final String OPERATION = "/api/v3/get-wechat-access-token";

	private final FakeAuthing authing = FakeAuthing.start();

	@AfterEach
	void stop() {
		this.authing.close();
		Hooks.disableAutomaticContextPropagation();
	}

	@Test
	void fetchThatCallersWaitForShouldBeTraceOfItsOwn() {
		try (ConfigurableApplicationContext context = start()) {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			String blocking = inRequest(context, () -> service.getAccessTokenSync());
			service.invalidate(FakeAuthing.TOKEN + 1);
			String reactive = inRequest(context, () -> service.getAccessToken().block());
			String refresh = inRequest(context, () -> service.refreshAccessToken().block());
			assertThat(awaitFetches(context, 3)).allSatisfy((span) -> {
				assertThat(span.parentId()).isNull();
				assertThat(span.traceId()).isNotIn(blocking, reactive, refresh);
			}).extracting(MutableSpan::traceId).doesNotHaveDuplicates();
		}
	}

	@Test
	void fetchInBackgroundShouldBeTraceOfItsOwn() {
		this.authing.answerWithTokens(Duration.ofMillis(1500));
		try (ConfigurableApplicationContext context = start("--authing.wechat.cache.expiry-margin=1ms")) {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.getAccessTokenSync();
			ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();
			Awaitility.await().pollInterval(Duration.ofMillis(20)).until(() -> {
				requests.add(inRequest(context, () -> service.getAccessToken().block()));
				return this.authing.requests() > 1;
			});
			assertThat(awaitFetches(context, 2)).allSatisfy((span) -> {
				assertThat(span.parentId()).isNull();
				assertThat(requests).doesNotContain(span.traceId());
			});
		}
	}

	@Test
	void callOfTheApplicationItselfShouldBePartOfItsTrace() {
		try (ConfigurableApplicationContext context = start()) {
			WebClient client = context.getBean(WebClient.Builder.class)
				.baseUrl(String.valueOf(context.getEnvironment().getProperty("authing.app-host")))
				.build();
			String request = inRequest(context,
					() -> client.post().uri(OPERATION).retrieve().toBodilessEntity().block());
			assertThat(awaitFetches(context, 1)).extracting(MutableSpan::traceId).containsExactly(request);
		}
	}

	@Test
	void fetchShouldHaveNameAndTemplateOfLowCardinalityAndNoSecret() {
		try (ConfigurableApplicationContext context = start()) {
			WechatMpTokenService service = context.getBean(WechatMpTokenService.class);
			service.getAccessTokenSync();
			this.authing.answerWith(FakeAuthing.REFUSAL);
			assertThatExceptionOfType(AuthingException.class).isThrownBy(() -> service.refreshAccessToken().block());
			this.authing.close();
			assertThatExceptionOfType(AuthingException.class).isThrownBy(() -> service.refreshAccessToken().block());
			assertThat(awaitFetches(context, 3)).allSatisfy((span) -> {
				assertThat(span.name()).isEqualTo("http post");
				assertThat(span.tags()).containsEntry("uri", OPERATION).containsEntry("client.name", "localhost");
				assertThat(span.toString() + span.error()).doesNotContain(FakeAuthing.APP_SECRET,
						FakeAuthing.WECHAT_SECRET, FakeAuthing.HEADER, FakeAuthing.TOKEN);
			});
		}
	}

	private ConfigurableApplicationContext start(String... arguments) {
		return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE)
			.properties("spring.reactor.context-propagation=auto", "management.tracing.sampling.probability=1",
					"spring.main.banner-mode=off", "management.health.redis.enabled=false")
			.properties(this.authing.properties())
			.run(arguments);
	}

	/**
	 * Do something as part of a request's trace.
	 * @return the id of the trace
	 */
	private static String inRequest(ConfigurableApplicationContext context, Runnable work) {
		Spans spans = context.getBean(Spans.class);
		Observation request = Observation.createNotStarted("request", context.getBean(ObservationRegistry.class));
		request.observe(() -> Mono.fromRunnable(work).contextCapture().block());
		return spans.named("request").get(spans.named("request").size() - 1).traceId();
	}

	private static List<MutableSpan> awaitFetches(ConfigurableApplicationContext context, int count) {
		Spans spans = context.getBean(Spans.class);
		return Awaitility.await().until(() -> spans.named("http post"), (fetches) -> fetches.size() == count);
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration(
			excludeName = { "com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration",
					"com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration" })
	static class Application {

		@Bean
		Spans spans() {
			return new Spans();
		}

	}

	static class Spans extends SpanHandler {

		private final Collection<MutableSpan> spans = new ConcurrentLinkedQueue<>();

		@Override
		public boolean end(TraceContext context, MutableSpan span, Cause cause) {
			this.spans.add(span);
			return true;
		}

		List<MutableSpan> named(String name) {
			return this.spans.stream().filter((span) -> name.equals(span.name())).toList();
		}

	}

}
