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

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import cn.authing.wechat.test.LoopbackServer;

/**
 * An HTTP proxy on loopback: it records the hosts that it is asked for and connects to
 * one port of loopback, whatever they are.
 */
final class ConnectProxy implements AutoCloseable {

	private final LoopbackServer server = new LoopbackServer("connect-proxy");

	private final int targetPort;

	private final List<String> targets = new CopyOnWriteArrayList<>();

	ConnectProxy(int targetPort) {
		this.targetPort = targetPort;
		this.server.accept(this::connect);
	}

	int port() {
		return this.server.port();
	}

	/**
	 * Return what the proxy was asked to connect to.
	 * @return the hosts and ports, in order
	 */
	List<String> targets() {
		return this.targets;
	}

	@Override
	public void close() {
		this.server.close();
	}

	private void connect(Socket client) throws IOException {
		BufferedReader in = new BufferedReader(
				new InputStreamReader(client.getInputStream(), StandardCharsets.ISO_8859_1));
		String start = in.readLine();
		if (start == null || !start.startsWith("CONNECT ")) {
			client.close();
			return;
		}
		this.targets.add(start.split(" ")[1]);
		for (String line = start; line != null && !line.isEmpty(); line = in.readLine()) {
			// The client sends nothing more before it has the answer
		}
		try (Socket target = new Socket(InetAddress.getLoopbackAddress(), this.targetPort)) {
			client.getOutputStream()
				.write("HTTP/1.1 200 Connection established\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
			this.server.start(() -> target.getInputStream().transferTo(client.getOutputStream()));
			client.getInputStream().transferTo(target.getOutputStream());
		}
	}

}
