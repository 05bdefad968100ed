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

import java.util.Map;

import cn.binarywang.wx.miniapp.api.WxMaService;
import com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration;
import com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration;
import me.chanjar.weixin.common.error.WxRuntimeException;
import me.chanjar.weixin.mp.api.WxMpService;
import me.chanjar.weixin.mp.api.impl.BaseWxMpServiceImpl;
import me.chanjar.weixin.mp.api.impl.WxMpServiceImpl;
import me.chanjar.weixin.mp.config.impl.WxMpDefaultConfigImpl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.javapoet.ClassName;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.wxjava.WxJavaAccounts;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link WxJavaAutoConfiguration}. What the beans do is tested beside them.
 */
@ExtendWith(OutputCaptureExtension.class)
class WxJavaAutoConfigurationTests {

	private final FakeAccounts accounts = new FakeAccounts("wx1");

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(WxJavaAutoConfiguration.class))
		.withBean(WechatMpTokenService.class, () -> this.accounts)
		.withBean(WechatMpAccountProvider.class, () -> this.accounts::credentials);

	@Test
	void configurationShouldCreateServicesOfBothModules() {
		this.contextRunner
			.run((context) -> assertThat(context).hasSingleBean(WxMpService.class).hasSingleBean(WxMaService.class));
	}

	@Test
	void servicesWhenUnusedShouldNotBeInstantiated(CapturedOutput output) {
		this.contextRunner.run((context) -> {
			assertThat(context.getBeanFactory().containsSingleton("authingWxMpService")).isFalse();
			assertThat(context.getBeanFactory().containsSingleton("authingWxMaService")).isFalse();
			assertThat(output).doesNotContain("WxJava gets the access tokens");
		});
	}

	@Test
	void configurationWhenDisabledShouldCreateNothing() {
		this.contextRunner.withPropertyValues("authing.wechat.wxjava.enabled=false").run(this::assertNothing);
	}

	@Test
	void configurationWhenNoTokenServiceShouldCreateNothing() {
		new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(WxJavaAutoConfiguration.class))
			.withBean(WechatMpAccountProvider.class, () -> this.accounts::credentials)
			.run(this::assertNothing);
	}

	@Test
	void configurationWhenNoAccountProviderShouldCreateNoServices() {
		new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(WxJavaAutoConfiguration.class))
			.withBean(WechatMpTokenService.class, () -> this.accounts)
			.run((context) -> assertThat(context).hasSingleBean(WxJavaAccounts.class)
				.doesNotHaveBean(WxMpService.class)
				.doesNotHaveBean(WxMaService.class));
	}

	@Test
	void configurationWhenUserHasSeveralTokenServicesShouldCreateNothing() {
		this.contextRunner.withBean("another", WechatMpTokenService.class, () -> WechatMpTokenService.of("another"))
			.run(this::assertNothing);
	}

	@Test
	void configurationWhenUserBeansHaveTheNamesOfServicesShouldStart() {
		this.contextRunner.withBean("wxMpService", String.class, () -> "mine")
			.withBean("wxMaService", String.class, () -> "mine")
			.run((context) -> assertThat(context).hasNotFailed()
				.hasSingleBean(WxMpService.class)
				.hasSingleBean(WxMaService.class));
	}

	@Test
	void beansShouldBeProxyable() {
		this.contextRunner.withBean(BeanNameAutoProxyCreator.class, () -> {
			BeanNameAutoProxyCreator creator = new BeanNameAutoProxyCreator();
			creator.setBeanNames("authingWx*");
			creator.setProxyTargetClass(true);
			return creator;
		}).run((context) -> {
			assertThat(AopUtils.isCglibProxy(context.getBean(WxJavaAccounts.class))).isTrue();
			assertThat(context.getBean(WxMpService.class).getAccessToken()).isEqualTo("authing-default-1");
			assertThat(context.getBean(WxMaService.class).getAccessToken()).isEqualTo("authing-default-1");
		});
	}

	@Test
	void configurationWhenNoWxJavaShouldCreateNothing() {
		this.contextRunner
			.withClassLoader(new FilteredClassLoader(WxRuntimeException.class, WxMpService.class, WxMaService.class))
			.run(this::assertNothing);
	}

	@Test
	void configurationWhenOnlyMpShouldLeaveOutMiniapp() {
		this.contextRunner.withClassLoader(new FilteredClassLoader("cn.binarywang"))
			.run((context) -> assertThat(context).hasNotFailed()
				.hasSingleBean(WxMpService.class)
				.doesNotHaveBean("authingWxMaBeanPostProcessor"));
	}

	@Test
	void configurationWhenOnlyMiniappShouldLeaveOutMp() {
		this.contextRunner.withClassLoader(new FilteredClassLoader("me.chanjar.weixin.mp"))
			.run((context) -> assertThat(context).hasNotFailed()
				.hasSingleBean(WxMaService.class)
				.doesNotHaveBean("authingWxMpBeanPostProcessor"));
	}

	@Test
	void configurationWhenUserServiceShouldBackOff() {
		this.contextRunner.withBean("mine", WxMpService.class, () -> {
			WxMpDefaultConfigImpl storage = new WxMpDefaultConfigImpl();
			storage.setAppId("wx1");
			WxMpServiceImpl service = new WxMpServiceImpl();
			service.setWxMpConfigStorage(storage);
			return service;
		}).run((context) -> assertThat(context).getBeanNames(WxMpService.class).containsExactly("mine"));
	}

	@Test
	void startWhenBothStartersShouldSayOnceWhichAreManaged(CapturedOutput output) {
		this.contextRunner
			.withConfiguration(AutoConfigurations.of(WxMpAutoConfiguration.class, WxMaAutoConfiguration.class))
			.withPropertyValues("wx.mp.app-id=wx1", "wx.mp.secret=wx-java-secret", "wx.miniapp.appid=wx2",
					"wx.miniapp.secret=wx-java-secret")
			.run((context) -> {
				assertThat(context).hasNotFailed().hasSingleBean(WxMpService.class).hasSingleBean(WxMaService.class);
				assertThat(output)
					.containsOnlyOnce("WxJava gets the access tokens of these WeChat apps from the token service: "
							+ "'wx1' (account 'default'); and asks WeChat itself, as before, for those of: 'wx2'")
					.doesNotContain("not eligible for getting processed")
					.doesNotContain("wx-java-secret")
					.doesNotContain("secret-of-");
			});
	}

	@Test
	void processAheadOfTimeShouldHintAtFieldsOfServices() {
		try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
			TestPropertyValues.of("wx.mp.app-id=wx1", "wx.mp.secret=wx-java-secret").applyTo(context);
			context.register(TokenConfiguration.class, WxMpAutoConfiguration.class, WxJavaAutoConfiguration.class);
			DefaultGenerationContext generation = new DefaultGenerationContext(
					new ClassNameGenerator(ClassName.get("com.example", "Test")), new InMemoryGeneratedFiles());
			new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
			RuntimeHints hints = generation.getRuntimeHints();
			assertThat(RuntimeHintsPredicates.reflection().onFieldAccess(BaseWxMpServiceImpl.class, "configStorageMap"))
				.accepts(hints);
		}
	}

	private void assertNothing(AssertableApplicationContext context) {
		assertThat(context).hasNotFailed().doesNotHaveBean(WxJavaAccounts.class);
		assertThat(context.getBeanDefinitionNames()).noneMatch((name) -> name.startsWith("authingWx"));
	}

	@Configuration(proxyBeanMethods = false)
	static class TokenConfiguration {

		@Bean
		WechatMpTokenService tokenService() {
			return new FakeAccounts("wx1");
		}

		@Bean
		WechatMpAccountProvider accountProvider() {
			return () -> Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, new WechatMpCredentials("wx1", "secret-of-wx1"));
		}

	}

}
