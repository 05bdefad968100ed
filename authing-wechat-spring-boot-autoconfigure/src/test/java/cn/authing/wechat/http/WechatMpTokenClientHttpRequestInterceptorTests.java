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
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.AdditionalAnswers;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.util.backoff.FixedBackOff;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.BDDMockito.willAnswer;
import static org.mockito.Mockito.mock;

/**
 * Tests for {@link WechatMpTokenClientHttpRequestInterceptor}, with each of the HTTP
 * clients that {@link RestClient} can use.
 */
@ParameterizedClass
@EnumSource(mode = Mode.EXCLUDE, names = "WEB_CLIENT")
class WechatMpTokenClientHttpRequestInterceptorTests {

	private static final String IP_LIST = "{\"ip_list\":[\"127.0.0.1\",\"127.0.0.2\"]}";

	private final WechatClient httpClient;

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeTokenSource tokens = FakeTokenSource.of("dead", "alive");

	WechatMpTokenClientHttpRequestInterceptorTests(WechatClient httpClient) {
		this.httpClient = httpClient;
	}

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void interceptWhenFailureQuotesTokenShouldNotTellTheLengthThatItHad() {
		this.wechat.acceptOnly("dead");
		this.wechat.quoteToken("/any");
		ResponseEntity<String> failure = client(interceptor()).get()
			.uri("/any")
			.retrieve()
			.onStatus(HttpStatusCode::isError, (request, response) -> {
			})
			.toEntity(String.class);
		assertThat(failure.getBody()).isEqualTo("no /any?access_token=***");
		assertThat(failure.getHeaders().containsHeader("Content-Length")).isFalse();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/any", "/sns/any" })
	void interceptWhenJsonIsSentAsTextShouldTellThatItIsJson(String uri) {
		this.wechat.acceptAll();
		this.wechat.text(uri, "\ufeff {\"a\":\"\u4e2d\"}");
		this.wechat.text(uri + "/list", "[1]");
		this.wechat.text(uri + "/text", "success");
		RestClient client = client(interceptor());
		assertThat(client.get().uri(uri + "/list").retrieve().body(int[].class)).containsExactly(1);
		// Text is read as ISO-8859-1, JSON as UTF-8
		assertThat(client.get().uri(uri).retrieve().body(String.class)).contains("\u4e2d");
		assertThat(client.get().uri(uri + "/text").retrieve().toEntity(String.class))
			.satisfies((entity) -> assertThat(entity.getHeaders().getContentType()).isEqualTo(MediaType.TEXT_PLAIN));
	}

	@Test
	void interceptWhenAnswerIsLongShouldStreamIt() {
		this.wechat.acceptOnly("dead");
		Sinks.Empty<Void> rest = Sinks.empty();
		byte[] chunk = "x".repeat(100).getBytes(StandardCharsets.UTF_8);
		this.wechat.answer("/any",
				(response) -> response
					.send(Flux.concat(Mono.just(chunk), rest.asMono().cast(byte[].class), Mono.just(chunk))
						.map(Unpooled::wrappedBuffer), (buffer) -> true));
		int total = client(interceptor()).get().uri("/any").exchangeForRequiredValue((request, response) -> {
			InputStream body = response.getBody();
			int first = body.readNBytes(100).length;
			rest.tryEmitEmpty();
			return first + body.readAllBytes().length;
		});
		assertThat(total).isEqualTo(200);
	}

	@Test
	void interceptWhenAnswerIsBufferedShouldLetItBeReadAgain() {
		this.wechat.acceptOnly("dead");
		List<String> seen = new ArrayList<>();
		RestClient client = client(interceptor()).mutate()
			.bufferContent((uri, method) -> true)
			.requestInterceptors((interceptors) -> interceptors.add(0, (request, body, execution) -> {
				var response = execution.execute(request, body);
				seen.add(new String(response.getBody().readAllBytes(), StandardCharsets.UTF_8));
				return response;
			}))
			.build();
		assertThat(get(client, "/cgi-bin/getcallbackip")).isEqualTo(IP_LIST);
		assertThat(seen).containsExactly(IP_LIST);
	}

	@Test
	void interceptWhenInterruptedDuringPauseShouldFailAndKeepInterrupt() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(1);
		FixedBackOff backOff = new FixedBackOff(Duration.ofHours(1).toMillis(), 1);
		// Only after the answer is closed: an HTTP client may clear an earlier interrupt.
		RestClient client = client(interceptor().withBusyBackOff(backOff)).mutate()
			.requestInterceptor((request, body, execution) -> interruptOnClose(execution.execute(request, body)))
			.build();
		assertThatExceptionOfType(ResourceAccessException.class).isThrownBy(() -> get(client, "/cgi-bin/getcallbackip"))
			.withCauseInstanceOf(InterruptedIOException.class);
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void interceptWhenRedirectedToAnotherHostShouldSendItNoToken() {
		try (FakeWechat other = FakeWechat.start()) {
			this.wechat.acceptOnly("dead");
			this.wechat.answer("/any", (response) -> response.sendRedirect(other.url() + "/cgi-bin/getcallbackip"));
			get("/any");
			assertThat(other.requests()).allSatisfy((request) -> {
				assertThat(request.uri().toString()).isEqualTo("/cgi-bin/getcallbackip");
				assertThat(request.headers().toString()).doesNotContain("dead");
			});
		}
	}

	@Test
	void interceptWhenConnectionFailsShouldShowNoToken() {
		this.wechat.close();
		assertThatExceptionOfType(ResourceAccessException.class).isThrownBy(() -> get("/cgi-bin/getcallbackip"))
			.satisfies((ex) -> Secrets.assertAbsent(ex, "dead"));
	}

	@Test
	void interceptWhenHttpClientTellsTokenShouldReplaceException() {
		WechatMpTokenClientHttpRequestInterceptor interceptor = interceptor();
		RestClient client = client(interceptor).mutate().requestInterceptor((request, body, execution) -> {
			throw new IOException("Failed: " + request.getURI(),
					new IllegalStateException(request.getURI().toString()));
		}).build();
		assertThatExceptionOfType(ResourceAccessException.class).isThrownBy(() -> get(client, "/cgi-bin/getcallbackip"))
			.withMessageContaining("Failed: " + this.wechat.url() + "/cgi-bin/getcallbackip?access_token=***")
			.satisfies((ex) -> Secrets.assertAbsent(ex, "dead"));
	}

	@Test
	void interceptWhenStatusIsErrorShouldShowNoToken() {
		this.wechat.acceptOnly("dead");
		this.wechat.answer("/any", (response) -> response.status(500).send());
		assertThatExceptionOfType(RestClientException.class).isThrownBy(() -> get("/any"))
			.satisfies((ex) -> Secrets.assertAbsent(ex, "dead"));
	}

	@Test
	void withTokenSourceShouldKeepOtherSettings() {
		this.wechat.acceptOnly("shop");
		assertThat(get(client(interceptor().withTokenSource(FakeTokenSource.of("shop"))), "/cgi-bin/getcallbackip"))
			.isEqualTo(IP_LIST);
	}

	private static ClientHttpResponse interruptOnClose(ClientHttpResponse response) {
		ClientHttpResponse result = mock(ClientHttpResponse.class, AdditionalAnswers.delegatesTo(response));
		willAnswer((invocation) -> {
			response.close();
			Thread.currentThread().interrupt();
			return null;
		}).given(result).close();
		return result;
	}

	private @Nullable String get(String uri) {
		return get(client(interceptor()), uri);
	}

	private @Nullable String get(RestClient client, String uri) {
		return client.get().uri(URI.create(this.wechat.url() + uri)).retrieve().body(String.class);
	}

	private RestClient client(WechatMpTokenClientHttpRequestInterceptor interceptor) {
		return RestClient.builder()
			.baseUrl(this.wechat.url())
			.requestFactory(this.httpClient.createRequestFactory())
			.requestInterceptor(interceptor)
			.build();
	}

	private WechatMpTokenClientHttpRequestInterceptor interceptor() {
		return WechatMpTokenClientHttpRequestInterceptor.of(this.tokens).withHosts(this.wechat.host());
	}

}
