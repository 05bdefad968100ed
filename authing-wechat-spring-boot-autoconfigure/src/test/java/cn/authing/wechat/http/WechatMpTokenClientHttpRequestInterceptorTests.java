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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.AdditionalAnswers;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.http.ResponseEntity;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.ReactorClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.util.backoff.FixedBackOff;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.mockito.BDDMockito.willAnswer;
import static org.mockito.Mockito.mock;

/**
 * Tests for {@link WechatMpTokenClientHttpRequestInterceptor}, with each of the HTTP
 * clients that {@link RestClient} can use.
 */
@ParameterizedClass
@EnumSource
class WechatMpTokenClientHttpRequestInterceptorTests {

	private static final String IP_LIST = "{\"ip_list\":[\"127.0.0.1\",\"127.0.0.2\"]}";

	private final Client httpClient;

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeTokenSource tokens = FakeTokenSource.of("dead", "alive");

	WechatMpTokenClientHttpRequestInterceptorTests(Client httpClient) {
		this.httpClient = httpClient;
	}

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void interceptShouldAddTokenFirst() {
		this.wechat.acceptOnly("dead");
		assertThat(get("/cgi-bin/getcallbackip?a=%20b&c")).isEqualTo(IP_LIST);
		assertThat(this.wechat.requests().get(0).uri().getRawQuery()).isEqualTo("access_token=dead&a=%20b&c");
	}

	@Test
	void interceptWhenTokenHasReservedCharactersShouldEncodeIt() {
		String token = "a+b/c=d&e f%#?";
		this.wechat.acceptOnly(token);
		assertThat(get(client(interceptor().withTokenSource(FakeTokenSource.of(token))), "/cgi-bin/getcallbackip"))
			.isEqualTo(IP_LIST);
		assertThat(this.wechat.sentTokens()).containsExactly(token);
	}

