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

package cn.authing.wechat.actuate;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * A failure of a fetch as the details of health and the JSON of the endpoint show it.
 * Messages of {@link AuthingException}s are fit for that: they contain neither a secret
 * nor a token.
 */
final class FailureDetails {

	private FailureDetails() {
	}

	/**
	 * Return a failure as details.
	 * @param failure the failure
	 * @param at when it was; {@code null} to leave that out
	 */
	static Map<String, Object> of(AuthingException failure, @Nullable Instant at) {
		Map<String, Object> details = new LinkedHashMap<>();
		put(details, "error", failure.getMessage());
		put(details, "at", at);
		if (failure instanceof AuthingApiException api) {
			put(details, "statusCode", api.getStatusCode());
			put(details, "apiCode", api.getApiCode());
		}
		else if (failure instanceof AuthingTransportException transport) {
			put(details, "httpStatus", transport.getHttpStatus());
		}
		put(details, "requestId", failure.getRequestId());
		return details;
	}

	/**
	 * Return why and since when a store cannot be used.
	 */
	static Map<String, Object> of(WechatMpTokenStoreStatus store) {
		Map<String, Object> details = new LinkedHashMap<>();
		details.put("available", store.isAvailable());
		put(details, "reason", store.reason());
		put(details, "unavailableSince", store.unavailableSince());
		return details;
	}

	static void put(Map<String, Object> details, String name, @Nullable Object value) {
		if (value != null) {
			details.put(name, value);
		}
	}

}
