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
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
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
 * Reads an answer of Authing. The answer is read as a tree: responses deviate from the
 * documented types, and unknown fields are ignored.
 */
final class AuthingResponseReader {

	private static final int SUCCESS = 200;

	// In seconds this is the year 5138, in milliseconds it is 1973
	private static final long MAX_SECONDS = 100_000_000_000L;

	private static final Pattern SECONDS = Pattern.compile("\\d{1,9}");

	// The documented form. Anything else may be what the far end wants to be shown
	private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9-]{1,64}");

	private static final Pattern MEDIA_TYPE = Pattern.compile("([A-Za-z.+-]{1,20}/[A-Za-z.+-]{1,40})\\s*(;.*)?");

	private static final Pattern TIME = Pattern.compile("[0-9TZ:+. -]{1,40}");

	private final Duration defaultTtl;

	private final SecretMask mask;

	private final AuthingFailures failures;

	private final Consumer<String> warnings;

	AuthingResponseReader(Duration defaultTtl, SecretMask mask, AuthingFailures failures, Consumer<String> warnings) {
		this.defaultTtl = defaultTtl;
		this.mask = mask;
		this.failures = failures;
		this.warnings = warnings;
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
			throw this.failures.refused(statusCode, integer(envelope, "apiCode"), requestId(envelope),
					message(envelope), retryAfter(headers));
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
			return JsonMapper.shared().readTree(body);
		}
		catch (JacksonException ex) {
			// Its message quotes the body
			return JsonMapper.shared().missingNode();
		}
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
		return new AuthingTokenResponse(new WechatMpAccessToken(accessToken, expiresAt), serverTime, requestId, SUCCESS,
				message(envelope));
	}

	private @Nullable String requestId(JsonNode envelope) {
		String requestId = text(envelope, "requestId");
		return (requestId != null && REQUEST_ID.matcher(requestId).matches() && !mask(envelope).hides(requestId))
				? requestId : null;
	}

	private @Nullable String message(JsonNode envelope) {
		String message = text(envelope, "message");
		return (message != null) ? mask(envelope).maskText(message) : null;
	}

	// A failure can come with a token
	private SecretMask mask(JsonNode envelope) {
		String accessToken = text(envelope.path("data"), "accessToken");
		return (accessToken != null) ? this.mask.and(List.of(accessToken)) : this.mask;
	}

	private String describe(HttpStatusCode status, HttpHeaders headers, String length) {
		return "the answer (HTTP status " + status.value() + ", "
				+ contentType(headers.getFirst(HttpHeaders.CONTENT_TYPE)) + ", " + length + ")";
	}

	private String contentType(@Nullable String contentType) {
		if (contentType == null) {
			return "no content type";
		}
		Matcher matcher = MEDIA_TYPE.matcher(contentType);
		return (matcher.matches() && !this.mask.hides(matcher.group(1))) ? matcher.group(1) : "an unusual content type";
	}

	private @Nullable Instant expiresAt(JsonNode node) {
		long value = node.asLong(0);
		if (value > 0) {
			return (value > MAX_SECONDS) ? Instant.ofEpochMilli(value) : Instant.ofEpochSecond(value);
		}
		String text = node.asString("").strip();
		if (node.isMissingNode() || node.isNull() || text.equals("0") || (node.isString() && text.isEmpty())) {
			return null;
		}
		try {
			return DateTimeFormatter.ISO_DATE_TIME.parse(text, Instant::from);
		}
		catch (DateTimeException ex) {
			this.warnings.accept("Authing's answer has an 'expiresAt' that is neither a Unix time nor an ISO-8601 time "
					+ "with its offset: "
					+ (TIME.matcher(text).matches() ? "'" + text + "'"
							: node.getNodeType() + " (" + text.length() + " characters)")
					+ ". Such tokens are kept for " + this.defaultTtl.toSeconds()
					+ " s (authing.wechat.cache.default-ttl).");
			return null;
		}
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
