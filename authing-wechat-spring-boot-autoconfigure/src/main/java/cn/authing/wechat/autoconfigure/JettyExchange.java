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

import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.eclipse.jetty.client.DuplexConnectionPool;
import org.eclipse.jetty.client.EarlyHintsProtocolHandler;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.WWWAuthenticationProtocolHandler;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.JettyClientHttpConnectorBuilder;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.ClientHttpRequest;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * An exchange of Jetty's client, which uses connections once, and daemon threads.
 */
final class JettyExchange extends Exchange {

	private static final String NAME = "authing-http";

	private volatile @Nullable Request request;

	private JettyExchange(ClientHttpConnector connector) {
		super(connector);
	}

	static Supplier<Exchange> exchanges(JettyClientHttpConnectorBuilder builder, HttpClientSettings settings,
			Consumer<HttpClient> clients) {
		ClientHttpConnector connector = builder.withHttpClientCustomizer((client) -> {
			clients.accept(client);
			QueuedThreadPool threads = new QueuedThreadPool();
			threads.setName(NAME);
			threads.setDaemon(true);
			client.setExecutor(threads);
			client.setScheduler(new ScheduledExecutorScheduler(NAME + "-scheduler", true));
			client.setMaxConnectionsPerDestination(AuthingClientHttpConnectorFactory.UNLIMITED);
			client.getProtocolHandlers().put(new InterimProtocolHandler());
			// Jetty's own are there when it has started
			client.addEventListener(new LifeCycle.Listener() {

				@Override
				public void lifeCycleStarted(LifeCycle event) {
					client.getProtocolHandlers().put(new ChallengeProtocolHandler(client));
				}

			});
		}).withHttpClientTransportCustomizer((transport) -> transport.setConnectionPoolFactory((destination) -> {
			DuplexConnectionPool connections = new DuplexConnectionPool(destination,
					AuthingClientHttpConnectorFactory.UNLIMITED);
			connections.setMaxUsage(1);
			return connections;
		})).build(settings);
		return () -> new JettyExchange(connector);
	}

	@Override
	protected void started(ClientHttpRequest request) {
		this.request = request.getNativeRequest();
	}

	@Override
	public void close() {
		Request request = this.request;
		if (request != null) {
			// Has no effect where the answer has been read to its end
			request.abort(new CancellationException());
		}
	}

	/**
	 * Goes on to the answer after any interim answer, which Jetty by itself does only
	 * after those that it knows.
	 */
	private static final class InterimProtocolHandler extends EarlyHintsProtocolHandler {

		@Override
		public String getName() {
			return "interim";
		}

		@Override
		public boolean accept(Request request, Response response) {
			return HttpStatus.isInterim(response.getStatus());
		}

	}

	/**
	 * Leaves alone a refusal without a challenge, as gateways send it, which Jetty by
	 * itself takes for an error of the protocol.
	 */
	private static final class ChallengeProtocolHandler extends WWWAuthenticationProtocolHandler {

		ChallengeProtocolHandler(HttpClient client) {
			super(client);
		}

		@Override
		public boolean accept(Request request, Response response) {
			return super.accept(request, response) && response.getHeaders().contains(HttpHeader.WWW_AUTHENTICATE);
		}

	}

}
