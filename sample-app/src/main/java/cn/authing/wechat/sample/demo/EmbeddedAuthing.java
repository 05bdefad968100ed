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

package cn.authing.wechat.sample.demo;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.http.server.HttpServerRequest;

import org.springframework.core.codec.DecodingException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import org.springframework.util.StringUtils;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.server.ServerWebInputException;
import org.springframework.web.server.UnsupportedMediaTypeStatusException;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.sample.demo.EmbeddedWechat.WechatRefusal;

/**
 * An Authing with the one operation that the starter calls. It is a cache as the real one
 * is: near a token's end the same token comes again until WeChat's overlap has begun. It
 * can be told to fail, in the ways of {@link AuthingMode}.
 */
final class EmbeddedAuthing {

	static final String APP_ID = "authing-demo-app";

	private static final Duration SLOWNESS = Duration.ofSeconds(3);

	private final InstantSource clock;

	private final EmbeddedWechat wechat;

	private final Map<WechatMpCredentials, WechatMpAccessToken> tokens = new HashMap<>();

	private final LongAdder calls = new LongAdder();

	private final Map<String, LongAdder> callsByAppId = new ConcurrentHashMap<>();

	private volatile AuthingMode mode = AuthingMode.UP;

	EmbeddedAuthing(InstantSource clock, EmbeddedWechat wechat) {
		this.clock = clock;
		this.wechat = wechat;
	}

	long calls() {
		return this.calls.sum();
	}

	long calls(String appId) {
		LongAdder calls = this.callsByAppId.get(appId);
		return (calls != null) ? calls.sum() : 0;
	}

	AuthingMode mode() {
		return this.mode;
	}

	void setMode(AuthingMode mode) {
		this.mode = mode;
	}

	RouterFunction<ServerResponse> routes() {
		return RouterFunctions.route()
			.POST("/api/v3/get-wechat-access-token", this::accessToken)
			.POST("/api/v3/get-wechat-access-token-info", this::accessToken)
			.build();
	}

	private Mono<ServerResponse> accessToken(ServerRequest request) {
		this.calls.increment();
		if (!APP_ID.equals(request.headers().firstHeader("x-authing-app-id"))) {
			return answer(404, 2011, "The application does not exist: check x-authing-app-id", null);
		}
		return request.bodyToMono(TokenRequest.class)
			.onErrorComplete((ex) -> ex instanceof ServerWebInputException || ex instanceof DecodingException
					|| ex instanceof UnsupportedMediaTypeStatusException)
			.flatMap((body) -> Mono.justOrEmpty(body.credentials()))
			.flatMap((credentials) -> accessToken(request, credentials))
			.switchIfEmpty(answer(400, null, "Invalid argument: appId and appSecret are required", null));
	}

	private Mono<ServerResponse> accessToken(ServerRequest request, WechatMpCredentials credentials) {
		this.callsByAppId.computeIfAbsent(credentials.appId(), (appId) -> new LongAdder()).increment();
		return switch (this.mode) {
			case UP -> accessToken(credentials);
			case DOWN -> closeConnection(request);
			case SLOW -> Mono.delay(SLOWNESS).then(Mono.defer(() -> accessToken(credentials)));
			case THROTTLED -> ServerResponse.status(HttpStatus.TOO_MANY_REQUESTS)
				.header(HttpHeaders.RETRY_AFTER, "2")
				.bodyValue(body(429, null, "Too many requests", null));
			case HTML -> ServerResponse.ok()
				.contentType(MediaType.TEXT_HTML)
				.bodyValue("<!doctype html><title>Maintenance</title><p>We will be back soon.");
		};
	}

	private static Mono<ServerResponse> closeConnection(ServerRequest request) {
		HttpServerRequest nativeRequest = ServerHttpRequestDecorator.getNativeRequest(request.exchange().getRequest());
		nativeRequest.withConnection(Connection::dispose);
		return Mono.never();
	}

	private Mono<ServerResponse> accessToken(WechatMpCredentials credentials) {
		try {
			WechatMpAccessToken token = currentToken(credentials);
			return answer(200, null, "Success",
					Map.of("accessToken", token.accessToken(), "expiresAt", token.expiresAt().getEpochSecond()));
		}
		catch (WechatRefusal ex) {
			return answer(602, null,
					"The third party answered with an error: %d %s".formatted(ex.errcode(), ex.getMessage()), null);
		}
	}

	/**
	 * Return the token that is held as long as it is good, else a new one.
	 * <p>
	 * That it looks whether WeChat still takes the token is more than the real one
	 * promises: it may hand a dead token out until its own refresh, or until somebody
	 * refreshes it in the console. The starter lives with either: a token that comes back
	 * after its rejection is served, and asked about again no sooner than the failure
	 * back-off allows.
	 */
	private synchronized WechatMpAccessToken currentToken(WechatMpCredentials credentials) throws WechatRefusal {
		WechatMpAccessToken held = this.tokens.get(credentials);
		if (held == null || !isGood(held)) {
			held = this.wechat.newToken(credentials);
			this.tokens.put(credentials, held);
		}
		return held;
	}

	private boolean isGood(WechatMpAccessToken token) {
		Instant refresh = token.expiresAt().minus(this.wechat.overlap());
		return this.clock.instant().isBefore(refresh) && this.wechat.accepts(token.accessToken());
	}

	private Mono<ServerResponse> answer(int statusCode, @Nullable Integer apiCode, String message,
			@Nullable Map<String, Object> data) {
		// HTTP 200 in any case, as the real one.
		return ServerResponse.ok()
			.headers((headers) -> headers.setDate(this.clock.millis()))
			.bodyValue(body(statusCode, apiCode, message, data));
	}

	private static Map<String, Object> body(int statusCode, @Nullable Integer apiCode, String message,
			@Nullable Map<String, Object> data) {
		Map<String, Object> body = new LinkedHashMap<>();
		body.put("statusCode", statusCode);
		body.put("message", message);
		if (apiCode != null) {
			body.put("apiCode", apiCode);
		}
		body.put("requestId", UUID.randomUUID());
		if (data != null) {
			body.put("data", data);
		}
		return body;
	}

	private record TokenRequest(@Nullable String appId, @Nullable String appSecret) {

		@Nullable WechatMpCredentials credentials() {
			return (StringUtils.hasText(this.appId) && StringUtils.hasText(this.appSecret))
					? new WechatMpCredentials(this.appId, this.appSecret) : null;
		}

	}

}
