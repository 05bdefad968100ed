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

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jspecify.annotations.Nullable;
import org.mockito.Mockito;

import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.webclient.autoconfigure.WebClientAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AuthingWechatWebClientAutoConfiguration}, in an application that has a
 * token service of its own and none of Authing's properties.
 */
class AuthingWechatWebClientAutoConfigurationTests {

	private final FakeWechat wechat = FakeWechat.start();

	private final FakeAccounts accounts = new FakeAccounts(FakeTokenSource.of("dead", "alive"));

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(
				AutoConfigurations.of(WebClientAutoConfiguration.class, AuthingWechatWebClientAutoConfiguration.class))
		.withPropertyValues("authing.wechat.api.hosts=" + this.wechat.url() + "/cgi-bin")
		.withBean("myTokens", WechatMpTokenService.class, () -> this.accounts);

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void filterIsMadeOfTheService() {
		this.wechat.acceptOnly("alive");
		this.contextRunner.run((context) -> {
			assertThat(call(context)).contains("127.0.0.1");
			assertThat(this.wechat.sentTokens()).containsExactly("dead", "alive");
			assertThat(context).hasBean("authingWechatMpTokenExchangeFilterFunction");
		});
	}

	@Test
	void filterIsAddedToNoClient() {
		this.contextRunner.run((context) -> {
			get(context.getBean(WebClient.Builder.class));
			assertThat(this.wechat.sentTokens()).containsExactly("");
		});
	}

	@Test
	void filterRepeatsBusyCallsIfConfigured() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(2);
		this.contextRunner
			.withPropertyValues("authing.wechat.api.retry-busy.max-attempts=3",
					"authing.wechat.api.retry-busy.initial-backoff=1ms")
			.run((context) -> assertThat(call(context)).contains("127.0.0.1"));
		assertThat(this.wechat.requests()).hasSize(3);
	}

	@Test
	void filterDoesNotRepeatBusyCallsByDefault() {
		this.wechat.acceptOnly("dead");
		this.wechat.beBusy(1);
		this.contextRunner.run((context) -> assertThat(call(context)).startsWith("{\"errcode\":-1,"));
		assertThat(this.wechat.requests()).hasSize(1);
	}

	@Test
	void filterWorksBehindProxyAndDecoratorOfTheService() {
		this.wechat.acceptOnly("decorated");
		this.contextRunner.withUserConfiguration(ProxyConfiguration.class)
			.withBean("decorator", WechatMpTokenService.class, () -> new FakeAccounts(FakeTokenSource.of("decorated")),
					(definition) -> definition.setPrimary(true))
			.run((context) -> {
				assertThat(AopUtils.isCglibProxy(context.getBean(WechatMpTokenExchangeFilterFunction.class))).isTrue();
				assertThat(call(context)).contains("127.0.0.1");
			});
	}

	@Test
	void filterBacksOffIfThereAreSeveralServicesOrNone() {
		this.contextRunner.withBean("another", WechatMpTokenService.class, () -> this.accounts)
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(WechatMpTokenExchangeFilterFunction.class));
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatWebClientAutoConfiguration.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(WechatMpTokenExchangeFilterFunction.class));
	}

	@Test
	void filterIsThereIfTheServiceIsMock() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AuthingWechatWebClientAutoConfiguration.class))
			.withBean(WechatMpTokenService.class, () -> Mockito.mock(WechatMpTokenService.class))
			.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenExchangeFilterFunction.class));
	}

	@Test
	void filterIsAbsentIfDisabled() {
		this.contextRunner.withPropertyValues("authing.wechat.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(WechatMpTokenExchangeFilterFunction.class));
	}

	@Test
	void filterIsAbsentWithoutWebClient() {
		this.contextRunner.withClassLoader(new FilteredClassLoader("org.springframework.web.reactive"))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("authingWechatMpTokenExchangeFilterFunction"));
	}

	@Test
	void filterBacksOffForOneOfTheApplication() {
		WechatMpTokenExchangeFilterFunction filter = WechatMpTokenExchangeFilterFunction.of(this.accounts);
		this.contextRunner.withBean(WechatMpTokenExchangeFilterFunction.class, () -> filter)
			.run((context) -> assertThat(context.getBean(WechatMpTokenExchangeFilterFunction.class)).isSameAs(filter));
	}

	@Test
	void onlyFilterOfTheApplicationIsInjectedWhereItWantsOne() {
		this.contextRunner.withUserConfiguration(OwnFilterConfiguration.class).run((context) -> {
			assertThat(context).hasNotFailed().hasSingleBean(WechatMpTokenExchangeFilterFunction.class);
			assertThat(context.getBean(Consumer.class).filter())
				.isSameAs(context.getBean("wechatMpTokenExchangeFilter"));
		});
		this.contextRunner.withBean(Consumer.class)
			.run((context) -> assertThat(context.getBean(Consumer.class).filter())
				.isInstanceOf(WechatMpTokenExchangeFilterFunction.class));
	}

	private @Nullable String call(ApplicationContext context) {
		return get(context.getBean(WebClient.Builder.class)
			.filter(context.getBean(WechatMpTokenExchangeFilterFunction.class)));
	}

	private @Nullable String get(WebClient.Builder builder) {
		return builder.baseUrl(this.wechat.url())
			.build()
			.get()
			.uri("/cgi-bin/getcallbackip")
			.retrieve()
			.bodyToMono(String.class)
			.block(Duration.ofSeconds(10));
	}

	record Consumer(ExchangeFilterFunction filter) {

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnFilterConfiguration {

		@Bean
		ExchangeFilterFunction wechatMpTokenExchangeFilter() {
			return (request, next) -> next.exchange(request);
		}

		@Bean
		Consumer consumer(ExchangeFilterFunction filter) {
			return new Consumer(filter);
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
