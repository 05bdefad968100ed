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

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpCookieHandling;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringUtils;

import cn.authing.wechat.client.SingleUseHttpConnector;
import cn.authing.wechat.client.SingleUseHttpConnector.Exchange;

/**
 * Makes the HTTP connector to Authing: the application's HTTP client and settings, but
 * for what {@link AuthingProperties} says, on connections of its own. The client is made
 * for the first request, so that start-up need not load it, and closed with this bean.
 */
class AuthingClientHttpConnectorFactory implements DisposableBean {

	private final ClientHttpConnectorBuilder<?> builder;

	private final HttpClientSettings settings;

	private final SingleUseHttpConnector connector = new SingleUseHttpConnector(this::openExchange,
			this::closeTransport);

	private @Nullable HttpTransport transport;

	AuthingClientHttpConnectorFactory(ClientHttpConnectorBuilder<?> builder, HttpClientSettings defaults,
			@Nullable SslBundles sslBundles, AuthingProperties properties) {
		this.builder = builder;
		String bundle = properties.getSsl().getBundle();
		HttpClientSettings settings = StringUtils.hasLength(bundle)
				? defaults.withSslBundle(sslBundle(sslBundles, bundle)) : defaults;
		settings = settings
			.withTimeouts(properties.getConnectTimeout(), readTimeout(settings.readTimeout(), properties.getTimeout()))
			// A redirect would carry the secret elsewhere
			.withRedirects(HttpRedirects.DONT_FOLLOW);
		// Spring Boot 4.0 knows no setting for cookies
		this.settings = ClassUtils.isPresent("org.springframework.boot.http.client.HttpCookieHandling",
				getClass().getClassLoader()) ? settings.withCookieHandling(HttpCookieHandling.DISABLE) : settings;
		HttpTransport.warnOfLoggers(builder);
	}

	ClientHttpConnector getConnector() {
		return this.connector;
	}

	@Override
	public void destroy() {
		this.connector.close();
	}

	private Exchange openExchange() {
		if (this.transport == null) {
			this.transport = HttpTransport.of(this.builder, this.settings);
		}
		return this.transport.exchanges().get();
	}

	private void closeTransport() {
		if (this.transport != null) {
			this.transport.close();
		}
	}

	private static Duration readTimeout(@Nullable Duration general, Duration timeout) {
		return (general != null && general.compareTo(timeout) < 0) ? general : timeout;
	}

	private static SslBundle sslBundle(@Nullable SslBundles sslBundles, String name) {
		if (sslBundles == null) {
			throw InvalidAuthingPropertiesException.of("authing.ssl.bundle",
					"names a bundle, but Spring Boot's SslAutoConfiguration is switched off",
					"Switch it on or remove the property.");
		}
		try {
			return sslBundles.getBundle(name);
		}
		catch (NoSuchSslBundleException ex) {
			throw InvalidAuthingPropertiesException.of("authing.ssl.bundle",
					"names '" + name + "', which is not one of the known bundles " + sslBundles.getBundleNames(),
					"Define it, for example as spring.ssl.bundle.pem." + name
							+ ".truststore.certificate, or name a known one.");
		}
	}

}
