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

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.imperative.ImperativeHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.http.converter.autoconfigure.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.RestClientAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration;
import org.springframework.boot.ssl.DefaultSslBundleRegistry;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslStoreBundle;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.boot.webclient.autoconfigure.service.ReactiveHttpServiceClientAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.mock.http.client.MockClientHttpRequest;
import org.springframework.mock.http.client.MockClientHttpResponse;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;
import org.springframework.web.service.registry.HttpServiceGroup.ClientType;
import org.springframework.web.service.registry.ImportHttpServices;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpRequestAttributes;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests for {@link AuthingWechatServiceGroupsAutoConfiguration}.
 */
@ExtendWith(OutputCaptureExtension.class)
class AuthingWechatServiceGroupsAutoConfigurationTests {

	private static final String GROUP = "authing.wechat.api.service-groups.wechat=";

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeAccounts accounts = new FakeAccounts(FakeTokenSource.of("dead", "alive"));

	private final ApplicationContextRunner bareRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class, CodecsAutoConfiguration.class,
				HttpMessageConvertersAutoConfiguration.class, HttpClientAutoConfiguration.class,
				ReactiveHttpClientAutoConfiguration.class, ImperativeHttpClientAutoConfiguration.class,
				WebClientAutoConfiguration.class, RestClientAutoConfiguration.class,
				HttpServiceClientPropertiesAutoConfiguration.class, ReactiveHttpServiceClientAutoConfiguration.class,
				HttpServiceClientAutoConfiguration.class, AuthingWechatWebClientAutoConfiguration.class,
				AuthingWechatRestClientAutoConfiguration.class, AuthingWechatServiceGroupsAutoConfiguration.class))
		.withPropertyValues("authing.wechat.api.hosts=" + this.wechat.host());

	private final ApplicationContextRunner contextRunner = this.bareRunner
		.withPropertyValues("spring.http.serviceclient.wechat.base-url=" + this.wechat.url())
		.withBean(WechatMpTokenService.class, () -> this.accounts);

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClientGroup.class, RestClientGroup.class })
	void groupCallsWechatForDefaultAccount(Class<?> configuration) {
		this.wechat.acceptOnly("alive");
		this.contextRunner.withUserConfiguration(configuration).withPropertyValues(GROUP + "default").run((context) -> {
			WechatApi api = context.getBean(WechatApi.class);
			assertThat(api.getCallbackIp().ip_list()).containsExactly("127.0.0.1", "127.0.0.2");
			assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
			assertThat(api.sendSubscribeMessage(Map.of("touser", "me"))).containsEntry("errcode", 0);
			assertThat(this.wechat.requests().get(2).text()).isEqualTo("{\"touser\":\"me\"}");
			assertThat(this.wechat.requests().get(2).header("Content-Type")).startsWith("application/json");
			assertThat(api.getWxaCodeUnlimit(Map.of("scene", "a"))).isEqualTo(FakeWechat.IMAGE);
			this.wechat.acceptOnly("none");
			assertThat(new String(api.getWxaCodeUnlimit(Map.of("scene", "a")))).startsWith("{\"errcode\":40001,");
			assertThat(api.getWxaCodeUnlimitAsText(Map.of("scene", "a"))).startsWith("{\"errcode\":40001,");
			assertThat(api.getWxaCodeUnlimitAsJson(Map.of("scene", "a"))).containsEntry("errcode", 40001);
		});
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClientGroup.class, RestClientGroup.class })
	void groupCallsWechatForItsAccountAndRequestsForAnother(Class<?> configuration) {
		this.wechat.acceptOnly("shop-token", "tenant-token", "dead");
		this.contextRunner.withUserConfiguration(configuration).withPropertyValues(GROUP + "shop").run((context) -> {
			WechatApi api = context.getBean(WechatApi.class);
			api.getCallbackIp();
			api.getCallbackIp("default");
			api.getCallbackIp(FakeAccounts.TENANT);
			api.getCallbackIpWithoutToken(true);
			assertThat(this.wechat.sentTokens()).containsExactly("shop-token", "dead", "tenant-token", "");
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "simple", "jdk", "reactor", "jetty", "http-components" })
	void groupOfRestClientDoesNotFollowRedirects(String factory) {
		assertThatRedirectIsNotFollowed(RestClientGroup.class, "spring.http.clients.imperative.factory=" + factory);
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdk", "reactor", "jetty", "http-components" })
	void groupOfWebClientDoesNotFollowRedirects(String connector) {
		assertThatRedirectIsNotFollowed(WebClientGroup.class, "spring.http.clients.reactive.connector=" + connector);
	}

	private void assertThatRedirectIsNotFollowed(Class<?> configuration, String client) {
		try (FakeWechat other = FakeWechat.start()) {
			redirectTo(other);
			this.contextRunner.withUserConfiguration(configuration)
				.withPropertyValues(GROUP + "default", "spring.http.clients.redirects=follow", client)
				.run((context) -> assertThat(context.getBean(WechatApi.class).getCallbackIp()).isNull());
			assertThat(this.wechat.sentTokens()).containsExactly("dead");
			assertThat(other.requests()).isEmpty();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdk", "reactor", "jetty", "http-components" })
	void webClientDoesNotFollowRedirectsIfToldNotTo(String connector) {
		assertThatRedirectIsNotFollowed("spring.http.clients.redirects=dont-follow", connector);
	}

	// The redirects that other connectors follow cannot be seen: see the threat model
	@Test
	void webClientOnJettyDoesNotFollowRedirectsWhateverItIsTold() {
		assertThatRedirectIsNotFollowed("spring.http.clients.redirects=follow", "jetty");
	}

	private void assertThatRedirectIsNotFollowed(String redirects, String connector) {
		try (FakeWechat other = FakeWechat.start()) {
			redirectTo(other);
			this.contextRunner.withPropertyValues(redirects, "spring.http.clients.reactive.connector=" + connector)
				.run((context) -> assertThat(context.getBean(WebClient.Builder.class)
					.baseUrl(this.wechat.url())
					.filter(context.getBean(WechatMpTokenExchangeFilterFunction.class))
					.build()
					.get()
					.uri("/cgi-bin/getcallbackip")
					.retrieve()
					.toBodilessEntity()
					.block(LIMIT)).extracting(ResponseEntity::getStatusCode).isEqualTo(HttpStatus.FOUND));
			assertThat(other.requests()).isEmpty();
		}
	}

	@Test
	void groupOfWebClientKeepsItsOtherSettings() {
		List<HttpClientSettings> built = new ArrayList<>();
		this.contextRunner.withUserConfiguration(WebClientGroup.class)
			.withBean(ClientHttpConnectorBuilder.class, () -> (settings) -> {
				built.add(settings);
				return ClientHttpConnectorBuilder.jdk().build(settings);
			})
			.withBean(SslBundles.class, () -> new DefaultSslBundleRegistry("mine", SslBundle.of(SslStoreBundle.NONE)))
			.withPropertyValues(GROUP + "default", "spring.http.clients.redirects=follow",
					"spring.http.clients.connect-timeout=5s", "spring.http.clients.read-timeout=6s",
					"spring.http.serviceclient.wechat.read-timeout=7s",
					"spring.http.serviceclient.wechat.ssl.bundle=mine")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(built.get(built.size() - 1)).isEqualTo(HttpClientSettings.defaults()
					.withRedirects(HttpRedirects.DONT_FOLLOW)
					.withTimeouts(Duration.ofSeconds(5), Duration.ofSeconds(7))
					.withSslBundle(context.getBean(SslBundles.class).getBundle("mine")));
			});
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClientCustomizer.class, ClientHttpConnector.class,
			WebClientHttpServiceGroupConfigurer.class })
	void groupOfWebClientKeepsConnectorOfTheApplication(Class<?> type) {
		List<URI> sent = new CopyOnWriteArrayList<>();
		ClientHttpConnector connector = (method, uri, callback) -> {
			sent.add(uri);
			return Mono.error(new IllegalStateException());
		};
		ApplicationContextRunner runner = this.contextRunner.withUserConfiguration(WebClientGroup.class)
			.withPropertyValues(GROUP + "default");
		if (type == WebClientCustomizer.class) {
			runner = runner.withBean(WebClientCustomizer.class, () -> (builder) -> builder.clientConnector(connector));
		}
		else if (type == ClientHttpConnector.class) {
			runner = runner.withBean(ClientHttpConnector.class, () -> connector);
		}
		else {
			runner = runner.withBean(WebClientHttpServiceGroupConfigurer.class,
					() -> (groups) -> groups.forEachClient((group, builder) -> builder.clientConnector(connector)));
		}
		runner.run((context) -> {
			assertThatException().isThrownBy(context.getBean(WechatApi.class)::getCallbackIp);
			assertThat(sent).hasSize(1);
		});
	}

	private void redirectTo(FakeWechat other) {
		this.wechat.acceptOnly("dead");
		this.wechat.answer("/cgi-bin/getcallbackip",
				(response) -> response.sendRedirect(other.url() + "/?access_token=dead"));
	}

	@Test
	void groupCallsWechatItselfByDefault() {
		List<String> sent = new CopyOnWriteArrayList<>();
		this.bareRunner.withBean(WechatMpTokenService.class, () -> this.accounts)
			.withUserConfiguration(RestClientGroup.class)
			.withPropertyValues(GROUP + "default", "authing.wechat.api.hosts=api.weixin.qq.com")
			.withBean(RestClientHttpServiceGroupConfigurer.class,
					() -> (groups) -> groups.forEachClient((group, builder) -> builder.requestFactory((uri, method) -> {
						sent.add(uri.toString());
						MockClientHttpRequest request = new MockClientHttpRequest(method, uri);
						MockClientHttpResponse response = new MockClientHttpResponse("{\"ip_list\":[]}".getBytes(),
								200);
						response.getHeaders().setContentType(MediaType.TEXT_PLAIN);
						request.setResponse(response);
						return request;
					})))
			.run((context) -> {
				context.getBean(WechatApi.class).getCallbackIp();
				assertThat(sent).containsExactly("https://api.weixin.qq.com/cgi-bin/getcallbackip?access_token=dead");
			});
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClientGroup.class, RestClientGroup.class })
	void groupCallsWechatForItsAccountWhateverTheApplicationHasForOthers(Class<?> configuration) {
		this.wechat.acceptOnly("shop-token", "dead");
		for (Class<?>[] others : new Class<?>[][] { { ForShop.class }, { ForTenant.class },
				{ ForShop.class, ForTenant.class } }) {
			for (String account : List.of("default", "shop")) {
				this.contextRunner.withUserConfiguration(configuration)
					.withUserConfiguration(others)
					.withPropertyValues(GROUP + account)
					.run((context) -> context.getBean(WechatApi.class).getCallbackIp());
			}
		}
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "shop-token", "dead", "shop-token", "dead",
				"shop-token");
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClientGroup.class, RestClientGroup.class })
	void otherGroupsAreLeftAlone(Class<?> configuration) {
		this.contextRunner.withUserConfiguration(configuration).run((context) -> {
			assertThat(context).doesNotHaveBean(AuthingWechatServiceGroupsAutoConfiguration.class);
			context.getBean(WechatApi.class).getWxaCodeUnlimitAsText(Map.of());
			assertThat(this.wechat.sentTokens()).containsExactly("");
		});
	}

	@ParameterizedTest
	@ValueSource(classes = { WebClientGroup.class, RestClientGroup.class })
	void unknownAccountIsNamedAtStart(Class<?> configuration) {
		this.contextRunner.withUserConfiguration(configuration)
			.withPropertyValues(GROUP + "shops")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(InvalidAuthingPropertiesException.class)
				.hasMessageStartingWith("authing.wechat.api.service-groups.wechat is 'shops', which is not the name of "
						+ "an account. Write one of ")
				.hasMessageContaining("default")
				.hasMessageContaining("shop"));
	}

	@Test
	void unknownGroupIsNamedAtStart(CapturedOutput output) {
		this.contextRunner.withUserConfiguration(RestClientGroup.class)
			.withPropertyValues("authing.wechat.api.service-groups.wechta=default",
					"authing.wechat.api.service-groups[we chat]=default")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output)
			.contains("authing.wechat.api.service-groups.wechta is set, but there is no HTTP service group 'wechta', "
					+ "only [wechat].")
			.contains("authing.wechat.api.service-groups[we chat] is set");
	}

	@Test
	void groupWithoutInterfacesIsNamedAtStart(CapturedOutput output) {
		this.contextRunner.withPropertyValues(GROUP + "default").run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("there is no HTTP service group 'wechat', only [].");
	}

	@Test
	void reactiveMethodOfRestClientGroupIsNamedAtStart() {
		this.contextRunner.withUserConfiguration(ReactiveRestClientGroup.class)
			.withPropertyValues(GROUP + "default")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(InvalidAuthingPropertiesException.class)
				.hasMessage("authing.wechat.api.service-groups.wechat is for a group that is called with RestClient, "
						+ "which cannot return the Mono of ReactiveApi.getCallbackIp(). Write clientType = "
						+ "HttpServiceGroup.ClientType.WEB_CLIENT in @ImportHttpServices, or let the method return the "
						+ "value itself."));
	}

	@Test
	void missingRestClientModuleIsNamedAtStart() {
		new ApplicationContextRunner().withClassLoader(new FilteredClassLoader("org.springframework.boot.restclient"))
			.withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class,
					AuthingWechatRestClientAutoConfiguration.class, AuthingWechatServiceGroupsAutoConfiguration.class))
			.withBean(WechatMpTokenService.class, () -> this.accounts)
			.withUserConfiguration(RestClientGroup.class)
			.withPropertyValues(GROUP + "default")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(InvalidAuthingPropertiesException.class)
				.hasMessage("authing.wechat.api.service-groups.wechat is for a group that is called with RestClient, "
						+ "and spring-boot-restclient is not on the class path. Add the dependency "
						+ "spring-boot-starter-restclient, or write clientType = "
						+ "HttpServiceGroup.ClientType.WEB_CLIENT in @ImportHttpServices."));
	}

	@Test
	void groupWorksWithMock() {
		WechatMpTokenService tokens = Mockito.mock(WechatMpTokenService.class);
		this.bareRunner.withBean(WechatMpTokenService.class, () -> tokens)
			.withUserConfiguration(RestClientGroup.class)
			.withPropertyValues(GROUP + "shop")
			.run((context) -> assertThat(context).hasSingleBean(WechatApi.class));
	}

	@Test
	void groupIsLeftAloneIfDisabled() {
		this.contextRunner.withUserConfiguration(RestClientGroup.class)
			.withPropertyValues(GROUP + "default", "authing.wechat.enabled=false")
			.run((context) -> {
				context.getBean(WechatApi.class).getWxaCodeUnlimitAsText(Map.of());
				assertThat(this.wechat.sentTokens()).containsExactly("");
			});
	}

	@Test
	void interceptorOfTheGroupIsTheLast() {
		List<String> order = new ArrayList<>();
		this.contextRunner.withUserConfiguration(RestClientGroup.class)
			.withPropertyValues(GROUP + "default")
			.withBean("mine", RestClientHttpServiceGroupConfigurer.class,
					() -> (groups) -> groups.forEachClient((group, builder) -> builder
						.requestInterceptors((interceptors) -> order.add(interceptors.toString()))))
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(order).as("Ours, which adds the token, is the last").containsExactly("[]");
	}

	/**
	 * What an application may have for calls that are not of a group.
	 */
	@Configuration(proxyBeanMethods = false)
	static class ForShop {

		@Bean
		WechatMpTokenClientHttpRequestInterceptor shopInterceptor(WechatMpTokenClientHttpRequestInterceptor tokens,
				WechatMpTokenService service) {
			return tokens.withTokenSource(service.account("shop"));
		}

		@Bean
		WechatMpTokenExchangeFilterFunction shopFilter(WechatMpTokenExchangeFilterFunction tokens,
				WechatMpTokenService service) {
			return tokens.withTokenSource(service.account("shop"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ForTenant {

		@Bean
		WechatMpTokenClientHttpRequestInterceptor tenantInterceptor(WechatMpTokenService service) {
			return WechatMpTokenClientHttpRequestInterceptor.of(service.account(FakeAccounts.TENANT));
		}

		@Bean
		WechatMpTokenExchangeFilterFunction tenantFilter(WechatMpTokenService service) {
			return WechatMpTokenExchangeFilterFunction.of(service.account(FakeAccounts.TENANT));
		}

	}

	interface WechatApi {

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp();

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp(@RequestAttribute(WechatMpRequestAttributes.ACCOUNT) String account);

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp(@RequestAttribute(WechatMpRequestAttributes.ACCOUNT) WechatMpCredentials account);

		@GetExchange("/cgi-bin/getcallbackip")
		Map<String, Object> getCallbackIpWithoutToken(
				@RequestAttribute(WechatMpRequestAttributes.WITHOUT_TOKEN) boolean withoutToken);

		@PostExchange("/cgi-bin/message/subscribe/send")
		Map<String, Object> sendSubscribeMessage(@RequestBody Map<String, Object> message);

		@PostExchange("/wxa/getwxacodeunlimit")
		byte[] getWxaCodeUnlimit(@RequestBody Map<String, Object> scene);

		@PostExchange("/wxa/getwxacodeunlimit")
		String getWxaCodeUnlimitAsText(@RequestBody Map<String, Object> scene);

		@PostExchange("/wxa/getwxacodeunlimit")
		Map<String, Object> getWxaCodeUnlimitAsJson(@RequestBody Map<String, Object> scene);

	}

	interface ReactiveApi {

		@GetExchange("/cgi-bin/getcallbackip")
		Mono<IpList> getCallbackIp();

	}

	record IpList(List<String> ip_list) {

	}

	@Configuration(proxyBeanMethods = false)
	@ImportHttpServices(group = "wechat", types = WechatApi.class, clientType = ClientType.WEB_CLIENT)
	static class WebClientGroup {

	}

	@Configuration(proxyBeanMethods = false)
	@ImportHttpServices(group = "wechat", types = WechatApi.class)
	static class RestClientGroup {

	}

	@Configuration(proxyBeanMethods = false)
	@ImportHttpServices(group = "wechat", types = ReactiveApi.class)
	static class ReactiveRestClientGroup {

	}

}
