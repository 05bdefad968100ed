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

import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import org.springframework.http.HttpMethod;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.ReactorClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.util.backoff.BackOff;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

/**
 * The HTTP clients that can call WeChat: the one of {@link WebClient} with the filter,
 * and those of {@link RestClient} with the interceptor.
 */
enum WechatClient {

	WEB_CLIENT(null, 200),

	JDK(JdkClientHttpRequestFactory::new, 200),

	REACTOR(ReactorClientHttpRequestFactory::new, 5),

	HTTP_COMPONENTS(HttpComponentsClientHttpRequestFactory::new, 5),

	SIMPLE(SimpleClientHttpRequestFactory::new, 5);

	private final @Nullable Supplier<ClientHttpRequestFactory> requestFactory;

	/**
	 * How many calls of one host it makes at a time.
	 */
	final int concurrency;

	WechatClient(@Nullable Supplier<ClientHttpRequestFactory> requestFactory, int concurrency) {
		this.requestFactory = requestFactory;
		this.concurrency = concurrency;
	}

	ClientHttpRequestFactory createRequestFactory() {
		return Objects.requireNonNull(this.requestFactory).get();
	}

	/**
	 * Return what calls WeChat with these tokens.
	 */
	Caller caller(FakeWechat wechat, FakeTokenSource tokens, @Nullable BackOff busyBackOff) {
		return (this.requestFactory == null) ? webClient(wechat, tokens, busyBackOff)
				: restClient(wechat, tokens, busyBackOff);
	}

	private static Caller webClient(FakeWechat wechat, FakeTokenSource tokens, @Nullable BackOff busyBackOff) {
		WechatMpTokenExchangeFilterFunction filter = WechatMpTokenExchangeFilterFunction.of(tokens)
			.withHosts(wechat.host());
		WebClient client = WebClient.builder()
			.filter((busyBackOff != null) ? filter.withBusyBackOff(busyBackOff) : filter)
			.build();
		return (uri, body) -> {
			WebClient.RequestBodySpec request = client.method(method(body)).uri(URI.create(wechat.url() + uri));
			WebClient.RequestHeadersSpec<?> complete = (body != null) ? request.bodyValue(body) : request;
			return complete.retrieve().bodyToMono(byte[].class).block(Duration.ofSeconds(20));
		};
	}

	private Caller restClient(FakeWechat wechat, FakeTokenSource tokens, @Nullable BackOff busyBackOff) {
		WechatMpTokenClientHttpRequestInterceptor interceptor = WechatMpTokenClientHttpRequestInterceptor.of(tokens)
			.withHosts(wechat.host());
		RestClient client = RestClient.builder()
			.requestFactory(createRequestFactory())
			.requestInterceptor((busyBackOff != null) ? interceptor.withBusyBackOff(busyBackOff) : interceptor)
			.build();
		return (uri, body) -> {
			RestClient.RequestBodySpec request = client.method(method(body)).uri(URI.create(wechat.url() + uri));
			RestClient.RequestHeadersSpec<?> complete = (body != null) ? request.body(body) : request;
			return complete.retrieve().body(byte[].class);
		};
	}

	private static HttpMethod method(@Nullable String body) {
		return (body != null) ? HttpMethod.POST : HttpMethod.GET;
	}

	/**
	 * Calls WeChat.
	 */
	@FunctionalInterface
	interface Caller {

		byte @Nullable [] call(String uri, @Nullable String body);

	}

}
