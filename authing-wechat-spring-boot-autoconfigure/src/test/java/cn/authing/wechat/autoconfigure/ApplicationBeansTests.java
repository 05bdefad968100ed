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

import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.annotation.AnnotatedBeanDefinition;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.type.MethodMetadata;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.WechatMpAccountRegistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

/**
 * Tests for the whole of the auto-configuration beside an application's own beans.
 */
class ApplicationBeansTests {

	private static final String[] PROPERTIES = { "authing.app-id=app", "authing.app-secret=the-app-secret",
			"authing.app-host=https://localhost:1" };

	private final WebApplicationContextRunner contextRunner = new WebApplicationContextRunner()
		.withUserConfiguration(Application.class)
		.withPropertyValues("management.endpoints.web.exposure.include=*");

	@Test
	void runWithPropertiesShouldHaveAllParts() {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.run((context) -> assertThat(context).hasSingleBean(WechatMpTokenService.class)
				.hasSingleBean(WechatMpAccountRegistry.class)
				.hasSingleBean(AuthingWechatClient.class)
				.hasSingleBean(AuthingConnectionDetails.class));
	}

	@ParameterizedTest
	@ValueSource(strings = { "wechatMpTokenService", "wechatMpTokenStore", "redisWechatMpTokenStore",
			"wechatMpAccountProvider", "authingWechatClient", "wechatMpAccountsReloader" })
	void runWithBeanOfAnotherTypeUnderNameThatWasOursShouldStart(String name) {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.withBean(name, StringBuilder.class, StringBuilder::new)
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(WechatMpTokenService.class));
	}

	@Test
	void runWithServiceOfApplicationAndNoPropertiesShouldUseItAndNothingOfAuthing() {
		WechatMpTokenService service = mock(WechatMpTokenService.class);
		this.contextRunner.withBean("mine", WechatMpTokenService.class, () -> service)
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(WechatMpAccountRegistry.class)
				.doesNotHaveBean(AuthingWechatClient.class)
				.doesNotHaveBean(ValidatedProperties.class)
				.getBean(WechatMpTokenService.class)
				.isSameAs(service));
	}

	@Test
	void runWithPrimaryServiceThatDecoratesShouldKeepWhatHangsOnTheAccounts() {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.withUserConfiguration(DecoratorConfiguration.class)
			.run((context) -> {
				assertThat(context).hasNotFailed()
					.hasSingleBean(WechatMpAccountRegistry.class)
					.hasBean("authingWechatMpTokenService");
				assertThat(context.getBean(WechatMpTokenService.class)).isInstanceOf(Decorator.class);
				assertThat(context.getBean(WechatMpTokenService.class).accountNames()).containsExactly("default");
				assertThat(meters(context)).isNotEmpty();
			});
	}

	@Test
	void runWithPrimaryServiceThatNeedsNoAuthingAndNoPropertiesShouldStart() {
		this.contextRunner.withUserConfiguration(PrimaryConfiguration.class)
			.run((context) -> assertThat(context).hasNotFailed()
				.hasSingleBean(WechatMpTokenService.class)
				.doesNotHaveBean(WechatMpAccountRegistry.class)
				.doesNotHaveBean(AuthingWechatClient.class));
	}

	@Test
	void runWithPostProcessorThatWrapsTheServiceShouldKeepWhatHangsOnTheAccounts() {
		this.contextRunner.withPropertyValues(PROPERTIES).withBean(WrappingPostProcessor.class).run((context) -> {
			assertThat(context).hasNotFailed();
			assertThat(context.getBean(WechatMpTokenService.class)).isInstanceOf(Decorator.class);
			assertThat(meters(context)).isNotEmpty();
		});
	}

	@Test
	void runWithInterfaceProxiesOfServicesShouldStart() {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.withBean(BeanNameAutoProxyCreator.class, () -> proxies(false, "authing*Service"))
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(AopUtils.isAopProxy(context.getBean(WechatMpTokenService.class))).isTrue();
				assertThat(context.getBean(WechatMpTokenService.class).accountNames()).containsExactly("default");
			});
	}

	@Test
	void runWithClassProxiesOfEverythingOfOursShouldStart() {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.withBean(BeanNameAutoProxyCreator.class, () -> proxies(true, "authing*"))
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(AopUtils.isCglibProxy(context.getBean(WechatMpTokenService.class))).isTrue();
				assertThat(context.getBean(WechatMpTokenService.class).accountNames()).containsExactly("default");
				assertThat(meters(context)).isNotEmpty();
			});
	}

	@Test
	void everyBeanShouldBePrefixedReplaceableAndOfClassThatCanBeProxied() {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.withPropertyValues("authing.wechat.cache.keep-warm=true")
			.run((context) -> {
				List<String> names = beansOf(context, AuthingPropertiesConfiguration.class,
						AuthingWechatAutoConfiguration.class, AuthingSanitizingAutoConfiguration.class);
				assertThat(names).hasSizeGreaterThan(7).allMatch((name) -> name.startsWith("authing"));
				for (String name : names) {
					Class<?> type = context.getBean(name).getClass();
					assertThat(type.isSynthetic() || !Modifier.isFinal(type.getModifiers())).as(type.getName())
						.isTrue();
					MethodMetadata method = method(context, name);
					assertThat(method != null && (method.isAnnotated(ConditionalOnMissingBean.class.getName())
							|| "authingBackOff".equals(name)))
						.as(name)
						.isTrue();
				}
			});
	}

	@Test
	void runWithConnectionDetailsOfApplicationShouldNeedNoPropertiesOfConnection() {
		this.contextRunner.withBean(AuthingConnectionDetails.class, () -> details("elsewhere-secret"))
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(WechatMpTokenService.class));
		this.contextRunner.withBean(AuthingConnectionDetails.class, () -> details(null))
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContaining("authing.wechat.app-id is missing, and the AuthingConnectionDetails"));
		this.contextRunner.withBean(AuthingConnectionDetails.class, () -> details(null))
			.withPropertyValues("authing.wechat.app-id=wx1", "authing.wechat.app-secret=s1")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@ParameterizedTest
	@CsvSource(nullValues = "null", delimiter = '|', textBlock = """
			null                       | app   | getAppHost() is missing
			example.authing.cn         | app   | getAppHost() is 'example.authing.cn', which has no scheme
			http://example.authing.cn  | app   | getAppHost() is 'http://example.authing.cn', which is not encrypted
			https://example.authing.cn | null  | getAppId() is missing
			https://example.authing.cn | ' '   | getAppId() is blank
			""")
	@SuppressWarnings("NullAway") // what a mock returns
	void runWithConnectionDetailsThatAreNotUsableShouldSayWhichAndWhatToWrite(@Nullable String appHost,
			@Nullable String appId, String reason) {
		AuthingConnectionDetails details = details(appHost, appId, "elsewhere-secret");
		this.contextRunner.withBean(AuthingConnectionDetails.class, () -> details).run((context) -> {
			Throwable failure = context.getStartupFailure();
			assertThat(failure).rootCause().hasMessageContaining("AuthingConnectionDetails." + reason);
			assertThat(new AuthingFailureAnalyzer(null, null).analyze(failure)).extracting(FailureAnalysis::getAction)
				.isEqualTo("Correct the bean.");
		});
		if (appHost != null && appHost.startsWith("http:")) {
			this.contextRunner.withBean(AuthingConnectionDetails.class, () -> details)
				.withPropertyValues("authing.allow-http=true")
				.run((context) -> assertThat(context).hasNotFailed());
		}
	}

	@Test
	void runWithLazyInitializationAndWithoutJmxShouldHaveService() {
		this.contextRunner.withPropertyValues(PROPERTIES)
			.withPropertyValues("spring.main.lazy-initialization=true", "spring.jmx.enabled=false")
			.withInitializer(
					(context) -> context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
			.run((context) -> assertThat(context.getBean(WechatMpTokenService.class).accountNames())
				.containsExactly("default"));
	}

	private static AuthingConnectionDetails details(@Nullable String appSecret) {
		return details("https://localhost:1", "elsewhere-app", appSecret);
	}

	private static AuthingConnectionDetails details(String appHost, String appId, @Nullable String appSecret) {
		return new AuthingConnectionDetails() {

			@Override
			public String getAppHost() {
				return appHost;
			}

			@Override
			public String getAppId() {
				return appId;
			}

			@Override
			public @Nullable String getAppSecret() {
				return appSecret;
			}

		};
	}

	private static BeanNameAutoProxyCreator proxies(boolean classes, String pattern) {
		BeanNameAutoProxyCreator creator = new BeanNameAutoProxyCreator();
		creator.setBeanNames(pattern);
		creator.setProxyTargetClass(classes);
		return creator;
	}

	private static List<String> meters(ConfigurableApplicationContext context) {
		return context.getBean(MeterRegistry.class)
			.getMeters()
			.stream()
			.map((meter) -> meter.getId().getName())
			.filter((name) -> name.startsWith("authing.wechat"))
			.toList();
	}

	private static List<String> beansOf(ConfigurableApplicationContext context, Class<?>... configurations) {
		List<String> names = new ArrayList<>();
		for (String name : context.getBeanDefinitionNames()) {
			MethodMetadata method = method(context, name);
			if (method != null && Arrays.stream(configurations)
				.anyMatch((configuration) -> method.getDeclaringClassName().startsWith(configuration.getName()))) {
				names.add(name);
			}
		}
		return names;
	}

	private static @Nullable MethodMetadata method(ConfigurableApplicationContext context, String name) {
		BeanDefinition definition = context.getBeanFactory().getBeanDefinition(name);
		return (definition instanceof AnnotatedBeanDefinition annotated) ? annotated.getFactoryMethodMetadata() : null;
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(excludeName = { "com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
			"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
	static class Application {

	}

	@Configuration(proxyBeanMethods = false)
	static class DecoratorConfiguration {

		@Bean
		@Primary
		WechatMpTokenService auditingService(WechatMpTokenService delegate) {
			return new Decorator(delegate);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class PrimaryConfiguration {

		@Bean
		@Primary
		WechatMpTokenService anotherService() {
			return mock(WechatMpTokenService.class);
		}

	}

	static class WrappingPostProcessor implements BeanPostProcessor {

		@Override
		public Object postProcessAfterInitialization(Object bean, String beanName) {
			return (bean instanceof WechatMpTokenService service) ? new Decorator(service) : bean;
		}

	}

	record Decorator(WechatMpTokenService delegate) implements WechatMpTokenService {

		@Override
		public Mono<WechatMpAccessToken> getAccessToken() {
			return this.delegate.getAccessToken();
		}

		@Override
		public WechatMpAccessToken getAccessTokenSync() {
			return this.delegate.getAccessTokenSync();
		}

		@Override
		public Mono<WechatMpAccessToken> refreshAccessToken() {
			return this.delegate.refreshAccessToken();
		}

		@Override
		public boolean invalidate(String accessToken) {
			return this.delegate.invalidate(accessToken);
		}

		@Override
		public WechatMpTokenSource account(String name) {
			return this.delegate.account(name);
		}

		@Override
		public WechatMpTokenSource account(WechatMpCredentials credentials) {
			return this.delegate.account(credentials);
		}

		@Override
		public Set<String> accountNames() {
			return this.delegate.accountNames();
		}

	}

}
