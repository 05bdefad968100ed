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

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.core5.http.Method;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.ClientHttpRequest;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * An exchange of Apache HttpComponents, which uses connections once. Its connector does
 * not end a request that is cancelled, so that its connection would stay in use.
 */
final class HttpComponentsExchange extends Exchange {

	private static final String ATTRIBUTE = HttpComponentsExchange.class.getName();

	private AsyncExecChain.@Nullable Scope scope;

	private boolean closed;

	private HttpComponentsExchange(ClientHttpConnector connector) {
		super(connector);
	}

	static Supplier<Exchange> exchanges(HttpComponentsClientHttpConnectorBuilder builder, HttpClientSettings settings,
			Consumer<ClientHttpConnector> clients) {
		AsyncExecChainHandler interceptor = (request, entity, scope, chain, callback) -> {
			if (scope.clientContext.getAttribute(ATTRIBUTE) instanceof HttpComponentsExchange exchange) {
				exchange.executing(scope);
			}
			chain.proceed(request, entity, scope, callback);
		};
		long timeout = (settings.readTimeout() != null) ? settings.readTimeout().toMillis() : 0;
		ClientHttpConnector connector = builder
			.withHttpClientCustomizer((client) -> client.addExecInterceptorFirst("authing", interceptor)
				// Not even for a second request; but a proxy's tunnel is used after
				// CONNECT
				.setConnectionReuseStrategy((request, response, context) -> Method.CONNECT.isSame(request.getMethod()))
				.disableAutomaticRetries())
			.withConnectionManagerCustomizer(
					(connections) -> connections.setMaxConnTotal(AuthingClientHttpConnectorFactory.UNLIMITED)
						.setMaxConnPerRoute(AuthingClientHttpConnectorFactory.UNLIMITED))
			.withDefaultRequestConfigCustomizer(
					(request) -> request.setConnectionRequestTimeout(timeout, TimeUnit.MILLISECONDS)
						.setResponseTimeout(timeout, TimeUnit.MILLISECONDS))
			.build(settings);
		clients.accept(connector);
		return () -> new HttpComponentsExchange(connector);
	}

	@Override
	protected void started(ClientHttpRequest request) {
		request.getAttributes().put(ATTRIBUTE, this);
	}

	private synchronized void executing(AsyncExecChain.Scope scope) {
		this.scope = scope;
		if (this.closed) {
			close();
		}
	}

	@Override
	public synchronized void close() {
		this.closed = true;
		if (this.scope != null) {
			this.scope.cancellableDependency.cancel();
			this.scope.execRuntime.discardEndpoint();
		}
	}

}
