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

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.core.annotation.Order;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.javapoet.ClassName;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingServer;
import cn.authing.wechat.client.AuthingWechatClient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link AuthingClientAutoConfiguration}.
 */
class AuthingClientAutoConfigurationTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx1234", "secret");

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, HttpClientAutoConfiguration.class,
				ReactiveHttpClientAutoConfiguration.class, WebClientAutoConfiguration.class,
				AuthingClientAutoConfiguration.class));

	@Test
	void clientWhenPropertiesAreSetShouldAskAuthing() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server)
				.withPropertyValues("authing.wechat.operation=access-token-info", "authing.lang=ja-JP",
						"authing.headers.X-Gateway=abc")
				.run((context) -> {
					assertThat(fetch(context)).isEqualTo("token");
					assertThat(server.request().path()).isEqualTo("/api/v3/get-wechat-access-token-info");
					assertThat(server.request().headers()).containsEntry("x-authing-app-id", "authing-app")
						.containsEntry("x-authing-lang", "ja-JP")
						.containsEntry("X-Gateway", "abc");
				});
		}
	}

	@Test
	void clientShouldReuseConnectionsUntilTheContextCloses() throws InterruptedException {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server).run((context) -> {
				assertThat(context).hasSingleBean(ReactorConnectionPool.class);
				// A connection is back in the pool shortly after its answer was given
				for (int i = 0; i < 20; i++) {
					fetch(context);
				}
				assertThat(server.connections()).isLessThan(20);
			});
			assertThat(server.requests()).hasSize(20);
			assertThat(server.abandoned().await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
		}
	}

	@Test
	void configurationWhenSwitchedOffShouldDefineAndDemandNothing() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(AuthingWechatClient.class)
				.doesNotHaveBean(AuthingProperties.class)
				.doesNotHaveBean(ReactorConnectionPool.class));
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClient.class, JsonMapper.class, ClientHttpConnectorBuilder.class })
	void configurationWhenClassIsAbsentShouldDefineNothing(Class<?> absent) {
		new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(AuthingClientAutoConfiguration.class))
			.withClassLoader(new FilteredClassLoader(absent))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(AuthingWechatClient.class));
	}

	@Test
	void clientWhenDefinedByTheApplicationShouldWin() {
		withRequired("https://example.authing.cn").withUserConfiguration(OwnClient.class)
			.run((context) -> assertThat(context).hasSingleBean(AuthingWechatClient.class)
				.hasBean("ownClient")
				.doesNotHaveBean(ReactorConnectionPool.class));
	}

	@Test
	void clientWhenReactorNettyIsAbsentShouldWork() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server).withClassLoader(new FilteredClassLoader(HttpClient.class)).run((context) -> {
				assertThat(context).doesNotHaveBean(ReactorConnectionPool.class);
				assertThat(fetch(context)).isEqualTo("token");
			});
		}
	}

	@Test
	void clientWhenApplicationChoosesConnectorShouldUseIt() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server).withPropertyValues("spring.http.clients.reactive.connector=jdk").run((context) -> {
				assertThat(fetch(context)).isEqualTo("token");
				assertThat(server.request().headers().get("User-Agent")).startsWith("Java-http-client");
			});
		}
	}

	@Test
	void clientWhenApplicationCustomizesHttpClientShouldKeepThat() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server).withUserConfiguration(OwnConnectorBuilder.class).run((context) -> {
				assertThat(fetch(context)).isEqualTo("token");
				assertThat(server.request().headers()).containsEntry("User-Agent", "own");
			});
		}
	}

	@Test
	void clientWhenThereIsNoWebClientBuilderShouldWork() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			new ApplicationContextRunner()
				.withConfiguration(AutoConfigurations.of(AuthingClientAutoConfiguration.class))
				.withPropertyValues(required(server.uri().toString()))
				.run((context) -> assertThat(fetch(context)).isEqualTo("token"));
		}
	}

	@Test
	void clientShouldApplyCustomizersInOrderAndToItselfOnly() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server).withUserConfiguration(Customizers.class).run((context) -> {
				fetch(context);
				assertThat(server.request().headers()).containsEntry("X-All", "all").containsEntry("X-Own", "second");
				context.getBean(WebClient.Builder.class)
					.build()
					.get()
					.uri(server.uri())
					.retrieve()
					.toBodilessEntity()
					.block(LIMIT);
				assertThat(server.request().headers()).containsEntry("X-All", "all").doesNotContainKey("X-Own");
			});
		}
	}

	@Test
	void clientWhenBuilderIsSharedShouldLeaveItAsItIs() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			withServer(server).withUserConfiguration(SharedBuilder.class, Customizers.class).run((context) -> {
				fetch(context);
				assertThat(server.request().headers()).containsEntry("X-Own", "second");
				context.getBean(WebClient.Builder.class)
					.build()
					.get()
					.uri(server.uri())
					.retrieve()
					.toBodilessEntity()
					.block(LIMIT);
				assertThat(server.request().headers()).doesNotContainKey("X-Own");
			});
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jdk" })
	void clientWhenApplicationFollowsRedirectsShouldNot(String connector) {
		try (AuthingServer elsewhere = new AuthingServer(AuthingServer.token("token"));
				AuthingServer server = new AuthingServer(
						AuthingServer.answer(307, "", "Location: " + elsewhere.uri()))) {
			withServer(server)
				.withPropertyValues("spring.http.clients.redirects=follow",
						"spring.http.clients.reactive.connector=" + connector)
				.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
					.isThrownBy(() -> fetch(context))
					.withMessageContaining("redirects to http://localhost"));
			assertThat(elsewhere.requests()).isEmpty();
		}
	}

	@Test
	void clientWhenSslBundleIsUnknownShouldNameTheKnownOnes() {
		withRequired("https://example.authing.cn")
			.withPropertyValues("authing.ssl.bundle=missing",
					"spring.ssl.bundle.pem.known.truststore.certificate=classpath:none.pem")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(InvalidAuthingPropertiesException.class)
				.hasMessageContainingAll("authing.ssl.bundle", "'missing'", "[known]"));
	}

	@Test
	void clientWhenSslIsSwitchedOffShouldSayThatBundleNeedsIt() {
		new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(AuthingClientAutoConfiguration.class))
			.withPropertyValues(required("https://example.authing.cn"))
			.withPropertyValues("authing.ssl.bundle=known")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContainingAll("authing.ssl.bundle", "SslAutoConfiguration"));
	}

	@Test
	void commandLineApplicationShouldEndByItself() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			Set<Thread> before = userThreads();
			SpringApplication application = new SpringApplication(CommandLine.class);
			application.setWebApplicationType(WebApplicationType.NONE);
			try (ConfigurableApplicationContext context = application.run(arguments(server))) {
				assertThat(fetch(context)).isEqualTo("token");
				assertThat(userThreads()).isSubsetOf(before);
			}
		}
	}

	@Test
	void configurationShouldBeProcessedAheadOfTimeWithHintsForItsProperties() {
		try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
			TestPropertyValues.of(required("https://example.authing.cn")).applyTo(context);
			context.register(CommandLine.class);
			DefaultGenerationContext generation = new DefaultGenerationContext(
					new ClassNameGenerator(ClassName.get("com.example", "Test")), new InMemoryGeneratedFiles());
			new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
			for (Class<?> type : List.of(AuthingProperties.class, AuthingWechatProperties.class,
					AuthingWechatProperties.Account.class, AuthingWechatCacheProperties.FailureBackoff.class)) {
				assertThat(RuntimeHintsPredicates.reflection().onType(type)).accepts(generation.getRuntimeHints());
			}
		}
	}

	private ApplicationContextRunner withServer(AuthingServer server) {
		return withRequired(server.uri().toString());
	}

	private ApplicationContextRunner withRequired(String appHost) {
		return this.contextRunner.withPropertyValues(required(appHost));
	}

	private static String[] required(String appHost) {
		return new String[] { "authing.app-id=authing-app", "authing.app-secret=authing-secret",
				"authing.app-host=" + appHost };
	}

	private static String[] arguments(AuthingServer server) {
		return Arrays.stream(required(server.uri().toString())).map((value) -> "--" + value).toArray(String[]::new);
	}

	private static String fetch(ConfigurableApplicationContext context) {
		return Objects
			.requireNonNull(context.getBean(AuthingWechatClient.class).getWechatMpAccessToken(CREDENTIALS).block(LIMIT))
			.accessToken();
	}

	private static String fetch(AssertableApplicationContext context) {
		assertThat(context).hasNotFailed();
		return fetch(context.getSourceApplicationContext());
	}

	private static Set<Thread> userThreads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> !thread.isDaemon())
			.collect(Collectors.toSet());
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnClient {

		@Bean
		AuthingWechatClient ownClient() {
			return (credentials) -> Mono.<WechatMpAccessToken>never();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnConnectorBuilder {

		@Bean
		ClientHttpConnectorBuilder<? extends ClientHttpConnector> ownConnectorBuilder() {
			return ClientHttpConnectorBuilder.reactor()
				.withHttpClientCustomizer(
						(client) -> client.doOnRequest((request, connection) -> request.header("User-Agent", "own")));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Customizers {

		@Bean
		WebClientCustomizer forAll() {
			return (builder) -> builder.defaultHeader("X-All", "all");
		}

		@Bean
		@Order(2)
		AuthingWebClientCustomizer second() {
			return (builder) -> builder.defaultHeader("X-Own", "second").baseUrl("http://localhost:1");
		}

		@Bean
		@Order(1)
		AuthingWebClientCustomizer first() {
			return (builder) -> builder.defaultHeader("X-Own", "first");
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SharedBuilder {

		@Bean
		WebClient.Builder sharedBuilder() {
			return WebClient.builder();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ SslAutoConfiguration.class, HttpClientAutoConfiguration.class,
			ReactiveHttpClientAutoConfiguration.class, WebClientAutoConfiguration.class,
			AuthingClientAutoConfiguration.class })
	static class CommandLine {

	}

}
