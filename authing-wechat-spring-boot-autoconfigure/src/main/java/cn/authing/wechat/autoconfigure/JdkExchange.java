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

import java.lang.reflect.Method;
import java.net.http.HttpClient;
import java.time.Duration;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.util.ReflectionUtils;

/**
 * An exchange of the JDK's client. It always keeps connections for reuse, so that each
 * exchange has a client of its own, which is shut down at the end.
 */
final class JdkExchange extends HttpTransport.ConnectorExchange {

	// Since Java 21
	private static final @Nullable Method SHUTDOWN_NOW = ReflectionUtils.findMethod(HttpClient.class, "shutdownNow");

	private final HttpClient client;

	private JdkExchange(HttpClient client, @Nullable Duration readTimeout) {
		super(connector(client, readTimeout));
		this.client = client;
	}

	private static JdkClientHttpConnector connector(HttpClient client, @Nullable Duration readTimeout) {
		JdkClientHttpConnector connector = new JdkClientHttpConnector(client);
		if (readTimeout != null) {
			connector.setReadTimeout(readTimeout);
		}
		return connector;
	}

	static HttpTransport transport(JdkClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		HttpClient.Builder clients = customize(builder, settings).version(HttpClient.Version.HTTP_1_1);
		return new HttpTransport(() -> new JdkExchange(clients.build(), settings.readTimeout()), clients);
	}

	/**
	 * Return the builder of clients as Spring Boot and the application customize it. No
	 * client is built: its thread would live until it is garbage collected.
	 */
	private static HttpClient.Builder customize(JdkClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		try {
			builder.withHttpClientCustomizer((client) -> {
				throw new Customized(client);
			}).build(settings);
			throw new IllegalStateException("The JDK's HTTP client was not customized");
		}
		catch (Customized ex) {
			return ex.client;
		}
	}

	@Override
	public void close() {
		if (SHUTDOWN_NOW != null) {
			ReflectionUtils.invokeMethod(SHUTDOWN_NOW, this.client);
		}
		else {
			interruptSelector();
		}
	}

	/**
	 * Before Java 21 a client ends when it has been garbage collected, or when its
	 * selector's thread is interrupted.
	 */
	private void interruptSelector() {
		String client = this.client.toString();
		String name = "HttpClient-" + client.substring(client.lastIndexOf('(') + 1, client.length() - 1)
				+ "-SelectorManager";
		ThreadGroup group = Thread.currentThread().getThreadGroup();
		while (group.getParent() != null) {
			group = group.getParent();
		}
		Thread[] threads = new Thread[2 * group.activeCount()];
		int count = group.enumerate(threads);
		for (int i = 0; i < count; i++) {
			if (threads[i].getName().equals(name)) {
				threads[i].interrupt();
			}
		}
	}

	@SuppressWarnings("serial")
	private static final class Customized extends RuntimeException {

		private final transient HttpClient.Builder client;

		Customized(HttpClient.Builder client) {
			super(null, null, false, false);
			this.client = client;
		}

	}

}
