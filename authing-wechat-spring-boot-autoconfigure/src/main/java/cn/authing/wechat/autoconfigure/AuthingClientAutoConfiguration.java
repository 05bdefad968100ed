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

import java.net.URI;
import java.util.List;

import io.micrometer.observation.ObservationRegistry;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Import;
import org.springframework.core.io.ResourceLoader;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.client.AuthingClientSettings;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.client.DefaultAuthingWechatClient;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for the {@link AuthingWechatClient}.
 *
 * @since 1.0.0
 */
@AutoConfiguration(after = SslAutoConfiguration.class,
		afterName = { "org.springframework.boot.http.client.autoconfigure.HttpClientAutoConfiguration",
				"org.springframework.boot.http.client.autoconfigure.reactive.ReactiveHttpClientAutoConfiguration",
				"org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration" })
@ConditionalOnClass({ ClientHttpConnectorBuilder.class, JsonMapper.class, WebClient.class })
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
@ConditionalOnMissingBean(AuthingWechatClient.class)
@Conditional(OnReplaceableTokenServiceCondition.class)
@Import(AuthingPropertiesConfiguration.class)
public final class AuthingClientAutoConfiguration {

	AuthingClientAutoConfiguration() {
	}

	@Bean
	DefaultAuthingWechatClient authingWechatMpTokenClient(AuthingConnectionDetails connection,
			ValidatedProperties properties, AuthingClientHttpConnectorFactory connectorFactory,
			ObjectProvider<ObservationRegistry> observationRegistry,
			ObjectProvider<AuthingWebClientCustomizer> customizers) {
		// Not the application's builder: its filters must not see the secrets
		WebClient.Builder builder = WebClient.builder().clientConnector(connectorFactory.getConnector());
		observationRegistry.ifUnique(builder::observationRegistry);
		customizers.orderedStream().forEach((customizer) -> customizer.customize(builder));
		return new DefaultAuthingWechatClient(builder::build, settings(connection, properties.current()));
	}

	private AuthingClientSettings settings(AuthingConnectionDetails connection, BoundProperties properties) {
		new AuthingPropertiesValidator(properties, List.of()).validate(connection);
		AuthingProperties authing = properties.authing();
		return new AuthingClientSettings(URI.create(connection.getAppHost()), connection.getAppId(),
				properties.wechat().getOperation(), authing.getLang(), authing.getHeaders(), authing.getTimeout(),
				properties.cache().getDefaultTtl(), authing.getRetry().toBackOff());
	}

	@Bean
	AuthingClientHttpConnectorFactory authingClientHttpConnectorFactory(ResourceLoader resourceLoader,
			ObjectProvider<ClientHttpConnectorBuilder<?>> connectorBuilder,
			ObjectProvider<HttpClientSettings> httpClientSettings, ObjectProvider<SslBundles> sslBundles,
			ValidatedProperties properties) {
		return new AuthingClientHttpConnectorFactory(
				connectorBuilder
					.getIfAvailable(() -> ClientHttpConnectorBuilder.detect(resourceLoader.getClassLoader())),
				httpClientSettings.getIfAvailable(HttpClientSettings::defaults), sslBundles.getIfAvailable(),
				properties.current().authing());
	}

}
