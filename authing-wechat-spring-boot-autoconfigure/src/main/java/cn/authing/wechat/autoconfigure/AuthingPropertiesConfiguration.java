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

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * The properties below {@code authing}, validated before anything is made of them.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({ AuthingProperties.class, AuthingWechatProperties.class,
		AuthingWechatCacheProperties.class, AuthingWechatApiProperties.class })
class AuthingPropertiesConfiguration {

	@Bean
	@ConditionalOnMissingBean
	ValidatedProperties authingValidatedProperties(Environment environment, ListableBeanFactory beanFactory) {
		return new ValidatedProperties(environment, beanFactory);
	}

	@Bean
	@ConditionalOnMissingBean(AuthingConnectionDetails.class)
	PropertiesAuthingConnectionDetails authingConnectionDetails(ValidatedProperties properties) {
		return new PropertiesAuthingConnectionDetails(properties);
	}

}
