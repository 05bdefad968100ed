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

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Fallback;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for the
 * {@link WechatMpTokenExchangeFilterFunction} of the default account. It is added to no
 * {@code WebClient}: an application does that where it calls WeChat.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = AuthingWechatAutoConfiguration.class)
@ConditionalOnClass(WebClient.class)
@ConditionalOnSingleCandidate(WechatMpTokenService.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
@EnableConfigurationProperties(AuthingWechatApiProperties.class)
public final class AuthingWechatWebClientAutoConfiguration {

	static final String NAME = "authingWechatMpTokenExchangeFilterFunction";

	AuthingWechatWebClientAutoConfiguration() {
	}

	// Beside those of the application, which are for other accounts or hosts, and made
	// of this one
	@Bean(NAME)
	@Fallback
	@ConditionalOnMissingBean(name = NAME)
	WechatMpTokenExchangeFilterFunction authingWechatMpTokenExchangeFilterFunction(WechatMpTokenService tokens,
			AuthingWechatApiProperties properties) {
		return WechatMpTokenExchangeFilterFunction.of(tokens)
			.withHosts(properties.getHosts().toArray(String[]::new))
			.withBusyBackOff(properties.getRetryBusy().toBackOff());
	}

}
