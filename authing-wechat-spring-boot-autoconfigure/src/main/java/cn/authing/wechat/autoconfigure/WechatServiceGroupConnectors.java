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

import java.lang.reflect.Method;

import reactor.core.publisher.Mono;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.autoconfigure.HttpClientSettingsPropertyMapper;
import org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientProperties;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;

import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;

/**
 * Gives a {@link WebClient} of an HTTP service group the connector of the group's
 * settings, {@code spring.http.serviceclient.<group>.redirects} among them. Spring Boot
 * does so too, but its customizer of all clients, which comes at 0, replaces it. What the
 * application itself sets, as a bean or with a customizer, is left.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(WebClientCustomizer.class)
@ConditionalOnBean({ WechatMpTokenExchangeFilterFunction.class, HttpServiceClientProperties.class })
class WechatServiceGroupConnectors {

	private static final String CONNECTOR = "clientHttpConnector";

	private final ConfigurableListableBeanFactory beanFactory;

	WechatServiceGroupConnectors(ConfigurableListableBeanFactory beanFactory) {
		this.beanFactory = beanFactory;
	}

	@Bean
	@Order(-1)
	WebClientHttpServiceGroupConfigurer authingWechatWebClientServiceGroupMarks(AuthingWechatApiProperties properties) {
		return (groups) -> groups.filterByName(AuthingWechatServiceGroupsAutoConfiguration.names(properties))
			.forEachClient((group, builder) -> builder.filter(new Mark(group.name())));
	}

	@Bean
	@Order(1)
	WebClientCustomizer authingWechatWebClientServiceGroupConnectors() {
		return this::customize;
	}

	private void customize(WebClient.Builder builder) {
		builder.filters((filters) -> {
			for (ExchangeFilterFunction filter : filters) {
				if (filter instanceof Mark mark && isConnectorOfSpringBoot()) {
					builder.clientConnector(connector(mark.group()));
				}
			}
			filters.removeIf(Mark.class::isInstance);
		});
	}

	private boolean isConnectorOfSpringBoot() {
		// It is not defined where there is another
		Method method = (this.beanFactory.containsBeanDefinition(CONNECTOR)
				&& this.beanFactory.getMergedBeanDefinition(CONNECTOR) instanceof RootBeanDefinition definition)
						? definition.getResolvedFactoryMethod() : null;
		return method != null && method.getDeclaringClass() == ReactiveHttpClientAutoConfiguration.class;
	}

	private ClientHttpConnector connector(String group) {
		HttpClientSettings settings = new HttpClientSettingsPropertyMapper(
				this.beanFactory.getBeanProvider(SslBundles.class).getIfAvailable(),
				this.beanFactory.getBeanProvider(HttpClientSettings.class).getIfAvailable())
			.map(this.beanFactory.getBean(HttpServiceClientProperties.class).get(group));
		return this.beanFactory.getBeanProvider(ClientHttpConnectorBuilder.class)
			.getIfAvailable(ClientHttpConnectorBuilder::detect)
			.build(settings);
	}

	/**
	 * Tells the customizer, which is given no more than a builder, of which group it is.
	 *
	 * @param group the name of the group
	 */
	private record Mark(String group) implements ExchangeFilterFunction {

		@Override
		public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
			return next.exchange(request);
		}

	}

}
