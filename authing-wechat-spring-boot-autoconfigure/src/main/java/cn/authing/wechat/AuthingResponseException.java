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

import org.jspecify.annotations.Nullable;

/**
 * An answer came that is not of the documented shape: not JSON, cut off, or a success
 * without a token. Also, in health, events and metrics, why a token was of no use:
 * Authing returned an expired one, or one that WeChat had rejected.
 *
 * @since 1.0.0
 */
public final class AuthingResponseException extends AuthingException {

	private static final long serialVersionUID = 1L;

	/**
	 * Create a new exception.
	 * @param message what came and what to do about it; never the answer's own text
	 * @param requestId Authing's id of the request
	 */
	public AuthingResponseException(String message, @Nullable String requestId) {
		this(message, null, requestId);
	}

	private AuthingResponseException(String message, @Nullable Throwable cause, @Nullable String requestId) {
		super(message, cause, requestId, null);
	}

	/**
	 * {@inheritDoc}
	 * @return always {@code false}: such answers come from a wrong address, a proxy or a
	 * login page in between, and asking again brings the same
	 */
	@Override
	public boolean isRetryable() {
		return false;
	}

	@Override
	public AuthingResponseException forCaller() {
		return new AuthingResponseException(String.valueOf(getMessage()), this, getRequestId());
	}

}
