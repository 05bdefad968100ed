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

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.test.LoopbackServer;

/**
 * A server on loopback that records each request and answers with the bytes it is told
 * to, however wrong they are. The last of its answers is given again and again.
 */
public final class AuthingServer implements AutoCloseable {

	private final LoopbackServer server = new LoopbackServer("authing-server");

	private final List<Answer> answers;

	private final List<Request> requests = new CopyOnWriteArrayList<>();

	private final CountDownLatch abandoned = new CountDownLatch(1);

	private final Semaphore ended = new Semaphore(0);

	public AuthingServer(Answer... answers) {
		this.answers = List.of(answers);
		this.server.accept(this::serve);
	}

	/**
	 * Return the answer of a success.
	 * @param accessToken the token
	 * @return the answer
	 */
	public static Answer token(String accessToken) {
		return json("""
				{"statusCode":200,"message":"ok","requestId":"request-1",\
				"data":{"accessToken":"%s","expiresAt":1900000000}}""".formatted(accessToken));
	}

	public static Answer json(String body) {
		return answer(200, body, "Content-Type: application/json; charset=utf-8");
	}

	public static Answer answer(int status, String body, String... headers) {
		byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
		StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append(" Status\r\n");
		for (String header : headers) {
			head.append(header).append("\r\n");
		}
		head.append("Content-Length: ").append(bytes.length).append("\r\n\r\n");
		return (socket) -> {
			OutputStream out = socket.getOutputStream();
			out.write(head.toString().getBytes(StandardCharsets.US_ASCII));
			out.write(bytes);
			out.flush();
		};
	}

	/**
	 * Return an answer that breaks off.
	 * @param text what comes before
	 * @return the answer
	 */
	public static Answer brokenOff(String text) {
		return (socket) -> {
			socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
			socket.getOutputStream().flush();
			socket.close();
		};
	}

	public static Answer reset() {
		return (socket) -> {
			socket.setSoLinger(true, 0);
			socket.close();
		};
	}

	public static Answer silence() {
		return (socket) -> {
		};
	}

	public URI uri() {
		return uri("http", "");
	}

	public URI uri(String scheme, String path) {
		return URI.create(scheme + "://localhost:" + this.server.port() + path);
	}

	public List<Request> requests() {
		return this.requests;
	}

	public Request request() {
		return this.requests.get(this.requests.size() - 1);
	}

	public int connections() {
		return this.server.connections();
	}

	/**
	 * Return a latch that opens when a client closes its connection.
	 * @return the latch
	 */
	public CountDownLatch abandoned() {
		return this.abandoned;
	}

	@Override
	public void close() {
		this.server.close();
	}

	/**
	 * Return a semaphore that has a permit for each connection that has ended.
	 * @return the semaphore
	 */
	public Semaphore ended() {
		return this.ended;
	}

	private void serve(Socket socket) throws IOException {
		try {
			answer(socket);
		}
		finally {
			this.ended.release();
		}
	}

	private void answer(Socket socket) throws IOException {
		InputStream in = new BufferedInputStream(socket.getInputStream());
		Request request = Request.read(in);
		while (request != null) {
			this.requests.add(request);
			this.answers.get(Math.min(this.requests.size(), this.answers.size()) - 1).write(socket, request);
			request = Request.read(in);
		}
		this.abandoned.countDown();
	}

	/**
	 * Writes an answer.
	 */
	@FunctionalInterface
	public interface Answer {

		void write(Socket socket) throws IOException;

		default void write(Socket socket, Request request) throws IOException {
			write(socket);
		}

	}

	/**
	 * A request as it came.
	 *
	 * @param method the method
	 * @param path the path
	 * @param headers the headers; names are not case-sensitive
	 * @param body the body
	 */
	public record Request(String method, String path, Map<String, String> headers, String body) {

		static @Nullable Request read(InputStream in) throws IOException {
			String start = line(in);
			if (start.isEmpty()) {
				return null;
			}
			Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
			for (String line = line(in); !line.isEmpty(); line = line(in)) {
				int colon = line.indexOf(':');
				headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
			}
			byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("Content-Length", "0")));
			String[] parts = start.split(" ");
			return new Request(parts[0], parts[1], headers, new String(body, StandardCharsets.UTF_8));
		}

		private static String line(InputStream in) throws IOException {
			ByteArrayOutputStream line = new ByteArrayOutputStream();
			for (int c = in.read(); c != -1 && c != '\n'; c = in.read()) {
				line.write(c);
			}
			return line.toString(StandardCharsets.US_ASCII).strip();
		}

	}

}
