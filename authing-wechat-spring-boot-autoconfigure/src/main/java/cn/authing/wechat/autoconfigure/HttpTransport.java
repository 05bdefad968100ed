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

import java.util.List;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JettyClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;
import org.springframework.http.client.reactive.ClientHttpConnector;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * An HTTP client library, made to use each connection for one exchange: HTTP/1.1, and no
 * account waits for another's connection.
 *
 * @param exchanges opens the exchange of one request
 * @param client what is closed at the end
 */
record HttpTransport(Supplier<Exchange> exchanges, Object client) {

	private static final Log logger = LogFactory.getLog(HttpTransport.class);

	// A logger, and a system property that has it write to the standard error
	private static final String JDK_DEBUG = "jdk.internal.httpclient.debug";

	private static final String WARNING = ": it shows what is sent to Authing and its answers, the WeChat app secret "
			+ "and tokens among them. ";

	/**
	 * More connections than there will be, for libraries that want a number.
	 */
	static final int UNLIMITED = Integer.MAX_VALUE / 2;

	static HttpTransport of(ClientHttpConnectorBuilder<?> builder, HttpClientSettings settings) {
		if (builder instanceof JettyClientHttpConnectorBuilder jetty) {
			return JettyExchange.transport(jetty, settings);
		}
		if (builder instanceof HttpComponentsClientHttpConnectorBuilder httpComponents) {
			return HttpComponentsExchange.transport(httpComponents, settings);
		}
		if (builder instanceof JdkClientHttpConnectorBuilder jdk) {
			return JdkExchange.transport(jdk, settings);
		}
		ClientHttpConnector connector = ((builder instanceof ReactorClientHttpConnectorBuilder reactor)
				? ReactorTransport.customize(reactor) : builder)
			.build(settings);
		return new HttpTransport(() -> new Exchange(connector), connector);
	}

	/**
	 * Close the client, when all exchanges have been closed.
	 */
	void close() {
		try {
			if (this.client instanceof AutoCloseable closeable) {
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
	 */
	static void warnOfLoggers(ClientHttpConnectorBuilder<?> builder) {
		if (builder instanceof JettyClientHttpConnectorBuilder) {
			warnOfLoggers("org.eclipse.jetty.client", "org.eclipse.jetty.http", "org.eclipse.jetty.io");
		}
		else if (builder instanceof HttpComponentsClientHttpConnectorBuilder) {
			warnOfLoggers("org.apache.hc.client5.http.headers", "org.apache.hc.client5.http.wire");
		}
		else if (builder instanceof JdkClientHttpConnectorBuilder) {
			warnOfLoggers(JDK_DEBUG);
			for (String name : List.of(JDK_DEBUG, "jdk.httpclient.HttpClient.log")) {
				if (!"false".equals(System.getProperty(name, "false"))) {
					logger.warn("The system property " + name + " is set" + WARNING + "Remove it.");
				}
			}
		}
	}

	private static void warnOfLoggers(String... names) {
		for (String name : names) {
			if (LogFactory.getLog(name).isDebugEnabled()) {
				logger.warn(
						"The logger " + name + " is at level DEBUG" + WARNING + "Set logging.level." + name + "=info.");
			}
		}
	}

}
