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
 * No usable HTTP answer came: the connection could not be made or broke, TLS failed, the
 * time was up, or a gateway answered with an HTTP status of its own.
 *
 * @since 1.0.0
 */
public final class AuthingTransportException extends AuthingException {

	private static final long serialVersionUID = 1L;

	private final @Nullable Integer httpStatus;

	private final boolean retryable;

	/**
	 * Create a new exception.
	 * @param message what happened and what to do about it
	 * @param cause the underlying failure; neither it nor its getters may hold a secret
	 * @param httpStatus the HTTP status, if that is all there was
	 * @param retryable whether a later call may succeed
	 * @param retryAfter how long the answer asked to wait
	 */
	public AuthingTransportException(String message, @Nullable Throwable cause, @Nullable Integer httpStatus,
			boolean retryable, @Nullable Duration retryAfter) {
		super(message, cause, null, retryAfter);
		this.httpStatus = httpStatus;
		this.retryable = retryable;
	}

	/**
	 * Return the HTTP status of an answer that was not Authing's.
	 * @return the HTTP status, or {@code null} if there was no answer at all
	 */
	public @Nullable Integer getHttpStatus() {
		return this.httpStatus;
	}

	@Override
	public boolean isRetryable() {
		return this.retryable;
	}

	@Override
	public AuthingTransportException forCaller() {
		return new AuthingTransportException(String.valueOf(getMessage()), this, this.httpStatus, this.retryable,
				getRetryAfter());
	}

}
