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

import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.autoconfigure.endpoint.expose.EndpointExposure;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

import cn.authing.wechat.actuate.AuthingWechatEndpoint;
import cn.authing.wechat.actuate.AuthingWechatEndpointJmxExtension;
import cn.authing.wechat.actuate.AuthingWechatEndpointWebExtension;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for {@link AuthingWechatEndpoint}.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = AuthingWechatAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnAvailableEndpoint(AuthingWechatEndpoint.class)
@ConditionalOnBean(WechatMpAccountRegistry.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
public final class AuthingWechatEndpointAutoConfiguration {

	AuthingWechatEndpointAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	AuthingWechatEndpoint authingWechatEndpoint(WechatMpAccountRegistry registry) {
		return new AuthingWechatEndpoint(registry);
	}

	@Bean
	@ConditionalOnBean(AuthingWechatEndpoint.class)
	@ConditionalOnMissingBean
	@ConditionalOnAvailableEndpoint(exposure = EndpointExposure.WEB)
	AuthingWechatEndpointWebExtension authingWechatEndpointWebExtension(AuthingWechatEndpoint endpoint) {
		return new AuthingWechatEndpointWebExtension(endpoint);
	}

	@Bean
	@ConditionalOnBean(AuthingWechatEndpoint.class)
	@ConditionalOnMissingBean
	@ConditionalOnAvailableEndpoint(exposure = EndpointExposure.JMX)
	AuthingWechatEndpointJmxExtension authingWechatEndpointJmxExtension(AuthingWechatEndpoint endpoint) {
		return new AuthingWechatEndpointJmxExtension(endpoint);
	}

}
