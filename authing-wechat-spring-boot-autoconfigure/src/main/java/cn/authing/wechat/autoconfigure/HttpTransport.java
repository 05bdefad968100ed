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
import java.util.List;
import java.util.function.Function;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import reactor.core.publisher.Mono;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JettyClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpResponse;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * An HTTP client library, made to use each connection for one exchange: HTTP/1.1, and no
 * account waits for another's connection.
 */
abstract class HttpTransport {

	private static final Log logger = LogFactory.getLog(HttpTransport.class);

	private static final List<String> JDK_SWITCHES = List.of("jdk.internal.httpclient.debug",
			"jdk.httpclient.HttpClient.log");

	/**
	 * More connections than there will be, for libraries that want a number.
	 */
	static final int UNLIMITED = Integer.MAX_VALUE / 2;

	static HttpTransport of(ClientHttpConnectorBuilder<?> builder, HttpClientSettings settings) {
		if (builder instanceof ReactorClientHttpConnectorBuilder reactor) {
			return new Shared(ReactorTransport.connector(reactor, settings));
		}
		if (builder instanceof JettyClientHttpConnectorBuilder jetty) {
			return new JettyTransport(jetty, settings);
		}
		if (builder instanceof HttpComponentsClientHttpConnectorBuilder httpComponents) {
			return new HttpComponentsTransport(httpComponents, settings);
		}
		if (builder instanceof JdkClientHttpConnectorBuilder jdk) {
			return new JdkTransport(jdk, settings);
		}
		return new Shared(builder.build(settings));
	}

	/**
	 * Open the exchange of one request.
	 * @return the exchange
	 */
	abstract Exchange open();

	/**
	 * Close the client, when all exchanges have been closed.
	 */
	abstract void close();

	static void closeQuietly(Object client) {
		try {
			if (client instanceof AutoCloseable closeable) {
				closeable.close();
			}
		}
		catch (Exception ex) {
			logger.debug("Could not close the HTTP client", ex);
		}
	}

	/**
	 * Warn where a logger is on that shows what is sent to Authing. Libraries cannot be
	 * told not to for one client.
	 * @param builder the builder of the HTTP client that is used
	 * @param logger where to warn
	 */
	static void warnOfLoggers(ClientHttpConnectorBuilder<?> builder, Log logger) {
		List<String> loggers = List.of();
		if (builder instanceof JettyClientHttpConnectorBuilder) {
			loggers = List.of("org.eclipse.jetty.client", "org.eclipse.jetty.http", "org.eclipse.jetty.io");
		}
		else if (builder instanceof HttpComponentsClientHttpConnectorBuilder) {
			loggers = List.of("org.apache.hc.client5.http.headers", "org.apache.hc.client5.http.wire");
		}
		else if (builder instanceof JdkClientHttpConnectorBuilder) {
			JDK_SWITCHES.stream()
				.filter((name) -> !"false".equals(System.getProperty(name, "false")))
				.forEach((name) -> logger.warn("The system property " + name + " makes the JDK's HTTP client log what "
						+ "is sent to Authing and its answers, the WeChat app secret and tokens among them. "
						+ "Remove it."));
		}
		loggers.stream()
			.filter((name) -> LogFactory.getLog(name).isDebugEnabled())
			.forEach((name) -> logger.warn("The logger " + name + " is at level DEBUG: it shows what is sent to "
					+ "Authing and its answers, the WeChat app secret and tokens among them. Set logging.level." + name
					+ "=info."));
	}

	/**
	 * A connector that closes the connection itself when it is cancelled.
	 */
	private static final class Shared extends HttpTransport {

		private final ClientHttpConnector connector;

		Shared(ClientHttpConnector connector) {
			this.connector = connector;
		}

		@Override
		Exchange open() {
			return new Exchange() {

				@Override
				public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
						Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
					return Shared.this.connector.connect(method, uri, requestCallback);
				}

				@Override
				public void close() {
					// Cancelling has closed the connection
				}

			};
		}

		@Override
		void close() {
			closeQuietly(this.connector);
		}

	}

}
