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

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.server.HandlerFunction;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;

/**
 * A WeChat that gives out tokens, checks those that it is shown, and answers as WeChat
 * does: always with HTTP 200, with its errors as {@code text/plain}. What takes WeChat
 * two hours takes it a minute.
 */
final class EmbeddedWechat {

	/**
	 * The life of a token; WeChat's are 7,200 s.
	 */
	static final Duration TOKEN_LIFE = Duration.ofSeconds(60);

	private static final int TOKEN_BYTES = 96;

	private static final byte[] ONE_PIXEL = Base64.getDecoder()
		.decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

	private final InstantSource clock;

	private final Duration tokenLife;

	private final SecureRandom random = new SecureRandom();

	private final Map<String, Account> accounts = new LinkedHashMap<>();

	private final LongAdder rejectedCalls = new LongAdder();

	EmbeddedWechat(InstantSource clock, WechatMpCredentials... accounts) {
		this(clock, TOKEN_LIFE, accounts);
	}

	EmbeddedWechat(InstantSource clock, Duration tokenLife, WechatMpCredentials... accounts) {
		this.clock = clock;
		this.tokenLife = tokenLife;
		for (WechatMpCredentials credentials : accounts) {
			this.accounts.put(credentials.appId(), new Account(credentials));
		}
	}

	/**
	 * Return how long the token before the latest still works; with WeChat it is 5
	 * minutes.
	 * @return half of a token's life
	 */
	Duration overlap() {
		return this.tokenLife.dividedBy(2);
	}

	/**
	 * Give out a new token, as {@code /cgi-bin/token} does. The one before works for the
	 * overlap, the one before that no longer.
	 * @param credentials the app id and secret
	 * @return the new token
	 * @throws WechatRefusal if the app id is unknown or the secret is wrong
	 */
	synchronized WechatMpAccessToken newToken(WechatMpCredentials credentials) throws WechatRefusal {
		Account account = this.accounts.get(credentials.appId());
		if (account == null) {
			throw new WechatRefusal(40013, "invalid appid");
		}
		if (!account.credentials.equals(credentials)) {
			throw new WechatRefusal(40125, "invalid appsecret");
		}
		Instant now = this.clock.instant();
		account.previous = endingBy(account.latest, now.plus(overlap()));
		account.latest = new WechatMpAccessToken(randomToken(),
				now.plus(this.tokenLife).truncatedTo(ChronoUnit.SECONDS));
		return account.latest;
	}

	private static @Nullable WechatMpAccessToken endingBy(@Nullable WechatMpAccessToken token, Instant end) {
		return (token != null && token.expiresAt().isAfter(end)) ? new WechatMpAccessToken(token.accessToken(), end)
				: token;
	}

	private String randomToken() {
		byte[] bytes = new byte[TOKEN_BYTES];
		this.random.nextBytes(bytes);
		return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
	}

	/**
	 * Check a token as each call's is checked.
	 * @param token the token
	 * @throws WechatRefusal if it is missing, unknown, replaced or expired
	 */
	synchronized void check(String token) throws WechatRefusal {
		if (token.isEmpty()) {
			throw new WechatRefusal(41001, "access_token missing");
		}
		WechatMpAccessToken known = this.accounts.values()
			.stream()
			.flatMap(Account::tokens)
			.filter((candidate) -> candidate.accessToken().equals(token))
			.findAny()
			.orElseThrow(() -> new WechatRefusal(40001, "invalid credential, access_token is invalid or not latest"));
		if (!known.expiresAt().isAfter(this.clock.instant())) {
			throw new WechatRefusal(42001, "access_token expired");
		}
	}

	boolean accepts(String token) {
		try {
			check(token);
			return true;
		}
		catch (WechatRefusal ex) {
			return false;
		}
	}

	/**
	 * Forget an account's tokens, so that calls with them are refused. With the real one
	 * this happens when somebody else who has the secret asks it for a token by himself.
	 * @param appId the app id
	 */
	synchronized void kill(String appId) {
		Account account = this.accounts.get(appId);
		if (account != null) {
			account.previous = null;
			account.latest = null;
		}
	}

	long rejectedCalls() {
		return this.rejectedCalls.sum();
	}

	RouterFunction<ServerResponse> routes() {
		Map<String, Object> addresses = Map.of("ip_list", List.of("127.0.0.1", "127.0.0.2"));
		Map<String, Object> followers = Map.of("total", 1, "count", 1, "data", Map.of("openid", List.of("o-demo-1")),
				"next_openid", "o-demo-1");
		Map<String, Object> done = Map.of("errcode", 0, "errmsg", "ok");
		return RouterFunctions.route()
			.GET("/cgi-bin/getcallbackip", (request) -> ServerResponse.ok().bodyValue(addresses))
			.GET("/cgi-bin/get_api_domain_ip", (request) -> ServerResponse.ok().bodyValue(addresses))
			.GET("/cgi-bin/user/get", (request) -> ServerResponse.ok().bodyValue(followers))
			.POST("/cgi-bin/message/subscribe/send", (request) -> ServerResponse.ok().bodyValue(done))
			.POST("/wxa/business/getuserphonenumber", EmbeddedWechat::phoneNumber)
			.POST("/wxa/getwxacodeunlimit",
					(request) -> ServerResponse.ok().contentType(MediaType.IMAGE_GIF).bodyValue(ONE_PIXEL))
			.filter(this::checkToken)
			.build();
	}

	private static Mono<ServerResponse> phoneNumber(ServerRequest request) {
		Map<String, Object> phone = Map.of("phoneNumber", "13800000000", "purePhoneNumber", "13800000000",
				"countryCode", "86");
		return request.bodyToMono(PhoneNumberRequest.class)
			.map((body) -> "demo".equals(body.code()) ? Map.of("errcode", 0, "errmsg", "ok", "phone_info", phone)
					: Map.of("errcode", 40029, "errmsg", "invalid code"))
			.flatMap((answer) -> ServerResponse.ok().bodyValue(answer));
	}

	private Mono<ServerResponse> checkToken(ServerRequest request, HandlerFunction<ServerResponse> next) {
		try {
			check(request.queryParam("access_token").orElse(""));
		}
		catch (WechatRefusal ex) {
			this.rejectedCalls.increment();
			return ServerResponse.ok().contentType(MediaType.TEXT_PLAIN).bodyValue("""
					{"errcode":%d,"errmsg":"%s rid: %s"}""".formatted(ex.errcode, ex.getMessage(), UUID.randomUUID()));
		}
		return next.handle(request);
	}

	private record PhoneNumberRequest(@Nullable String code) {
	}

	private static final class Account {

		private final WechatMpCredentials credentials;

		private @Nullable WechatMpAccessToken latest;

		private @Nullable WechatMpAccessToken previous;

		Account(WechatMpCredentials credentials) {
			this.credentials = credentials;
		}

		Stream<WechatMpAccessToken> tokens() {
			return Stream.of(this.latest, this.previous).filter(Objects::nonNull);
		}

	}

	/**
	 * An {@code errcode} other than 0.
	 */
	static final class WechatRefusal extends Exception {

		private static final long serialVersionUID = 1L;

		private final int errcode;

		WechatRefusal(int errcode, String errmsg) {
			super(errmsg);
			this.errcode = errcode;
		}

		int errcode() {
			return this.errcode;
		}

	}

}
