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

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;
import reactor.test.StepVerifier;

import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.InputStreamResource;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.core.io.buffer.NettyDataBufferFactory;
import org.springframework.http.MediaType;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.HttpComponentsClientHttpConnector;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.http.client.reactive.JettyClientHttpConnector;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.web.reactive.function.BodyInserters;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link WechatMpTokenExchangeFilterFunction}.
 */
class WechatMpTokenExchangeFilterFunctionTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	private static final String IP_LIST = "{\"ip_list\":[\"127.0.0.1\",\"127.0.0.2\"]}";

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeTokenSource tokens = FakeTokenSource.of("dead", "alive");

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void filterShouldPassStatusAndHeadersOn() {
		this.wechat.acceptOnly("dead");
		this.wechat.answer("/any",
				(response) -> response.status(206).header("X-Any", "1").sendString(Mono.just("partial")));
		StepVerifier.create(client().get().uri("/any").retrieve().toEntity(String.class)).assertNext((entity) -> {
			assertThat(entity.getStatusCode().value()).isEqualTo(206);
			assertThat(entity.getHeaders().getFirst("X-Any")).isEqualTo("1");
			assertThat(entity.getBody()).isEqualTo("partial");
		}).expectComplete().verify(TIMEOUT);
	}

	@Test
	void filterWhenFailureQuotesTokenShouldNotTellTheLengthThatItHad() {
		this.wechat.acceptOnly("dead");
		this.wechat.quoteToken("/any");
		StepVerifier.create(client().get().uri("/any").exchangeToMono((response) -> response.toEntity(String.class)))
			.assertNext((entity) -> {
				assertThat(entity.getBody()).isEqualTo("no /any?access_token=***");
				assertThat(entity.getHeaders().containsHeader("Content-Length")).isFalse();
			})
			.expectComplete()
			.verify(TIMEOUT);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/any", "/sns/any" })
	void filterWhenJsonIsSentAsTextShouldTellThatItIsJson(String uri) {
		this.wechat.acceptAll();
		this.wechat.text(uri, "\ufeff {\"a\":\"\u4e2d\"}");
		this.wechat.text(uri + "/list", "[1]");
		this.wechat.text(uri + "/text", "success");
		this.wechat.answer(uri + "/gbk", (response) -> response.header("Content-Type", "text/plain;charset=GBK")
			.sendByteArray(Mono.just("{\"a\":\"\u4e2d\"}".getBytes(Charset.forName("GBK")))));
		WebClient client = client();
		assertThat(block(client.get().uri(uri + "/gbk").retrieve().bodyToMono(String.class))).contains("\u4e2d");
		assertThat(block(client.get().uri(uri + "/list").retrieve().bodyToMono(int[].class))).containsExactly(1);
		assertThat(block(client.get().uri(uri).retrieve().toEntity(String.class))).satisfies((entity) -> {
			assertThat(entity.getHeaders().getContentType()).isEqualTo(MediaType.APPLICATION_JSON);
			assertThat(entity.getBody()).contains("\u4e2d");
		});
		assertThat(block(client.get().uri(uri + "/text").retrieve().toEntity(String.class)))
			.satisfies((entity) -> assertThat(entity.getHeaders().getContentType()).isEqualTo(MediaType.TEXT_PLAIN));
	}

	@Test
	void filterWhenAnswerIsCompressedShouldRecogniseRejection() {
		this.wechat.acceptOnly("alive");
		this.wechat.compress();
		WebClient client = client(HttpClient.create().compress(true));
		assertThat(block(client.get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class)))
			.isEqualTo(IP_LIST);
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
	}

	@Test
	void filterShouldNotFetchAnythingBeforeSubscription() {
		client().get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class);
		assertThat(this.tokens.fetches()).isZero();
	}

	@Test
	void filterWhenSubscribedToAgainShouldCallAgain() {
		this.wechat.acceptOnly("alive");
		Mono<String> call = client().get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class);
		assertThat(block(call)).isEqualTo(IP_LIST);
		assertThat(block(call)).isEqualTo(IP_LIST);
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive", "alive");
	}

	@Test
	void filterWhenBodyIsOneShotPublisherShouldRepeatItFromWhatWasSent() {
		this.wechat.acceptOnly("alive");
		AtomicInteger subscriptions = new AtomicInteger();
		Flux<String> body = Flux.just("{\"touser\":", "\"me\"}").doOnSubscribe((s) -> subscriptions.incrementAndGet());
		assertThat(block(client().post()
			.uri("/cgi-bin/message/subscribe/send")
			.contentType(MediaType.APPLICATION_JSON)
			.body(body, String.class)
			.retrieve()
			.bodyToMono(String.class))).contains("\"errcode\":0");
		assertThat(subscriptions).hasValue(1);
		assertSameBodies("{\"touser\":\"me\"}", MediaType.APPLICATION_JSON_VALUE);
	}

	@Test
	void filterWhenBodyIsMultipartShouldRepeatItWithItsBoundary() {
		this.wechat.acceptOnly("alive");
		MultipartBodyBuilder body = new MultipartBodyBuilder();
		body.part("media",
				new InputStreamResource(new ByteArrayInputStream("picture".getBytes(StandardCharsets.UTF_8))))
			.filename("a.txt");
		block(client().post()
			.uri("/cgi-bin/message/subscribe/send")
			.body(BodyInserters.fromMultipartData(body.build()))
			.retrieve()
			.bodyToMono(String.class));
		List<FakeWechat.Request> requests = this.wechat.requests();
		assertThat(requests).hasSize(2);
		assertThat(requests.get(0).text()).contains("picture");
		assertSameBodies(requests.get(0).text(), requests.get(0).header("Content-Type"));
	}

	@Test
	void filterWhenBodyIsLongShouldRecordRejectionAndPassOnAnswer() {
		this.wechat.acceptOnly("alive");
		assertThat(upload()).startsWith("{\"errcode\":40001,").endsWith("rid: 0001\"}");
		assertThat(this.wechat.sentTokens()).containsExactly("dead");
		assertThat(this.tokens.reports()).containsExactly("dead");
	}

	private @Nullable String upload() {
		return block(client().post()
			.uri("/cgi-bin/message/subscribe/send")
			.body(BodyInserters.fromResource(new ByteArrayResource(new byte[RecordedBody.LIMIT + 1])))
			.retrieve()
			.bodyToMono(String.class));
	}

	@ParameterizedTest
	@MethodSource("connectors")
	void filterWhenLengthIsUnknownShouldSendItAndRepeatTheBody(ClientHttpConnector connector) {
		this.wechat.acceptOnly("alive");
		MultipartBodyBuilder body = new MultipartBodyBuilder();
		body.part("media", new ByteArrayResource(new byte[1024 * 1024])).filename("a.png");
		assertThat(block(client(connector).post()
			.uri("/cgi-bin/media/upload")
			.body(BodyInserters.fromMultipartData(body.build()))
			.retrieve()
			.bodyToMono(String.class))).contains("the-media-id");
		assertThat(this.wechat.requests()).hasSize(2)
			.allSatisfy((request) -> assertThat(request.header("Content-Length"))
				.isEqualTo(String.valueOf(request.body().length)))
			.allSatisfy((request) -> assertThat(request.body().length).isGreaterThan(1024 * 1024));
	}

	static Stream<ClientHttpConnector> connectors() {
		return Stream.of(new ReactorClientHttpConnector(), new JdkClientHttpConnector(), new JettyClientHttpConnector(),
				new HttpComponentsClientHttpConnector());
	}

	@ParameterizedTest
	@MethodSource("connectors")
	void filterWhenLengthIsUnknownShouldTellItWhateverTheBody(ClientHttpConnector connector) {
		this.wechat.acceptOnly("dead");
		DataBuffer joined = DefaultDataBufferFactory.sharedInstance.wrap("joined".getBytes(StandardCharsets.UTF_8));
		for (Publisher<DataBuffer> body : List.of(Mono.just(joined), Flux.<DataBuffer>empty(),
				Mono.<DataBuffer>empty())) {
			assertThat(block(client(connector).post()
				.uri("/cgi-bin/media/upload")
				.body(BodyInserters.fromDataBuffers(body))
				.retrieve()
				.bodyToMono(String.class))).contains("the-media-id");
		}
		assertThat(block(client(connector).post()
			.uri("/cgi-bin/media/upload?access_token=dead")
			.body(BodyInserters.fromMultipartData("media", new ByteArrayResource(new byte[10])))
			.retrieve()
			.bodyToMono(String.class))).contains("the-media-id");
		assertThat(this.wechat.requests()).hasSize(4)
			.extracting((request) -> request.header("Transfer-Encoding"))
			.containsOnlyNulls();
	}

	@ParameterizedTest
	@MethodSource("connectors")
	void filterWhenLengthIsUnknownAndLongerThanItHoldsShouldFail(ClientHttpConnector connector) {
		this.wechat.acceptOnly("dead");
		Flux<DataBuffer> body = Flux.range(0, 13)
			.map((i) -> DefaultDataBufferFactory.sharedInstance.wrap(new byte[1024 * 1024]));
		StepVerifier
			.create(client(connector).post()
				.uri("/cgi-bin/media/upload")
				.body(BodyInserters.fromDataBuffers(body))
				.retrieve()
				.toBodilessEntity())
			.expectErrorMatches((failure) -> String.valueOf(failure.getMessage()).contains("needs its Content-Length"))
			.verify(TIMEOUT);
		assertThat(this.wechat.requests()).isEmpty();
	}

	@ParameterizedTest
	@MethodSource("connectors")
	void filterWhenCallIsGivenUpShouldEndBodyThatIsHeld(ClientHttpConnector connector) {
		this.wechat.acceptOnly("dead");
		Sinks.Empty<Void> asked = Sinks.empty();
		Sinks.Empty<Void> cancelled = Sinks.empty();
		List<DataBuffer> created = new CopyOnWriteArrayList<>();
		NettyDataBufferFactory buffers = new NettyDataBufferFactory(UnpooledByteBufAllocator.DEFAULT);
		Flux<DataBuffer> body = Flux.<DataBuffer>create((sink) -> {
			DataBuffer buffer = buffers.allocateBuffer(10).write(new byte[10]);
			created.add(buffer);
			sink.onCancel(cancelled::tryEmitEmpty);
			sink.next(buffer);
			asked.tryEmitEmpty();
		});
		Disposable call = client(connector).post()
			.uri("/cgi-bin/media/upload")
			.body(BodyInserters.fromDataBuffers(body))
			.retrieve()
			.toBodilessEntity()
			.subscribe();
		asked.asMono().block(TIMEOUT);
		call.dispose();
		cancelled.asMono().block(TIMEOUT);
		Awaitility.await()
			.until(() -> created.stream().allMatch((buffer) -> NettyDataBufferFactory.toByteBuf(buffer).refCnt() == 0));
		assertThat(this.wechat.requests()).isEmpty();
	}

	@Test
	void filterWhenBodyFailsShouldSendNothing() {
		this.wechat.acceptOnly("dead");
		StepVerifier
			.create(client().post()
				.uri("/cgi-bin/media/upload")
				.body(BodyInserters.fromDataBuffers(Flux.error(new IOException("cut"))))
				.retrieve()
				.toBodilessEntity())
			.expectErrorMessage("cut")
			.verify(TIMEOUT);
		assertThat(this.wechat.requests()).isEmpty();
	}

	@Test
	void filterWhenAnswerIsGivenUpBeforeItsBodyIsReadShouldGiveConnectionBack() {
		this.wechat.acceptOnly("dead");
		this.wechat.answer("/any", (response) -> response
			.send(Flux.range(0, 200).map((i) -> Unpooled.wrappedBuffer(new byte[64 * 1024])), (buffer) -> true));
		ConnectionProvider one = ConnectionProvider.create("one", 1);
		try {
			WebClient client = client(HttpClient.create(one));
			Sinks.Empty<Void> answered = Sinks.empty();
			Disposable call = client.get().uri("/any").exchangeToMono((response) -> {
				answered.tryEmitEmpty();
				return Mono.never();
			}).subscribe();
			answered.asMono().block(TIMEOUT);
			call.dispose();
			assertThat(block(client.get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class)))
				.isEqualTo(IP_LIST);
		}
		finally {
			one.dispose();
		}
	}

	private void assertSameBodies(String body, @Nullable String contentType) {
		assertThat(this.wechat.requests()).hasSize(2).allSatisfy((request) -> {
			assertThat(request.text()).isEqualTo(body);
			assertThat(request.header("Content-Type")).isEqualTo(contentType);
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "?access_token=a%2Bb%2Fc%3Dd", "?access_token=a%2bb%2fc%3dd",
			"?access_token=a%252Bb%252Fc%253Dd", "?access_token=a+b/c=d", "?code=YStiL2M9ZA" })
	void filterWhenRedirectedToAnotherHostShouldFailWhateverItCarries(String query) {
		try (FakeWechat other = FakeWechat.start()) {
			this.wechat.acceptOnly("a+b/c=d");
			this.wechat.answer("/any",
					(response) -> response.sendRedirect(other.url() + "/cgi-bin/getcallbackip" + query));
			WebClient client = client(FakeTokenSource.of("a+b/c=d")).mutate()
				.clientConnector(new ReactorClientHttpConnector(HttpClient.create().followRedirect(true)))
				.build();
			Mono<String> call = client.get().uri("/any").retrieve().bodyToMono(String.class);
			assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> block(call))
				.withMessageContaining("redirects to a host that must not be sent the access token")
				.satisfies((ex) -> Secrets.assertAbsent(ex, "a+b/c=d"));
			assertThat(other.requests()).isEmpty();
		}
	}

	@Test
	void filterWhenRedirectedWithinHostShouldFollow() {
		this.wechat.acceptOnly("dead");
		this.wechat.answer("/any", (response) -> response.sendRedirect("/cgi-bin/getcallbackip?access_token=dead"));
		WebClient client = client(HttpClient.create().followRedirect(true));
		assertThat(block(client.get().uri("/any").retrieve().bodyToMono(String.class))).isEqualTo(IP_LIST);
	}

	@Test
	void filterWhenAnswerBreaksDuringLookShouldGiveErrorToItsConsumer() {
		this.wechat.acceptOnly("dead");
		Flux<ByteBuf> cut = Flux.concat(Mono.just(Unpooled.copiedBuffer("{\"err", StandardCharsets.UTF_8)),
				Mono.error(new IOException("Cut")));
		this.wechat.answer("/any", (response) -> response.header("Content-Length", "100").send(cut, (buffer) -> true));
		StepVerifier.create(client().get().uri("/any").exchangeToMono((response) -> {
			assertThat(response.statusCode().value()).isEqualTo(200);
			return response.bodyToMono(String.class);
		})).expectError().verify(TIMEOUT);
	}

	@Test
	void withTokenSourceShouldKeepOtherSettings() {
		this.wechat.acceptOnly("shop");
		WebClient client = WebClient.builder()
			.baseUrl(this.wechat.url())
			.filter(filter(this.tokens).withTokenSource(FakeTokenSource.of("shop")))
			.build();
		assertThat(block(client.get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class)))
			.isEqualTo(IP_LIST);
	}

	@ParameterizedTest
	@ValueSource(strings = { "api.weixin.qq.com/", "api.weixin.qq.com/wechat", "*.weixin.qq.com", " ", "", "host:0",
			"host:", "host:65536", "a..b", "a_b", "\u5fae\u4fe1.example", "[1]", "ftp://host", "https://",
			"https://host/a?b", "https://host/a#b", "https://host/../a", "https://host//a", "https://host/%61",
			"http://api.weixin.qq.com", "http://API2.weixin.qq.com/a" })
	void withHostsWhenHostIsMalformedShouldFail(String host) {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> WechatMpTokenExchangeFilterFunction.of(this.tokens).withHosts("a", host))
			.withMessageContaining("'hosts' must hold host names with an optional port")
			.withMessageEndingWith("but holds '" + host + "'");
	}

	@Test
	void withHostsWhenHostIsNullShouldFail() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> WechatMpTokenExchangeFilterFunction.of(this.tokens).withHosts("a", nothing()))
			.withMessageEndingWith("but holds null");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> WechatMpTokenClientHttpRequestInterceptor.of(this.tokens).withHosts("a", nothing()))
			.withMessageEndingWith("but holds null");
	}

	@SuppressWarnings("NullAway")
	private static String nothing() {
		return null;
	}

	@Test
	void withHostsWhenHostHasUserInfoShouldFailWithoutShowingIt() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> WechatMpTokenExchangeFilterFunction.of(this.tokens).withHosts("https://me:password@host"))
			.withMessageEndingWith("but holds one with user info")
			.withMessageNotContaining("password");
	}

	@Test
	void withHostsWhenEmptyShouldFail() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> WechatMpTokenExchangeFilterFunction.of(this.tokens).withHosts())
			.withMessageContaining("'hosts' must not be empty");
	}

	private WebClient client() {
		return client(this.tokens);
	}

	private WebClient client(FakeTokenSource source) {
		return WebClient.builder().baseUrl(this.wechat.url()).filter(filter(source)).build();
	}

	private WebClient client(HttpClient httpClient) {
		return client(new ReactorClientHttpConnector(httpClient));
	}

	private WebClient client(ClientHttpConnector connector) {
		return client().mutate().clientConnector(connector).build();
	}

	private WechatMpTokenExchangeFilterFunction filter(FakeTokenSource source) {
		return WechatMpTokenExchangeFilterFunction.of(source).withHosts(this.wechat.host());
	}

	private static <T> @Nullable T block(Mono<T> call) {
		return call.block(TIMEOUT);
	}

}
