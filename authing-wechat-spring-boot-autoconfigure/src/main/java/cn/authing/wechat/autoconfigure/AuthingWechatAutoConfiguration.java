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

import com.github.benmanes.caffeine.cache.Caffeine;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.core.env.Environment;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.AuthingProperties.Wechat.Cache;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.token.DefaultWechatMpTokenService;
import cn.authing.wechat.token.RefreshPolicy;
import cn.authing.wechat.token.TokenListener;
import cn.authing.wechat.token.WechatMpTokenStore;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for {@link WechatMpTokenService}.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = AuthingClientAutoConfiguration.class)
@ConditionalOnClass(Caffeine.class)
@ConditionalOnBean(AuthingWechatClient.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
@ImportRuntimeHints(CaffeineRuntimeHints.class)
public final class AuthingWechatAutoConfiguration {

	AuthingWechatAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean(WechatMpAccountProvider.class)
	PropertiesWechatMpAccountProvider wechatMpAccountProvider(Environment environment, AuthingProperties properties) {
		return new PropertiesWechatMpAccountProvider(environment, properties);
	}

	@Bean
	@ConditionalOnMissingBean
	WechatMpTokenStore wechatMpTokenStore() {
		return WechatMpTokenStore.local();
	}

	@Bean
	@ConditionalOnMissingBean(WechatMpTokenService.class)
	DefaultWechatMpTokenService wechatMpTokenService(AuthingWechatClient client, WechatMpTokenStore store,
			WechatMpAccountProvider accountProvider, AuthingProperties properties,
			ObjectProvider<TokenListener> listeners) {
		Cache cache = properties.getWechat().getCache();
		RefreshPolicy policy = new RefreshPolicy(cache.getRefreshAhead(), cache.getMinRefreshInterval(),
				cache.getExpiryMargin(), cache.getFailureBackoff().getInitial(), cache.getFailureBackoff().getMax(),
				properties.getTimeout());
		return new DefaultWechatMpTokenService(client, store, accountProvider, policy, cache.getMaxEntries(),
				listeners.orderedStream().toList());
	}

	@Bean
	@ConditionalOnBean(DefaultWechatMpTokenService.class)
	WechatMpAccountsReloader wechatMpAccountsReloader(DefaultWechatMpTokenService service) {
		return new WechatMpAccountsReloader(service);
	}

	@Bean
	@ConditionalOnBean(DefaultWechatMpTokenService.class)
	@ConditionalOnBooleanProperty("authing.wechat.cache.keep-warm")
	ApplicationListener<ApplicationReadyEvent> wechatMpTokenWarmer(DefaultWechatMpTokenService service) {
		return (event) -> service.keepWarm();
	}

}
