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

package cn.authing.wechat.wxjava;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.springframework.util.MultiValueMap;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * A WeChat on loopback. It records who asks it for a token, checks the tokens of all
 * other calls, and answers as WeChat does: HTTP 200 and an {@code errcode}.
 */
final class FakeWechat implements AutoCloseable {

	private final HttpServer server;

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private final Set<String> rejected = ConcurrentHashMap.newKeySet();

	private final List<String> tokenRequests = new CopyOnWriteArrayList<>();

	private final List<String> usedTokens = new CopyOnWriteArrayList<>();

	private final List<String> paths = new CopyOnWriteArrayList<>();

	private final List<String> uploads = new CopyOnWriteArrayList<>();

	private volatile boolean rejectingAll;

	private volatile CountDownLatch rejectionGate = new CountDownLatch(0);

	FakeWechat() {
		try {
			this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		this.server.createContext("/", this::answer);
		this.server.setExecutor(this.executor);
		this.server.start();
	}

	String url() {
		return "http://localhost:" + this.server.getAddress().getPort();
	}

	/**
	 * Reject a token from now on.
	 * @param accessToken the token
	 */
	void reject(String accessToken) {
		this.rejected.add(accessToken);
	}

	void rejectAll() {
		this.rejectingAll = true;
	}

	/**
	 * Hold back rejections until there are that many.
	 * @param calls the number of rejected calls to wait for
	 */
	void holdRejectionsUntil(int calls) {
		this.rejectionGate = new CountDownLatch(calls);
	}

	/**
	 * Return the app ids for which WeChat's own token endpoints were asked.
	 * @return the app ids, in order
	 */
	List<String> tokenRequests() {
		return this.tokenRequests;
	}

	List<String> usedTokens() {
		return this.usedTokens;
	}

	List<String> paths() {
		return this.paths;
	}

	/**
	 * Return the bodies of the uploads, also of those that were rejected.
	 * @return the bodies, in order
	 */
	List<String> uploads() {
		return this.uploads;
	}

	private void answer(HttpExchange exchange) throws IOException {
		String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
		String path = exchange.getRequestURI().getPath();
		MultiValueMap<String, String> query = UriComponentsBuilder.fromUri(exchange.getRequestURI())
			.build()
			.getQueryParams();
		byte[] answer = answer(path, query, body).getBytes(StandardCharsets.UTF_8);
		exchange.getResponseHeaders().add("Content-Type", "text/plain");
		exchange.sendResponseHeaders(200, answer.length);
		exchange.getResponseBody().write(answer);
		exchange.close();
	}

	private String answer(String path, MultiValueMap<String, String> query, String body) {
		if (path.equals("/cgi-bin/token")) {
			return newToken(String.valueOf(query.getFirst("appid")));
		}
		if (path.equals("/cgi-bin/stable_token")) {
			return newToken(body.replaceFirst("(?s).*\"appid\":\"(\\w+)\".*", "$1"));
		}
		String accessToken = String.valueOf(query.getFirst("access_token"));
		this.paths.add(path);
		this.usedTokens.add(accessToken);
		if (path.endsWith("/upload")) {
			this.uploads.add(body);
		}
		if (this.rejectingAll || this.rejected.contains(accessToken)) {
			awaitRejections();
			return "{\"errcode\":40001,\"errmsg\":\"invalid credential, access_token is invalid or not latest\"}";
		}
		return switch (path) {
			case "/cgi-bin/getcallbackip" -> "{\"ip_list\":[\"127.0.0.1\"]}";
			case "/cgi-bin/media/upload" -> "{\"type\":\"file\",\"media_id\":\"the-media-id\"}";
			case "/cgi-bin/ticket/getticket" -> "{\"errcode\":0,\"ticket\":\"the-ticket\",\"expires_in\":7200}";
			default -> "{\"errcode\":48001,\"errmsg\":\"api unauthorized\"}";
		};
	}

	private String newToken(String appId) {
		this.tokenRequests.add(appId);
		return "{\"access_token\":\"wechat-%s-%d\",\"expires_in\":7200}".formatted(appId, this.tokenRequests.size());
	}

	private void awaitRejections() {
		this.rejectionGate.countDown();
		try {
			if (!this.rejectionGate.await(30, TimeUnit.SECONDS)) {
				throw new IllegalStateException("The other calls did not come");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Override
	public void close() {
		this.server.stop(0);
		this.executor.shutdownNow();
	}

}
