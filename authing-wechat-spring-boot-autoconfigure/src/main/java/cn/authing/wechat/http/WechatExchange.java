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

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.BodyInserter;
import org.springframework.web.reactive.function.BodyInserters;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;

import cn.authing.wechat.WechatMpTokenSource;

/**
 * One call through {@link WechatMpTokenExchangeFilterFunction} with its repetitions,
 * which follow each other.
 */
final class WechatExchange {

	private final ClientRequest request;

	private final ExchangeFunction next;

	private final WechatApiHosts hosts;

	private BodyInserter<?, ? super ClientHttpRequest> body;

	private boolean repeatable;

	/**
	 * Create a new exchange.
	 * @param request the caller's request
	 * @param next what sends it
	 * @param hosts the hosts that may see the token
	 * @param repeatable whether the request's body can be written any number of times
	 */
	WechatExchange(ClientRequest request, ExchangeFunction next, WechatApiHosts hosts, boolean repeatable) {
		this.request = request;
		this.next = next;
		this.hosts = hosts;
		this.body = request.body();
		this.repeatable = repeatable || this.body == BodyInserters.empty();
	}

	/**
	 * Send the request as it is.
	 */
	Mono<ClientResponse> perform() {
		RedactedRequest redacted = new RedactedRequest(this.request, this.request.url());
		return this.next.exchange(this.request)
			.onErrorMap(redacted::redact)
			.map((response) -> redacted.redact(response, (body) -> body.onErrorMap(redacted::redact)));
	}

	/**
	 * Send the request with a token, and again where that helps.
	 */
	Mono<ClientResponse> perform(WechatMpTokenSource tokens, WechatCall call) {
		return tokens.getAccessToken().flatMap((token) -> attempt(token.accessToken(), tokens, call));
	}

	private Mono<ClientResponse> attempt(String accessToken, WechatMpTokenSource tokens, WechatCall call) {
		URI uri = AccessTokenQuery.add(this.request.url(), accessToken);
		RecordedBody recorded = (!this.repeatable) ? new RecordedBody(this.body) : null;
		ClientRequest sent = ClientRequest.from(this.request)
			.url(uri)
			.body((recorded != null) ? recorded : this.body)
			.httpRequest(new RedirectGuard(uri, this.hosts).after(this.request.httpRequest()))
			.build();
		RedactedRequest redacted = new RedactedRequest(this.request, uri);
		return this.next.exchange(sent).onErrorMap(redacted::redact).flatMap((response) -> {
			Flux<DataBuffer> source = response.body(BodyExtractors.toDataBuffers()).onErrorMap(redacted::redact);
			return PeekedBody.of(source).flatMap((body) -> {
				long pause = call.pauseBeforeRepeat(body.errcode(), accessToken, isRepeatable(recorded));
				if (pause == WechatCall.STOP) {
					return Mono.just(redacted.redact(response, (ignored) -> body.toFlux()));
				}
				keepForRepeat(recorded);
				return body.drain().then(pause(pause)).then(perform(tokens, call));
			});
		});
	}

	private boolean isRepeatable(@Nullable RecordedBody recorded) {
		return recorded == null || recorded.isComplete();
	}

	private void keepForRepeat(@Nullable RecordedBody recorded) {
		if (recorded != null) {
			this.body = recorded.replay();
			this.repeatable = true;
		}
	}

	private static Mono<Void> pause(long millis) {
		return (millis > 0) ? Mono.delay(Duration.ofMillis(millis)).then() : Mono.empty();
	}

}
