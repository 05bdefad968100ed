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

package cn.authing.wechat.client;

import java.lang.Thread.State;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpResponse;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link SingleUseHttpConnector}, where it is closed while it is used. See
 * {@code HttpTransportTests} for real connections.
 */
class SingleUseHttpConnectorTests {

	private final List<String> events = new CopyOnWriteArrayList<>();

	private final SingleUseHttpConnector connector = new SingleUseHttpConnector(this::exchange,
			() -> this.events.add("client closed"));

	private final Mono<ClientHttpResponse> request = this.connector.connect(HttpMethod.GET,
			URI.create("http://localhost"), (request) -> Mono.empty());

	private Runnable whenAsked = () -> {
	};

	@Test
	void connectWhenClosedShouldNotAskTheClient() {
		this.connector.close();
		StepVerifier.create(this.request).expectErrorMessage("the connection was closed").verify();
		assertThat(this.events).containsExactly("client closed");
	}

	@Test
	void closeShouldEndExchangesAndThenTheClient() {
		StepVerifier.create(this.request)
			.then(this.connector::close)
			.expectErrorMessage("the connection was closed")
			.verify();
		assertThat(this.events).containsExactly("started", "exchange closed", "client closed");
	}

	@Test
	void closeWhileAnExchangeIsMadeShouldCloseTheClientAfterItsStart() throws InterruptedException {
		Thread closing = new Thread(this.connector::close);
		this.whenAsked = () -> {
			closing.start();
			while (closing.getState() != State.BLOCKED && closing.getState() != State.TERMINATED) {
				Thread.onSpinWait();
			}
		};
		StepVerifier.create(this.request).expectErrorMessage("the connection was closed").verify();
		closing.join();
		assertThat(this.events).containsSubsequence("started", "client closed").contains("exchange closed").hasSize(3);
	}

	private SingleUseHttpConnector.Exchange exchange() {
		this.whenAsked.run();
		return new SingleUseHttpConnector.Exchange((method, uri, requestCallback) -> {
			this.events.add("started");
			return Mono.never();
		}) {

			@Override
			public void close() {
				SingleUseHttpConnectorTests.this.events.add("exchange closed");
			}

		};
	}

}
