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

package cn.authing.wechat.autoconfigure;

import java.net.URI;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.core5.http.Method;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpResponse;
import org.springframework.http.client.reactive.HttpComponentsClientHttpConnector;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * Apache HttpComponents with connections that are used once. Its connector does not end a
 * request that is cancelled, so that its connection would stay in use.
 */
final class HttpComponentsTransport extends HttpTransport {

	private static final String EXCHANGE = HttpComponentsExchange.class.getName();

	private final HttpComponentsClientHttpConnector connector;

	HttpComponentsTransport(HttpComponentsClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		AsyncExecChainHandler interceptor = (request, entity, scope, chain, callback) -> {
			if (scope.clientContext.getAttribute(EXCHANGE) instanceof HttpComponentsExchange exchange) {
				exchange.start(scope);
			}
			chain.proceed(request, entity, scope, callback);
		};
		long timeout = (settings.readTimeout() != null) ? settings.readTimeout().toMillis() : 0;
		this.connector = builder
			.withHttpClientCustomizer((client) -> client.addExecInterceptorFirst("authing", interceptor)
				// Not even for a second request; but a proxy's tunnel is used after
				// CONNECT
				.setConnectionReuseStrategy((request, response, context) -> Method.CONNECT.isSame(request.getMethod()))
				.disableAutomaticRetries())
			.withConnectionManagerCustomizer(
					(connections) -> connections.setMaxConnTotal(UNLIMITED).setMaxConnPerRoute(UNLIMITED))
			.withDefaultRequestConfigCustomizer(
					(request) -> request.setConnectionRequestTimeout(timeout, TimeUnit.MILLISECONDS)
						.setResponseTimeout(timeout, TimeUnit.MILLISECONDS))
			.build(settings);
	}

	@Override
	Exchange open() {
		return new HttpComponentsExchange();
	}

	@Override
	void close() {
		closeQuietly(this.connector);
	}

	private final class HttpComponentsExchange implements Exchange {

		private AsyncExecChain.@Nullable Scope scope;

		private boolean closed;

		@Override
		public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
				Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
			return HttpComponentsTransport.this.connector.connect(method, uri, (request) -> {
				request.getAttributes().put(EXCHANGE, this);
				return requestCallback.apply(request);
			});
		}

		synchronized void start(AsyncExecChain.Scope scope) {
			this.scope = scope;
			if (this.closed) {
				end(scope);
			}
		}

		@Override
		public synchronized void close() {
			this.closed = true;
			if (this.scope != null) {
				end(this.scope);
			}
		}

		private void end(AsyncExecChain.Scope scope) {
			scope.cancellableDependency.cancel();
			scope.execRuntime.discardEndpoint();
		}

	}

}
