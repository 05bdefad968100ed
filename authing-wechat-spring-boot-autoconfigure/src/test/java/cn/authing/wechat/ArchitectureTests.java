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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import javax.xml.parsers.DocumentBuilderFactory;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAnnotation;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.util.ClassUtils;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds the structure: which package may use which, what is public, what is optional.
 */
class ArchitectureTests {

	private static final JavaClasses CLASSES = new ClassFileImporter()
		.withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
		.importPackages("cn.authing.wechat");

	@Test
	void packagesOnlyUseThoseBelowThem() {
		layeredArchitecture().consideringOnlyDependenciesInAnyPackage("cn.authing.wechat..")
			.layer("api")
			.definedBy("cn.authing.wechat")
			.layer("client")
			.definedBy("cn.authing.wechat.client")
			.layer("token")
			.definedBy("cn.authing.wechat.token")
			.optionalLayer("redis")
			.definedBy("cn.authing.wechat.redis")
			.optionalLayer("http")
			.definedBy("cn.authing.wechat.http")
			.optionalLayer("wxjava")
			.definedBy("cn.authing.wechat.wxjava")
			.optionalLayer("actuate")
			.definedBy("cn.authing.wechat.actuate")
			.layer("autoconfigure")
			.definedBy("cn.authing.wechat.autoconfigure")
			.whereLayer("autoconfigure")
			.mayNotBeAccessedByAnyLayer()
			.whereLayer("actuate")
			.mayOnlyBeAccessedByLayers("autoconfigure")
			.whereLayer("wxjava")
			.mayOnlyBeAccessedByLayers("autoconfigure")
			.whereLayer("http")
			.mayOnlyBeAccessedByLayers("autoconfigure")
			.whereLayer("redis")
			.mayOnlyBeAccessedByLayers("autoconfigure")
			.whereLayer("token")
			.mayOnlyBeAccessedByLayers("autoconfigure", "actuate", "redis")
			.whereLayer("client")
			.mayOnlyBeAccessedByLayers("autoconfigure", "http", "token", "wxjava")
			.whereLayer("api")
			.mayNotAccessAnyLayer()
			.ensureAllClassesAreContainedInArchitecture()
			.check(CLASSES);
	}

	@Test
	void autoConfigurationsHaveTestsOfTheirOwn() {
		assertThat(CLASSES).filteredOn((type) -> type.isAnnotatedWith(AutoConfiguration.class))
			.isNotEmpty()
			.extracting((type) -> type.getName() + "Tests")
			.allMatch((name) -> ClassUtils.isPresent(name, null));
	}

	@Test
	void packagesHaveNoCycles() {
		slices().matching("cn.authing.wechat.(*)..").should().beFreeOfCycles().check(CLASSES);
	}

	@Test
	void classesOfTokenHaveNoCycles() {
		SliceAssignment topLevelClasses = new SliceAssignment() {

			@Override
			public SliceIdentifier getIdentifierOf(JavaClass type) {
				String name = type.getName().replaceAll("\\$.*", "");
				return type.getPackageName().equals("cn.authing.wechat.token") ? SliceIdentifier.of(name)
						: SliceIdentifier.ignore();
			}

			@Override
			public String getDescription() {
				return "top-level classes of token";
			}

		};
		slices().assignedFrom(topLevelClasses).should().beFreeOfCycles().check(CLASSES);
	}

	@Test
	void onlyAutoConfigurationKnowsSpringBoot() {
		assertThat(CLASSES.stream()
			.filter((type) -> Set
				.of("cn.authing.wechat", "cn.authing.wechat.client", "cn.authing.wechat.token",
						"cn.authing.wechat.http", "cn.authing.wechat.wxjava", "cn.authing.wechat.redis")
				.contains(type.getPackageName()))
			.flatMap((type) -> type.getDirectDependenciesFromSelf().stream())
			.filter((
					dependency) -> dependency.getTargetClass().getPackageName().startsWith("org.springframework.boot")))
			.isEmpty();
	}

