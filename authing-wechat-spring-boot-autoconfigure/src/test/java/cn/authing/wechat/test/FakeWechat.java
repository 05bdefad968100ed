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

package cn.authing.wechat.test;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.QueryStringDecoder;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;

/**
 * WeChat's API on a loopback port: it checks tokens, issues some of its own, answers in
 * the shapes that WeChat does, refuses requests without a length, as WeChat does too, and
 * remembers all of them.
 */
public final class FakeWechat implements AutoCloseable {

	/**
	 * The success of the endpoints that answer with an image.
	 */
	public static final byte[] IMAGE = { (byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 1, 2, 3 };

	private static final String JSON = "application/json; encoding=utf-8";

	private final Map<String, Handler> handlers = new ConcurrentHashMap<>();

	private final List<Request> requests = new CopyOnWriteArrayList<>();

	private final AtomicInteger busy = new AtomicInteger();

	// Of its own: an application context disposes the global ones when it closes
	private final LoopResources threads = LoopResources.create("fake-wechat");

	private final DisposableServer server;

	private volatile Predicate<String> valid = (token) -> false;

	private volatile int rejection = 40001;

	private volatile int chunkSize = Integer.MAX_VALUE;

	private volatile boolean compressed;

	private volatile Mono<Void> gate = Mono.empty();

	private FakeWechat() {
		this.server = HttpServer.create()
			.runOn(this.threads)
			.host("127.0.0.1")
			.port(0)
			.compress(this::isCompressed)
			.handle(this::handle)
			.bindNow();
		json("/cgi-bin/getcallbackip", "{\"ip_list\":[\"127.0.0.1\",\"127.0.0.2\"]}");
		json("/cgi-bin/message/subscribe/send", "{\"errcode\":0,\"errmsg\":\"ok\",\"msgid\":42}");
		json("/wxa/business/getuserphonenumber",
				"{\"errcode\":0,\"errmsg\":\"ok\",\"phone_info\":{\"purePhoneNumber\":\"13580006666\"}}");
		json("/cgi-bin/media/upload", "{\"type\":\"file\",\"media_id\":\"the-media-id\"}");
		json("/cgi-bin/ticket/getticket", "{\"errcode\":0,\"ticket\":\"the-ticket\",\"expires_in\":7200}");
		answer("/wxa/getwxacodeunlimit",
				(response) -> response.header("Content-Type", "image/png").send(chunks(IMAGE)));
	}

	/**
	 * Start one on a free port.
	 * @return the fake
	 */
	public static FakeWechat start() {
		return new FakeWechat();
	}

	/**
	 * Return the address, without a slash at the end.
	 * @return such as {@code http://127.0.0.1:8080}
	 */
	public String url() {
		return "http://" + host();
	}

	/**
	 * Return host and port.
	 * @return such as {@code 127.0.0.1:8080}
	 */
	public String host() {
		return "127.0.0.1:" + this.server.port();
	}

	/**
	 * Make tokens valid. Only these are accepted from now on.
	 * @param tokens the tokens
	 */
	public void acceptOnly(String... tokens) {
		this.valid = Set.of(tokens)::contains;
	}

	/**
	 * Make all tokens valid from now on.
	 */
	public void acceptAll() {
		this.valid = (token) -> true;
	}

	/**
	 * Make a token invalid.
	 * @param token the token
	 */
	public void reject(String token) {
		this.valid = this.valid.and((other) -> !other.equals(token));
	}

	/**
	 * Choose how a bad token is rejected.
	 * @param errcode 40001, 40014 or 42001
	 */
	public void rejectWith(int errcode) {
		this.rejection = errcode;
	}

	/**
	 * Send bodies in chunks, each on its own.
	 * @param bytes the size of each
	 */
	public void chunk(int bytes) {
		this.chunkSize = bytes;
	}

	/**
	 * Compress answers for those who accept it.
	 */
	public void compress() {
		this.compressed = true;
	}

	private boolean isCompressed(HttpServerRequest request, HttpServerResponse response) {
		return this.compressed;
	}

	/**
	 * Answer the next calls with -1, system busy.
	 * @param calls their number
	 */
	public void beBusy(int calls) {
		this.busy.set(calls);
	}

	/**
	 * Hold rejections back until there are that many.
	 * @param calls the number of rejected calls to wait for
	 */
	public void holdRejectionsUntil(int calls) {
		Sinks.Empty<Void> opened = Sinks.empty();
		AtomicInteger missing = new AtomicInteger(calls);
		this.gate = Mono.defer(() -> {
			if (missing.decrementAndGet() == 0) {
				opened.tryEmitEmpty();
			}
			return opened.asMono();
		});
	}

	/**
	 * Answer the calls of a path that have a valid token, with JSON.
	 * @param path the path
	 * @param body the body
	 */
	public void json(String path, String body) {
		answer(path, (response) -> response.header("Content-Type", JSON).send(chunks(bytes(body))));
	}

	/**
	 * Answer the calls of a path that have a valid token, with what is told to be text.
	 * @param path the path
	 * @param body the body
	 */
	public void text(String path, String body) {
		answer(path, (response) -> response.header("Content-Type", "text/plain").send(chunks(bytes(body))));
	}

	/**
	 * Answer the calls of a path that have a valid token.
	 * @param path the path
	 * @param handler writes the answer
	 */
	public void answer(String path, Handler handler) {
		this.handlers.put(path, handler);
	}

	/**
	 * Answer the calls of a path that have a valid token with a failure that quotes it,
	 * and with its length.
	 * @param path the path
	 */
	public void quoteToken(String path) {
		answer(path, (response) -> {
			byte[] body = bytes("no " + path + "?access_token=" + sentTokens().get(sentTokens().size() - 1));
			return response.status(404)
				.header("Content-Type", "text/plain")
				.header("Content-Length", String.valueOf(body.length))
				.sendByteArray(Mono.just(body));
		});
	}

	/**
	 * Return all requests so far, in the order in which they came.
	 * @return the requests
	 */
	public List<Request> requests() {
		return List.copyOf(this.requests);
	}

	/**
	 * Return the tokens of all requests so far but those for a token.
	 * @return the tokens, an empty text where there was none
	 */
	public List<String> sentTokens() {
		return this.requests.stream().filter((request) -> !request.isForToken()).map(Request::accessToken).toList();
	}

	/**
	 * Return for whom WeChat's own token endpoints were asked.
	 * @return the app ids, in order
	 */
	public List<String> tokenRequests() {
		return this.requests.stream().filter(Request::isForToken).map(Request::appId).toList();
	}

	private Publisher<Void> handle(HttpServerRequest request, HttpServerResponse response) {
		return request.receive().aggregate().asByteArray().defaultIfEmpty(new byte[0]).flatMap((body) -> {
			Request recorded = new Request(request.method().name(), URI.create(request.uri()),
					request.requestHeaders().copy(), body);
			this.requests.add(recorded);
			return Mono.from(handle(recorded, response));
		});
	}

	private Publisher<Void> handle(Request request, HttpServerResponse response) {
		if (request.isForToken()) {
			return response.header("Content-Type", JSON)
				.send(chunks(bytes("{\"access_token\":\"wechat-%s-%d\",\"expires_in\":7200}".formatted(request.appId(),
						tokenRequests().size()))));
		}
		Handler handler = this.handlers.get(request.path());
		if (handler == null) {
			return response.sendNotFound();
		}
		if (this.busy.getAndUpdate((calls) -> Math.max(0, calls - 1)) > 0) {
			return fail(response, -1, "system error");
		}
		String token = request.accessToken();
		if (token.isEmpty() && !request.path().startsWith("/sns/")) {
			return fail(response, 41001, "access_token missing");
		}
		if (!token.isEmpty() && !this.valid.test(token)) {
			return this.gate.then(Mono.defer(() -> Mono.from(fail(response, this.rejection,
					"invalid credential, access_token is invalid or not latest rid: 0001"))));
		}
		if (request.header("Transfer-Encoding") != null) {
			return response.status(412).sendString(Mono.just("Precondition Failed"));
		}
		return handler.handle(response);
	}

	private Publisher<Void> fail(HttpServerResponse response, int errcode, String errmsg) {
		return response.header("Content-Type", "text/plain")
			.send(chunks(bytes("{\"errcode\":%d,\"errmsg\":\"%s\"}".formatted(errcode, errmsg))),
					(buffer) -> this.chunkSize != Integer.MAX_VALUE);
	}

	private Flux<ByteBuf> chunks(byte[] bytes) {
		int size = Math.min(this.chunkSize, Math.max(1, bytes.length));
		return Flux.range(0, (bytes.length + size - 1) / size)
			.map((index) -> Unpooled.wrappedBuffer(bytes, index * size, Math.min(size, bytes.length - index * size)));
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	@Override
	public void close() {
		this.server.disposeNow(Duration.ofSeconds(30));
		this.threads.disposeLater(Duration.ZERO, Duration.ofSeconds(5)).block();
	}

	/**
	 * Writes an answer.
	 */
	@FunctionalInterface
	public interface Handler {

		/**
		 * Write the answer.
		 * @param response what to write it to
		 * @return completes when it is written
		 */
		Publisher<Void> handle(HttpServerResponse response);

	}

	/**
	 * A request that came.
	 *
	 * @param method the method
	 * @param uri path and query
	 * @param headers the headers
	 * @param body the body
	 */
	public record Request(String method, URI uri, HttpHeaders headers, byte[] body) {

		/**
		 * Return the path.
		 * @return the path
		 */
		public String path() {
			return this.uri.getPath();
		}

		/**
		 * Return the token.
		 * @return the token, empty if there is none
		 */
		public String accessToken() {
			return parameter("access_token");
		}

		boolean isForToken() {
			return path().equals("/cgi-bin/token") || path().equals("/cgi-bin/stable_token");
		}

		String appId() {
			return this.body.length == 0 ? parameter("appid")
					: text().replaceFirst("(?s).*\"appid\":\"(\\w+)\".*", "$1");
		}

		private String parameter(String name) {
			List<String> values = new QueryStringDecoder(this.uri).parameters().get(name);
			return (values != null) ? values.get(0) : "";
		}

		/**
		 * Return the body as text.
		 * @return the body
		 */
		public String text() {
			return new String(this.body, StandardCharsets.UTF_8);
		}

		/**
		 * Return a header.
		 * @param name its name
		 * @return its first value
		 */
		public @Nullable String header(String name) {
			return this.headers.get(name);
		}

	}

}
