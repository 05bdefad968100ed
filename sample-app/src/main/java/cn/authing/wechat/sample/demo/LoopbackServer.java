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

import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

import org.springframework.http.server.reactive.ReactorHttpHandlerAdapter;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerResponse;

/**
 * An HTTP server that only this machine can reach, on a free port.
 */
final class LoopbackServer {

	static final String HOST = "127.0.0.1";

	private final DisposableServer server;

	private LoopbackServer(DisposableServer server) {
		this.server = server;
	}

	static LoopbackServer start(RouterFunction<ServerResponse> routes) {
		ReactorHttpHandlerAdapter handler = new ReactorHttpHandlerAdapter(RouterFunctions.toHttpHandler(routes));
		return new LoopbackServer(HttpServer.create().host(HOST).port(0).handle(handler).bindNow());
	}

	String url() {
		return "http://" + HOST + ":" + this.server.port();
	}

	void stop() {
		this.server.disposeNow();
	}

}
