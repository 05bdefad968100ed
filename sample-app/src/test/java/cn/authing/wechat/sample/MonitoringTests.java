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
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.http.MediaType;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.web.reactive.server.WebTestClient;

import cn.authing.wechat.sample.demo.AuthingMode;
import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.test.program.RequiresProgram;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the alert rules and the dashboard in {@code monitoring}: with Prometheus' own
 * {@code promtool}, and by a Prometheus that watches this application. The shared store
 * has meters also while it cannot be reached.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, properties = "spring.data.redis.port=1")
@AutoConfigureWebTestClient
@ActiveProfiles({ "demo", "redis" })
class MonitoringTests {

	private static final Path MONITORING = Path.of("monitoring");

	private static final Pattern METRIC = Pattern.compile("(authing_wechat|http_client)_\\w+");

	@Test
	@RequiresProgram(value = "promtool", install = "prometheus")
	void alertsShouldBeValid() throws Exception {
		promtool("check", "rules", MONITORING.resolve("prometheus-alerts.yml"));
	}

	@Test
	@RequiresProgram(value = "promtool", install = "prometheus")
	void alertsShouldFireWhenTheyAreToAndOnlyThen() throws Exception {
		promtool("test", "rules", MONITORING.resolve("prometheus-alerts.test.yml"));
	}

	@Test
	void alertsAndDashboardShouldUseMetricsThatTheApplicationExports(@Autowired WebTestClient client) throws Exception {
		client.get().uri("/token/shop").exchange().expectStatus().isOk();
		String exported = Objects.requireNonNull(client.get()
			.uri("/actuator/prometheus")
			.exchange()
			.expectStatus()
			.isOk()
			.expectBody(String.class)
			.returnResult()
			.getResponseBody());
		String used = Files.readString(MONITORING.resolve("prometheus-alerts.yml"))
				+ String.join("\n", dashboardExpressions());
		assertThat(metrics(exported)).containsAll(metrics(used));
		assertThat(metrics(used)).containsAll(metrics(exported).stream()
			.filter((metric) -> metric.startsWith("authing_wechat_token_store"))
			.toList());
	}

	@Test
	void dashboardShouldLetOneChooseInstanceAndAccount() throws Exception {
		assertThat(dashboard().path("templating").path("list").findValuesAsString("name")).contains("instance",
				"account");
		assertThat(dashboardExpressions())
			.allSatisfy((expression) -> assertThat(expression).contains("instance=~\"$instance\""));
	}

	/**
	 * Let the sample application see a bit of everything, and a Prometheus scrape it: no
	 * panel may stay empty.
	 */
	@Test
	@RequiresProgram(value = "prometheus", install = "prometheus")
	void dashboardShouldShowSomethingInEachPanel(@Autowired WebTestClient client, @Autowired Demo demo,
			@LocalServerPort int port, @TempDir Path directory) throws Exception {
		try (Prometheus prometheus = Prometheus.scraping(port, directory)) {
			List<String> empty = dashboardExpressions();
			long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
			while (!empty.isEmpty()) {
				assertThat(System.nanoTime()).as("No data for " + empty).isLessThan(deadline);
				control(client, "/demo/reject", "{\"account\": \"shop\"}");
				demo.setAuthingMode(AuthingMode.HTML);
				control(client, "/demo/burst", "{\"cold\": true}");
				demo.setAuthingMode(AuthingMode.UP);
				control(client, "/demo/burst", "{\"cold\": false}");
				List<String> stillEmpty = new ArrayList<>();
				for (String expression : empty) {
					if (prometheus.query(expression).isEmpty()) {
						stillEmpty.add(expression);
					}
				}
				empty = stillEmpty;
			}
		}
		finally {
			demo.setAuthingMode(AuthingMode.UP);
		}
	}

	private static void control(WebTestClient client, String uri, String body) {
		client.post()
			.uri(uri)
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue(body)
			.exchange()
			.expectStatus()
			.is2xxSuccessful();
	}

	private static Set<String> metrics(String text) {
		return METRIC.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
	}

	private static JsonNode dashboard() throws IOException {
		return JsonMapper.shared().readTree(Files.readString(MONITORING.resolve("grafana-dashboard.json")));
	}

	private static List<String> dashboardExpressions() throws IOException {
		List<String> expressions = new ArrayList<>();
		dashboard().findValues("expr").forEach((expression) -> expressions.add(expression.asString()));
		return expressions;
	}

	private static void promtool(Object... arguments) throws IOException, InterruptedException {
		List<String> command = Stream.concat(Stream.of("promtool"), Stream.of(arguments).map(Object::toString))
			.toList();
		Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
		assertThat(process.exitValue()).as(output).isZero();
	}

	/**
	 * A Prometheus that scrapes this application once a second.
	 */
	private static final class Prometheus implements AutoCloseable {

		private final Process process;

		private final String url;

		private Prometheus(Process process, int port) {
			this.process = process;
			this.url = "http://127.0.0.1:" + port;
		}

		static Prometheus scraping(int port, Path directory) throws IOException {
			Path configuration = Files.writeString(directory.resolve("prometheus.yml"), """
					global:
					  scrape_interval: 1s
					scrape_configs:
					- job_name: sample-app
					  metrics_path: /actuator/prometheus
					  static_configs:
					  - targets: ['127.0.0.1:%d']
					""".formatted(port));
			int ownPort = freePort();
			Process process = new ProcessBuilder("prometheus", "--config.file=" + configuration,
					"--storage.tsdb.path=" + directory.resolve("data"), "--web.listen-address=127.0.0.1:" + ownPort)
				.redirectErrorStream(true)
				.redirectOutput(directory.resolve("prometheus.log").toFile())
				.start();
			return new Prometheus(process, ownPort);
		}

		private static int freePort() throws IOException {
			try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
				return socket.getLocalPort();
			}
		}

		JsonNode query(String expression) throws InterruptedException {
			String query = expression.replace("$__rate_interval", "30s").replaceAll("\\$(job|instance|account)", ".*");
			HttpRequest request = HttpRequest.newBuilder(URI.create(this.url + "/api/v1/query"))
				.header("Content-Type", "application/x-www-form-urlencoded")
				.POST(BodyPublishers.ofString("query=" + URLEncoder.encode(query, StandardCharsets.UTF_8)))
				.build();
			try {
				String body = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
				if (!body.startsWith("{")) {
					return JsonMapper.shared().createArrayNode();
				}
				JsonNode answer = JsonMapper.shared().readTree(body);
				assertThat(answer.path("status").asString()).as(body).isEqualTo("success");
				return answer.path("data").path("result");
			}
			catch (IOException ex) {
				// Not started yet
				assertThat(this.process.isAlive()).isTrue();
				return JsonMapper.shared().createArrayNode();
			}
		}

		@Override
		public void close() {
			this.process.destroy();
			this.process.onExit().join();
		}

	}

}
