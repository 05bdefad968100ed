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

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.util.backoff.FixedBackOff;

import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.http.WechatClient.Caller;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What comes of a call, by what WeChat answers, with each of the HTTP clients that can
 * call it.
 */
@ParameterizedClass
@EnumSource
class AnswersOfWechatTests {

	private static final String IP_LIST = "{\"ip_list\":[\"127.0.0.1\",\"127.0.0.2\"]}";

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeTokenSource tokens = FakeTokenSource.of("dead", "alive");

	private final WechatClient client;

	AnswersOfWechatTests(WechatClient client) {
		this.client = client;
	}

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void tokenIsAddedFirst() {
		this.wechat.acceptOnly("dead");
		assertThat(get("/cgi-bin/getcallbackip?a=%20b&c")).isEqualTo(IP_LIST);
		assertThat(this.wechat.requests().get(0).uri().getRawQuery()).isEqualTo("access_token=dead&a=%20b&c");
	}

	@Test
	void tokenWithReservedCharactersIsEncoded() {
		String token = "a+b/c=d&e f%#?";
		this.wechat.acceptOnly(token);
		assertThat(get(caller(FakeTokenSource.of(token)), "/cgi-bin/getcallbackip")).isEqualTo(IP_LIST);
		assertThat(this.wechat.sentTokens()).containsExactly(token);
	}

	@ParameterizedTest
	@ValueSource(ints = { 40001, 40014, 42001 })
	void tokenThatIsRejectedIsDroppedAndTheCallRepeatedOnce(int errcode) {
		this.wechat.rejectWith(errcode);
		this.wechat.acceptOnly("alive");
		assertThat(post("/cgi-bin/message/subscribe/send", "{\"touser\":\"me\"}")).asString().contains("\"errcode\":0");
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
		assertThat(this.wechat.requests()).extracting(FakeWechat.Request::text).containsOnly("{\"touser\":\"me\"}");
		assertThat(this.tokens.reports()).containsExactly("dead");
		assertThat(this.tokens.fetches()).isEqualTo(2);
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 5, 11 })
	void rejectionThatComesInChunksIsRecognised(int bytes) {
		this.wechat.chunk(bytes);
		this.wechat.acceptOnly("alive");
		assertThat(post("/wxa/getwxacodeunlimit", "{}")).isEqualTo(FakeWechat.IMAGE);
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
	}

	@Test
	void rejectionOfTheSecondTokenIsPassedOn() {
		assertThat(get("/cgi-bin/getcallbackip")).startsWith("{\"errcode\":40001,").endsWith("rid: 0001\"}");
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
		assertThat(this.tokens.reports()).containsExactly("dead", "alive");
		assertThat(this.tokens.fetches()).isEqualTo(2);
	}

	@Test
	void rejectionFailsWithTheErrorOfTheSourceIfNoOtherTokenCanBeHad() {
		FakeTokenSource source = FakeTokenSource.from((fetch) -> (fetch == 0) ? Mono.just("dead")
				: Mono.error(new AuthingResponseException("No token", null)));
		assertThatExceptionOfType(AuthingResponseException.class)
			.isThrownBy(() -> get(caller(source), "/cgi-bin/getcallbackip"));
		assertThat(source.reports()).containsExactly("dead");
	}

	@ParameterizedTest
	@ValueSource(strings = { "{\"errcode\":40001}", "  \r\n\t{ \"errcode\" : 40001 , \"errmsg\":\"\"}",
			"\uFEFF{\"errcode\":42001}" })
	void rejectionThatIsWrittenOtherwiseIsRecognised(String body) {
		this.wechat.acceptOnly("dead", "alive");
		this.wechat.json("/any", body);
		get("/any");
		assertThat(this.tokens.reports()).containsExactly("dead", "alive");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "{}", "{\"errcode\":0,\"errmsg\":\"ok\"}", "{\"errcode\":40013,\"errmsg\":\"\"}",
			"{\"errcode\":400010}", "{\"errcode\":\"40001\"}", "{\"errcode\"", "[{\"errcode\":40001}]",
			"{\"data\":{\"errcode\":40001}}", "not json", "\uFEFF{\"errmsg\":1}", "{\"errcode\":40001" })
	void answerThatIsNoRejectionIsPassedOnUntouched(String body) {
		this.wechat.acceptOnly("dead");
		this.wechat.json("/any", body);
		assertThat(get("/any")).isEqualTo(body);
		assertThat(this.tokens.reports()).isEmpty();
	}

	@Test
	void manyCallsWithDeadTokenCauseOneFetch() throws Exception {
		int calls = this.client.concurrency;
		this.wechat.acceptOnly("alive");
		this.wechat.holdRejectionsUntil(calls);
		Caller caller = caller(this.tokens);
		ExecutorService threads = Executors.newFixedThreadPool(calls);
		try {
			List<Future<String>> answers = new ArrayList<>();
			for (int i = 0; i < calls; i++) {
				answers.add(threads.submit(() -> get(caller, "/cgi-bin/getcallbackip")));
			}
			for (Future<String> answer : answers) {
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
	void busyIsPassedOn() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(1);
		assertThat(get("/cgi-bin/getcallbackip")).contains("\"errcode\":-1");
		assertThat(this.wechat.requests()).hasSize(1);
		assertThat(this.tokens.reports()).isEmpty();
	}

	@Test
	void busyWithBackOffIsRepeated() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(2);
		assertThat(getWithBackOff()).isEqualTo(IP_LIST);
		assertThat(this.wechat.requests()).hasSize(3);
	}

	@Test
	void busyWithBackOffIsPassedOnAfterTheLastAttempt() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(10);
		assertThat(getWithBackOff()).contains("\"errcode\":-1");
		assertThat(this.wechat.requests()).hasSize(3);
	}

	private String getWithBackOff() {
		return get(this.client.caller(this.wechat, this.tokens, new FixedBackOff(1, 2)), "/cgi-bin/getcallbackip");
	}

	private String get(String uri) {
		return get(caller(this.tokens), uri);
	}

	private static String get(Caller caller, String uri) {
		byte @Nullable [] answer = caller.call(uri, null);
		return (answer != null) ? new String(answer, StandardCharsets.UTF_8) : "";
	}

	private byte[] post(String uri, String body) {
		return Objects.requireNonNull(caller(this.tokens).call(uri, body));
	}

	private Caller caller(FakeTokenSource source) {
		return this.client.caller(this.wechat, source, null);
	}

}
