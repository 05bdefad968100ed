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

package cn.authing.wechat.http;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientException;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import org.springframework.web.reactive.function.client.WebClientResponseException;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests that a token is told by nothing that a call leaves behind: exceptions,
 * observations, logs.
 */
class TokenPrivacyTests {

	private static final String TOKEN = "SENSITIVE";

	private final FakeWechat wechat = FakeWechat.start();

	private final StringBuilder observed = new StringBuilder();

	private final ObservationRegistry observations = ObservationRegistry.create();

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/any", "/any?access_token=" + TOKEN })
	void webClientExceptionWhenStatusIsErrorShouldHideToken(String uri) {
		this.wechat.acceptOnly(TOKEN);
		this.wechat.answer("/any", (response) -> response.status(503).sendString(Mono.just("{\"a\":1}")));
		assertThatExceptionOfType(WebClientResponseException.class).isThrownBy(() -> get(webClient(), uri))
			.satisfies(this::assertHidden);
		assertThat(this.wechat.sentTokens()).containsExactly(TOKEN);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/any", "/any?access_token=" + TOKEN })
	void webClientExceptionWhenConnectionFailsShouldHideToken(String uri) {
		this.wechat.close();
		assertThatExceptionOfType(WebClientRequestException.class).isThrownBy(() -> get(webClient(), uri))
			.satisfies(this::assertHidden)
			.satisfies((ex) -> assertThat(ex.getUri().getPath()).isEqualTo("/any"));
	}

	@Test
	void webClientExceptionWhenBodyCannotBeDecodedShouldHideToken() {
		this.wechat.acceptOnly(TOKEN);
		this.wechat.json("/any", "no json");
		assertThatExceptionOfType(Exception.class).isThrownBy(
				() -> webClient().get().uri("/any").retrieve().bodyToMono(Integer.class).block(Duration.ofSeconds(10)))
			.satisfies(this::assertHidden);
	}

	@Test
	void webClientExceptionWhenRaisedByInnerFilterShouldHideToken() {
		this.wechat.acceptOnly(TOKEN);
		this.wechat.answer("/any",
				(response) -> response.status(400)
					.header("Content-Type", "application/json")
					.sendString(Mono.just("{\"a\":1}")));
		WebClient client = webClient(ExchangeFilterFunction
			.ofResponseProcessor((response) -> response.createException().flatMap(Mono::error)));
		assertThatExceptionOfType(WebClientResponseException.BadRequest.class).isThrownBy(() -> get(client, "/any"))
			.satisfies(this::assertHidden)
			.satisfies((ex) -> assertThat(ex.getResponseBodyAs(Object.class)).isEqualTo(Map.of("a", 1)));
	}

	@Test
	void webClientExceptionWhenCauseTellsTokenShouldReplaceCause() {
		WebClient client = webClient((request, next) -> Mono.error(new WebClientRequestException(
				new IllegalStateException("at " + request.url()), request.method(), request.url(), request.headers())));
		assertThatExceptionOfType(WebClientException.class).isThrownBy(() -> get(client, "/any"))
			.withMessageContaining("access_token=***")
			.satisfies(this::assertHidden);
	}

	@Test
	void webClientExceptionWhenReplacedShouldKeepTraceAndWhatWasSuppressed() {
		IOException free = new IOException("free");
		WebClient client = webClient((request, next) -> {
			WebClientRequestException failure = new WebClientRequestException(new IOException("reset"),
					request.method(), request.url(), request.headers());
			failure
				.setStackTrace(new StackTraceElement[] { new StackTraceElement("com.example.Proxy", "call", null, 1) });
			failure.addSuppressed(free);
			failure.addSuppressed(new IOException("at " + request.url()));
			return Mono.error(failure);
		});
		assertThatExceptionOfType(WebClientRequestException.class).isThrownBy(() -> get(client, "/any"))
			.satisfies(this::assertHidden)
			.satisfies((ex) -> assertThat(ex.getStackTrace()[0].getClassName()).isEqualTo("com.example.Proxy"))
			.satisfies((ex) -> assertThat(ex.getSuppressed()).contains(free)
				.anyMatch((suppressed) -> suppressed.toString().contains("access_token=***")));
	}

	/**
	 * Return failures that tell the token, each somewhere else.
	 */
	static Stream<IOException> failuresThatTellToken() {
		IOException told = new IOException("at /any?access_token=" + TOKEN);
		IOException suppressing = new IOException("one");
		suppressing.addSuppressed(new IOException("free"));
		suppressing.addSuppressed(told);
		IOException circle = new IOException("one");
		IOException partOfCircle = new IOException("two", circle);
		circle.initCause(partOfCircle);
		partOfCircle.addSuppressed(told);
		return Stream.of(told, new IOException("one", told), new IOException("one", new IOException("two", told)),
				suppressing, new IOException("one", suppressing), circle);
	}

	@ParameterizedTest
	@MethodSource("failuresThatTellToken")
	void webClientWhenFailureTellsTokenAnywhereShouldReplaceIt(IOException failure) {
		WebClient client = webClient((request, next) -> Mono.error(failure));
		assertThatException().isThrownBy(() -> get(client, "/any")).satisfies(this::assertHidden);
	}

	@ParameterizedTest
	@MethodSource("failuresThatTellToken")
	void restClientWhenFailureTellsTokenAnywhereShouldReplaceIt(IOException failure) {
		StackTraceElement[] trace = failure.getStackTrace();
		assertThatException().isThrownBy(() -> get(restClient((request, body, next) -> {
			throw failure;
		})))
			.satisfies(this::assertHidden)
			.havingRootCause()
			.satisfies((ex) -> assertThat(ex.getStackTrace()).isEqualTo(trace));
	}

	@Test
	void restClientWhenFailureDoesNotTellTokenShouldHandItOn() {
		IllegalStateException failure = new IllegalStateException("free", new IOException("free, too"));
		failure.addSuppressed(failure.getCause());
		assertThatIllegalStateException().isThrownBy(() -> get(restClient((request, body, next) -> {
			throw failure;
		}))).isSameAs(failure);
	}

	@Test
	void responseShouldShowRequestWithoutToken() {
		this.wechat.acceptOnly(TOKEN);
		Function<ClientResponse, Mono<String>> request = (response) -> response.releaseBody()
			.thenReturn(String.valueOf(response.request().getURI()));
		assertThat(
				webClient().get().uri("/cgi-bin/getcallbackip").exchangeToMono(request).block(Duration.ofSeconds(10)))
			.isEqualTo(this.wechat.url() + "/cgi-bin/getcallbackip");
	}

	@Test
	void observationShouldHideToken() {
		this.wechat.acceptOnly(TOKEN);
		this.observations.observationConfig().observationHandler(new Recorder());
		get(webClient(), "/cgi-bin/getcallbackip?a=b");
		restClient((request, body, next) -> next.execute(request, body)).get()
			.uri("/cgi-bin/getcallbackip?a=b")
			.retrieve()
			.toBodilessEntity();
		assertThat(this.wechat.sentTokens()).containsExactly(TOKEN, TOKEN);
		assertThat(this.observed.toString()).contains(this.wechat.url() + "/cgi-bin/getcallbackip?a=b")
			.doesNotContain(TOKEN);
	}

	@Test
	void springLogsAtTraceShouldHideToken() {
		this.wechat.acceptOnly(TOKEN);
		LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
		Logger logger = context.getLogger("org.springframework");
		Level level = logger.getLevel();
		ListAppender<ILoggingEvent> appender = new ListAppender<>();
		appender.start();
		logger.addAppender(appender);
		logger.setLevel(Level.TRACE);
		try {
			WebClient client = webClient().mutate()
				.codecs((codecs) -> codecs.defaultCodecs().enableLoggingRequestDetails(true))
				.build();
			get(client, "/cgi-bin/getcallbackip");
			this.wechat.acceptOnly("another");
			get(client, "/cgi-bin/getcallbackip");
		}
		finally {
			logger.setLevel(level);
			logger.detachAppender(appender);
		}
		assertThat(appender.list).isNotEmpty()
			.extracting(ILoggingEvent::getFormattedMessage)
			.noneMatch((message) -> message.contains(TOKEN));
	}

	private void assertHidden(Throwable ex) {
		Secrets.assertAbsent(ex, TOKEN);
	}

	private static @Nullable String get(WebClient client, String uri) {
		return client.get().uri(uri).retrieve().bodyToMono(String.class).block(Duration.ofSeconds(10));
	}

	private static void get(RestClient client) {
		client.get().uri("/any").retrieve().toBodilessEntity();
	}

	private RestClient restClient(ClientHttpRequestInterceptor inner) {
		return RestClient.builder()
			.baseUrl(this.wechat.url())
			.observationRegistry(this.observations)
			.requestInterceptor(WechatMpTokenClientHttpRequestInterceptor.of(FakeTokenSource.of(TOKEN))
				.withHosts(this.wechat.host()))
			.requestInterceptor(inner)
			.build();
	}

	private WebClient webClient(ExchangeFilterFunction... inner) {
		WebClient.Builder builder = WebClient.builder()
			.baseUrl(this.wechat.url())
			.observationRegistry(this.observations)
			.filter(WechatMpTokenExchangeFilterFunction.of(FakeTokenSource.of(TOKEN)).withHosts(this.wechat.host()));
		for (ExchangeFilterFunction filter : inner) {
			builder.filter(filter);
		}
		return builder.build();
	}

	private final class Recorder implements ObservationHandler<Observation.Context> {

		@Override
		public void onStop(Observation.Context context) {
			for (KeyValue keyValue : context.getAllKeyValues()) {
				TokenPrivacyTests.this.observed.append(keyValue);
			}
			TokenPrivacyTests.this.observed.append(context);
		}

		@Override
		public boolean supportsContext(Observation.Context context) {
			return true;
		}

	}

}
