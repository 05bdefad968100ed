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

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.function.Predicate;

import javax.net.ssl.SSLException;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpCredentials;

/**
 * The failures of one call, in words that tell what to do. Nothing of the request's
 * secrets and of the answer's body gets into them but for what the {@link SecretMask}
 * lets through.
 */
final class AuthingFailures {

	private static final String CHECK_APP = "Check authing.app-id and authing.app-host: the Authing application must "
			+ "exist at that address.";

	private final AuthingClientSettings settings;

	private final WechatMpCredentials credentials;

	private final SecretMask mask;

	AuthingFailures(AuthingClientSettings settings, WechatMpCredentials credentials, SecretMask mask) {
		this.settings = settings;
		this.credentials = credentials;
		this.mask = mask;
	}

	AuthingApiException refused(int statusCode, @Nullable Integer apiCode, @Nullable String requestId,
			@Nullable String message, @Nullable Duration retryAfter) {
		StringBuilder what = new StringBuilder("statusCode ").append(statusCode);
		append(what, ", apiCode ", apiCode);
		append(what, ", requestId ", requestId);
		append(what, ", message: ", message);
		return new AuthingApiException(describe(what + ". " + hint(statusCode)), statusCode, apiCode, requestId,
				retryAfter);
	}

	AuthingTransportException noEnvelope(int httpStatus, String answer, @Nullable Duration retryAfter) {
		boolean retryable = httpStatus == 408 || httpStatus == 429 || (httpStatus >= 500 && httpStatus != 501);
		return new AuthingTransportException(describe(
				answer + " is not Authing's own; a gateway or a proxy in between answered. " + hint(httpStatus)), null,
				httpStatus, retryable, retryAfter);
	}

	AuthingTransportException redirected(int httpStatus, @Nullable String location) {
		return new AuthingTransportException(describe("HTTP status " + httpStatus + " redirects to " + target(location)
				+ ". That is not followed, as the request carries a secret. authing.app-host is likely wrong: "
				+ "write the address that answers by itself."), null, httpStatus, false, null);
	}

	AuthingResponseException malformed(String answer, String problem, @Nullable String requestId) {
		StringBuilder what = new StringBuilder(answer).append(' ').append(problem);
		append(what, ", requestId ", requestId);
		return new AuthingResponseException(describe(what + "."), requestId);
	}

	AuthingTransportException broken(Throwable failure) {
		Throwable cause = find(failure, IOException.class::isInstance);
		boolean untrusted = cause instanceof SSLException
				&& find(cause, GeneralSecurityException.class::isInstance) != null;
		return new AuthingTransportException(describe(reason((cause != null) ? cause : root(failure))), cause, null,
				!untrusted, null);
	}

	AuthingTransportException timedOut(int attempts, @Nullable AuthingException lastFailure) {
		String last = (lastFailure != null) ? " The last failure: " + lastFailure.getMessage()
				: " There was no answer at all: check authing.app-host and the network in between.";
		return new AuthingTransportException(
				describe("no success within " + this.settings.timeout().toMillis() + " ms (authing.timeout), attempts: "
						+ attempts + "." + last),
				lastFailure, null, true, (lastFailure != null) ? lastFailure.getRetryAfter() : null);
	}

	private String describe(String what) {
		return "Authing (%s) gave no access token for the WeChat account '%s': %s"
			.formatted(this.settings.appHost().getAuthority(), this.mask.maskId(this.credentials.appId()), what);
	}

	private void append(StringBuilder what, String label, @Nullable Object value) {
		if (value != null) {
			what.append(label).append(value);
		}
	}

	private String hint(int code) {
		return switch (code) {
			case 400, 422 ->
				"Check the WeChat app id and app secret (authing.wechat.app-id, authing.wechat.app-secret, "
						+ "authing.wechat.accounts).";
			case 401, 403 ->
				CHECK_APP + " It must be allowed this operation; a gateway may want a header (authing.headers).";
			case 402 -> "The plan of the Authing user pool does not contain this operation.";
			case 404 -> CHECK_APP + ((this.settings.operation() == AuthingOperation.ACCESS_TOKEN_INFO)
					? " An old deployment knows only authing.wechat.operation=access-token." : "");
			case 407 -> "The HTTP proxy wants a login.";
			case 429 -> "There are too many requests for Authing or for a gateway; a later call may succeed.";
			case 501 -> "Set authing.wechat.operation to the other of access-token and access-token-info.";
			case 601 -> "Authing could not reach WeChat; a later call may succeed.";
			case 602 ->
				"WeChat refused Authing's request. Mostly the WeChat app secret is wrong, or Authing's IP address "
						+ "is not on the IP allow-list of the WeChat account.";
			default -> (code >= 500 && code < 600) ? "A later call may succeed; if it lasts, ask Authing's support."
					: "If the reason is not clear, ask Authing's support.";
		};
	}

	private String reason(Throwable cause) {
		String what = cause.getClass().getSimpleName();
		what = (cause.getMessage() != null) ? what + ": " + this.mask.maskText(cause.getMessage()) : what;
		if (cause instanceof UnknownHostException) {
			return "the host name was not found (" + what + "). Check authing.app-host.";
		}
		if (cause instanceof ConnectException) {
			return "no connection (" + what + "). Check authing.app-host and the network in between "
					+ "(authing.connect-timeout).";
		}
		if (cause instanceof SSLException) {
			return "TLS failed (" + what
					+ "). Check that authing.app-host is a name in Authing's certificate. If that is "
					+ "of a private authority, or a client certificate is wanted, name the SSL bundle in "
					+ "authing.ssl.bundle.";
		}
		// Of TLS 1.3 also: that a client certificate is missing is told after the
		// handshake,
		// or not at all
		String certificate = "https".equalsIgnoreCase(this.settings.appHost().getScheme())
				? " If none does, a client certificate may be wanted (authing.ssl.bundle)." : "";
		return "the request broke off (" + what + "). A later call may succeed." + certificate;
	}

	private static String target(@Nullable String location) {
		try {
			URI uri = URI.create((location != null) ? location : "");
			return (uri.getHost() != null) ? uri.getScheme() + "://" + uri.getHost() : "another path of the same host";
		}
		catch (IllegalArgumentException ex) {
			return "an unreadable address";
		}
	}

	private static @Nullable Throwable find(Throwable failure, Predicate<Throwable> filter) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (filter.test(cause)) {
				return cause;
			}
		}
		return null;
	}

	private static Throwable root(Throwable failure) {
		Throwable root = failure;
		while (root.getCause() != null) {
			root = root.getCause();
		}
		return root;
	}

}
