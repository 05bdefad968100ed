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
import java.net.URI;
import java.net.http.HttpClient;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpResponse;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.util.ReflectionUtils;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * The JDK's client. It always keeps connections for reuse, so that each request has a
 * client of its own, which is shut down at the end.
 */
final class JdkTransport extends HttpTransport {

	// Since Java 21
	private static final @Nullable Method SHUTDOWN_NOW = ReflectionUtils.findMethod(HttpClient.class, "shutdownNow");

	private final HttpClient.Builder clientBuilder;

	private final HttpClientSettings settings;

	JdkTransport(JdkClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		AtomicReference<HttpClient.@Nullable Builder> customized = new AtomicReference<>();
		builder.withHttpClientCustomizer((client) -> customized.set(client.version(HttpClient.Version.HTTP_1_1)))
			.build(settings);
		this.clientBuilder = Objects.requireNonNull(customized.get());
		this.settings = settings;
	}

	@Override
	Exchange open() {
		return new JdkExchange();
	}

	@Override
	void close() {
		// Each exchange has closed its own
	}

	private final class JdkExchange implements Exchange {

		private final HttpClient client = JdkTransport.this.clientBuilder.build();

		@Override
		public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
				Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
			JdkClientHttpConnector connector = new JdkClientHttpConnector(this.client);
			if (JdkTransport.this.settings.readTimeout() != null) {
				connector.setReadTimeout(JdkTransport.this.settings.readTimeout());
			}
			return connector.connect(method, uri, requestCallback);
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

	}

}
