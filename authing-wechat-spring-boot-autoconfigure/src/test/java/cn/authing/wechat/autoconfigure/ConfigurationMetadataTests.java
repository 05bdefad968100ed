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

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the configuration metadata that the build generates.
 */
class ConfigurationMetadataTests {

	private static final Set<String> WITHOUT_DEFAULT = Set.of("authing.app-host", "authing.app-id",
			"authing.app-secret", "authing.headers", "authing.ssl.bundle", "authing.wechat.accounts",
			"authing.wechat.app-id", "authing.wechat.app-secret", "authing.wechat.cache.redis.encryption-keys");

	private final JsonNode metadata = read();

	private final Map<String, JsonNode> properties = byName("properties");

	@Test
	void everyPropertyShouldBeDescribedInBootsStyle() {
		assertThat(this.properties).allSatisfy((name, property) -> {
			String description = property.path("description").asString("");
			assertThat(description).as(name)
				.endsWith(".")
				.doesNotStartWith("The ")
				.doesNotStartWith("A ")
				.doesNotContain("{@", "<", "\n");
			if ("java.lang.Boolean".equals(property.path("type").asString(""))) {
				assertThat(description).as(name).startsWith("Whether ");
			}
		});
	}

	@Test
	void everyPropertyShouldHaveItsTypeAndDefault() {
		assertThat(this.properties).allSatisfy((name, property) -> {
			assertThat(property.path("type").asString("")).as(name).isNotEmpty();
			assertThat(property.has("defaultValue")).as(name).isEqualTo(!WITHOUT_DEFAULT.contains(name));
		});
	}

	@Test
	void everyPropertyOfTheDesignShouldBeThere() {
		assertThat(this.properties)
			.containsKeys("authing.allow-http", "authing.lang", "authing.headers", "authing.connect-timeout",
					"authing.timeout", "authing.ssl.bundle", "authing.retry.max-attempts",
					"authing.retry.initial-backoff", "authing.retry.max-backoff", "authing.wechat.enabled",
					"authing.wechat.operation", "authing.wechat.fail-fast", "authing.wechat.cache.refresh-ahead",
					"authing.wechat.cache.min-refresh-interval", "authing.wechat.cache.expiry-margin",
					"authing.wechat.cache.default-ttl", "authing.wechat.cache.failure-backoff.initial",
					"authing.wechat.cache.failure-backoff.max", "authing.wechat.cache.max-entries",
					"authing.wechat.cache.keep-warm", "authing.wechat.cache.store", "authing.wechat.api.hosts",
					"authing.wechat.wxjava.enabled", "management.health.authing-wechat.enabled")
			.containsKeys(WITHOUT_DEFAULT.toArray(String[]::new));
	}

	@Test
	void everyHintShouldBelongToPropertyAndBeDescribed() {
		assertThat(byName("hints")).isNotEmpty().allSatisfy((name, hint) -> {
			assertThat(this.properties).containsKey(name.replaceAll("\\.(keys|values)$", ""));
			assertThat(hint.path("values")).isNotEmpty()
				.allSatisfy((value) -> assertThat(value.path("description").asString("")).endsWith("."));
		});
	}

	@Test
	void defaultsThatAreWrittenByHandShouldBeThoseOfTheCode() {
		List<String> hosts = new AuthingWechatApiProperties().getHosts();
		JsonNode property = this.properties.getOrDefault("authing.wechat.api.hosts", this.metadata);
		assertThat(property.path("defaultValue").valueStream().map(JsonNode::asString)).isEqualTo(hosts);
		assertThat(byName("hints").getOrDefault("authing.wechat.api.hosts", this.metadata)
			.path("values")
			.valueStream()
			.map((value) -> value.path("value").asString())).isEqualTo(hosts);
	}

	private Map<String, JsonNode> byName(String group) {
		return this.metadata.path(group)
			.valueStream()
			.collect(Collectors.toMap((entry) -> entry.path("name").asString(), (entry) -> entry, (a, b) -> a,
					TreeMap::new));
	}

	// Other jars have a file of that name as well
	private static JsonNode read() {
		String classes = AuthingProperties.class.getProtectionDomain().getCodeSource().getLocation().toString();
		try (InputStream in = URI.create(classes + "META-INF/spring-configuration-metadata.json")
			.toURL()
			.openStream()) {
			return JsonMapper.shared().readTree(in);
		}
		catch (IOException ex) {
			throw new IllegalStateException("The build has generated no configuration metadata", ex);
		}
	}

}
