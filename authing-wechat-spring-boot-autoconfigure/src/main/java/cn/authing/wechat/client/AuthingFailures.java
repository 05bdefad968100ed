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
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

import javax.net.ssl.SSLException;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.core.log.LogMessage;
import org.springframework.util.backoff.BackOffExecution;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingResponseException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpCredentials;

/**
 * The failures of one call, whose attempts follow each other within one deadline, with
 * messages that tell what to do. Messages contain no secret, and of the answer only
 * numbers, an id of the documented form and the text of {@code message} as masked by a
 * {@link SecretMask}.
 */
final class AuthingFailures {

	private static final Log logger = LogFactory.getLog(DefaultAuthingWechatClient.class);

	private static final String CHECK_APP = "Check authing.app-id and authing.app-host: the Authing application must "
			+ "exist at that address.";

	private static final String WECHAT_PAIR = "the WeChat app id or app secret (authing.wechat.app-id and "
			+ "authing.wechat.app-secret, or those below authing.wechat.accounts)";

	private static final String OWN_PAIR = "The Authing application's own app id and secret were sent as those of the "
			+ "WeChat account: authing.wechat.app-id and authing.wechat.app-secret are probably missing.";

	// Authing's status codes and WeChat's: invalid appid, invalid appsecret
	private static final List<Integer> REFUSALS_OF_CREDENTIALS = Arrays.asList(400, 422, 602, 603, 40013, 40125);

	private static final int REFUSED_BY_WECHAT = 602;

	// What TLS says if the first bytes of the answer are not TLS
	private static final Pattern PLAIN_TEXT = Pattern.compile("unrecognized SSL message|plaintext connection");

	private final AuthingClientSettings settings;

	private final WechatMpCredentials credentials;

	private final SecretMask mask;

	private final BackOffExecution backOff;

	private final long startedAt = System.nanoTime();

	private int refusalsByWechat;

	// Volatile for the one reader that does not follow the attempts, the deadline

	private volatile int attempts;

	private volatile @Nullable AuthingException lastFailure;

	AuthingFailures(AuthingClientSettings settings, WechatMpCredentials credentials, SecretMask mask) {
		this.settings = settings;
		this.credentials = credentials;
		this.mask = mask;
		this.backOff = settings.retry().start();
	}

	void countAttempt() {
		this.attempts = this.attempts + 1;
	}

	/**
	 * Return the pause before the next attempt, or the failure if there is none.
	 */
	Mono<Long> pause(Throwable failure) {
		if (!(failure instanceof AuthingException authingFailure) || !isRepeatable(authingFailure)) {
			return Mono.error(failure);
		}
		this.lastFailure = authingFailure;
		long backOff = this.backOff.nextBackOff();
		Duration pause = pause(backOff, authingFailure.getRetryAfter());
		Duration left = this.settings.timeout().minusNanos(System.nanoTime() - this.startedAt);
		if (backOff == BackOffExecution.STOP || pause.compareTo(left) >= 0) {
			return Mono.error(failure);
		}
		logger.debug(LogMessage.format("Attempt %d failed, the next one follows in %d ms: %s", this.attempts,
				pause.toMillis(), failure.getMessage()));
		return Mono.delay(pause);
	}

	private boolean isRepeatable(AuthingException failure) {
		if (failure instanceof AuthingApiException refusal && refusal.getStatusCode() == REFUSED_BY_WECHAT) {
			// Mostly a wrong secret: more attempts would only count against WeChat's
			// limits
			this.refusalsByWechat++;
		}
		return failure.isRetryable() && this.refusalsByWechat < 2;
	}

	private static Duration pause(long backOff, @Nullable Duration retryAfter) {
		Duration pause = Duration.ofMillis(backOff);
		return (retryAfter != null && retryAfter.compareTo(pause) > 0) ? retryAfter : pause;
	}

	AuthingApiException refused(int statusCode, @Nullable Integer apiCode, @Nullable String requestId,
			@Nullable String message, @Nullable Duration retryAfter) {
		String what = "statusCode " + statusCode + part(", apiCode ", apiCode) + part(", requestId ", requestId)
				+ part(", message: ", message);
		String hint = isOwnPairRefused(statusCode, apiCode, message) ? OWN_PAIR : hint(statusCode);
		return new AuthingApiException(describe(what + ". " + hint), statusCode, apiCode, requestId, retryAfter);
	}

	private boolean isOwnPairRefused(int statusCode, @Nullable Integer apiCode, @Nullable String message) {
		return this.credentials.appId().equals(this.settings.appId())
				&& (REFUSALS_OF_CREDENTIALS.contains(statusCode) || REFUSALS_OF_CREDENTIALS.contains(apiCode)
						|| (message != null && (message.contains("40013") || message.contains("40125"))));
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
		return new AuthingResponseException(describe(answer + " " + problem + part(", requestId ", requestId) + "."),
				requestId);
	}

