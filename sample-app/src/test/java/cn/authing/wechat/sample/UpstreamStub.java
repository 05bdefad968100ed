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

package cn.authing.wechat.sample;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * An Authing that answers each WeChat app id as it was told, and a WeChat that gives
 * every call the same answer.
 */
class UpstreamStub {

	private final JsonMapper jsonMapper = new JsonMapper();

	private final Map<String, Answer> answers = new ConcurrentHashMap<>();

	private final List<Request> requests = new CopyOnWriteArrayList<>();

	private volatile String wechatAnswer = "{}";

	// Of its own: an application context disposes the global ones when it closes
	private final LoopResources threads = LoopResources.create("upstream-stub");

	private final DisposableServer server = HttpServer.create()
		.runOn(this.threads)
		.host("127.0.0.1")
		.port(0)
		.route((routes) -> routes.post("/api/v3/get-wechat-access-token", this::authing)
			.get("/cgi-bin/getcallbackip",
					(request, response) -> response.header("Content-Type", "text/plain")
						.sendString(Mono.fromSupplier(() -> this.wechatAnswer))))
		.bindNow();

	private Mono<Void> authing(HttpServerRequest request, HttpServerResponse response) {
		return request.receive().aggregate().asString().flatMap((body) -> {
			JsonNode json = this.jsonMapper.readTree(body);
			this.requests.add(new Request(String.valueOf(request.requestHeaders().get("x-authing-app-id")), json));
			Answer answer = this.answers.getOrDefault(json.path("appId").asString(), Answer.NONE);
			answer.headers().forEach(response::header);
			return response.header("Content-Type", answer.contentType()).sendString(Mono.just(answer.body())).then();
		});
	}

	String url() {
		return "http://127.0.0.1:" + this.server.port();
	}

	List<Request> requests() {
		return this.requests;
	}

	void answer(String appId, String json) {
		answer(appId, json, Map.of());
	}

	void answer(String appId, String json, Map<String, String> headers) {
		this.answers.put(appId, new Answer("application/json", json, headers));
	}

	void answerWithHtml(String appId) {
		this.answers.put(appId, new Answer("text/html", "<html>Sign in</html>", Map.of()));
	}

	void answerWechatCalls(String json) {
		this.wechatAnswer = json;
	}

	void stop() {
		// Not after three seconds already, whatever else the machine does
		this.server.disposeNow(Duration.ofSeconds(30));
		this.threads.disposeLater(Duration.ZERO, Duration.ofSeconds(5)).block();
	}

	record Request(String authingAppId, JsonNode body) {
	}

	private record Answer(String contentType, String body, Map<String, String> headers) {

		private static final Answer NONE = new Answer("application/json",
				"{\"statusCode\": 404, \"message\": \"unexpected\"}", Map.of());

	}

}
