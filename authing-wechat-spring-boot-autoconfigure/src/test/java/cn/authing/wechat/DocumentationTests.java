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

package cn.authing.wechat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.core.io.ByteArrayResource;

import cn.authing.wechat.client.AuthingWechatClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the READMEs and the pages in {@code docs}: each exists in both languages,
 * what they show is what is compiled and run, and their links lead somewhere.
 * <p>
 * With {@code -Ddocumentation.update=true} the snippets and the property reference are
 * written instead of compared.
 */
class DocumentationTests {

	private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

	private static final Path DOCS = Path.of("docs").toAbsolutePath();

	private static final Path SNIPPETS = Path.of("src/test/java").toAbsolutePath();

	private static final boolean UPDATE = Boolean.getBoolean("documentation.update");

	private static final Pattern BLOCK = Pattern.compile("(?m)^(<!-- (.+) -->\n)?```(\\w*)\n([\\s\\S]*?)^```$");

	private static final Pattern LINK = Pattern
		.compile("(?<!!)\\[[^\\]]+]\\(([^)\\s]+)\\)|!\\[[^\\]]*]\\(([^)\\s]+)\\)");

	private static final Pattern PROPERTY_ROW = Pattern.compile("(?m)^\\| `([a-z.-]+)` \\| (.*?) \\| (.*) \\|$");

	static Stream<Path> pages() throws IOException {
		try (Stream<Path> docs = Files.list(DOCS)) {
			return Stream.concat(Stream.of("README.md", "README.zh-CN.md").map(ROOT::resolve),
					docs.filter((file) -> file.toString().endsWith(".md")).sorted().toList().stream());
		}
	}

	@ParameterizedTest
	@MethodSource("pages")
	void pageShouldBeInBothLanguages(Path page) throws IOException {
		assertThat(other(page)).exists();
		assertThat(structure(page)).isEqualTo(structure(other(page)));
	}

	@ParameterizedTest
	@MethodSource("pages")
	void javaShouldBeTheSourceThatIsCompiled(Path page) throws IOException {
		String text = Files.readString(page);
		String updated = BLOCK.matcher(text).replaceAll((block) -> Matcher.quoteReplacement(current(block)));
		check(page, text, updated);
	}

	private static String current(MatchResult block) {
		if (!"java".equals(block.group(3))) {
			return block.group();
		}
		assertThat(block.group(1)).as("the source of this snippet, as <!-- path -->:%n%s", block.group(4)).isNotNull();
		return block.group(1) + "```java\n" + source(SNIPPETS.resolve(block.group(2))) + "```";
	}

	private static String source(Path file) {
		try {
			String source = Files.readString(file);
			return source.substring(source.indexOf('\n', source.indexOf("\npackage ") + 1)).strip() + "\n";
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@ParameterizedTest
	@MethodSource("pages")
	void yamlShouldHaveKnownProperties(Path page) throws IOException {
		Map<String, JsonNode> known = properties();
		for (String yaml : blocks(page, "yaml")) {
			YamlPropertiesFactoryBean factory = new YamlPropertiesFactoryBean();
			factory.setResources(new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8)));
			Map<?, ?> properties = Objects.requireNonNull(factory.getObject());
			assertThat(properties).as(yaml).isNotEmpty();
			assertThat(properties.keySet()).map(String::valueOf)
				.filteredOn((name) -> name.startsWith("authing."))
				.allSatisfy((name) -> assertThat(known.keySet()).as(name)
					.anyMatch((candidate) -> name.equals(candidate) || isElement(name, candidate)));
		}
	}

	private static boolean isElement(String name, String candidate) {
		return (name.startsWith(candidate + ".") || name.startsWith(candidate + "["))
				&& candidate.matches(".*\\.(accounts|headers|service-groups|hosts|encryption-keys)");
	}

	@ParameterizedTest
	@MethodSource("pages")
	void linksShouldLeadSomewhere(Path page) throws IOException {
		Matcher link = LINK.matcher(Files.readString(page));
		while (link.find()) {
			String target = (link.group(1) != null) ? link.group(1) : link.group(2);
			if (target.contains("://")) {
				continue;
			}
			String[] parts = target.split("#", 2);
			Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
			assertThat(file).as("%s in %s", target, page).exists();
			if (parts.length == 2) {
				assertThat(headings(file).map(DocumentationTests::anchor)).as("%s in %s", target, page)
					.contains(parts[1]);
			}
		}
	}

