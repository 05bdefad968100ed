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
import java.util.List;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpCookieHandling;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JdkClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.JettyClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;
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
 * for what {@link AuthingProperties} says, on connections of its own, each of which is
 * used for one exchange: HTTP/1.1, and no account waits for another's connection. The
 * client is made for the first request, so that start-up need not load it, and closed
 * with this bean.
 */
class AuthingClientHttpConnectorFactory implements DisposableBean {

	/**
	 * More connections than there will be, for libraries that want a number.
	 */
	static final int UNLIMITED = Integer.MAX_VALUE / 2;

	private static final Log logger = LogFactory.getLog(AuthingClientHttpConnectorFactory.class);

	// A logger, and a system property that has it write to the standard error
	private static final String JDK_DEBUG = "jdk.internal.httpclient.debug";

	private static final String WARNING = ": it shows what is sent to Authing and its answers, the WeChat app secret "
			+ "and tokens among them. ";

	private final ClientHttpConnectorBuilder<?> builder;

	private final HttpClientSettings settings;

	private final SingleUseHttpConnector connector = new SingleUseHttpConnector(this::openExchange, this::closeClient);

	private @Nullable Supplier<Exchange> exchanges;

	private @Nullable Object client;

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
		warnOfLoggers(builder);
	}

	ClientHttpConnector getConnector() {
		return this.connector;
	}

	@Override
	public void destroy() {
		this.connector.close();
	}

	private Exchange openExchange() {
		if (this.exchanges == null) {
			this.exchanges = exchanges();
		}
		return this.exchanges.get();
	}

	private Supplier<Exchange> exchanges() {
		if (this.builder instanceof JettyClientHttpConnectorBuilder jetty) {
			return JettyExchange.exchanges(jetty, this.settings, this::setClient);
		}
		if (this.builder instanceof HttpComponentsClientHttpConnectorBuilder httpComponents) {
			return HttpComponentsExchange.exchanges(httpComponents, this.settings, this::setClient);
		}
		if (this.builder instanceof JdkClientHttpConnectorBuilder jdk) {
			return JdkExchange.exchanges(jdk, this.settings);
		}
		ClientHttpConnector connector = ((this.builder instanceof ReactorClientHttpConnectorBuilder reactor)
				? ReactorTransport.customize(reactor) : this.builder)
			.build(this.settings);
		setClient(connector);
		return () -> new Exchange(connector);
	}

	// What is closed when all exchanges have been
	private void setClient(Object client) {
		this.client = client;
	}

	private void closeClient() {
		try {
			if (this.client instanceof AutoCloseable closeable) {
				closeable.close();
			}
		}
		catch (Exception ex) {
			logger.debug("Could not close the HTTP client", ex);
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

	/**
	 * Warn where a logger is on that shows what is sent to Authing. Libraries cannot be
	 * told not to for one client.
	 */
	private static void warnOfLoggers(ClientHttpConnectorBuilder<?> builder) {
		if (builder instanceof JettyClientHttpConnectorBuilder) {
			warnOfLoggers("org.eclipse.jetty.client", "org.eclipse.jetty.http", "org.eclipse.jetty.io");
		}
		else if (builder instanceof HttpComponentsClientHttpConnectorBuilder) {
			warnOfLoggers("org.apache.hc.client5.http.headers", "org.apache.hc.client5.http.wire");
		}
		else if (builder instanceof JdkClientHttpConnectorBuilder) {
			warnOfLoggers(JDK_DEBUG);
			for (String name : List.of(JDK_DEBUG, "jdk.httpclient.HttpClient.log")) {
				if (!"false".equals(System.getProperty(name, "false"))) {
					logger.warn("The system property " + name + " is set" + WARNING + "Remove it.");
				}
			}
		}
	}

	private static void warnOfLoggers(String... names) {
		for (String name : names) {
			if (LogFactory.getLog(name).isDebugEnabled()) {
				logger.warn(
						"The logger " + name + " is at level DEBUG" + WARNING + "Set logging.level." + name + "=info.");
			}
		}
	}

}
