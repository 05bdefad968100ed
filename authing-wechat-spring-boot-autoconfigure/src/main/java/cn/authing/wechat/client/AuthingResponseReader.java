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

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;

/**
 * Reads an answer of Authing. The answer is read as a tree: what comes is not always of
 * the documented types, and what is not looked at must not matter.
 */
final class AuthingResponseReader {

	private static final int SUCCESS = 200;

	// In seconds this is the year 5138, in milliseconds it is 1973
	private static final long MAX_SECONDS = 100_000_000_000L;

	private static final Pattern SECONDS = Pattern.compile("\\d{1,9}");

	private final JsonMapper jsonMapper;

	private final Duration defaultTtl;

	private final SecretMask mask;

	private final AuthingFailures failures;

	AuthingResponseReader(JsonMapper jsonMapper, Duration defaultTtl, SecretMask mask, AuthingFailures failures) {
		this.jsonMapper = jsonMapper;
		this.defaultTtl = defaultTtl;
		this.mask = mask;
		this.failures = failures;
	}

	/**
	 * Read an answer.
	 * @param status the HTTP status
	 * @param headers the HTTP headers
	 * @param body the body
	 * @return the success
	 * @throws AuthingException if the answer is a failure or is not of the documented
	 * shape
	 */
	AuthingTokenResponse read(HttpStatusCode status, HttpHeaders headers, byte[] body) {
		JsonNode envelope = parse(body);
		if (status.is3xxRedirection()) {
			throw this.failures.redirected(status.value(), headers.getFirst(HttpHeaders.LOCATION));
		}
		Integer statusCode = integer(envelope, "statusCode");
		boolean success = statusCode != null && statusCode == SUCCESS;
		if (statusCode != null && !success) {
			throw refused(statusCode, headers, envelope);
		}
		String answer = describe(status, headers, body.length + " bytes");
		if (!status.is2xxSuccessful()) {
			throw this.failures.noEnvelope(status.value(), answer, retryAfter(headers));
		}
		if (!success) {
			throw this.failures.malformed(answer, "is not the JSON that Authing documents. Check authing.app-host: "
					+ "a login page or another server may be at that address", null);
		}
		return success(headers, envelope, answer);
	}

	/**
	 * Return the failure for an answer that is too large to be read.
	 * @param status the HTTP status
	 * @param headers the HTTP headers
	 * @param limit the limit in bytes
	 * @return the failure
	 */
	AuthingException tooLarge(HttpStatusCode status, HttpHeaders headers, int limit) {
		String answer = describe(status, headers, "more than " + limit + " bytes");
		return status.isError() ? this.failures.noEnvelope(status.value(), answer, retryAfter(headers))
				: this.failures.malformed(answer,
						"is larger than any that Authing documents. Check authing.app-host: another server may be at "
								+ "that address",
						null);
	}

	private JsonNode parse(byte[] body) {
		try {
			return this.jsonMapper.readTree(body);
		}
		catch (JacksonException ex) {
			// Its message quotes the body
			return this.jsonMapper.missingNode();
		}
	}

	private AuthingException refused(int statusCode, HttpHeaders headers, JsonNode envelope) {
		String message = textBesideToken(envelope, "message");
		return this.failures.refused(statusCode, integer(envelope, "apiCode"), requestId(envelope),
				(message != null) ? this.mask.maskText(message) : null, retryAfter(headers));
	}

	private AuthingTokenResponse success(HttpHeaders headers, JsonNode envelope, String answer) {
		JsonNode data = envelope.path("data");
		String requestId = requestId(envelope);
		String accessToken = text(data, "accessToken");
		if (accessToken == null) {
			throw this.failures.malformed(answer,
					"says success but has no accessToken. Check with Authing's console or "
							+ "support that the WeChat account is set up",
					requestId);
		}
		Instant serverTime = date(headers, HttpHeaders.DATE);
		Instant expiresAt = expiresAt(data.path("expiresAt"));
		if (expiresAt == null) {
			expiresAt = ((serverTime != null) ? serverTime : Instant.now()).plus(this.defaultTtl);
		}
		return new AuthingTokenResponse(new WechatMpAccessToken(accessToken, expiresAt), serverTime, requestId);
	}

	private @Nullable String requestId(JsonNode envelope) {
		String requestId = textBesideToken(envelope, "requestId");
		return (requestId != null) ? this.mask.maskId(requestId) : null;
	}

	private static @Nullable String textBesideToken(JsonNode envelope, String name) {
		String text = text(envelope, name);
		String accessToken = text(envelope.path("data"), "accessToken");
		return (text != null && accessToken != null) ? text.replace(accessToken, "***") : text;
	}

	private String describe(HttpStatusCode status, HttpHeaders headers, String length) {
		String contentType = headers.getFirst(HttpHeaders.CONTENT_TYPE);
		return "the answer (HTTP status " + status.value() + ", "
				+ ((contentType != null) ? this.mask.maskText(contentType) : "no content type") + ", " + length + ")";
	}

	private static @Nullable Instant expiresAt(JsonNode node) {
		long value = node.asLong(0);
		if (value <= 0) {
			return null;
		}
		return (value > MAX_SECONDS) ? Instant.ofEpochMilli(value) : Instant.ofEpochSecond(value);
	}

	private static @Nullable Integer integer(JsonNode node, String name) {
		return node.path(name).asIntOpt().isPresent() ? node.path(name).asInt() : null;
	}

	private static @Nullable String text(JsonNode node, String name) {
		String text = node.path(name).asString("");
		return text.isBlank() ? null : text;
	}

	private static @Nullable Duration retryAfter(HttpHeaders headers) {
		String value = headers.getFirst(HttpHeaders.RETRY_AFTER);
		if (value != null && SECONDS.matcher(value.strip()).matches()) {
			return Duration.ofSeconds(Long.parseLong(value.strip()));
		}
		Instant until = date(headers, HttpHeaders.RETRY_AFTER);
		if (until == null) {
			return null;
		}
		Instant now = date(headers, HttpHeaders.DATE);
		Duration wait = Duration.between((now != null) ? now : Instant.now(), until);
		return wait.isNegative() ? Duration.ZERO : wait;
	}

	private static @Nullable Instant date(HttpHeaders headers, String name) {
		try {
			ZonedDateTime date = headers.getFirstZonedDateTime(name);
			return (date != null) ? date.toInstant() : null;
		}
		catch (IllegalArgumentException | DateTimeException ex) {
			return null;
		}
	}

}
