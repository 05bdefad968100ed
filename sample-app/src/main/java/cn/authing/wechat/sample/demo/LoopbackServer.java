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

package cn.authing.wechat.sample.demo;

import java.time.Duration;

import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.LoopResources;

import org.springframework.http.server.reactive.ReactorHttpHandlerAdapter;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerResponse;

/**
 * An HTTP server that only this machine can reach, on a free port.
 */
final class LoopbackServer {

	static final String HOST = "127.0.0.1";

	// Of its own: an application context disposes the global ones when it closes
	private final LoopResources threads = LoopResources.create("demo-server", 2, true);

	private final DisposableServer server;

	private LoopbackServer(RouterFunction<ServerResponse> routes) {
		ReactorHttpHandlerAdapter handler = new ReactorHttpHandlerAdapter(RouterFunctions.toHttpHandler(routes));
		this.server = HttpServer.create().runOn(this.threads).host(HOST).port(0).handle(handler).bindNow();
	}

	static LoopbackServer start(RouterFunction<ServerResponse> routes) {
		return new LoopbackServer(routes);
	}

	String url() {
		return "http://" + HOST + ":" + this.server.port();
	}

	void stop() {
		this.server.disposeNow();
		this.threads.disposeLater(Duration.ZERO, Duration.ofSeconds(1)).subscribe();
	}

}
