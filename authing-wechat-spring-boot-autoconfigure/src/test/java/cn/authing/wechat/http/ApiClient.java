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
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.mock.http.client.MockClientHttpRequest;
import org.springframework.mock.http.client.MockClientHttpResponse;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpTokenSource;

/**
 * The clients that can call WeChat, above a transport that takes down where requests go
 * and answers from a script, so that tests can call any address.
 */
enum ApiClient {

	WEB_CLIENT {

		@Override
		@Nullable String get(Script script, URI uri, Map<String, Object> attributes) {
			return WebClient.builder()
				.filter(WechatMpTokenExchangeFilterFunction.of(script.tokens).withHosts(script.hosts))
				.exchangeFunction((request) -> {
					Answer answer = script.answer(request.url());
					return Mono.just(ClientResponse.create(answer.status())
						.header("Content-Type", MediaType.TEXT_PLAIN_VALUE)
						.body(answer.body())
						.build());
				})
				.build()
				.get()
				.uri(uri)
				.attributes((all) -> all.putAll(attributes))
				.retrieve()
				.bodyToMono(String.class)
				.block();
		}

	},

	REST_CLIENT {

		@Override
		@Nullable String get(Script script, URI uri, Map<String, Object> attributes) {
			return RestClient.builder()
				.requestInterceptor(WechatMpTokenClientHttpRequestInterceptor.of(script.tokens).withHosts(script.hosts))
				.requestFactory(requestFactory(script))
				.build()
				.get()
				.uri(uri)
				.attributes((all) -> all.putAll(attributes))
				.retrieve()
				.body(String.class);
		}

	},

	REST_TEMPLATE {

		@Override
		@Nullable String get(Script script, URI uri, Map<String, Object> attributes) {
			RestTemplate template = new RestTemplate(requestFactory(script));
			template.getInterceptors()
				.add(WechatMpTokenClientHttpRequestInterceptor.of(script.tokens).withHosts(script.hosts));
			template.getClientHttpRequestInitializers().add((request) -> request.getAttributes().putAll(attributes));
			return template.getForObject(uri, String.class);
		}

	};

	abstract @Nullable String get(Script script, URI uri, Map<String, Object> attributes);

	private static ClientHttpRequestFactory requestFactory(Script script) {
		return (uri, method) -> {
			MockClientHttpRequest request = new MockClientHttpRequest(method, uri);
			Answer answer = script.answer(uri);
			MockClientHttpResponse response = new MockClientHttpResponse(answer.body().getBytes(StandardCharsets.UTF_8),
					answer.status());
			response.getHeaders().setContentType(MediaType.TEXT_PLAIN);
			request.setResponse(response);
			return request;
		};
	}

	/**
	 * What a client is made of, and what it did.
	 */
	static final class Script {

		final List<URI> sent = new ArrayList<>();

		private final WechatMpTokenSource tokens;

		private final String[] hosts;

		private final Queue<Answer> answers = new ArrayDeque<>();

		Script(WechatMpTokenSource tokens, String... hosts) {
			this.tokens = tokens;
			this.hosts = hosts;
		}

		void willAnswer(HttpStatus status, String body) {
			this.answers.add(new Answer(status, body));
		}

		private Answer answer(URI uri) {
			this.sent.add(uri);
			return (!this.answers.isEmpty()) ? this.answers.remove() : new Answer(HttpStatus.OK, "{\"errcode\":0}");
		}

	}

	private record Answer(HttpStatus status, String body) {

	}

}
