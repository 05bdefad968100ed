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

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A server on a free port of loopback that serves each connection on a thread of its own.
 */
public final class LoopbackServer implements AutoCloseable {

	private final ServerSocket serverSocket;

	private final String name;

	private final List<Socket> connections = new CopyOnWriteArrayList<>();

	public LoopbackServer(String name) {
		this.name = name;
		try {
			this.serverSocket = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Accept connections from now on.
	 * @param service what serves a connection
	 */
	public void accept(Service service) {
		start(() -> {
			while (true) {
				Socket connection = this.serverSocket.accept();
				this.connections.add(connection);
				start(() -> service.serve(connection));
			}
		});
	}

	/**
	 * Do something on a thread that ends with the connection that it uses.
	 * @param task what to do
	 */
	public void start(Task task) {
		Thread thread = new Thread(() -> {
			try {
				task.run();
			}
			catch (IOException ex) {
				// One of the two sides has closed the connection, which is what ends it
			}
		}, this.name);
		thread.setDaemon(true);
		thread.start();
	}

	public int port() {
		return this.serverSocket.getLocalPort();
	}

	/**
	 * Return how many connections were accepted.
	 * @return the number
	 */
	public int connections() {
		return this.connections.size();
	}

	@Override
	public void close() {
		try {
			this.serverSocket.close();
			for (Socket connection : this.connections) {
				connection.close();
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Serves a connection.
	 */
	@FunctionalInterface
	public interface Service {

		void serve(Socket connection) throws IOException;

	}

	/**
	 * Something to do with connections.
	 */
	@FunctionalInterface
	public interface Task {

		void run() throws IOException;

	}

}