	AuthingTransportException broken(Throwable failure) {
		IOException cause = ExchangeException.withoutWire(failure);
		boolean untrusted = cause instanceof SSLException && hasCause(cause, GeneralSecurityException.class);
		return new AuthingTransportException(describe(reason(cause)), cause, null, !untrusted, null);
	}

	AuthingTransportException timedOut() {
		AuthingException lastFailure = this.lastFailure;
		String last = (lastFailure != null) ? " The last failure: " + lastFailure.getMessage()
				: " No complete answer came: check authing.app-host and the network in between.";
		return new AuthingTransportException(
				describe("no success within " + this.settings.timeout().toMillis() + " ms (authing.timeout), attempts: "
						+ this.attempts + "." + last),
				lastFailure, null, true, (lastFailure != null) ? lastFailure.getRetryAfter() : null);
	}

	private String describe(String what) {
		return "Authing (%s) gave no access token for the WeChat account '%s': %s"
			.formatted(this.settings.appHost().getAuthority(), this.mask.maskId(this.credentials.appId()), what);
	}

	private static String part(String label, @Nullable Object value) {
		return (value != null) ? label + value : "";
	}

	private String hint(int code) {
		return switch (code) {
			case 400, 422 -> "Check " + WECHAT_PAIR + ".";
			case 401, 403 ->
				CHECK_APP + " It must be allowed this operation; a gateway may want a header (authing.headers).";
			case 402 -> "The plan of the Authing user pool does not contain this operation.";
			case 404 -> CHECK_APP + ((this.settings.operation() == AuthingOperation.ACCESS_TOKEN_INFO)
					? " An old deployment knows only authing.wechat.operation=access-token." : "");
			case 407 -> "The HTTP proxy wants a login.";
			case 429 -> "There are too many requests for Authing or for a gateway; a later call may succeed.";
			case 501 -> "Set authing.wechat.operation to the other of access-token and access-token-info.";
			case 601 -> "Authing could not reach WeChat; a later call may succeed.";
			case 602 -> "WeChat refused Authing's request. Mostly " + WECHAT_PAIR
					+ " is wrong, or Authing's IP address is not on the IP allow-list of the WeChat account.";
			default -> (code >= 500 && code < 600) ? "A later call may succeed; if it lasts, ask Authing's support."
					: "If the reason is not clear, ask Authing's support.";
		};
	}

	private String reason(IOException cause) {
		String message = cause.getMessage();
		String type = cause.getClass().getSimpleName();
		if (type.equals("NotSslRecordException") || (message != null && PLAIN_TEXT.matcher(message).find())) {
			return "the port does not speak TLS (" + type + "). Check the port in authing.app-host.";
		}
		String what = (cause instanceof ExchangeException) ? String.valueOf(message)
				: type + ((message != null) ? ": " + this.mask.maskText(message) : "");
		if (cause instanceof UnknownHostException || hasCause(cause, UnresolvedAddressException.class)) {
			return "the host name was not found (" + what + "). Check authing.app-host.";
		}
		if (ExchangeException.isConnectFailure(cause)) {
			return "no connection (" + what + "). Check authing.app-host and the network in between, "
					+ "the proxy if there is one (authing.connect-timeout).";
		}
		if (cause instanceof SSLException) {
			boolean outOfDate = hasCause(cause, CertificateExpiredException.class)
					|| hasCause(cause, CertificateNotYetValidException.class);
			return "TLS failed (" + what + "). " + (outOfDate
					? "A certificate of authing.app-host has expired or is not valid yet, or the clock of this machine "
							+ "is wrong."
					: "Check that authing.app-host is a name in Authing's certificate. If that is of a private "
							+ "authority, or a client certificate is wanted, name the SSL bundle in authing.ssl.bundle.");
		}
		if (what.startsWith(IllegalArgumentException.class.getSimpleName())) {
			return "the HTTP client refuses to send the request (" + what
					+ "). Check authing.app-host, and authing.headers: headers of the connection, "
					+ "such as Host or Connection, cannot be set with every client.";
		}
		// TLS 1.3 tells after the handshake, or not at all, that a certificate is missing
		String certificate = "https".equalsIgnoreCase(this.settings.appHost().getScheme())
				? " If none does, a client certificate may be wanted (authing.ssl.bundle)." : "";
		return "the request broke off (" + what + "). A later call may succeed." + certificate;
	}

	// The host that the far end names can be anything, what it was sent included
	private String target(@Nullable String location) {
		try {
			URI uri = URI.create((location != null) ? location : "");
			if (uri.getHost() == null) {
				return "another path of the same host";
			}
			String host = this.settings.appHost().getHost();
			boolean secure = "https".equalsIgnoreCase(uri.getScheme());
			return uri.getHost().equalsIgnoreCase(host) ? (secure ? "https://" : "http://") + host : "another host";
		}
		catch (IllegalArgumentException ex) {
			return "an unreadable address";
		}
	}

	private static boolean hasCause(Throwable failure, Class<? extends Throwable> type) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (type.isInstance(cause)) {
				return true;
			}
		}
		return false;
	}

}
