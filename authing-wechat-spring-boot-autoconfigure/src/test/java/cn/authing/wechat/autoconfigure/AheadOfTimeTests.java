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

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import javax.tools.ToolProvider;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.SpringApplicationAotProcessor;
import org.springframework.context.aot.AbstractAotProcessor;

import cn.authing.wechat.WechatMpTokenService;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for an application with a {@link WechatMpTokenService} of its own that is
 * processed ahead of time where Authing is not configured, and started elsewhere.
 */
class AheadOfTimeTests {

	private static final String CLASS_PATH = System.getProperty("surefire.test.class.path",
			System.getProperty("java.class.path"));

	@TempDir
	private static Path directory;

	private static String classPath = "";

	@BeforeAll
	static void processAheadOfTime() throws IOException {
		Path sources = directory.resolve("sources");
		Path resources = directory.resolve("resources");
		Path classes = directory.resolve("classes");
		new SpringApplicationAotProcessor(AheadOfTimeApplication.class,
				AbstractAotProcessor.Settings.builder()
					.sourceOutput(sources)
					.resourceOutput(resources)
					.classOutput(classes)
					.groupId("com.example")
					.artifactId("application")
					.build(),
				new String[] { "--spring.main.web-application-type=none" })
			.process();
		classPath = String.join(File.pathSeparator, classes.toString(), resources.toString(), CLASS_PATH);
		List<String> arguments = new ArrayList<>(
				List.of("-nowarn", "-proc:none", "-parameters", "-d", classes.toString(), "-cp", classPath));
		try (Stream<Path> files = Files.walk(sources)) {
			files.map(Path::toString).filter((file) -> file.endsWith(".java")).forEach(arguments::add);
		}
		assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)))
			.isZero();
	}

	@Test
	void serviceShouldDecorateThatOfAuthingWhereAuthingIsConfigured() throws IOException {
		assertThat(run("--authing.app-id=app", "--authing.app-secret=secret", "--authing.app-host=https://localhost:1"))
			.contains("service: Decorator[delegate=");
	}

	@Test
	void serviceShouldDoWithoutAuthingWhereAuthingIsNotConfigured() throws IOException {
		assertThat(run()).contains("service: ").doesNotContain("Decorator");
	}

	private static String run(String... arguments) throws IOException {
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
						"-Dspring.aot.enabled=true", "-cp", classPath, AheadOfTimeApplication.class.getName(),
						"--spring.main.web-application-type=none"));
		command.addAll(List.of(arguments));
		Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
		try (InputStream output = process.getInputStream()) {
			return new String(output.readAllBytes(), StandardCharsets.UTF_8);
		}
	}

}
