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

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;
import org.springframework.http.HttpStatus;
import org.springframework.util.MimeType;

import cn.authing.wechat.AuthingException;

/**
 * {@link EndpointWebExtension @EndpointWebExtension} for the
 * {@link AuthingWechatEndpoint}: what goes wrong is answered with a status and, as RFC
 * 9457 problem details, the reason.
 *
 * @since 1.0.0
 */
@EndpointWebExtension(endpoint = AuthingWechatEndpoint.class)
public class AuthingWechatEndpointWebExtension {

	private static final MimeType PROBLEM = new MimeType("application", "problem+json");

	private final AuthingWechatEndpoint endpoint;

	/**
	 * Create a new extension.
	 * @param endpoint the endpoint
	 */
	public AuthingWechatEndpointWebExtension(AuthingWechatEndpoint endpoint) {
		this.endpoint = endpoint;
	}

	/**
	 * Show one account.
	 * @param account the name of the account
	 * @return the account, or 404
	 */
	@ReadOperation
	public WebEndpointResponse<Object> account(@Selector String account) {
		return answer(() -> this.endpoint.account(account));
	}

	/**
	 * Do something for one account.
	 * @param account the name of the account
	 * @param operation what to do, {@code refresh}
	 * @return the account after that; 400 if it is something else, 404 if there is no
	 * such account; 503 if Authing has given no token but may later, 502 if it will not
	 */
	@WriteOperation
	public WebEndpointResponse<Object> operate(@Selector String account, @Nullable String operation) {
		return answer(() -> this.endpoint.operate(account, operation));
	}

	/**
	 * Answer a request without a JSON body, which {@link #operate} is not mapped to.
	 * @param account the name of the account
	 * @return 400
	 */
	@WriteOperation
	public WebEndpointResponse<Object> operateWithoutBody(@Selector String account) {
		return operate(account, null);
	}

	/**
	 * Drop the token that the account holds.
	 * @param account the name of the account
	 * @return the account after that, or 404
	 */
	@DeleteOperation
	public WebEndpointResponse<Object> invalidate(@Selector String account) {
		return answer(() -> this.endpoint.invalidate(account));
	}

	private static WebEndpointResponse<Object> answer(Supplier<Object> operation) {
		try {
			return new WebEndpointResponse<>(operation.get());
		}
		catch (InvalidEndpointRequestException ex) {
			return problem(HttpStatus.BAD_REQUEST, String.valueOf(ex.getReason()), Map.of());
		}
		catch (IllegalArgumentException ex) {
			return problem(HttpStatus.NOT_FOUND, String.valueOf(ex.getMessage()), Map.of());
		}
		catch (AuthingException ex) {
			Map<String, Object> details = FailureDetails.of(ex, null);
			Object detail = details.remove("error");
			return problem(ex.isRetryable() ? HttpStatus.SERVICE_UNAVAILABLE : HttpStatus.BAD_GATEWAY,
					String.valueOf(detail), details);
		}
	}

	private static WebEndpointResponse<Object> problem(HttpStatus status, String detail, Map<String, Object> more) {
		Map<String, Object> problem = new LinkedHashMap<>();
		problem.put("title", status.getReasonPhrase());
		problem.put("status", status.value());
		problem.put("detail", detail);
		problem.putAll(more);
		return new WebEndpointResponse<>(OperationResponseBody.of(problem), status.value(), PROBLEM);
	}

}
