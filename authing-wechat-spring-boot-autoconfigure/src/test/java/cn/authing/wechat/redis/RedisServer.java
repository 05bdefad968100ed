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

package cn.authing.wechat.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import org.jspecify.annotations.Nullable;

import cn.authing.wechat.test.program.Programs;

/**
 * A real {@code redis-server} on a free port, to be killed, suspended and started again:
 * that of the path, or else the one that Maven brings ({@link RedisBinary}).
 */
public final class RedisServer implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofSeconds(20);

	private final int port = freePort();

	private final List<String> options;

	private final @Nullable Path configuration;

	private @Nullable Process process;

	private RedisServer(List<String> options, @Nullable Path configuration) {
		this.options = options;
		this.configuration = configuration;
	}

	public static RedisServer up(String... options) {
		RedisServer server = new RedisServer(List.of(options), null);
		server.start();
		return server;
	}

	/**
	 * Start a sentinel that watches a server.
	 * @param name what the server is called
	 * @param master the server
	 * @param configuration the file where it keeps what it knows
	 */
	public static RedisServer sentinel(String name, RedisServer master, Path configuration) throws IOException {
		Files.writeString(configuration, "sentinel monitor %s 127.0.0.1 %d 1".formatted(name, master.port()));
		RedisServer sentinel = new RedisServer(List.of("--sentinel"), configuration);
		sentinel.start();
		return sentinel;
	}

	/**
	 * Return a server that is down, and whose port nobody else uses.
	 */
	public static RedisServer down() {
		return new RedisServer(List.of(), null);
	}

	public int port() {
		return this.port;
	}

	public void start() {
		List<String> command = new ArrayList<>(List.of(RedisBinary.get().path().toString()));
		if (this.configuration != null) {
			command.add(this.configuration.toString());
		}
		command.addAll(List.of("--port", String.valueOf(this.port), "--bind", "127.0.0.1", "--save", "", "--appendonly",
				"no"));
		command.addAll(this.options);
		try {
			this.process = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.DISCARD)
				.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		awaitReady();
	}

	private void awaitReady() {
		Instant end = Instant.now().plus(PATIENCE);
		while (true) {
			try (Commands commands = commands()) {
				commands.sync().ping();
				return;
			}
			catch (RedisException ex) {
				if (Instant.now().isAfter(end) || !process().isAlive()) {
					throw ex;
				}
				Thread.onSpinWait();
			}
		}
	}

	/**
	 * Kill the server; what it held is lost.
	 */
	public void kill() {
		process().destroyForcibly();
		awaitEnd(process());
	}

	/**
	 * Have the server do nothing, while its connections stay open.
	 */
	public void suspend() {
		signal("-STOP");
	}

	public void resume() {
		signal("-CONT");
	}

	// Every shell has the command built in; as a program it is not everywhere.
	private void signal(String signal) {
		try {
			awaitEnd(new ProcessBuilder("sh", "-c", "kill " + signal + " " + process().pid()).start());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static void awaitEnd(Process process) {
		try {
			if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
				throw new IllegalStateException("A process did not end");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Connect to the server beside the code under test.
	 */
	public Commands commands() {
		return new Commands(RedisClient.create(RedisURI.builder().withHost("127.0.0.1").withPort(this.port).build()));
	}

	private Process process() {
		return Objects.requireNonNull(this.process, "not started");
	}

	@Override
	public void close() {
		if (this.process != null) {
			kill();
		}
	}

	private static int freePort() {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Skip the current test where the server was built without TLS.
	 */
	public static void assumeTls() {
		if (!RedisBinary.get().hasTls()) {
			throw Programs.skip("the Redis of these tests was built without TLS", "apt-get install redis-server");
		}
	}

	/**
	 * A connection of the test.
	 */
	public static final class Commands implements AutoCloseable {

		private final RedisClient client;

		private final StatefulRedisConnection<String, String> connection;

		Commands(RedisClient client) {
			this.client = client;
			try {
				this.connection = client.connect();
			}
			catch (RedisException ex) {
				shutdown();
				throw ex;
			}
		}

		public RedisCommands<String, String> sync() {
			return this.connection.sync();
		}

		@Override
		public void close() {
			this.connection.close();
			shutdown();
		}

		private void shutdown() {
			this.client.shutdown(Duration.ZERO, Duration.ZERO);
		}

	}

}
