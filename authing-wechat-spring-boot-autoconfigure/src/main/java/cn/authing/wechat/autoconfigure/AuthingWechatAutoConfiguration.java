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

import java.util.stream.Collectors;

import com.github.benmanes.caffeine.cache.Caffeine;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.client.DefaultAuthingWechatClient;
import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.token.DefaultWechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpRefreshPolicy;
import cn.authing.wechat.token.WechatMpTokenListener;
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
@Conditional(OnReplaceableTokenServiceCondition.class)
@Import(AuthingPropertiesConfiguration.class)
@ImportRuntimeHints(AuthingRuntimeHints.class)
public final class AuthingWechatAutoConfiguration {

	private static final Log logger = LogFactory.getLog(AuthingWechatAutoConfiguration.class);

	AuthingWechatAutoConfiguration() {
	}

	@Bean
	static AuthingBackOff authingBackOff(Environment environment) {
		return new AuthingBackOff(environment);
	}

	@Bean
	@ConditionalOnMissingBean(WechatMpAccountProvider.class)
	PropertiesWechatMpAccountProvider authingWechatMpAccountProvider(ValidatedProperties properties,
			AuthingConnectionDetails connection) {
		return new PropertiesWechatMpAccountProvider(properties, connection);
	}

	@Bean
	@ConditionalOnMissingBean
	WechatMpAccountRegistry authingWechatMpAccountRegistry(AuthingWechatClient client,
			ObjectProvider<WechatMpTokenStore> store, WechatMpAccountProvider accountProvider,
			ValidatedProperties properties, AuthingConnectionDetails connection,
			ObjectProvider<WechatMpTokenListener> listeners) {
		AuthingWechatCacheProperties cache = properties.current().cache();
		WechatMpRefreshPolicy policy = new WechatMpRefreshPolicy(cache.getRefreshAhead(), cache.getMinRefreshInterval(),
				cache.getExpiryMargin(), cache.getFailureBackoff().getInitial(), cache.getFailureBackoff().getMax(),
				properties.current().authing().getTimeout());
		WechatMpTokenStore shared = store.getIfAvailable();
		WechatMpAccountRegistry registry = new WechatMpAccountRegistry(client, shared, accountProvider, policy,
				cache.getMaxEntries(), listeners.orderedStream().toList());
		logger.info("WeChat access tokens are fetched from %s for %s; store: %s%s".formatted(
				(client instanceof DefaultAuthingWechatClient) ? connection.getAppHost() : nameOf(client),
				registry.status()
					.stream()
					.map((account) -> "%s (%s)".formatted(SafeText.of(account.account()), SafeText.of(account.appId())))
					.collect(Collectors.joining(", ")),
				(shared != null) ? nameOf(shared) : "local",
				(accountProvider instanceof PropertiesWechatMpAccountProvider accounts && accounts.isAuthingPair())
						? "; no authing.wechat.app-id: the Authing application's own pair is used" : ""));
		return registry;
	}

	private static String nameOf(Object bean) {
		return ClassUtils.getUserClass(bean).getSimpleName();
	}

	@Bean(AuthingBackOff.SERVICE)
	@ConditionalOnMissingBean
	DefaultWechatMpTokenService authingWechatMpTokenService(WechatMpAccountRegistry registry) {
		return new DefaultWechatMpTokenService(registry);
	}

	@Bean
	@ConditionalOnMissingBean
	WechatMpAccountsReloader authingWechatMpAccountsReloader(WechatMpAccountRegistry registry) {
		return new WechatMpAccountsReloader(registry);
	}

	@Bean
	@ConditionalOnMissingBean(name = "authingWechatMpTokenWarmer")
	@ConditionalOnBooleanProperty("authing.wechat.cache.keep-warm")
	ApplicationListener<ApplicationReadyEvent> authingWechatMpTokenWarmer(WechatMpAccountRegistry registry) {
		return (event) -> registry.keepWarm();
	}

	@Bean
	@ConditionalOnMissingBean
	@ConditionalOnBooleanProperty("authing.wechat.fail-fast")
	DefaultAccountCheck authingDefaultAccountCheck(WechatMpAccountRegistry registry,
			ObjectProvider<WechatMpTokenService> service) {
		return new DefaultAccountCheck(registry, service);
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(EnvironmentChangeEvent.class)
	static class SpringCloudConfiguration {

		@Bean
		@ConditionalOnMissingBean
		EnvironmentChangeListener authingEnvironmentChangeListener(ApplicationEventPublisher publisher,
				ValidatedProperties properties) {
			return new EnvironmentChangeListener(publisher, properties);
		}

	}

}