	@ParameterizedTest
	@MethodSource("readmes")
	void readmeShouldBeReadInAnHour(Path readme) throws IOException {
		assertThat(Files.readAllLines(readme)).hasSizeLessThanOrEqualTo(250);
		String quickStart = Files.readString(readme).split("(?m)^## ")[1 + quickStart(readme)];
		assertThat(BLOCK.matcher(quickStart).results().filter((block) -> "bash".equals(block.group(3)))).hasSize(2);
	}

	private static int quickStart(Path readme) throws IOException {
		List<String> headings = headings(readme).filter((heading) -> heading.startsWith("## ")).toList();
		return Math.max(headings.indexOf("## Quick start"), headings.indexOf("## 快速开始"));
	}

	static Stream<Path> readmes() throws IOException {
		return pages().filter((page) -> ROOT.equals(page.getParent()));
	}

	@Test
	void propertiesShouldBeThoseOfTheMetadata() throws IOException {
		Path page = DOCS.resolve("properties.md");
		String text = Files.readString(page);
		String table = properties().values()
			.stream()
			.map((property) -> row(property, property.path("description").asString("").replaceAll("\\.$", "")))
			.collect(Collectors.joining());
		String updated = replaceTable(text, table);
		check(page, text, updated);
	}

	@Test
	void propertiesInChineseShouldBeThoseOfTheMetadata() throws IOException {
		Path page = other(DOCS.resolve("properties.md"));
		String text = Files.readString(page);
		Map<String, String> descriptions = PROPERTY_ROW.matcher(text)
			.results()
			.collect(Collectors.toMap((row) -> row.group(1), (row) -> row.group(3)));
		String updated = replaceTable(text,
				properties().entrySet()
					.stream()
					.map((property) -> row(property.getValue(), descriptions.getOrDefault(property.getKey(), "")))
					.collect(Collectors.joining()));
		check(page, text, updated);
		assertThat(descriptions)
			.allSatisfy((name, description) -> assertThat(description).as(name).containsPattern("\\p{IsHan}"));
	}

	private static void check(Path page, String text, String updated) throws IOException {
		if (UPDATE) {
			Files.writeString(page, updated);
		}
		else {
			assertThat(text).isEqualTo(updated);
		}
	}

	private static String row(JsonNode property, String description) {
		JsonNode value = property.path("defaultValue");
		String text = value.isArray() ? value.valueStream().map(JsonNode::asString).collect(Collectors.joining(", "))
				: value.asString("");
		return "| `%s` | %s | %s |%n".formatted(property.path("name").asString(),
				text.isEmpty() ? "" : "`" + text + "`", description.replace("|", "\\|"));
	}

	private static String replaceTable(String text, String rows) {
		Matcher table = Pattern.compile("(?m)(^\\| --- \\| --- \\| --- \\|\n)((^\\|.*\n)*)").matcher(text);
		return table.replaceFirst((match) -> match.group(1) + Matcher.quoteReplacement(rows));
	}

	private static List<String> structure(Path page) throws IOException {
		List<String> structure = new ArrayList<>();
		headings(page).map((heading) -> heading.replaceAll("[^#].*", "")).forEach(structure::add);
		BLOCK.matcher(Files.readString(page)).results().map((block) -> block.group(3)).forEach(structure::add);
		return structure;
	}

	private static Stream<String> headings(Path page) throws IOException {
		return Stream.of(BLOCK.matcher(Files.readString(page)).replaceAll("").split("\n"))
			.filter((line) -> line.startsWith("#"));
	}

	// As GitHub makes them
	private static String anchor(String heading) {
		return heading.replaceAll("^#+ ", "")
			.toLowerCase(Locale.ROOT)
			.replaceAll("[^\\p{L}\\p{N} _-]", "")
			.replace(' ', '-');
	}

	private static List<String> blocks(Path page, String language) throws IOException {
		return BLOCK.matcher(Files.readString(page))
			.results()
			.filter((block) -> language.equals(block.group(3)))
			.map((block) -> block.group(4))
			.toList();
	}

	private static Path other(Path page) {
		String name = page.getFileName().toString();
		return page.resolveSibling(
				name.endsWith(".zh-CN.md") ? name.replace(".zh-CN.md", ".md") : name.replace(".md", ".zh-CN.md"));
	}

	private static Map<String, JsonNode> properties() throws IOException {
		String classes = AuthingWechatClient.class.getProtectionDomain().getCodeSource().getLocation().toString();
		try (InputStream metadata = URI.create(classes + "META-INF/spring-configuration-metadata.json")
			.toURL()
			.openStream()) {
			return JsonMapper.shared()
				.readTree(metadata)
				.path("properties")
				.valueStream()
				.collect(Collectors.toMap((property) -> property.path("name").asString(), (property) -> property,
						(one, other) -> one, TreeMap::new));
		}
	}

}
