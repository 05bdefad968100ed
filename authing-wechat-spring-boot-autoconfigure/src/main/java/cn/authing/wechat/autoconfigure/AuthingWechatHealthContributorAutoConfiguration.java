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

import reactor.core.publisher.Flux;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.ReactiveHealthContributor;
import org.springframework.boot.health.registry.ReactiveHealthContributorRegistry;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;

import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.actuate.WechatMpTokenHealth;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for {@link WechatMpTokenHealth}: of
 * the configured accounts, whatever the {@link WechatMpTokenService} is, or else of an
 * application's own service.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = AuthingWechatAutoConfiguration.class)
@ConditionalOnClass({ Flux.class, ReactiveHealthContributor.class, ConditionalOnEnabledHealthIndicator.class })
@ConditionalOnMissingBean(name = { "authingWechatHealthIndicator", "authingWechatHealthContributor" })
@ConditionalOnEnabledHealthIndicator("authing-wechat")
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
public final class AuthingWechatHealthContributorAutoConfiguration {

	AuthingWechatHealthContributorAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	@ConditionalOnBean(WechatMpAccountRegistry.class)
	WechatMpTokenHealth authingWechatMpTokenHealth(WechatMpAccountRegistry registry) {
		return new WechatMpTokenHealth(registry);
	}

	@Bean
	@ConditionalOnMissingBean
	@ConditionalOnSingleCandidate(WechatMpTokenService.class)
	WechatMpTokenHealth authingWechatMpTokenServiceHealth(WechatMpTokenService service) {
		return new WechatMpTokenHealth(service);
	}

	@Bean
	@ConditionalOnBean(WechatMpTokenHealth.class)
	ReactiveHealthContributor authingWechatHealthContributor(WechatMpTokenHealth health) {
		return health.contributor();
	}

	@Bean
	@ConditionalOnBean(WechatMpTokenHealth.class)
	ApplicationListener<WechatMpAccountsChangedEvent> authingWechatHealthUpdater(WechatMpTokenHealth health,
			ObjectProvider<ReactiveHealthContributorRegistry> registry) {
		return (event) -> registry.ifAvailable((available) -> health.update(available, "authingWechat"));
	}

}
