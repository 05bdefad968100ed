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

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;

/**
 * An Authing on loopback with TLS.
 */
final class TlsAuthing implements AutoCloseable {

	private static final byte[] ANSWER = """
			{"statusCode":200,"data":{"accessToken":"token","expiresAt":1900000000}}"""
		.getBytes(StandardCharsets.UTF_8);

	private final HttpsServer server;

	private TlsAuthing(SSLContext sslContext, boolean needClientCertificate) throws IOException {
		this.server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		this.server.setHttpsConfigurator(new HttpsConfigurator(sslContext) {

			@Override
			public void configure(HttpsParameters parameters) {
				SSLParameters sslParameters = getSSLContext().getDefaultSSLParameters();
				sslParameters.setNeedClientAuth(needClientCertificate);
				parameters.setSSLParameters(sslParameters);
			}

		});
		this.server.createContext("/", (exchange) -> {
			exchange.getRequestBody().readAllBytes();
			exchange.sendResponseHeaders(200, ANSWER.length);
			exchange.getResponseBody().write(ANSWER);
			exchange.close();
		});
		this.server.start();
	}

	static TlsAuthing start(TestCertificates certificates) throws GeneralSecurityException, IOException {
		return new TlsAuthing(certificates.sslContext("server"), false);
	}

	static TlsAuthing startForOtherHost(TestCertificates certificates) throws GeneralSecurityException, IOException {
		return new TlsAuthing(certificates.sslContext("stranger"), false);
	}

	static TlsAuthing startWithClientCertificates(TestCertificates certificates)
			throws GeneralSecurityException, IOException {
		return new TlsAuthing(certificates.sslContext("server"), true);
	}

	String uri() {
		return "https://localhost:" + port();
	}

	int port() {
		return this.server.getAddress().getPort();
	}

	@Override
	public void close() {
		this.server.stop(0);
	}

}
