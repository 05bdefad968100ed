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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.web.reactive.server.WebTestClient;

import cn.authing.wechat.test.program.RequiresProgram;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the alert rules and the dashboard in {@code monitoring}: with Prometheus' own
 * {@code promtool}, and against what the application really exports. The shared store has
 * meters also while it cannot be reached.
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
	@RequiresProgram(value = "promtool", install = "prometheus")
	void dashboardShouldHaveValidExpressions(@TempDir Path directory) throws Exception {
		StringBuilder rules = new StringBuilder("groups:\n- name: dashboard\n  rules:\n");
		List<String> expressions = dashboardExpressions();
		assertThat(expressions).isNotEmpty();
		for (int i = 0; i < expressions.size(); i++) {
			rules.append("  - record: panel_%d\n    expr: '%s'\n".formatted(i,
					expressions.get(i).replace("$__rate_interval", "5m")));
		}
		promtool("check", "rules", Files.writeString(directory.resolve("dashboard.yml"), rules));
	}

	@Test
	void alertsAndDashboardShouldUseMetricsThatTheApplicationExports(@Autowired WebTestClient client) throws Exception {
		client.get().uri("/token").exchange().expectStatus().isOk();
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
		assertThat(metrics(used)).hasSizeGreaterThan(5);
	}

	private static Set<String> metrics(String text) {
		return METRIC.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
	}

	private static List<String> dashboardExpressions() throws IOException {
		JsonNode dashboard = JsonMapper.shared()
			.readTree(Files.readString(MONITORING.resolve("grafana-dashboard.json")));
		List<String> expressions = new ArrayList<>();
		dashboard.findValues("expr").forEach((expression) -> expressions.add(expression.asString()));
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

}
