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

package cn.authing.wechat.client;

import java.net.URI;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Scannable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpResponse;
import org.springframework.http.client.reactive.ClientHttpResponseDecorator;

/**
 * A connector whose every request has an {@link Exchange} of its own, which ends with the
 * answer, with a failure, when the caller cancels, or with this connector. So no answer
 * can be read by another request, and what nobody waits for is not received any longer.
 * Its failures quote nothing of what the far end sent. Internal: for use by the
 * auto-configuration only.
 *
 * @since 1.0.0
 */
public final class SingleUseHttpConnector implements ClientHttpConnector, AutoCloseable {

	private final Supplier<? extends Exchange> exchanges;

	private final Runnable client;

	private final Sinks.Empty<Void> closed = Sinks.empty();

	/**
	 * Create a new connector.
	 * @param exchanges makes the exchange of a request
	 * @param client closes what the exchanges are made with, after the last of them
	 */
	public SingleUseHttpConnector(Supplier<? extends Exchange> exchanges, Runnable client) {
		this.exchanges = exchanges;
		this.client = client;
	}

	@Override
	public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
			Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
		return Mono.defer(() -> open(method, uri, requestCallback)).onErrorMap(ExchangeException::withoutWire);
	}

	// Not while the client is being closed: Jetty's would start again, and none stop it
	private synchronized Mono<ClientHttpResponse> open(HttpMethod method, URI uri,
			Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
		if (this.closed.scanOrDefault(Scannable.Attr.TERMINATED, false)) {
			return Mono.error(closed());
		}
		Exchange exchange = this.exchanges.get();
		return exchange.connect(method, uri, requestCallback)
			.doOnError((failure) -> exchange.close())
			.doOnCancel(exchange::close)
			.takeUntilOther(this.closed.asMono())
			.switchIfEmpty(Mono.error(SingleUseHttpConnector::closed))
			.map((response) -> new Response(response, exchange));
	}

	/**
	 * End all exchanges, and then the client.
	 */
	@Override
	public void close() {
		this.closed.tryEmitEmpty();
		synchronized (this) {
			this.client.run();
		}
	}

	private static ExchangeException closed() {
		return new ExchangeException("the connection was closed");
	}

	/**
	 * One request and its answer, on a connection of its own; as it is, that of a
	 * connector that closes the connection itself when it is cancelled, or whose request
	 * can be disposed of.
	 */
	public static class Exchange implements ClientHttpConnector, AutoCloseable {

		private final ClientHttpConnector connector;

		private volatile @Nullable Object request;

		/**
		 * Create a new exchange.
		 * @param connector what sends the request
		 */
		public Exchange(ClientHttpConnector connector) {
			this.connector = connector;
		}

		@Override
		public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
				Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
			return this.connector.connect(method, uri, (request) -> {
				started(request);
				return requestCallback.apply(request);
			});
		}

		/**
		 * Called before the request is written.
		 * @param request the request
		 */
		protected void started(ClientHttpRequest request) {
			this.request = request.getNativeRequest();
		}

		/**
		 * Close the connection, whatever goes on there. May be called more than once.
		 */
		@Override
		public void close() {
			// Reactor Netty's: else Spring reads an answer to its end that nobody wants
			if (this.request instanceof Disposable disposable) {
				disposable.dispose();
			}
		}

	}

	private final class Response extends ClientHttpResponseDecorator {

		private final Exchange exchange;

		private final AtomicBoolean read = new AtomicBoolean();

		Response(ClientHttpResponse response, Exchange exchange) {
			super(response);
			this.exchange = exchange;
		}

		/**
		 * Return the body, once. {@code WebClient} drains the rest of a body that it gave
		 * up on: there is none any more.
		 */
		@Override
		public Flux<DataBuffer> getBody() {
			return Flux.defer(() -> this.read.compareAndSet(false, true) ? body() : Flux.empty());
		}

		private Flux<DataBuffer> body() {
			return super.getBody()
				.takeUntilOther(
						SingleUseHttpConnector.this.closed.asMono().then(Mono.error(SingleUseHttpConnector::closed)))
				.onErrorMap(ExchangeException::withoutWire)
				.doFinally((signal) -> this.exchange.close());
		}

	}

}
