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
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.springframework.util.function.SingletonSupplier;

import cn.authing.wechat.test.program.Programs;

/**
 * The program that {@link RedisServer} starts.
 *
 * @param path where it is
 * @param hasTls whether it was built with TLS
 */
record RedisBinary(Path path, boolean hasTls) {

	private static final Pattern VERSION = Pattern.compile("v=(\\d+)\\.(\\d+)");

	/**
	 * The binaries in {@code com.github.codemonstur:embedded-redis}. That jar has an API,
	 * too, which is not used: the tests kill, suspend and configure the process. The last
	 * one is linked statically, for a Linux without the OpenSSL that the first one needs.
	 */
	private static final List<String> BUNDLED = List.of("redis-server-6.2.6-v5-linux-amd64",
			"redis-server-6.2.7-linux-arm64", "redis-server-6.2.6-v5-darwin-amd64",
			"redis-server-6.2.6-v5-darwin-arm64", "redis-server-5.0.14.1-windows-amd64.exe",
			"redis-server-6.2.7-linux-386");

	private static final Supplier<RedisBinary> INSTANCE = SingletonSupplier.of(() -> onPath().or(RedisBinary::bundled)
		.orElseThrow(() -> Programs.skip(
				"no redis-server of 6.2 or later on the path, and none that runs here " + "from Maven Central",
				"apt-get install redis-server")));

	static RedisBinary get() {
		return INSTANCE.get();
	}

	private static Optional<RedisBinary> onPath() {
		return Programs.find("redis-server").filter(RedisBinary::isNotOlderThanBundled).map(RedisBinary::of);
	}

	private static boolean isNotOlderThanBundled(Path path) {
		Matcher version = VERSION.matcher(output(path, "--version"));
		return version.find() && Integer.parseInt(version.group(1)) * 100 + Integer.parseInt(version.group(2)) >= 602;
	}

	private static Optional<RedisBinary> bundled() {
		String system = System.getProperty("os.name").toLowerCase(Locale.ROOT).replace("mac os x", "darwin");
		String architecture = System.getProperty("os.arch").replace("x86_64", "amd64").replace("aarch64", "arm64");
		return BUNDLED.stream()
			.filter((name) -> system.startsWith(name.replaceAll(".*-(linux|darwin|windows)-.*", "$1")))
			.filter((name) -> name.contains("-" + architecture)
					|| name.endsWith("-386") && architecture.equals("amd64"))
			.map(RedisBinary::unpack)
			.filter((path) -> VERSION.matcher(output(path, "--version")).find())
			.map(RedisBinary::of)
			.findFirst();
	}

	private static Path unpack(String name) {
		try (InputStream in = Objects.requireNonNull(RedisBinary.class.getResourceAsStream("/" + name), name)) {
			Path file = Files.createTempFile("redis-server-", ".exe");
			file.toFile().deleteOnExit();
			Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
			file.toFile().setExecutable(true);
			return file;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	// Whoever was built with TLS complains of the key that is missing, others of the
	// option.
	private static RedisBinary of(Path path) {
		return new RedisBinary(path,
				output(path, "--port", "0", "--tls-port", "1", "--tls-cert-file", "none").contains("tls-key-file"));
	}

	/**
	 * Run a program that ends by itself.
	 * @return what it prints, or nothing if it cannot be run
	 */
	private static String output(Path path, String... arguments) {
		List<String> command = new ArrayList<>(List.of(path.toString()));
		command.addAll(List.of(arguments));
		try {
			Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
			return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		}
		catch (IOException ex) {
			return "";
		}
	}

}
