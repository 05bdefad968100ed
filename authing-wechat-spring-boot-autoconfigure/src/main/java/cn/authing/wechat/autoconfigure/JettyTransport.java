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
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import org.eclipse.jetty.client.DuplexConnectionPool;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpClientTransport;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.JettyClientHttpConnectorBuilder;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpResponse;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * Jetty's client with connections that are used once, and with daemon threads.
 */
final class JettyTransport extends HttpTransport {

	private static final String NAME = "authing-http";

	private final HttpClient client;

	private final ClientHttpConnector connector;

	JettyTransport(JettyClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		AtomicReference<@Nullable HttpClient> built = new AtomicReference<>();
		this.connector = builder.withHttpClientCustomizer((client) -> {
			built.set(client);
			customize(client);
		}).withHttpClientTransportCustomizer(JettyTransport::useOnce).build(settings);
		this.client = Objects.requireNonNull(built.get());
	}

	private static void customize(HttpClient client) {
		QueuedThreadPool threads = new QueuedThreadPool();
		threads.setName(NAME);
		threads.setDaemon(true);
		client.setExecutor(threads);
		client.setScheduler(new ScheduledExecutorScheduler(NAME + "-scheduler", true));
		client.setMaxConnectionsPerDestination(UNLIMITED);
	}

	private static void useOnce(HttpClientTransport transport) {
		transport.setConnectionPoolFactory((destination) -> {
			DuplexConnectionPool connections = new DuplexConnectionPool(destination, UNLIMITED);
			connections.setMaxUsage(1);
			return connections;
		});
	}

	@Override
	Exchange open() {
		return new JettyExchange();
	}

	@Override
	void close() {
		closeQuietly((AutoCloseable) this.client::stop);
	}

	private final class JettyExchange implements Exchange {

		private volatile @Nullable Request request;

		@Override
		public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
				Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
			return JettyTransport.this.connector.connect(method, uri, (request) -> {
				this.request = request.getNativeRequest();
				return requestCallback.apply(request);
			});
		}

		@Override
		public void close() {
			Request request = this.request;
			if (request != null) {
				// Has no effect where the answer has been read to its end
				request.abort(new CancellationException());
			}
		}

	}

}
