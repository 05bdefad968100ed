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

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jspecify.annotations.Nullable;
import org.mockito.Mockito;

import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.restclient.autoconfigure.RestClientAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.web.client.RestClient;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingWechatRestClientAutoConfiguration}, in an application that has
 * a token service of its own and none of Authing's properties.
 */
class AuthingWechatRestClientAutoConfigurationTests {

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeAccounts accounts = new FakeAccounts(FakeTokenSource.of("dead", "alive"));

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(RestClientAutoConfiguration.class,
				AuthingWechatRestClientAutoConfiguration.class))
		.withPropertyValues("authing.wechat.api.hosts=" + this.wechat.url() + "/cgi-bin")
		.withBean("myTokens", WechatMpTokenService.class, () -> this.accounts);

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void interceptorIsMadeOfTheService() {
		this.wechat.acceptOnly("alive");
		this.contextRunner.run((context) -> {
			assertThat(call(context)).contains("127.0.0.1");
			assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
			assertThat(context).hasBean("authingWechatMpTokenClientHttpRequestInterceptor");
		});
	}

	@Test
	void interceptorIsAddedToNoClient() {
		this.contextRunner.run((context) -> {
			get(context.getBean(RestClient.Builder.class));
			assertThat(this.wechat.sentTokens()).containsExactly("");
		});
	}

	@Test
	void interceptorRepeatsBusyCallsIfConfigured() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(2);
		this.contextRunner
			.withPropertyValues("authing.wechat.api.retry-busy.max-attempts=3",
					"authing.wechat.api.retry-busy.initial-backoff=1ms")
			.run((context) -> assertThat(call(context)).contains("127.0.0.1"));
		assertThat(this.wechat.requests()).hasSize(3);
	}

	@Test
	void interceptorDoesNotRepeatBusyCallsByDefault() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(1);
		this.contextRunner.run((context) -> assertThat(call(context)).startsWith("{\"errcode\":-1,"));
		assertThat(this.wechat.requests()).hasSize(1);
	}

	@Test
	void interceptorWorksBehindProxyAndDecoratorOfTheService() {
		this.wechat.acceptOnly("decorated");
		this.contextRunner.withUserConfiguration(ProxyConfiguration.class)
			.withBean("decorator", WechatMpTokenService.class, () -> new FakeAccounts(FakeTokenSource.of("decorated")),
					(definition) -> definition.setPrimary(true))
			.run((context) -> {
				assertThat(AopUtils.isCglibProxy(context.getBean(WechatMpTokenClientHttpRequestInterceptor.class)))
					.isTrue();
				assertThat(call(context)).contains("127.0.0.1");
			});
	}

	@Test
	void interceptorBacksOffIfThereAreSeveralServicesOrNone() {
		this.contextRunner.withBean("another", WechatMpTokenService.class, () -> this.accounts)
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(WechatMpTokenClientHttpRequestInterceptor.class));
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatRestClientAutoConfiguration.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void interceptorIsThereIfTheServiceIsMock() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatRestClientAutoConfiguration.class))
			.withBean(WechatMpTokenService.class, () -> Mockito.mock(WechatMpTokenService.class))
			.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void interceptorIsAbsentIfDisabled() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	@Test
	void interceptorIsAbsentWithoutRestClient() {
		this.contextRunner.withClassLoader(new FilteredClassLoader(RestClient.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("authingWechatMpTokenClientHttpRequestInterceptor"));
	}

	@Test
	void interceptorBacksOffForOneOfTheApplication() {
		WechatMpTokenClientHttpRequestInterceptor interceptor = WechatMpTokenClientHttpRequestInterceptor
			.of(this.accounts);
		this.contextRunner.withBean(WechatMpTokenClientHttpRequestInterceptor.class, () -> interceptor)
			.run((context) -> assertThat(context.getBean(WechatMpTokenClientHttpRequestInterceptor.class))
				.isSameAs(interceptor));
	}

	@Test
	void onlyInterceptorOfTheApplicationIsInjectedWhereItWantsOne() {
		this.contextRunner.withUserConfiguration(OwnInterceptorConfiguration.class).run((context) -> {
			assertThat(context).hasNotFailed().hasSingleBean(WechatMpTokenClientHttpRequestInterceptor.class);
			assertThat(context.getBean(Consumer.class).interceptor()).isSameAs(context.getBean("wechatInterceptor"));
		});
		this.contextRunner.withBean(Consumer.class)
			.run((context) -> assertThat(context.getBean(Consumer.class).interceptor())
				.isInstanceOf(WechatMpTokenClientHttpRequestInterceptor.class));
	}

	private @Nullable String call(ApplicationContext context) {
		return get(context.getBean(RestClient.Builder.class)
			.requestInterceptor(context.getBean(WechatMpTokenClientHttpRequestInterceptor.class)));
	}

	private @Nullable String get(RestClient.Builder builder) {
		return builder.baseUrl(this.wechat.url())
			.build()
			.get()
			.uri("/cgi-bin/getcallbackip")
			.retrieve()
			.body(String.class);
	}

	record Consumer(ClientHttpRequestInterceptor interceptor) {

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnInterceptorConfiguration {

		@Bean
		ClientHttpRequestInterceptor wechatInterceptor() {
			return (request, body, execution) -> execution.execute(request, body);
		}

		@Bean
		Consumer consumer(ClientHttpRequestInterceptor interceptor) {
			return new Consumer(interceptor);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ProxyConfiguration {

		@Bean
		static BeanNameAutoProxyCreator autoProxyCreator() {
			BeanNameAutoProxyCreator creator = new BeanNameAutoProxyCreator();
			creator.setBeanNames("authingWechatMpToken*");
			creator.setProxyTargetClass(true);
			return creator;
		}

	}

}
