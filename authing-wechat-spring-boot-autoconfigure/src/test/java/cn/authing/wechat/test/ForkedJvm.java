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

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs a class in a Java virtual machine of its own, with this one's class path.
 */
public final class ForkedJvm {

	// What ends soon is done sooner without the second compiler and threads that collect
	// garbage, and without waiting for requests that nobody sends
	private final List<String> options = new ArrayList<>(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"-Dspring.reactor.netty.shutdown-quiet-period=50ms"));

	private final Path output;

	private Predicate<String> classPath = (jar) -> true;

	/**
	 * Create a new machine.
	 * @param directory where its output goes
	 */
	public ForkedJvm(Path directory) {
		this.output = directory.resolve("output.txt");
	}

	public ForkedJvm withOption(String option) {
		this.options.add(option);
		return this;
	}

	/**
	 * Restrict the class path.
	 * @param filter tests the name of a jar's file, or that of a directory
	 * @return this instance
	 */
	public ForkedJvm withClassPath(Predicate<String> filter) {
		this.classPath = filter;
		return this;
	}

	/**
	 * Run a class to its end.
	 * @param main the class
	 * @param arguments the arguments
	 * @return all that it wrote
	 */
	public String run(Class<?> main, String... arguments) {
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(this.options);
		command.addAll(List.of("-cp", classPath(), main.getName()));
		command.addAll(List.of(arguments));
		try {
			Process process = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(this.output.toFile())
				.start();
			try {
				assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("ended").isTrue();
			}
			finally {
				process.destroyForcibly();
			}
			String written = Files.readString(this.output);
			assertThat(process.exitValue()).as(written).isZero();
			return written;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private String classPath() {
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
			.filter((entry) -> this.classPath.test(Path.of(entry).getFileName().toString()))
			.collect(Collectors.joining(File.pathSeparator));
	}

}
