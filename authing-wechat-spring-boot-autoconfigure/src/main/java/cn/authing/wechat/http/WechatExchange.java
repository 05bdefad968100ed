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
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

import org.eclipse.jetty.client.Request;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClientRequest;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.util.Assert;
import org.springframework.util.ClassUtils;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.BodyInserter;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;

/**
 * One call through {@link WechatMpTokenExchangeFilterFunction} with its repetitions,
 * which follow each other.
 */
final class WechatExchange {

	private static final boolean REACTOR_NETTY = isPresent("reactor.netty.http.client.HttpClientRequest");

	private static final boolean JETTY = isPresent("org.eclipse.jetty.client.Request");

	private final ClientRequest request;

	private final ExchangeFunction next;

	private final WechatApiHosts hosts;

	private volatile @Nullable RecordedBody recorded;

	/**
	 * Create a new exchange.
	 * @param request the caller's request
	 * @param next what sends it
	 * @param hosts the hosts that may be sent the token
	 */
	WechatExchange(ClientRequest request, ExchangeFunction next, WechatApiHosts hosts) {
		this.request = request;
		this.next = next;
		this.hosts = hosts;
	}

	/**
	 * Send the request as it is.
	 */
	Mono<ClientResponse> exchange() {
		return send(ClientRequest.from(this.request), this.request.url(), (body, answer) -> answer);
	}

	/**
	 * Send the request with a token, and again where that helps.
	 */
	Mono<ClientResponse> exchange(WechatCalls.Call call) {
		return call.tokens().getAccessToken().flatMap((token) -> attempt(token.accessToken(), call));
	}

	private Mono<ClientResponse> attempt(String accessToken, WechatCalls.Call call) {
		URI uri = AccessTokenQuery.add(this.request.url(), accessToken);
		ClientRequest.Builder request = ClientRequest.from(this.request).url(uri).httpRequest(this::beforeSending);
		return send(request, uri, (body, answer) -> {
			long delay = call.nextRetryDelay(body.peek().errcode(), accessToken, isReplayable());
			return (delay != WechatCalls.Call.STOP) ? repeat(call, body, delay, answer) : answer;
		});
	}

	/**
	 * Send a request.
	 * @param request the request
	 * @param uri the URI that it is sent to
	 * @param then decides what becomes of the answer, from its body and the answer to
	 * hand on
	 */
	private Mono<ClientResponse> send(ClientRequest.Builder request, URI uri,
			BiFunction<PeekedBody, Mono<ClientResponse>, Mono<ClientResponse>> then) {
		RedactedRequest redacted = new RedactedRequest(this.request, uri);
		AtomicReference<@Nullable PeekedBody> peeked = new AtomicReference<>();
		return this.next.exchange(request.body(this::record).build())
			.onErrorMap(redacted::redact)
			.flatMap((response) -> {
				Flux<DataBuffer> source = response.body(BodyExtractors.toDataBuffers()).onErrorMap(redacted::redact);
				return PeekedBody.of(source, peeked::set)
					.flatMap((body) -> then.apply(body, Mono.fromSupplier(() -> redacted.redact(response, body))));
			})
			.doOnError((failure) -> giveUpBody())
			.doOnCancel(() -> {
				giveUpBody();
				PeekedBody.cancelUnread(peeked.get());
			});
	}

	private Mono<ClientResponse> repeat(WechatCalls.Call call, PeekedBody body, long delay,
			Mono<ClientResponse> answer) {
		if (delay > 0) {
			return body.drain().then(Mono.delay(Duration.ofMillis(delay))).then(exchange(call));
		}
		return Mono.defer(call.tokens()::getAccessToken)
			.onErrorResume((failure) -> body.drain().then(Mono.error(failure)))
			.switchIfEmpty(Mono.defer(() -> body.drain().then(Mono.empty())))
			.flatMap((next) -> call.isRejected(next.accessToken()) ? answer
					: body.drain().then(attempt(next.accessToken(), call)));
	}

	private static boolean isPresent(String className) {
		return ClassUtils.isPresent(className, WechatExchange.class.getClassLoader());
	}

	// A redirect is followed below the filter. Reactor Netty prepares each request anew,
	// so it can be stopped here, whether or not it shows the token. Jetty can be told for
	// one request to follow none.
	private void beforeSending(ClientHttpRequest sent) {
		if (this.request.httpRequest() != null) {
			this.request.httpRequest().accept(sent);
		}
		if (REACTOR_NETTY && sent.getNativeRequest() instanceof HttpClientRequest nettyRequest
				&& nettyRequest.redirectedFrom().length > 0) {
			String target = nettyRequest.resourceUrl();
			Assert.state(target != null && this.hosts.include(URI.create(target)),
					"The answer redirects to a host that must not be sent the access token");
		}
		if (JETTY && sent.getNativeRequest() instanceof Request jettyRequest) {
			jettyRequest.followRedirects(false);
		}
	}

	private Mono<Void> record(ClientHttpRequest request, BodyInserter.Context context) {
		RecordedBody recorded = this.recorded;
		if (recorded != null && recorded.isComplete()) {
			return recorded.replay(request);
		}
		recorded = new RecordedBody(request);
		this.recorded = recorded;
		return this.request.body().insert(recorded, context);
	}

	private void giveUpBody() {
		RecordedBody recorded = this.recorded;
		if (recorded != null) {
			recorded.giveUp();
		}
	}

	private boolean isReplayable() {
		RecordedBody recorded = this.recorded;
		// Else the body has not been asked for
		return recorded == null || recorded.isComplete();
	}

}
