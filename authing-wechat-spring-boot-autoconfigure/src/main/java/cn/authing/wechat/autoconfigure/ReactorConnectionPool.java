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

import java.time.Duration;

import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;

/**
 * The connections to Authing, where the HTTP client is Reactor Netty's.
 * <p>
 * Most applications fetch one token in two hours. By then a load balancer has long
 * forgotten an idle connection, perhaps without a word, so none is kept for longer than
 * the shortest usual idle timeout of those. Reuse is for bursts: many accounts at once.
 */
class ReactorConnectionPool implements DisposableBean {

	private static final int MAX_CONNECTIONS = 64;

	private static final Duration MAX_IDLE_TIME = Duration.ofSeconds(10);

	private static final Duration MAX_LIFE_TIME = Duration.ofMinutes(5);

	private final ConnectionProvider connections = ConnectionProvider.builder("authing")
		.maxConnections(MAX_CONNECTIONS)
		// No limit: the calls that wait for a connection have their deadline
		.pendingAcquireMaxCount(-1)
		.maxIdleTime(MAX_IDLE_TIME)
		.maxLifeTime(MAX_LIFE_TIME)
		.build();

	/**
	 * Make the connector use these connections. All other customizations of the builder
	 * stay, but for a factory of {@link HttpClient}s.
	 * @param builder the builder
	 * @return the builder to use, the same one if it is not for Reactor Netty
	 */
	ClientHttpConnectorBuilder<?> applyTo(ClientHttpConnectorBuilder<?> builder) {
		return (builder instanceof ReactorClientHttpConnectorBuilder reactor)
				? reactor.withHttpClientFactory(() -> HttpClient.create(this.connections)) : builder;
	}

	@Override
	public void destroy() {
		this.connections.dispose();
	}

}
