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

package cn.authing.wechat.test.program;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.opentest4j.TestAbortedException;

/**
 * Finds programs on the path, and says what to do about those that are not there.
 */
public final class Programs {

	private static final Log logger = LogFactory.getLog(Programs.class);

	private Programs() {
	}

	/**
	 * Find a program.
	 * @param names what it may be called
	 * @return where the first one that is on the path is
	 */
	public static Optional<Path> find(String... names) {
		String[] directories = System.getenv().getOrDefault("PATH", "").split(File.pathSeparator);
		return Arrays.stream(names)
			.flatMap((name) -> Stream.of(name, name + ".exe"))
			.flatMap((name) -> Arrays.stream(directories).map((directory) -> Path.of(directory, name)))
			.filter((file) -> Files.isRegularFile(file) && Files.isExecutable(file))
			.findFirst();
	}

	/**
	 * Skip the current test because something is missing.
	 * @param what what is missing
	 * @param remedy the command that installs it
	 * @return never
	 */
	public static TestAbortedException skip(String what, String remedy) {
		return new TestAbortedException(missing(what, remedy));
	}

	/**
	 * Say what is missing, or fail where nothing may be.
	 * @param what what is missing
	 * @param remedy the command that installs it
	 * @return why the test is skipped
	 */
	static String missing(String what, String remedy) {
		String reason = "Skipped: %s. To run it, install it (Debian: %s)".formatted(what, remedy);
		if (Boolean.parseBoolean(System.getenv("CI"))) {
			throw new AssertionError(reason.replace("Skipped", "CI=true, where nothing is skipped"));
		}
		// Surefire counts what is skipped, but does not show why.
		logger.warn(reason);
		return reason;
	}

}
