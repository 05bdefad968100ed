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

import java.util.function.Function;
import java.util.function.UnaryOperator;

import cn.binarywang.wx.miniapp.api.WxMaService;
import cn.binarywang.wx.miniapp.api.impl.WxMaComplaintServiceImpl;
import cn.binarywang.wx.miniapp.api.impl.WxMaMediaServiceImpl;
import cn.binarywang.wx.miniapp.api.impl.WxMaServiceImpl;
import cn.binarywang.wx.miniapp.config.WxMaConfig;
import cn.binarywang.wx.miniapp.config.impl.WxMaDefaultConfigImpl;
import me.chanjar.weixin.common.error.WxRuntimeException;
import me.chanjar.weixin.mp.api.WxMpService;
import me.chanjar.weixin.mp.api.impl.BaseWxMpServiceImpl;
import me.chanjar.weixin.mp.api.impl.WxMpServiceImpl;
import me.chanjar.weixin.mp.config.WxMpConfigStorage;
import me.chanjar.weixin.mp.config.impl.WxMpDefaultConfigImpl;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Lazy;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.wxjava.WxJavaAccounts;
import cn.authing.wechat.wxjava.WxJavaBeanPostProcessor;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for WxJava: supplies the tokens of
 * the {@link WechatMpTokenService} to its services. It comes after WxJava's own starters
 * and manages their beans; where there are none, it creates the services of the
 * configured accounts.
 *
 * @since 1.0.0
 */
@AutoConfiguration(afterName = { "cn.authing.wechat.autoconfigure.AuthingWechatAutoConfiguration",
		"com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
		"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
@ConditionalOnClass(WxRuntimeException.class)
@ConditionalOnSingleCandidate(WechatMpTokenService.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.wxjava.enabled", matchIfMissing = true)
@ImportRuntimeHints(AuthingRuntimeHints.class)
public final class WxJavaAutoConfiguration {

	WxJavaAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	WxJavaAccounts authingWxJavaAccounts(ObjectProvider<WechatMpTokenService> tokens,
			ObjectProvider<WechatMpAccountProvider> provider) {
		return new WxJavaAccounts(tokens, provider);
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(WxMpService.class)
	static class WxMpConfiguration {

		@Bean
		@ConditionalOnMissingBean(name = "authingWxMpBeanPostProcessor")
		static WxJavaBeanPostProcessor<?, ?> authingWxMpBeanPostProcessor(ObjectProvider<WxJavaAccounts> accounts) {
			return new WxJavaBeanPostProcessor<WxMpService, WxMpConfigStorage>(WxMpService.class,
					WxMpConfigStorage.class, AuthingRuntimeHints.WX_MP_CONFIGURATIONS,
					"com.binarywang.spring.starter.wxjava.mp.service.WxMpMultiServices", WxMpConfigStorage::getAppId,
					WxMpService::getWxMpConfigStorage, WxMpConfiguration::manageFactory,
					(service, subService) -> subService, accounts);
		}

		private static void manageFactory(WxMpService service, UnaryOperator<WxMpConfigStorage> manage) {
			if (service instanceof BaseWxMpServiceImpl<?, ?> implementation) {
				Function<String, WxMpConfigStorage> factory = implementation.getConfigStorageFunction();
				if (factory != null) {
					implementation.setConfigStorageFunction((id) -> {
						WxMpConfigStorage configuration = factory.apply(id);
						return (configuration != null) ? manage.apply(configuration) : null;
					});
				}
			}
		}

		// Lazy, as with both modules on the class path an application may use but one.
		@Bean
		@Lazy
		@ConditionalOnBean(WechatMpAccountProvider.class)
		@ConditionalOnMissingBean(WxMpService.class)
		WxMpServiceImpl authingWxMpService(ObjectProvider<WxMpConfigStorage> storages, WxJavaAccounts accounts) {
			WxMpServiceImpl service = new WxMpServiceImpl();
			service.setMultiConfigStorages(
					accounts.configurations(storages.orderedStream(), WxMpConfigStorage::getAppId, (credentials) -> {
						WxMpDefaultConfigImpl storage = new WxMpDefaultConfigImpl();
						storage.setAppId(credentials.appId());
						storage.setSecret(credentials.appSecret());
						return storage;
					}));
			return service;
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(WxMaService.class)
	static class WxMaConfiguration {

		@Bean
		@ConditionalOnMissingBean(name = "authingWxMaBeanPostProcessor")
		static WxJavaBeanPostProcessor<?, ?> authingWxMaBeanPostProcessor(ObjectProvider<WxJavaAccounts> accounts) {
			return new WxJavaBeanPostProcessor<WxMaService, WxMaConfig>(WxMaService.class, WxMaConfig.class,
					AuthingRuntimeHints.WX_MA_CONFIGURATIONS,
					"com.binarywang.spring.starter.wxjava.miniapp.service.WxMaMultiServices", WxMaConfig::getAppid,
					WxMaService::getWxMaConfig, (service, manage) -> {
					}, WxMaConfiguration::manageSubService, accounts);
		}

		// These send a stream, which is not repeated past the bean. By name, as older
		// versions of WxJava do not have both.
		private static Object manageSubService(WxMaService service, Object subService) {
			return switch (subService.getClass().getName()) {
				case "cn.binarywang.wx.miniapp.api.impl.WxMaMediaServiceImpl" -> new WxMaMediaServiceImpl(service);
				case "cn.binarywang.wx.miniapp.api.impl.WxMaComplaintServiceImpl" ->
					new WxMaComplaintServiceImpl(service);
				default -> subService;
			};
		}

		@Bean
		@Lazy
		@ConditionalOnBean(WechatMpAccountProvider.class)
		@ConditionalOnMissingBean(WxMaService.class)
		WxMaServiceImpl authingWxMaService(ObjectProvider<WxMaConfig> configs, WxJavaAccounts accounts) {
			WxMaServiceImpl service = new WxMaServiceImpl();
			service.setMultiConfigs(
					accounts.configurations(configs.orderedStream(), WxMaConfig::getAppid, (credentials) -> {
						WxMaDefaultConfigImpl config = new WxMaDefaultConfigImpl();
						config.setAppid(credentials.appId());
						config.setSecret(credentials.appSecret());
						return config;
					}));
			return service;
		}

	}

}