	@Test
	void tokenPackageKnowsNoMetricsLibrary() {
		assertThat(CLASSES.stream()
			.filter((type) -> type.getPackageName().equals("cn.authing.wechat.token"))
			.flatMap((type) -> type.getDirectDependenciesFromSelf().stream())
			.filter((dependency) -> dependency.getTargetClass().getPackageName().startsWith("io.micrometer")))
			.isEmpty();
	}

	@Test
	void packagesAreNullMarked() {
		for (JavaClass type : CLASSES) {
			JavaPackage javaPackage = type.getPackage();
			assertThat(javaPackage.isAnnotatedWith(NullMarked.class)).as(javaPackage.getName()).isTrue();
		}
	}

	@Test
	void autoConfigurationsArePublicFinalAndShowNothingElse() {
		DescribedPredicate<JavaClass> autoConfiguration = DescribedPredicate.describe("auto-configuration",
				(type) -> type.isAnnotatedWith(AutoConfiguration.class));
		JavaClasses autoConfigurations = CLASSES.that(autoConfiguration);
		assertThat(autoConfigurations).isNotEmpty();
		for (JavaClass type : autoConfigurations) {
			assertThat(type.getModifiers()).as(type.getName()).contains(JavaModifier.PUBLIC, JavaModifier.FINAL);
			assertThat(type.getMembers()).as(type.getName())
				.noneMatch((member) -> member.getModifiers().contains(JavaModifier.PUBLIC));
		}
	}

	@Test
	void beanMethodsHaveNoClassCondition() {
		assertThat(CLASSES.stream()
			.flatMap((type) -> type.getMethods().stream())
			.filter((method) -> method.isAnnotatedWith(Bean.class))
			.filter(ArchitectureTests::hasClassCondition)).isEmpty();
	}

	private static boolean hasClassCondition(JavaMethod method) {
		return method.getAnnotations()
			.stream()
			.map(JavaAnnotation::getRawType)
			.anyMatch((type) -> type.isEquivalentTo(ConditionalOnClass.class));
	}

	@Test
	void testsThatTheThreatModelNamesExist() throws IOException {
		Set<String> tests = new HashSet<>();
		for (String sources : List.of("src/test/java", "../sample-app/src/test/java")) {
			try (Stream<Path> files = Files.walk(Path.of(sources))) {
				files.map((file) -> file.getFileName().toString().replace(".java", "")).forEach(tests::add);
			}
		}
		assertThat(Pattern.compile("\\w+Tests").matcher(Files.readString(Path.of("docs", "threat-model.md"))).results())
			.extracting(MatchResult::group)
			.hasSizeGreaterThan(10)
			.isSubsetOf(tests);
	}

	@Test
	void technologiesAreOptional() throws Exception {
		Element project = DocumentBuilderFactory.newInstance()
			.newDocumentBuilder()
			.parse(Path.of("pom.xml").toFile())
			.getDocumentElement();
		List<Element> required = children(child(project, "dependencies")).stream()
			.filter((dependency) -> !"test".equals(text(dependency, "scope")))
			.filter((dependency) -> !"true".equals(text(dependency, "optional")))
			.toList();
		assertThat(required).extracting((dependency) -> text(dependency, "artifactId"))
			.containsExactlyInAnyOrder("spring-boot-autoconfigure", "jspecify");
	}

	private static List<Element> children(Element element) {
		NodeList nodes = element.getChildNodes();
		return IntStream.range(0, nodes.getLength())
			.<Node>mapToObj(nodes::item)
			.filter(Element.class::isInstance)
			.map(Element.class::cast)
			.toList();
	}

	private static Element child(Element element, String name) {
		return children(element).stream().filter((child) -> child.getTagName().equals(name)).findFirst().orElseThrow();
	}

	private static String text(Element element, String name) {
		return children(element).stream()
			.filter((child) -> child.getTagName().equals(name))
			.map(Element::getTextContent)
			.findFirst()
			.orElse("");
	}

}