	@ParameterizedTest
	@ValueSource(ints = { 40001, 40014, 42001 })
	void interceptWhenTokenIsRejectedShouldDropItAndRepeatOnce(int errcode) {
		this.wechat.rejectWith(errcode);
		this.wechat.acceptOnly("alive");
		ResponseEntity<String> answer = client(interceptor()).post()
			.uri("/cgi-bin/message/subscribe/send")
			.body("{\"touser\":\"me\"}")
			.retrieve()
			.toEntity(String.class);
		assertThat(answer.getBody()).contains("\"errcode\":0");
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
		assertThat(this.wechat.requests()).extracting(FakeWechat.Request::text).containsOnly("{\"touser\":\"me\"}");
		assertThat(this.tokens.reports()).containsExactly("dead");
		assertThat(this.tokens.fetches()).isEqualTo(2);
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 5 })
	void interceptWhenAnswerComesInChunksShouldRecogniseRejection(int bytes) {
		this.wechat.chunk(bytes);
		this.wechat.acceptOnly("alive");
		byte[] image = client(interceptor()).post()
			.uri("/wxa/getwxacodeunlimit")
			.body("{}")
			.retrieve()
			.body(byte[].class);
		assertThat(image).isEqualTo(FakeWechat.IMAGE);
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
	}

	@Test
	void interceptWhenEveryTokenIsRejectedShouldPassOnAnswerAfterOneRepeat() {
		assertThat(get("/cgi-bin/getcallbackip")).startsWith("{\"errcode\":40001,").endsWith("rid: 0001\"}");
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
		assertThat(this.tokens.reports()).containsExactly("dead", "alive");
		assertThat(this.tokens.fetches()).isEqualTo(2);
	}

	@Test
	void interceptWhenNoOtherTokenCanBeHadShouldFailWithItsError() {
		FakeTokenSource source = FakeTokenSource.from((fetch) -> (fetch == 0) ? Mono.just("dead")
				: Mono.error(new AuthingResponseException("No token", null)));
		assertThatExceptionOfType(AuthingResponseException.class)
			.isThrownBy(() -> get(client(interceptor().withTokenSource(source)), "/cgi-bin/getcallbackip"));
		assertThat(source.reports()).containsExactly("dead");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "{}", "{\"errcode\":0,\"errmsg\":\"ok\"}", "{\"errcode\"", "not json" })
	void interceptWhenAnswerIsNoRejectionShouldPassItUntouched(String body) {
		this.wechat.acceptOnly("dead");
		this.wechat.json("/any", body);
		String answer = get("/any");
		assertThat((answer != null) ? answer : "").isEqualTo(body);
		assertThat(this.tokens.reports()).isEmpty();
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
	void interceptWhenManyCallsMeetDeadTokenShouldFetchOnce() throws Exception {
		int calls = (this.httpClient == Client.JDK) ? 200 : 5;
		this.wechat.acceptOnly("alive");
		Sinks.Empty<Void> gate = Sinks.empty();
		AtomicInteger arrived = new AtomicInteger();
		this.wechat.gateRejections(Mono.defer(() -> {
			if (arrived.incrementAndGet() == calls) {
				gate.tryEmitEmpty();
			}
			return gate.asMono();
		}));
		RestClient client = client(interceptor());
		ExecutorService threads = Executors.newFixedThreadPool(calls);
		try {
			List<Future<@Nullable String>> answers = new ArrayList<>();
			for (int i = 0; i < calls; i++) {
				answers.add(threads.submit(() -> get(client, "/cgi-bin/getcallbackip")));
			}
			for (Future<@Nullable String> answer : answers) {
				assertThat(answer.get(20, TimeUnit.SECONDS)).isEqualTo(IP_LIST);
			}
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(this.tokens.invalidations()).isOne();
		assertThat(this.tokens.fetches()).isEqualTo(2);
		assertThat(this.wechat.requests()).hasSizeLessThanOrEqualTo(2 * calls);
	}

	@Test
	void interceptWhenWechatIsBusyShouldPassOnAnswer() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(1);
		assertThat(get("/cgi-bin/getcallbackip")).contains("\"errcode\":-1");
		assertThat(this.wechat.requests()).hasSize(1);
	}

	@Test
	void interceptWhenWechatIsBusyAndBackOffIsSetShouldRepeat() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(2);
		assertThat(get(client(interceptor().withBusyBackOff(new FixedBackOff(1, 2))), "/cgi-bin/getcallbackip"))
			.isEqualTo(IP_LIST);
		assertThat(this.wechat.requests()).hasSize(3);
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

	@ParameterizedTest
	@ValueSource(strings = { "/cgi-bin/getcallbackip?access_token=mine", "/sns/userinfo", "/cgi-bin/stable_token" })
	void interceptWhenRequestTakesNoTokenOfOursShouldSendItAsItIs(String uri) {
		client(interceptor()).get().uri(uri).exchange((request, response) -> response.getStatusCode());
		assertThat(this.wechat.requests()).extracting((request) -> request.uri().toString()).containsExactly(uri);
		assertThat(this.tokens.fetches()).isZero();
		assertThat(this.tokens.reports()).isEmpty();
	}

	@Test
	void interceptWhenHostIsNotListedShouldSendNoToken() {
		try (FakeWechat other = FakeWechat.start()) {
			client(interceptor()).get().uri(other.url() + "/cgi-bin/getcallbackip").retrieve().body(String.class);
			assertThat(other.sentTokens()).containsExactly("");
			assertThat(this.tokens.fetches()).isZero();
		}
	}

	@Test
	void interceptWhenHostIsListedButNotSecureShouldFail() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> client(WechatMpTokenClientHttpRequestInterceptor.of(this.tokens)).get()
				.uri("http://api.weixin.qq.com/cgi-bin/getcallbackip")
				.retrieve()
				.body(String.class))
			.withMessage("WeChat's access token must not be sent over 'http': write 'https://api.weixin.qq.com'");
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

	enum Client {

		JDK {
			@Override
			ClientHttpRequestFactory createRequestFactory() {
				return new JdkClientHttpRequestFactory();
			}
		},

		REACTOR {
			@Override
			ClientHttpRequestFactory createRequestFactory() {
				return new ReactorClientHttpRequestFactory();
			}
		},

		HTTP_COMPONENTS {
			@Override
			ClientHttpRequestFactory createRequestFactory() {
				return new HttpComponentsClientHttpRequestFactory();
			}
		},

		SIMPLE {
			@Override
			ClientHttpRequestFactory createRequestFactory() {
				return new SimpleClientHttpRequestFactory();
			}
		};

		abstract ClientHttpRequestFactory createRequestFactory();

	}

}
