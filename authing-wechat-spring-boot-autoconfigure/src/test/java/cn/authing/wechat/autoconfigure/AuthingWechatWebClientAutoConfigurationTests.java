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
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.imperative.ImperativeHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.http.converter.autoconfigure.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.RestClientAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.boot.webclient.autoconfigure.service.ReactiveHttpServiceClientAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.codec.json.JacksonJsonDecoder;
import org.springframework.http.converter.json.JacksonJsonHttpMessageConverter;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;
import org.springframework.web.service.registry.HttpServiceGroup.ClientType;
import org.springframework.web.service.registry.ImportHttpServices;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingWechatWebClientAutoConfiguration} and
 * {@link AuthingWechatRestClientAutoConfiguration}: their beans, on HTTP interfaces as an
 * application declares them.
 */
class AuthingWechatWebClientAutoConfigurationTests {

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeTokenSource tokens = FakeTokenSource.of("dead", "alive");

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class, CodecsAutoConfiguration.class,
				HttpMessageConvertersAutoConfiguration.class, HttpClientAutoConfiguration.class,
				ReactiveHttpClientAutoConfiguration.class, ImperativeHttpClientAutoConfiguration.class,
				WebClientAutoConfiguration.class, RestClientAutoConfiguration.class,
				HttpServiceClientPropertiesAutoConfiguration.class, ReactiveHttpServiceClientAutoConfiguration.class,
				HttpServiceClientAutoConfiguration.class, AuthingWechatWebClientAutoConfiguration.class,
				AuthingWechatRestClientAutoConfiguration.class))
		.withPropertyValues("authing.app-id=app", "authing.app-secret=secret",
				"authing.app-host=https://example.authing.cn", "authing.wechat.api.hosts=" + this.wechat.host(),
				"spring.http.serviceclient.wechat.base-url=" + this.wechat.url(),
				"spring.http.serviceclient.wechat.redirects=dont-follow")
		.withBean(WechatMpTokenService.class, () -> new SingleAccountService(this.tokens));

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void runShouldCreateFilterAndInterceptor() {
		this.contextRunner.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenExchangeFilterFunction.class)
			.hasSingleBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void runWhenDisabledShouldCreateNeither() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(WechatMpTokenExchangeFilterFunction.class)
				.doesNotHaveBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void runWhenThereIsNoServiceShouldCreateNeither() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatWebClientAutoConfiguration.class,
					AuthingWechatRestClientAutoConfiguration.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(WechatMpTokenExchangeFilterFunction.class)
				.doesNotHaveBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void runWhenWebClientIsAbsentShouldCreateInterceptorOnly() {
		this.contextRunner.withClassLoader(new FilteredClassLoader("org.springframework.web.reactive"))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("wechatMpTokenExchangeFilterFunction")
				.hasSingleBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void runWhenApplicationHasItsOwnShouldBackOff() {
		WechatMpTokenExchangeFilterFunction filter = WechatMpTokenExchangeFilterFunction.of(this.tokens);
		WechatMpTokenClientHttpRequestInterceptor interceptor = WechatMpTokenClientHttpRequestInterceptor
			.of(this.tokens);
		this.contextRunner.withBean(WechatMpTokenExchangeFilterFunction.class, () -> filter)
			.withBean(WechatMpTokenClientHttpRequestInterceptor.class, () -> interceptor)
			.run((context) -> {
				assertThat(context.getBean(WechatMpTokenExchangeFilterFunction.class)).isSameAs(filter);
				assertThat(context.getBean(WechatMpTokenClientHttpRequestInterceptor.class)).isSameAs(interceptor);
			});
	}

	@Test
	void runShouldLeaveOtherClientsAlone() {
		this.contextRunner.run((context) -> {
			context.getBean(WebClient.Builder.class)
				.build()
				.get()
				.uri(this.wechat.url() + "/cgi-bin/getcallbackip")
				.retrieve()
				.bodyToMono(String.class)
				.block(Duration.ofSeconds(10));
			context.getBean(RestClient.Builder.class)
				.build()
				.get()
				.uri(this.wechat.url() + "/cgi-bin/getcallbackip")
				.retrieve()
				.body(String.class);
			assertThat(this.wechat.sentTokens()).containsExactly("", "");
		});
	}

	@Test
	void runWhenGroupIsOfWebClientShouldCallWechat() {
		this.contextRunner.withUserConfiguration(WebClientGroupConfiguration.class).run(this::callAll);
	}

	@Test
	void runWhenGroupIsOfRestClientShouldCallWechat() {
		this.contextRunner.withUserConfiguration(RestClientGroupConfiguration.class).run(this::callAll);
	}

	private void callAll(ApplicationContext context) {
		this.wechat.acceptOnly("alive");
		WechatApi api = context.getBean(WechatApi.class);
		assertThat(api.getCallbackIp().ip_list()).containsExactly("127.0.0.1", "127.0.0.2");
		assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
		assertThat(api.sendSubscribeMessage(Map.of("touser", "me"))).containsEntry("errcode", 0);
		assertThat(api.getUserPhoneNumber(Map.of("code", "c"))).containsKey("phone_info");
		assertThat(api.getWxaCodeUnlimit(Map.of("scene", "a"))).isEqualTo(FakeWechat.IMAGE);
		assertThat(this.wechat.requests().get(2).text()).isEqualTo("{\"touser\":\"me\"}");
		this.wechat.acceptOnly("none");
		assertThat(new String(api.getWxaCodeUnlimit(Map.of("scene", "a")))).startsWith("{\"errcode\":40001,");
		assertThat(api.getWxaCodeUnlimitAsJson(Map.of("scene", "a"))).containsEntry("errcode", 40001);
	}

	@Test
	void runWhenBusyRetryIsConfiguredShouldRepeat() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(2);
		this.contextRunner
			.withPropertyValues("authing.wechat.api.retry-busy.max-attempts=3",
					"authing.wechat.api.retry-busy.initial-backoff=1ms")
			.withUserConfiguration(WebClientGroupConfiguration.class)
			.run((context) -> {
				assertThat(context.getBean(WechatApi.class).getCallbackIp().ip_list()).hasSize(2);
				assertThat(this.wechat.requests()).hasSize(3);
			});
	}

	@Test
	void runWhenBusyRetryIsNotConfiguredShouldNotRepeat() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(1);
		this.contextRunner.withUserConfiguration(RestClientGroupConfiguration.class).run((context) -> {
			assertThat(context.getBean(WechatApi.class).getWxaCodeUnlimit(Map.of()))
				.startsWith("{\"errcode\":-1,".getBytes());
			assertThat(this.wechat.requests()).hasSize(1);
		});
	}

	interface WechatApi {

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp();

		@PostExchange("/cgi-bin/message/subscribe/send")
		Map<String, Object> sendSubscribeMessage(@RequestBody Map<String, Object> message);

		@PostExchange("/wxa/business/getuserphonenumber")
		Map<String, Object> getUserPhoneNumber(@RequestBody Map<String, Object> code);

		@PostExchange(url = "/wxa/getwxacodeunlimit", contentType = MediaType.APPLICATION_JSON_VALUE)
		byte[] getWxaCodeUnlimit(@RequestBody Map<String, Object> scene);

		@PostExchange(url = "/wxa/getwxacodeunlimit", contentType = MediaType.APPLICATION_JSON_VALUE)
		Map<String, Object> getWxaCodeUnlimitAsJson(@RequestBody Map<String, Object> scene);

	}

	record IpList(List<String> ip_list) {

	}

	@Configuration(proxyBeanMethods = false)
	@ImportHttpServices(group = "wechat", types = WechatApi.class, clientType = ClientType.WEB_CLIENT)
	static class WebClientGroupConfiguration {

		@Bean
		WebClientHttpServiceGroupConfigurer wechatGroup(WechatMpTokenExchangeFilterFunction filter,
				JsonMapper jsonMapper) {
			JacksonJsonDecoder decoder = new JacksonJsonDecoder(jsonMapper, MediaType.APPLICATION_JSON,
					MediaType.TEXT_PLAIN);
			return (groups) -> groups.filterByName("wechat")
				.forEachClient((group, builder) -> builder.filter(filter)
					.codecs((codecs) -> codecs.defaultCodecs().jacksonJsonDecoder(decoder)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ImportHttpServices(group = "wechat", types = WechatApi.class, clientType = ClientType.REST_CLIENT)
	static class RestClientGroupConfiguration {

		@Bean
		RestClientHttpServiceGroupConfigurer wechatGroup(WechatMpTokenClientHttpRequestInterceptor interceptor,
				JsonMapper jsonMapper) {
			JacksonJsonHttpMessageConverter converter = new JacksonJsonHttpMessageConverter(jsonMapper);
			converter.setSupportedMediaTypes(List.of(MediaType.APPLICATION_JSON, MediaType.TEXT_PLAIN));
			return (groups) -> groups.filterByName("wechat")
				.forEachClient((group, builder) -> builder.requestInterceptor(interceptor)
					.configureMessageConverters((converters) -> converters.withJsonConverter(converter)));
		}

	}

	private record SingleAccountService(FakeTokenSource tokens) implements WechatMpTokenService {

		@Override
		public Mono<WechatMpAccessToken> getAccessToken() {
			return this.tokens.getAccessToken();
		}

		@Override
		public WechatMpAccessToken getAccessTokenSync() {
			return this.tokens.getAccessTokenSync();
		}

		@Override
		public Mono<WechatMpAccessToken> refreshAccessToken() {
			return this.tokens.refreshAccessToken();
		}

		@Override
		public boolean invalidate(String accessToken) {
			return this.tokens.invalidate(accessToken);
		}

		@Override
		public WechatMpTokenSource account(String name) {
			return this.tokens;
		}

		@Override
		public WechatMpTokenSource account(WechatMpCredentials credentials) {
			return this.tokens;
		}

		@Override
		public Set<String> accountNames() {
			return Set.of(DEFAULT_ACCOUNT);
		}

	}

}
