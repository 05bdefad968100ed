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

package cn.authing.wechat.client;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.util.Assert;
import org.springframework.util.function.SingletonSupplier;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.util.DefaultUriBuilderFactory;
import org.springframework.web.util.DefaultUriBuilderFactory.EncodingMode;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;

/**
 * {@link AuthingWechatClient} on a {@link WebClient}.
 * <p>
 * JSON is written and read here rather than by the {@code WebClient}'s codecs: those log
 * what they encode and decode, and follow the application's own Jackson settings.
 *
 * @since 1.0.0
 */
public class DefaultAuthingWechatClient implements AuthingWechatClient {

	private static final String NAME = "authing-wechat-spring-boot-starter";

	private static final String VERSION = Optional
		.ofNullable(DefaultAuthingWechatClient.class.getPackage().getImplementationVersion())
		.orElse("unknown");

	// Authing's answers are below 2 KB; a wrong address may answer with anything
	private static final int MAX_ANSWER_SIZE = 64 * 1024;

	private static final Log logger = LogFactory.getLog(DefaultAuthingWechatClient.class);

	// Completed by the first request: start-up need not load what it takes
	private final SingletonSupplier<WebClient> webClient;

	private final AuthingClientSettings settings;

	private final SecretMask headerMask;

	private final AtomicBoolean warned = new AtomicBoolean();

	/**
	 * Create a new client.
	 * @param webClient the client to send requests with. It must not follow redirects, as
	 * the requests carry secrets. Its base URL is replaced
	 * @param settings the settings
	 */
	public DefaultAuthingWechatClient(WebClient webClient, AuthingClientSettings settings) {
		this(() -> webClient, settings);
		Assert.notNull(webClient, "'webClient' must not be null");
	}

	/**
	 * Create a new client.
	 * @param webClient supplies the client to send requests with, at the first request
	 * @param settings the settings
	 * @see #DefaultAuthingWechatClient(WebClient, AuthingClientSettings)
	 */
	public DefaultAuthingWechatClient(Supplier<WebClient> webClient, AuthingClientSettings settings) {
		Assert.notNull(settings, "'settings' must not be null");
		this.webClient = SingletonSupplier.of(() -> webClient.get()
			.mutate()
			.uriBuilderFactory(uriBuilderFactory(settings))
			// Request details are the headers, which may hold secrets
			.codecs((codecs) -> codecs.defaultCodecs().enableLoggingRequestDetails(false))
			.build());
		this.settings = settings;
		this.headerMask = new SecretMask(List.of()).and(settings.headers().values());
	}

	private static DefaultUriBuilderFactory uriBuilderFactory(AuthingClientSettings settings) {
		String appHost = settings.appHost().toString();
		DefaultUriBuilderFactory factory = new DefaultUriBuilderFactory(
				appHost.endsWith("/") ? appHost.substring(0, appHost.length() - 1) : appHost);
		// The base URL is encoded already
		factory.setEncodingMode(EncodingMode.NONE);
		return factory;
	}

	@Override
	public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
		return fetch(credentials).map(AuthingTokenResponse::token);
	}

	@Override
	public Mono<AuthingTokenResponse> fetch(WechatMpCredentials credentials) {
		Assert.notNull(credentials, "'credentials' must not be null");
		return Mono.defer(() -> call(credentials));
	}

	private Mono<AuthingTokenResponse> call(WechatMpCredentials credentials) {
		SecretMask mask = this.headerMask.and(List.of(credentials.appSecret()));
		AuthingFailures failures = new AuthingFailures(this.settings, credentials, mask);
		AuthingResponseReader reader = new AuthingResponseReader(this.settings.defaultTtl(), mask, failures,
				this::warnOnce);
		return Mono.defer(() -> {
			failures.countAttempt();
			return send(credentials, reader);
		})
			.onErrorMap((failure) -> !(failure instanceof AuthingException), failures::broken)
			.retryWhen(Retry.from((signals) -> signals.concatMap((signal) -> failures.pause(signal.failure()))))
			.timeout(this.settings.timeout(), Mono.error(failures::timedOut));
	}

	private Mono<AuthingTokenResponse> send(WechatMpCredentials credentials, AuthingResponseReader reader) {
		return this.webClient.obtain()
			.post()
			.uri(this.settings.operation().getPath())
			.headers(this::addHeaders)
			.bodyValue(body(credentials))
			.exchangeToMono((response) -> read(response, reader));
	}

	private void addHeaders(HttpHeaders headers) {
		headers.setContentType(MediaType.APPLICATION_JSON);
		headers.setAccept(List.of(MediaType.APPLICATION_JSON));
		headers.set("x-authing-app-id", this.settings.appId());
		headers.set("x-authing-lang", this.settings.lang());
		headers.set("x-authing-request-from", NAME);
		headers.set("x-authing-sdk-version", VERSION);
		this.settings.headers().forEach(headers::set);
	}

	private byte[] body(WechatMpCredentials credentials) {
		JsonMapper jsonMapper = JsonMapper.shared();
		return jsonMapper.writeValueAsBytes(jsonMapper.createObjectNode()
			.put("appId", credentials.appId())
			.put("appSecret", credentials.appSecret()));
	}

	private static Mono<AuthingTokenResponse> read(ClientResponse response, AuthingResponseReader reader) {
		HttpHeaders headers = response.headers().asHttpHeaders();
		return DataBufferUtils.join(response.body(BodyExtractors.toDataBuffers()), MAX_ANSWER_SIZE)
			.map(DefaultAuthingWechatClient::bytes)
			.defaultIfEmpty(new byte[0])
			.map((body) -> reader.read(response.statusCode(), headers, body))
			.onErrorMap(DataBufferLimitException.class,
					(ex) -> reader.tooLarge(response.statusCode(), headers, MAX_ANSWER_SIZE));
	}

	// Each answer has the same flaw
	private void warnOnce(String warning) {
		if (this.warned.compareAndSet(false, true)) {
			logger.warn(warning);
		}
	}

	private static byte[] bytes(DataBuffer buffer) {
		byte[] bytes = new byte[buffer.readableByteCount()];
		buffer.read(bytes);
		DataBufferUtils.release(buffer);
		return bytes;
	}

}
