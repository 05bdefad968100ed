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

import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.util.function.SingletonSupplier;

import cn.authing.wechat.actuate.WechatMpTokenMetrics;
import cn.authing.wechat.token.WechatMpAccountRegistry;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for {@link WechatMpTokenMetrics}.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = AuthingWechatAutoConfiguration.class,
		afterName = "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean(WechatMpAccountRegistry.class)
@ConditionalOnSingleCandidate(MeterRegistry.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
public final class AuthingWechatMetricsAutoConfiguration {

	AuthingWechatMetricsAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingBean
	WechatMpTokenMetrics authingWechatMpTokenMetrics(ObjectProvider<WechatMpAccountRegistry> accounts,
			ObjectProvider<MeterRegistry> meters) {
		return new WechatMpTokenMetrics(accounts::getObject, SingletonSupplier.of(meters::getObject));
	}

}
