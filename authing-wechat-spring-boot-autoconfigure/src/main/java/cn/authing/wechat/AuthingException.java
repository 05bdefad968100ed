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

import org.jspecify.annotations.Nullable;

/**
 * Base of the failures of a call to Authing. Messages, causes and all that their getters
 * return hold no secret and no token.
 * <p>
 * One failed fetch may answer many callers. Each gets an exception of its own, with the
 * caller's stack trace, whose {@linkplain #getCause() cause} is the fetch's.
 *
 * @since 1.0.0
 */
public abstract sealed class AuthingException extends RuntimeException
		permits AuthingApiException, AuthingResponseException, AuthingTransportException {

	private static final long serialVersionUID = 1L;

	private final @Nullable String requestId;

	private final @Nullable Duration retryAfter;

	AuthingException(String message, @Nullable Throwable cause, @Nullable String requestId,
			@Nullable Duration retryAfter) {
		super(message, cause);
		this.requestId = requestId;
		this.retryAfter = retryAfter;
	}

	/**
	 * Return whether the same call may succeed later without a change to the
	 * configuration. Calls were already repeated within the fetch where that made sense.
	 * @return whether a later call may succeed
	 */
	public abstract boolean isRetryable();

	/**
	 * Return this failure for another caller: the same facts, the stack trace of the
	 * calling thread, and this exception as the cause.
	 * @return a new exception of the same type
	 */
	public abstract AuthingException forCaller();

	/**
	 * Return Authing's id of the failed request, which Authing's support asks for.
	 * @return the request id, or {@code null} if there was no answer with one
	 */
	public @Nullable String getRequestId() {
		return this.requestId;
	}

	/**
	 * Return how long Authing asked to wait before another call ({@code Retry-After}).
	 * @return the time to wait, or {@code null} if Authing did not say
	 */
	public @Nullable Duration getRetryAfter() {
		return this.retryAfter;
	}

}
