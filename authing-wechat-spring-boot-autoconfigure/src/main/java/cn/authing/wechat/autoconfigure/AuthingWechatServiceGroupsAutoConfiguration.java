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

import java.util.Set;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientPropertiesAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.log.LogMessage;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.registry.HttpServiceProxyRegistry;
import org.springframework.web.service.registry.ImportHttpServices;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for the groups of
 * {@link ImportHttpServices} that {@code authing.wechat.api.service-groups} gives the
 * tokens of an account.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = { AuthingWechatWebClientAutoConfiguration.class,
		AuthingWechatRestClientAutoConfiguration.class, HttpServiceClientPropertiesAutoConfiguration.class })
@ConditionalOnClass({ JsonMapper.class, ImportHttpServices.class })
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
@Conditional(AuthingWechatServiceGroupsAutoConfiguration.OnServiceGroups.class)
@ConditionalOnBean(WechatMpTokenService.class)
@EnableConfigurationProperties(AuthingWechatApiProperties.class)
@Import(WechatServiceGroupConnectors.class)
public final class AuthingWechatServiceGroupsAutoConfiguration {

	private static final String REST_CLIENT_GROUPS = "authingWechatRestClientServiceGroups";

	private static final Log logger = LogFactory.getLog(AuthingWechatServiceGroupsAutoConfiguration.class);

	AuthingWechatServiceGroupsAutoConfiguration() {
	}

	@Bean
	static BeanFactoryPostProcessor authingWechatServiceGroupDefaults(ConfigurableEnvironment environment) {
		return (beanFactory) -> WechatServiceGroups.addDefaults(environment);
	}

	// Only now, since each group is made when the first of its interfaces is needed
	@Bean
	SmartInitializingSingleton authingWechatServiceGroupsCheck(ObjectProvider<HttpServiceProxyRegistry> registries,
			AuthingWechatApiProperties properties) {
		return () -> {
			HttpServiceProxyRegistry registry = registries.getIfAvailable();
			Set<String> groups = (registry != null) ? registry.getGroupNames() : Set.of();
			for (String name : properties.getServiceGroups().keySet()) {
				if (!groups.contains(name)) {
					logger.warn(LogMessage.format(
							"%s is set, but there is no HTTP service group '%s', only %s. Write the group of an "
									+ "@ImportHttpServices as it is written there",
							WechatServiceGroups.property(name), name, groups));
				}
			}
		};
	}

	// Nothing else gives their clients a base URL and keeps them from following redirects
	@Bean(REST_CLIENT_GROUPS)
	@ConditionalOnMissingClass("org.springframework.boot.restclient.autoconfigure.service.HttpServiceClientAutoConfiguration")
	@ConditionalOnMissingBean(name = REST_CLIENT_GROUPS)
	RestClientHttpServiceGroupConfigurer authingWechatMissingRestClient(AuthingWechatApiProperties properties) {
		return (groups) -> groups.filterByName(WechatServiceGroups.names(properties))
			.forEachClient((group, builder) -> {
				throw InvalidAuthingPropertiesException.of(WechatServiceGroups.property(group.name()),
						"is for a group that is called with RestClient, and spring-boot-restclient is not on the class path",
						"Add the dependency spring-boot-starter-restclient, or write clientType = "
								+ "HttpServiceGroup.ClientType.WEB_CLIENT in @ImportHttpServices.");
			});
	}

	@Bean(REST_CLIENT_GROUPS)
	@ConditionalOnBean(WechatMpTokenClientHttpRequestInterceptor.class)
	@ConditionalOnMissingBean(name = REST_CLIENT_GROUPS)
	RestClientHttpServiceGroupConfigurer authingWechatRestClientServiceGroups(AuthingWechatApiProperties properties,
			WechatMpTokenService tokens, WechatMpTokenClientHttpRequestInterceptor interceptor, JsonMapper jsonMapper) {
		WechatServiceGroups serviceGroups = new WechatServiceGroups(properties, tokens);
		return (groups) -> groups.filterByName(WechatServiceGroups.names(properties))
			.forEachClient((group, builder) -> serviceGroups.configure(group, builder, interceptor, jsonMapper));
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(WebClient.class)
	@ConditionalOnBean(WechatMpTokenExchangeFilterFunction.class)
	static class WebClientConfiguration {

		@Bean
		@ConditionalOnMissingBean(name = "authingWechatWebClientServiceGroups")
		WebClientHttpServiceGroupConfigurer authingWechatWebClientServiceGroups(AuthingWechatApiProperties properties,
				WechatMpTokenService tokens, WechatMpTokenExchangeFilterFunction filter, JsonMapper jsonMapper) {
			WechatServiceGroups serviceGroups = new WechatServiceGroups(properties, tokens);
			return (groups) -> groups.filterByName(WechatServiceGroups.names(properties))
				.forEachClient((group, builder) -> serviceGroups.configure(group, builder, filter, jsonMapper));
		}

	}

	static class OnServiceGroups extends SpringBootCondition {

		@Override
		public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
			// Not by the class that does the work, which few applications need
			boolean bound = Binder.get(context.getEnvironment())
				.bind(WechatServiceGroups.PREFIX, Bindable.mapOf(String.class, String.class))
				.isBound();
			return new ConditionOutcome(bound, ConditionMessage.forCondition("Authing WeChat service groups")
				.because((bound) ? "there are some" : "there are none"));
		}

	}

}
