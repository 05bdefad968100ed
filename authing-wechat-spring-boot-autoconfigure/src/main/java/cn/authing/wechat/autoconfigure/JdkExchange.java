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
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import reactor.adapter.JdkFlowAdapter;
import reactor.core.publisher.Mono;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.reactive.AbstractClientHttpResponse;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpResponse;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.ReflectionUtils;

import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * An exchange of the JDK's client. It always keeps connections for reuse, so that each
 * exchange has a client of its own, which is shut down at the end.
 */
final class JdkExchange extends Exchange {

	// Since Java 21
	private static final @Nullable Method SHUTDOWN_NOW = ReflectionUtils.findMethod(HttpClient.class, "shutdownNow");

	private final HttpClient client;

	private volatile @Nullable CompletableFuture<?> answer;

	private volatile @Nullable Subscription body;

	private volatile boolean closed;

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

	static Supplier<Exchange> exchanges(JdkClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		HttpClient.Builder clients = customize(builder, settings).version(HttpClient.Version.HTTP_1_1);
		return () -> new JdkExchange(clients.build(), settings.readTimeout());
	}

	/**
	 * Return the builder of clients as Spring Boot and the application customize it. No
	 * client is built: its thread would live until it is garbage collected.
	 */
	private static HttpClient.Builder customize(JdkClientHttpConnectorBuilder builder, HttpClientSettings settings) {
		AtomicReference<HttpClient.@Nullable Builder> customized = new AtomicReference<>();
		try {
			builder.withHttpClientCustomizer((client) -> {
				customized.set(client);
				throw new CancellationException();
			}).build(settings);
		}
		catch (CancellationException ex) {
			// Before the client is built
		}
		return Objects.requireNonNull(customized.get());
	}

	@Override
	public Mono<ClientHttpResponse> connect(HttpMethod method, URI uri,
			Function<? super ClientHttpRequest, Mono<Void>> requestCallback) {
		// Spring's connector goes on to receive a body that nobody reads any more, so
		// that it writes the request only
		AtomicReference<@Nullable HttpRequest> written = new AtomicReference<>();
		CancellationException enough = new CancellationException();
		return super.connect(method, uri, (request) -> requestCallback.apply(request).then(Mono.defer(() -> {
			written.set(request.getNativeRequest());
			return Mono.error(enough);
		}))).onErrorComplete((failure) -> failure == enough).switchIfEmpty(Mono.defer(() -> send(written.get())));
	}

	private Mono<ClientHttpResponse> send(@Nullable HttpRequest request) {
		return Mono.create((sink) -> {
			var answer = this.client.sendAsync(request, (response) -> new Body());
			this.answer = answer;
			answer.whenComplete((response, failure) -> {
				if (failure == null) {
					sink.success(response(response));
				}
				else if (!this.closed) {
					sink.error(failure);
				}
			});
			if (this.closed) {
				// Before there was an answer to cancel.
				close();
			}
		});
	}

	private static ClientHttpResponse response(HttpResponse<Publisher<List<ByteBuffer>>> response) {
		HttpHeaders headers = new HttpHeaders();
		response.headers().map().forEach(headers::addAll);
		return new AbstractClientHttpResponse(HttpStatusCode.valueOf(response.statusCode()), headers,
				new LinkedMultiValueMap<>(),
				JdkFlowAdapter.flowPublisherToFlux(response.body())
					.flatMapIterable(Function.identity())
					.map(DefaultDataBufferFactory.sharedInstance::wrap)) {

		};
	}

	@Override
	public void close() {
		this.closed = true;
		if (this.answer != null) {
			this.answer.cancel(true);
		}
		if (this.body != null) {
			this.body.cancel();
		}
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

	/**
	 * Receives a body. Before Java 21 nothing but its subscription closes the connection
	 * of an answer that has begun, which nobody may come to read.
	 */
	private final class Body implements BodySubscriber<Publisher<List<ByteBuffer>>> {

		private final BodySubscriber<Publisher<List<ByteBuffer>>> reader = BodySubscribers.ofPublisher();

		@Override
		public CompletionStage<Publisher<List<ByteBuffer>>> getBody() {
			return this.reader.getBody();
		}

		@Override
		public void onSubscribe(Subscription subscription) {
			this.reader.onSubscribe(subscription);
			JdkExchange.this.body = subscription;
			if (JdkExchange.this.closed) {
				subscription.cancel();
			}
		}

		@Override
		public void onNext(List<ByteBuffer> part) {
			this.reader.onNext(part);
		}

		@Override
		public void onError(Throwable failure) {
			this.reader.onError(failure);
		}

		@Override
		public void onComplete() {
			this.reader.onComplete();
		}

	}

}
