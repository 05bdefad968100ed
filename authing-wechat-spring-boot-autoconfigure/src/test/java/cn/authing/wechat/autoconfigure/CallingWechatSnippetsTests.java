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

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.autoconfigure.imperative.ImperativeHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.http.converter.autoconfigure.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.restclient.RestTemplateBuilder;
import org.springframework.boot.restclient.autoconfigure.RestClientAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.RestTemplateAutoConfiguration;
import org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.boot.webclient.autoconfigure.service.ReactiveHttpServiceClientAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;
import org.springframework.web.service.registry.HttpServiceGroup;
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

/**
 * The snippets of the documentation about calling WeChat, but for WeChat's address.
 */
class CallingWechatSnippetsTests {

	private static final String IP_LIST = "{\"ip_list\":[\"127.0.0.1\",\"127.0.0.2\"]}";

	private static final String SERVICE_GROUPS = """
			authing:
			  wechat:
			    api:
			      service-groups:
			        wechat: default
			        wechat-shop: shop
			""";

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeAccounts accounts = new FakeAccounts(FakeTokenSource.of("dead", "alive"));

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class, CodecsAutoConfiguration.class,
				HttpMessageConvertersAutoConfiguration.class, ReactiveHttpClientAutoConfiguration.class,
				ImperativeHttpClientAutoConfiguration.class, WebClientAutoConfiguration.class,
				RestClientAutoConfiguration.class, RestTemplateAutoConfiguration.class,
				HttpServiceClientPropertiesAutoConfiguration.class, ReactiveHttpServiceClientAutoConfiguration.class,
				HttpServiceClientAutoConfiguration.class, AuthingWechatWebClientAutoConfiguration.class,
				AuthingWechatRestClientAutoConfiguration.class, AuthingWechatServiceGroupsAutoConfiguration.class))
		.withPropertyValues("authing.wechat.api.hosts=" + this.wechat.host(), "address=" + this.wechat.url())
		.withBean(WechatMpTokenService.class, () -> this.accounts);

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void webClient() {
		this.wechat.acceptOnly("alive", "shop-token", "tenant-token");
		this.contextRunner.run((context) -> {
			WebClientCaller caller = new WebClientCaller(context.getBean(WebClient.Builder.class),
					context.getBean(WechatMpTokenExchangeFilterFunction.class), this.wechat.url());
			assertThat(caller.callbackIp().block(Duration.ofSeconds(10))).isEqualTo(IP_LIST);
			caller.callbackIp("shop").block(Duration.ofSeconds(10));
			caller.callbackIp(FakeAccounts.TENANT).block(Duration.ofSeconds(10));
			caller.withoutToken().block(Duration.ofSeconds(10));
			assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive", "shop-token", "tenant-token", "");
		});
	}

	static class WebClientCaller {

		private final WebClient wechat;

		WebClientCaller(WebClient.Builder builder, WechatMpTokenExchangeFilterFunction filter, String address) {
			this.wechat = builder.baseUrl(address).filter(filter).build();
		}

		Mono<String> callbackIp() {
			return this.wechat.get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class);
		}

		Mono<String> callbackIp(String account) {
			return this.wechat.get()
				.uri("/cgi-bin/getcallbackip")
				.attributes(WechatMpRequestAttributes.account(account))
				.retrieve()
				.bodyToMono(String.class);
		}

		Mono<String> callbackIp(WechatMpCredentials tenant) {
			return this.wechat.get()
				.uri("/cgi-bin/getcallbackip")
				.attributes(WechatMpRequestAttributes.account(tenant))
				.retrieve()
				.bodyToMono(String.class);
		}

		Mono<String> withoutToken() {
			return this.wechat.get()
				.uri("/cgi-bin/getcallbackip")
				.attributes(WechatMpRequestAttributes.withoutToken())
				.retrieve()
				.bodyToMono(String.class);
		}

	}

	@Test
	void restClient() {
		this.wechat.acceptOnly("alive", "shop-token");
		this.contextRunner.run((context) -> {
			RestClientCaller caller = new RestClientCaller(context.getBean(RestClient.Builder.class),
					context.getBean(WechatMpTokenClientHttpRequestInterceptor.class), this.wechat.url());
			assertThat(caller.callbackIp()).isEqualTo(IP_LIST);
			caller.callbackIp("shop");
			caller.withoutToken();
			assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive", "shop-token", "");
		});
	}

	static class RestClientCaller {

		private final RestClient wechat;

		RestClientCaller(RestClient.Builder builder, WechatMpTokenClientHttpRequestInterceptor interceptor,
				String address) {
			this.wechat = builder.baseUrl(address).requestInterceptor(interceptor).build();
		}

		@Nullable String callbackIp() {
			return this.wechat.get().uri("/cgi-bin/getcallbackip").retrieve().body(String.class);
		}

		@Nullable String callbackIp(String account) {
			return this.wechat.get()
				.uri("/cgi-bin/getcallbackip")
				.attributes(WechatMpRequestAttributes.account(account))
				.retrieve()
				.body(String.class);
		}

		@Nullable String withoutToken() {
			return this.wechat.get()
				.uri("/cgi-bin/getcallbackip")
				.attributes(WechatMpRequestAttributes.withoutToken())
				.retrieve()
				.body(String.class);
		}

	}

	@Test
	void restTemplate() {
		this.wechat.acceptOnly("alive", "shop-token");
		this.contextRunner.run((context) -> {
			RestTemplateCaller caller = new RestTemplateCaller(context.getBean(RestTemplateBuilder.class),
					context.getBean(WechatMpTokenClientHttpRequestInterceptor.class), this.wechat.url(), this.accounts);
			assertThat(caller.send("{\"touser\":\"me\"}")).contains("\"errcode\":0");
			caller.sendForShop("{\"touser\":\"me\"}");
			assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive", "shop-token");
			assertThat(this.wechat.requests()).extracting(FakeWechat.Request::text).containsOnly("{\"touser\":\"me\"}");
		});
	}

	static class RestTemplateCaller {

		private final RestTemplate wechat;

		private final RestTemplate shop;

		RestTemplateCaller(RestTemplateBuilder builder, WechatMpTokenClientHttpRequestInterceptor interceptor,
				String address, WechatMpTokenService tokens) {
			RestTemplateBuilder template = builder.baseUri(address).redirects(HttpRedirects.DONT_FOLLOW);
			this.wechat = template.additionalInterceptors(interceptor).build();
			this.shop = template.additionalInterceptors(interceptor.withTokenSource(tokens.account("shop"))).build();
		}

		@Nullable String send(String message) {
			return this.wechat.postForObject("/cgi-bin/message/subscribe/send", message, String.class);
		}

		@Nullable String sendForShop(String message) {
			return this.shop.postForObject("/cgi-bin/message/subscribe/send", message, String.class);
		}

	}

	@Test
	void serviceGroups() {
		this.wechat.acceptOnly("alive", "shop-token", "tenant-token");
		this.contextRunner.withUserConfiguration(WechatApiConfiguration.class)
			.withPropertyValues("spring.http.serviceclient.wechat.base-url=" + this.wechat.url(),
					"spring.http.serviceclient.wechat-shop.base-url=" + this.wechat.url())
			.withInitializer((context) -> {
				try {
					new YamlPropertySourceLoader()
						.load("snippet", new ByteArrayResource(SERVICE_GROUPS.getBytes(StandardCharsets.UTF_8)))
						.forEach(context.getEnvironment().getPropertySources()::addLast);
				}
				catch (Exception ex) {
					throw new IllegalStateException(ex);
				}
			})
			.run((context) -> {
				WechatApi api = context.getBean(WechatApi.class);
				assertThat(api.getCallbackIp().ip_list()).hasSize(2);
				api.getCallbackIp("shop");
				api.getCallbackIp(FakeAccounts.TENANT);
				api.getCallbackIpWithoutToken(true);
				assertThat(context.getBean(ShopApi.class).send(Map.of("touser", "me"))).containsEntry("errcode", 0);
				assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive", "shop-token", "tenant-token", "",
						"shop-token");
			});
	}

	@Configuration(proxyBeanMethods = false)
	@ImportHttpServices(group = "wechat", types = WechatApi.class)
	@ImportHttpServices(group = "wechat-shop", types = ShopApi.class,
			clientType = HttpServiceGroup.ClientType.WEB_CLIENT)
	static class WechatApiConfiguration {

	}

	interface WechatApi {

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp();

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp(@RequestAttribute(WechatMpRequestAttributes.ACCOUNT) String account);

		@GetExchange("/cgi-bin/getcallbackip")
		IpList getCallbackIp(@RequestAttribute(WechatMpRequestAttributes.ACCOUNT) WechatMpCredentials tenant);

		@GetExchange("/cgi-bin/getcallbackip")
		Map<String, Object> getCallbackIpWithoutToken(
				@RequestAttribute(WechatMpRequestAttributes.WITHOUT_TOKEN) boolean withoutToken);

	}

	interface ShopApi {

		@PostExchange("/cgi-bin/message/subscribe/send")
		Map<String, Object> send(@RequestBody Map<String, Object> message);

	}

	record IpList(List<String> ip_list) {

	}

}
