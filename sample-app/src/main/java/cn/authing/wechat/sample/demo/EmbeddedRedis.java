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

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * A {@code redis-server} that only this machine can reach, started from the path and
 * stopped and started again as the page says. It keeps nothing on disk.
 */
final class EmbeddedRedis {

	private static final Duration START_TIMEOUT = Duration.ofSeconds(10);

	private final int port;

	private @Nullable Process process;

	private EmbeddedRedis(int port) {
		this.port = port;
	}

	/**
	 * Start a server on a free port.
	 * @return the server, or {@code null} where there is no {@code redis-server} on the
	 * path
	 */
	static @Nullable EmbeddedRedis startIfInstalled() {
		try {
			EmbeddedRedis redis = new EmbeddedRedis(freePort());
			redis.start();
			return redis;
		}
		catch (IOException | UncheckedIOException ex) {
			return null;
		}
	}

	private static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
	}

	int port() {
		return this.port;
	}

	synchronized boolean isUp() {
		return this.process != null && this.process.isAlive();
	}

	synchronized void start() {
		if (isUp()) {
			return;
		}
		try {
			this.process = new ProcessBuilder("redis-server", "--bind", LoopbackServer.HOST, "--port",
					String.valueOf(this.port), "--save", "", "--appendonly", "no")
				.redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.DISCARD)
				.start();
			awaitStart(this.process);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void awaitStart(Process process) throws IOException {
		long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
		while (process.isAlive() && System.nanoTime() - deadline < 0) {
			try (Socket socket = new Socket()) {
				socket.connect(new InetSocketAddress(LoopbackServer.HOST, this.port), 1000);
				return;
			}
			catch (IOException ex) {
				// Not yet
				Thread.onSpinWait();
			}
		}
		process.destroyForcibly();
		throw new IOException("redis-server did not start");
	}

	synchronized void stop() {
		if (this.process != null) {
			this.process.destroy();
			try {
				if (!this.process.waitFor(5, TimeUnit.SECONDS)) {
					this.process.destroyForcibly();
				}
			}
			catch (InterruptedException ex) {
				this.process.destroyForcibly();
				Thread.currentThread().interrupt();
			}
			this.process = null;
		}
	}

}
