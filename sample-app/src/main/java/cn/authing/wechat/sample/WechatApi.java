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

package cn.authing.wechat.sample;

import java.util.List;
import java.util.Set;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientException;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;

/**
 * Calls of the WeChat API. This is the one place where a token meets a URI.
 */
@Component
class WechatApi {

	private static final Set<Integer> TOKEN_REJECTED = Set.of(40001, 40014, 42001);

	private final WechatMpTokenService tokens;

	private final WebClient webClient;

	private final JsonMapper jsonMapper;

	WechatApi(WechatMpTokenService tokens, WebClient.Builder webClientBuilder, JsonMapper jsonMapper,
			@Value("${sample.wechat-api}") String baseUrl) {
		this.tokens = tokens;
		this.webClient = webClientBuilder.baseUrl(baseUrl).build();
		this.jsonMapper = jsonMapper;
	}

	/**
	 * Return the addresses from which WeChat calls back.
	 * @return the addresses. Errors are those of the token service, and
	 * {@link WechatApiException}
	 */
	Mono<List<String>> getCallbackIps() {
		return this.tokens.getAccessToken()
			.flatMap(this::getCallbackIps)
			.retryWhen(Retry.max(1)
				.filter((ex) -> ex instanceof WechatApiException refusal && refusal.isOf(TOKEN_REJECTED))
				.onRetryExhaustedThrow((retry, signal) -> signal.failure()));
	}

	private Mono<List<String>> getCallbackIps(WechatMpAccessToken token) {
		return this.webClient.get()
			.uri("/cgi-bin/getcallbackip?access_token={token}", token.accessToken())
			.retrieve()
			// WeChat sends its JSON as text/plain, too.
			.bodyToMono(String.class)
			// The cause is left out on purpose: its URI holds the token.
			.onErrorMap(WebClientException.class, (ex) -> WechatApiException.noUsableAnswer())
			.switchIfEmpty(Mono.error(WechatApiException::noUsableAnswer))
			.map(this::read)
			.map((answer) -> callbackIps(answer, token));
	}

	private CallbackIpAnswer read(String json) {
		try {
			return this.jsonMapper.readValue(json, CallbackIpAnswer.class);
		}
		catch (JacksonException ex) {
			throw WechatApiException.noUsableAnswer();
		}
	}

	private List<String> callbackIps(CallbackIpAnswer answer, WechatMpAccessToken token) {
		if (answer.ipList() != null) {
			return answer.ipList();
		}
		if (answer.errcode() == null) {
			throw WechatApiException.noUsableAnswer();
		}
		if (TOKEN_REJECTED.contains(answer.errcode())) {
			this.tokens.invalidate(token.accessToken());
		}
		throw WechatApiException.refused(answer.errcode(), answer.errmsg());
	}

	private record CallbackIpAnswer(@JsonProperty("ip_list") @Nullable List<String> ipList, @Nullable Integer errcode,
			@Nullable String errmsg) {
	}

}
