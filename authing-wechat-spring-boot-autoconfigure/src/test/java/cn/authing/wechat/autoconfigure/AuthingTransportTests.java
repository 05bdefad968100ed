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
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import io.netty.resolver.NoopAddressResolverGroup;
import org.apache.hc.core5.http.HttpHost;
import org.eclipse.jetty.client.HttpProxy;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.netty.http.client.HttpClient;
import reactor.netty.transport.ProxyProvider;

import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ClientHttpConnectorBuilderCustomizer;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JettyClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingServer;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.test.FakeAuthing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for the way to Authing: certificates, proxies, times and connections, as
 * configured by an application.
 */
class AuthingTransportTests {

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx1234", "secret");

	@TempDir
	static Path directory;

	private static TestCertificates certificates;

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, HttpClientAutoConfiguration.class,
				ReactiveHttpClientAutoConfiguration.class, WebClientAutoConfiguration.class,
				AuthingClientAutoConfiguration.class))
		.withPropertyValues("authing.app-id=authing-app", "authing.app-secret=authing-secret", "authing.timeout=25s",
				"authing.retry.initial-backoff=1ms", "authing.retry.max-backoff=1ms");

	@BeforeAll
	static void createCertificates() {
		certificates = new TestCertificates(directory);
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenAuthorityIsPrivateShouldNameTheProperty(String connector)
			throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), false)) {
			run(authing).withPropertyValues("spring.http.clients.reactive.connector=" + connector)
				.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
					.isThrownBy(() -> fetch(context))
					.withMessageContainingAll("TLS failed", "authing.ssl.bundle")
					.satisfies((ex) -> assertThat(ex.isRetryable()).isFalse()));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "authing.ssl.bundle", "spring.http.clients.ssl.bundle" })
	void fetchWhenAuthorityIsInPemBundleShouldTrustIt(String property) throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), false)) {
			run(authing).withPropertyValues(certificates.pemTrustProperties("private"))
				.withPropertyValues(property + "=private")
				.run((context) -> assertThat(fetch(context)).isEqualTo(FakeAuthing.TOKEN + 1));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenAuthorityIsInJksBundleShouldTrustIt(String connector) throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), false)) {
			run(authing).withPropertyValues(certificates.jksTrustProperties("private"))
				.withPropertyValues("authing.ssl.bundle=private", "spring.http.clients.reactive.connector=" + connector)
				.run((context) -> assertThat(fetch(context)).isEqualTo(FakeAuthing.TOKEN + 1));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenServerWantsCertificateShouldPresentThatOfPemBundle(String connector)
			throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), true)) {
			run(authing).withPropertyValues(certificates.pemClientProperties("mutual"))
				.withPropertyValues("authing.ssl.bundle=mutual", "spring.http.clients.reactive.connector=" + connector)
				.run((context) -> assertThat(fetch(context)).isEqualTo(FakeAuthing.TOKEN + 1));
		}
	}

	@Test
	void fetchWhenServerWantsCertificateShouldPresentThatOfJksBundle() throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), true)) {
			run(authing).withPropertyValues(certificates.jksClientProperties("mutual"))
				.withPropertyValues("authing.ssl.bundle=mutual")
				.run((context) -> assertThat(fetch(context)).isEqualTo(FakeAuthing.TOKEN + 1));
		}
	}

	@Test
	void fetchWhenServerWantsCertificateAndBundleHasNoneShouldNameTheProperty()
			throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), true)) {
			run(authing).withPropertyValues(certificates.pemTrustProperties("private"))
				.withPropertyValues("authing.ssl.bundle=private")
				.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
					.isThrownBy(() -> fetch(context))
					.withMessageContainingAll("client certificate", "authing.ssl.bundle"));
		}
	}

	@Test
	void fetchWhenCertificateIsForOtherHostShouldNameTheHost() throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("stranger"), false)) {
			run(authing).withPropertyValues(certificates.pemTrustProperties("private"))
				.withPropertyValues("authing.ssl.bundle=private")
				.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
					.isThrownBy(() -> fetch(context))
					.withMessageContainingAll("TLS failed", "localhost", "authing.app-host")
					.satisfies((ex) -> assertThat(ex.isRetryable()).isFalse()));
		}
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void startWhenBundleIsUnknownShouldBeAnalyzed(CapturedOutput output) {
		assertThatException()
			.isThrownBy(() -> SpringApplication.run(CommandLine.class, "--spring.main.web-application-type=none",
					"--authing.app-id=authing-app", "--authing.app-secret=authing-secret",
					"--authing.app-host=https://example.authing.cn", "--authing.ssl.bundle=missing"));
		assertThat(output).contains("APPLICATION FAILED TO START", "authing.ssl.bundle names 'missing'",
				"spring.ssl.bundle.pem.missing.truststore.certificate");
	}

	@ParameterizedTest
	@ValueSource(strings = { "reactor", "jetty", "http-components", "jdk" })
	void fetchWhenProxyIsCustomizedShouldGoThroughIt(String connector) throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), false);
				ConnectProxy proxy = new ConnectProxy(authing.port())) {
			run("https://" + TestCertificates.INTERNAL_HOST)
				.withPropertyValues(certificates.pemTrustProperties("private"))
				.withPropertyValues("authing.ssl.bundle=private", "proxy.port=" + proxy.port(),
						"spring.http.clients.reactive.connector=" + connector)
				.withUserConfiguration(ProxyConfiguration.class)
				.run((context) -> assertThat(fetch(context)).isEqualTo(FakeAuthing.TOKEN + 1));
			assertThat(proxy.targets()).containsExactly(TestCertificates.INTERNAL_HOST + ":443");
		}
	}

	@Test
	void fetchWhenProxyIsInSystemPropertiesShouldGoThroughIt() throws GeneralSecurityException, IOException {
		try (FakeAuthing authing = FakeAuthing.start(certificates.sslContext("server"), false);
				ConnectProxy proxy = new ConnectProxy(authing.port())) {
			run("https://" + TestCertificates.INTERNAL_HOST)
				.withPropertyValues(certificates.pemTrustProperties("private"))
				.withPropertyValues("authing.ssl.bundle=private")
				.withSystemProperties("https.proxyHost=127.0.0.1", "https.proxyPort=" + proxy.port())
				.withUserConfiguration(SystemProxyConfiguration.class)
				.run((context) -> assertThat(fetch(context)).isEqualTo(FakeAuthing.TOKEN + 1));
			assertThat(proxy.targets()).containsExactly(TestCertificates.INTERNAL_HOST + ":443");
		}
	}

	@Test
	void fetchWhenThereIsNoProxyShouldNameTheProxy() {
		run("https://" + TestCertificates.INTERNAL_HOST).withPropertyValues("proxy.port=1")
			.withUserConfiguration(ProxyConfiguration.class)
			.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
				.isThrownBy(() -> fetch(context))
				.withMessageContaining("127.0.0.1:1"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "authing.headers.host=gateway", "authing.headers.connection=close",
			"authing.app-host=https://example.authing.cn." })
	void fetchWhenClientRefusesWhatIsConfiguredShouldNameTheProperties(String property) {
		run("http://localhost:1").withPropertyValues(property, "spring.http.clients.reactive.connector=jdk")
			.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
				.isThrownBy(() -> fetch(context))
				.withMessageContainingAll("refuses to send", "authing.app-host", "authing.headers"));
	}

	@Test
	void fetchWhenHostDoesNotAcceptShouldEndAfterConnectTimeout() throws IOException {
		try (ServerSocket deaf = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			List<Socket> sockets = fillBacklog(deaf);
			run("http://localhost:" + deaf.getLocalPort())
				.withPropertyValues("authing.connect-timeout=50ms", "authing.timeout=20s")
				.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
					.isThrownBy(() -> fetch(context))
					.withMessageContainingAll("no connection", "50 ms", "authing.connect-timeout")
					.satisfies((ex) -> assertThat(ex.isRetryable()).isTrue()));
			for (Socket socket : sockets) {
				socket.close();
			}
		}
	}

	@Test
	void fetchWhenHostDoesNotAnswerShouldEndAtTimeout() {
		try (AuthingServer server = new AuthingServer(AuthingServer.silence())) {
			run(server.uri().toString()).withPropertyValues("authing.timeout=200ms")
				.run((context) -> assertThatExceptionOfType(AuthingTransportException.class)
					.isThrownBy(() -> fetch(context))
					.withMessageContaining("200 ms (authing.timeout)"));
			assertThat(server.requests()).hasSize(1);
		}
	}

	@Test
	void fetchWhileApplicationStartsShouldNotWaitForItsBeans() {
		try (AuthingServer server = new AuthingServer(AuthingServer.token("token"))) {
			run(server.uri().toString()).withConfiguration(AutoConfigurations.of(AuthingWechatAutoConfiguration.class))
				.withUserConfiguration(EarlyConfiguration.class)
				.run((context) -> assertThat(context).hasNotFailed());
			assertThat(server.requests()).hasSize(1);
		}
	}

	// Connects until the operating system takes no more
	private static List<Socket> fillBacklog(ServerSocket server) throws IOException {
		List<Socket> sockets = new ArrayList<>();
		try {
			while (true) {
				Socket socket = new Socket();
				sockets.add(socket);
				socket.connect(server.getLocalSocketAddress(), 100);
			}
		}
		catch (SocketTimeoutException ex) {
			return sockets;
		}
	}

	private ApplicationContextRunner run(FakeAuthing authing) {
		return run(authing.url());
	}

	private ApplicationContextRunner run(String appHost) {
		return this.contextRunner.withPropertyValues("authing.app-host=" + appHost);
	}

	private static String fetch(AssertableApplicationContext context) {
		assertThat(context).hasNotFailed();
		return Objects
			.requireNonNull(context.getBean(AuthingWechatClient.class).getWechatMpAccessToken(CREDENTIALS).block(LIMIT))
			.accessToken();
	}

	@Configuration(proxyBeanMethods = false)
	static class ProxyConfiguration {

		@Bean
		ClientHttpConnectorBuilderCustomizer<ReactorClientHttpConnectorBuilder> proxy(Environment environment) {
			int port = environment.getRequiredProperty("proxy.port", Integer.class);
			// The proxy resolves the host name. Reactor Netty leaves it to a proxy by
			// itself
			// only where Boot's resource factory has not chosen a resolver before.
			return (builder) -> builder.withHttpClientCustomizer((client) -> client
				.proxy((proxy) -> proxy.type(ProxyProvider.Proxy.HTTP).host("127.0.0.1").port(port))
				.resolver(NoopAddressResolverGroup.INSTANCE));
		}

		@Bean
		ClientHttpConnectorBuilderCustomizer<JettyClientHttpConnectorBuilder> jettyProxy(Environment environment) {
			int port = environment.getRequiredProperty("proxy.port", Integer.class);
			return (builder) -> builder.withHttpClientCustomizer(
					(client) -> client.getProxyConfiguration().addProxy(new HttpProxy("127.0.0.1", port)));
		}

		@Bean
		ClientHttpConnectorBuilderCustomizer<HttpComponentsClientHttpConnectorBuilder> httpComponentsProxy(
				Environment environment) {
			int port = environment.getRequiredProperty("proxy.port", Integer.class);
			return (builder) -> builder
				.withHttpClientCustomizer((client) -> client.setProxy(new HttpHost("127.0.0.1", port)));
		}

		@Bean
		ClientHttpConnectorBuilderCustomizer<JdkClientHttpConnectorBuilder> jdkProxy(Environment environment) {
			int port = environment.getRequiredProperty("proxy.port", Integer.class);
			return (builder) -> builder.withProxySelector(ProxySelector.of(new InetSocketAddress("127.0.0.1", port)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class EarlyConfiguration {

		@Bean
		InitializingBean early(WechatMpTokenService service) {
			return service::getAccessTokenSync;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SystemProxyConfiguration {

		@Bean
		ClientHttpConnectorBuilderCustomizer<ReactorClientHttpConnectorBuilder> proxy() {
			return (builder) -> builder.withHttpClientCustomizer(HttpClient::proxyWithSystemProperties);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ SslAutoConfiguration.class, HttpClientAutoConfiguration.class,
			ReactiveHttpClientAutoConfiguration.class, WebClientAutoConfiguration.class,
			AuthingClientAutoConfiguration.class })
	static class CommandLine {

	}

}
