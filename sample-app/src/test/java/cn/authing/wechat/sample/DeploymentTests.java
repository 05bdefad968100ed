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
package cn.authing.wechat.sample;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.http.HttpStatus;
import org.springframework.test.web.reactive.server.WebTestClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for what is in {@code deploy}: whether it fits the application that it deploys.
 */
@ExtendWith(OutputCaptureExtension.class)
class DeploymentTests {

	private static final Path DEPLOY = Path.of("deploy");

	// Spring Boot's own, which the application leaves as they are
	private static final int PORT = 8080;

	private static final int SHUTDOWN_SECONDS = 30;

	private static final Map<String, Map<String, Object>> MANIFESTS = manifests();

	private static final Map<String, Object> POD = node(manifest("Deployment"), "spec", "template", "spec");

	private static final Map<String, Object> CONTAINER = nodes(POD, "containers").get(0);

	@Test
	void manifestShouldRunTheApplicationWithSecretsFromFiles(@TempDir Path secrets, CapturedOutput output)
			throws IOException {
		UpstreamStub upstream = new UpstreamStub();
		Map<String, Object> settings = node(manifest("ConfigMap"), "data");
		assertThat(settings).containsEntry("SPRING_CONFIG_IMPORT", "configtree:" + mountPath() + "/");
		for (String file : node(manifest("Secret"), "stringData").keySet()) {
			Files.writeString(secrets.resolve(file), "very-secret-" + file);
		}
		upstream.answer("wx1", """
				{"statusCode": 200, "data": {"accessToken": "72_whole-token", "expiresAt": %d}}"""
			.formatted(Instant.now().plusSeconds(7200).getEpochSecond()));
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(SampleApplication.class).run(
				"--spring.config.import=configtree:" + secrets + "/", "--server.port=0", "--spring.data.redis.port=1",
				"--spring.profiles.active=" + settings.get("SPRING_PROFILES_ACTIVE"), "--authing.app-id=app-1",
				"--authing.wechat.app-id=wx1", "--authing.app-host=" + upstream.url())) {
			assertThat(context.getEnvironment().getActiveProfiles()).containsExactly("redis");
			WebTestClient client = WebTestClient.bindToServer()
				.baseUrl("http://127.0.0.1:" + context.getEnvironment().getRequiredProperty("local.server.port"))
				.responseTimeout(Duration.ofMinutes(1))
				.build();
			client.get().uri("/token").exchange().expectStatus().isOk();
			assertThat(upstream.requests()).singleElement()
				.satisfies((request) -> assertThat(request.body().path("appSecret").asString())
					.isEqualTo("very-secret-authing.wechat.app-secret"));
			for (String path : paths()) {
				client.get().uri(path).exchange().expectStatus().isEqualTo(HttpStatus.OK);
			}
		}
		finally {
			upstream.stop();
		}
		assertThat(output).doesNotContain("very-secret").doesNotContain("72_whole");
	}

	@Test
	void manifestShouldNameOnlyPropertiesThatExist() {
		Set<String> known = properties();
		assertThat(known).containsAll(node(manifest("Secret"), "stringData").keySet());
		Set<String> relaxed = known.stream().map(DeploymentTests::environmentName).collect(Collectors.toSet());
		assertThat(relaxed).containsAll(node(manifest("ConfigMap"), "data").keySet());
	}

	@Test
	void manifestShouldExposeThePortOfTheApplication() {
		assertThat(nodes(CONTAINER, "ports")).singleElement()
			.satisfies((port) -> assertThat(port).containsEntry("containerPort", PORT).containsEntry("name", "http"));
		assertThat(annotations()).containsEntry("prometheus.io/port", String.valueOf(PORT));
		for (String probe : probes()) {
			assertThat(node(CONTAINER, probe, "httpGet")).containsEntry("port", "http");
		}
		assertThat(nodes(node(manifest("Service"), "spec"), "ports")).singleElement()
			.satisfies((port) -> assertThat(port).containsEntry("targetPort", "http"));
	}

	@Test
	void manifestShouldGiveRequestsUnderWayTheTimeToEnd() {
		int pause = (int) Objects.requireNonNull(node(CONTAINER, "lifecycle", "preStop", "sleep").get("seconds"));
		assertThat((int) Objects.requireNonNull(POD.get("terminationGracePeriodSeconds")))
			.isGreaterThan(pause + SHUTDOWN_SECONDS);
		assertThat(String.valueOf(node(yaml("compose.yaml"), "services", "sample").get("stop_grace_period")))
			.isEqualTo("45s");
	}

	@Test
	void manifestShouldSelectItsOwnPods() {
		Map<String, Object> labels = node(manifest("Deployment"), "spec", "template", "metadata", "labels");
		assertThat(labels).isNotEmpty();
		assertThat(node(manifest("Deployment"), "spec", "selector", "matchLabels")).isEqualTo(labels);
		assertThat(node(manifest("Service"), "spec", "selector")).isEqualTo(labels);
	}

	@Test
	void manifestShouldNeedNoPrivileges() {
		assertThat(node(POD, "securityContext")).containsEntry("runAsNonRoot", true);
		assertThat(node(CONTAINER, "securityContext")).containsEntry("readOnlyRootFilesystem", true)
			.containsEntry("allowPrivilegeEscalation", false)
			.containsEntry("capabilities", Map.of("drop", List.of("ALL")));
	}

	@Test
	void imageShouldLeaveMemoryBesideTheHeap() {
		Matcher heap = Pattern.compile("MaxRAMPercentage=(\\d+)").matcher(read("Dockerfile"));
		assertThat(heap.find()).isTrue();
		String limit = String.valueOf(node(CONTAINER, "resources", "limits").get("memory"));
		int megabytes = Integer.parseInt(limit.replace("Mi", ""));
		assertThat(megabytes * (100 - Integer.parseInt(heap.group(1))) / 100).isGreaterThanOrEqualTo(256);
	}

	@Test
	void composeShouldMountFilesThatExist() {
		Map<String, Object> services = node(yaml("compose.yaml"), "services");
		assertThat(services).containsOnlyKeys("sample", "redis", "prometheus", "grafana");
		List<String> mounts = new ArrayList<>();
		mounts.addAll(strings(node(services, "prometheus"), "volumes"));
		mounts.addAll(strings(node(services, "grafana"), "volumes"));
		assertThat(mounts).hasSize(5)
			.allSatisfy((mount) -> assertThat(DEPLOY.resolve(mount.split(":")[0])).isRegularFile());
		assertThat(strings(node(services, "sample"), "ports")).containsExactly("127.0.0.1:8080:" + PORT);
		assertThat(DEPLOY.resolve(String.valueOf(node(services, "sample", "build").get("context")))
			.resolve(String.valueOf(node(services, "sample", "build").get("dockerfile")))).isRegularFile();
	}

	@Test
	void prometheusShouldReadTheApplicationAndTheAlerts() {
		Map<String, Object> prometheus = yaml("prometheus.yml");
		Map<String, Object> job = nodes(prometheus, "scrape_configs").get(0);
		assertThat(job).containsEntry("metrics_path", annotations().get("prometheus.io/path"));
		assertThat(strings(nodes(job, "static_configs").get(0), "targets")).containsExactly("sample:" + PORT);
		assertThat(strings(node(yaml("compose.yaml"), "services", "prometheus"), "volumes"))
			.anyMatch((mount) -> mount.contains("/etc/prometheus/" + strings(prometheus, "rule_files").get(0)));
	}

	@Test
	void grafanaShouldFindPrometheusAndTheDashboard() {
		assertThat(nodes(yaml("grafana/datasource.yaml"), "datasources")).singleElement()
			.satisfies((source) -> assertThat(source).containsEntry("type", "prometheus")
				.containsEntry("url", "http://prometheus:9090")
				.containsEntry("isDefault", true));
		String directory = String
			.valueOf(node(nodes(yaml("grafana/dashboards.yaml"), "providers").get(0), "options").get("path"));
		assertThat(strings(node(yaml("compose.yaml"), "services", "grafana"), "volumes"))
			.anyMatch((mount) -> mount.contains(":" + directory + "/grafana-dashboard.json:"));
	}

	private static String mountPath() {
		return String.valueOf(nodes(CONTAINER, "volumeMounts").get(0).get("mountPath"));
	}

	private static List<String> probes() {
		return List.of("startupProbe", "livenessProbe", "readinessProbe");
	}

	private static Set<String> paths() {
		Set<String> paths = probes().stream()
			.map((probe) -> String.valueOf(node(CONTAINER, probe, "httpGet").get("path")))
			.collect(Collectors.toCollection(TreeSet::new));
		paths.add(String.valueOf(annotations().get("prometheus.io/path")));
		return paths;
	}

	private static Map<String, Object> annotations() {
		return node(manifest("Deployment"), "spec", "template", "metadata", "annotations");
	}

	private static String environmentName(String property) {
		return property.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
	}

	private static Set<String> properties() {
		try {
			Set<String> names = new TreeSet<>();
			for (var resources = DeploymentTests.class.getClassLoader()
				.getResources("META-INF/spring-configuration-metadata.json"); resources.hasMoreElements();) {
				try (InputStream in = resources.nextElement().openStream()) {
					JsonNode metadata = JsonMapper.shared().readTree(in);
					metadata.path("properties").forEach((property) -> names.add(property.path("name").asString()));
				}
			}
			return names;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static Map<String, Object> manifest(String kind) {
		return Objects.requireNonNull(MANIFESTS.get(kind), kind);
	}

	private static Map<String, Map<String, Object>> manifests() {
		return StreamSupport.stream(new Yaml().loadAll(read("kubernetes.yaml")).spliterator(), false)
			.map(DeploymentTests::map)
			.collect(Collectors.toMap((manifest) -> String.valueOf(manifest.get("kind")), (manifest) -> manifest));
	}

	private static Map<String, Object> yaml(String file) {
		return map(new Yaml().load(read(file)));
	}

	private static String read(String file) {
		try {
			return Files.readString(DEPLOY.resolve(file));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static Map<String, Object> node(Map<String, Object> parent, String... path) {
		Map<String, Object> node = parent;
		for (String name : path) {
			node = map(node.get(name));
		}
		return node;
	}

	private static List<Map<String, Object>> nodes(Map<String, Object> parent, String name) {
		return list(parent, name).stream().map(DeploymentTests::map).toList();
	}

	private static List<String> strings(Map<String, Object> parent, String name) {
		return list(parent, name).stream().map(String::valueOf).toList();
	}

	private static List<?> list(Map<String, Object> parent, String name) {
		return (List<?>) Objects.requireNonNull(parent.get(name), name);
	}

	@SuppressWarnings("unchecked")
	private static Map<String, Object> map(@Nullable Object node) {
		return (Map<String, Object>) Objects.requireNonNull(node);
	}

}
