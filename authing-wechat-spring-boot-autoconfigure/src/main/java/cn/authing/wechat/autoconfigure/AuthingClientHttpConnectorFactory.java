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

import org.jspecify.annotations.Nullable;

import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.util.StringUtils;

/**
 * Makes the HTTP connector to Authing: the application's, but for what
 * {@link AuthingProperties} says.
 */
class AuthingClientHttpConnectorFactory {

	private final ClientHttpConnectorBuilder<?> builder;

	private final HttpClientSettings defaults;

	private final @Nullable SslBundles sslBundles;

	AuthingClientHttpConnectorFactory(ClientHttpConnectorBuilder<?> builder, HttpClientSettings defaults,
			@Nullable SslBundles sslBundles) {
		this.builder = builder;
		this.defaults = defaults;
		this.sslBundles = sslBundles;
	}

	ClientHttpConnector create(AuthingProperties properties) {
		HttpClientSettings settings = this.defaults.withConnectTimeout(properties.getConnectTimeout())
			// A redirect would carry the secret elsewhere
			.withRedirects(HttpRedirects.DONT_FOLLOW);
		String bundle = properties.getSsl().getBundle();
		return this.builder.build(StringUtils.hasLength(bundle) ? settings.withSslBundle(sslBundle(bundle)) : settings);
	}

	private SslBundle sslBundle(String name) {
		if (this.sslBundles == null) {
			throw InvalidAuthingPropertiesException.of("authing.ssl.bundle",
					"names a bundle, but Spring Boot's SslAutoConfiguration is switched off",
					"Switch it on or remove the property.");
		}
		try {
			return this.sslBundles.getBundle(name);
		}
		catch (NoSuchSslBundleException ex) {
			throw InvalidAuthingPropertiesException.of("authing.ssl.bundle",
					"names '" + name + "', which is not one of the known bundles " + this.sslBundles.getBundleNames(),
					"Define it, for example as spring.ssl.bundle.pem." + name
							+ ".truststore.certificate, or name a known one.");
		}
	}

}
