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

package cn.authing.wechat;

import java.time.Duration;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * Authing returned an error: an answer in Authing's documented shape whose
 * {@code statusCode} is not 200.
 *
 * @since 1.0.0
 */
public final class AuthingApiException extends AuthingException {

	private static final long serialVersionUID = 1L;

	// The codes that Authing documents as worth another try: throttled, its own failures
	// but for 501 (unsupported), and WeChat unreachable or refusing.
	private static final Set<Integer> RETRYABLE = Set.of(429, 500, 502, 503, 601, 602);

	private final int statusCode;

	private final @Nullable Integer apiCode;

	/**
	 * Create a new exception.
	 * @param message what happened and what to do about it
	 * @param statusCode the {@code statusCode} of the answer's body
	 * @param apiCode the {@code apiCode} of the answer's body
	 * @param requestId Authing's id of the request
	 * @param retryAfter how long Authing asked to wait
	 */
	public AuthingApiException(String message, int statusCode, @Nullable Integer apiCode, @Nullable String requestId,
			@Nullable Duration retryAfter) {
		this(message, null, statusCode, apiCode, requestId, retryAfter);
	}

	private AuthingApiException(String message, @Nullable Throwable cause, int statusCode, @Nullable Integer apiCode,
			@Nullable String requestId, @Nullable Duration retryAfter) {
		super(message, cause, requestId, retryAfter);
		this.statusCode = statusCode;
		this.apiCode = apiCode;
	}

	/**
	 * Return the {@code statusCode} of the answer's body. (The HTTP status is mostly 200
	 * all the same.)
	 * @return the status code
	 */
	public int getStatusCode() {
		return this.statusCode;
	}

	/**
	 * Return the {@code apiCode} of the answer's body, which tells business failures of
	 * one status code apart.
	 * @return the API code, or {@code null} if there was none
	 */
	public @Nullable Integer getApiCode() {
		return this.apiCode;
	}

	@Override
	public boolean isRetryable() {
		return RETRYABLE.contains(this.statusCode);
	}

	@Override
	public AuthingApiException forCaller() {
		return new AuthingApiException(String.valueOf(getMessage()), this, this.statusCode, this.apiCode,
				getRequestId(), getRetryAfter());
	}

}
