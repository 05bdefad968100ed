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
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.Selector.Match;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.RequestContextHolder;

import cn.authing.wechat.AuthingException;

/**
 * {@link EndpointWebExtension @EndpointWebExtension} for the
 * {@link AuthingWechatEndpoint}: operations on the account that the path names. Failures
 * are answered with a status and, as RFC 9457 problem details, the reason.
 * <p>
 * Spring Boot lets a parameter of the request or a member of its JSON body replace the
 * part of the path that has the same name, so that {@code DELETE /default?account=shop}
 * would drop the token of {@code shop}. Only what comes from the path is a
 * {@code String[]}, and only that is accepted.
 *
 * @since 1.0.0
 */
@EndpointWebExtension(endpoint = AuthingWechatEndpoint.class)
public class AuthingWechatEndpointWebExtension {

	private final AuthingWechatEndpoint endpoint;

	/**
	 * Create a new extension.
	 * @param endpoint the endpoint
	 */
	public AuthingWechatEndpointWebExtension(AuthingWechatEndpoint endpoint) {
		this.endpoint = endpoint;
	}

	/**
	 * Return one account.
	 * @param path the name of the account
	 * @return the account, or 404
	 */
	@ReadOperation
	WebEndpointResponse<Object> account(@Selector(match = Match.ALL_REMAINING) Object path) {
		return respond(path, this.endpoint::account);
	}

	/**
	 * Perform an operation on one account.
	 * @param path the name of the account
	 * @param operation the operation, {@code refresh}
	 * @return the account after that; 400 if it is another operation, 404 if there is no
	 * such account, 503 if Authing gave no token but may later, 502 if it will not
	 */
	@WriteOperation
	Mono<Object> operate(@Selector(match = Match.ALL_REMAINING) Object path, @Nullable String operation) {
		Mono<WebEndpointResponse<Object>> response = Mono
			.defer(() -> this.endpoint.operate(accountName(path), operation))
			.<WebEndpointResponse<Object>>map(WebEndpointResponse::new)
			.onErrorResume(RuntimeException.class, (failure) -> Mono.fromSupplier(() -> problem(failure)));
		// Spring MVC knows a WebEndpointResponse only if it comes at once
		return (RequestContextHolder.getRequestAttributes() != null)
				? response.map(AuthingWechatEndpointWebExtension::toResponseEntity) : response.cast(Object.class);
	}

	/**
	 * Answer a request without a JSON body, which {@link #operate} is not mapped to.
	 * @param path the name of the account
	 * @return 400
	 */
	@WriteOperation
	Mono<Object> operateWithoutBody(@Selector(match = Match.ALL_REMAINING) Object path) {
		return operate(path, null);
	}

	/**
	 * Drop the cached token of one account.
	 * @param path the name of the account
	 * @return the account after that, or 404
	 */
	@DeleteOperation
	WebEndpointResponse<Object> invalidate(@Selector(match = Match.ALL_REMAINING) Object path) {
		return respond(path, this.endpoint::invalidate);
	}

	private static WebEndpointResponse<Object> respond(Object path, Function<String, Object> operation) {
		try {
			return new WebEndpointResponse<>(operation.apply(accountName(path)));
		}
		catch (IllegalArgumentException | InvalidEndpointRequestException ex) {
			return problem(ex);
		}
	}

	private static String accountName(Object path) {
		if (path instanceof String[] segments) {
			return String.join("/", segments);
		}
		String reason = "The account is named by the path alone; leave out the parameter 'path'";
		throw new InvalidEndpointRequestException(reason, reason);
	}

	private static WebEndpointResponse<Object> problem(RuntimeException failure) {
		if (failure instanceof InvalidEndpointRequestException ex) {
			return problem(HttpStatus.BAD_REQUEST, String.valueOf(ex.getReason()), Map.of());
		}
		if (failure instanceof IllegalArgumentException) {
			return problem(HttpStatus.NOT_FOUND, String.valueOf(failure.getMessage()), Map.of());
		}
		if (failure instanceof AuthingException ex) {
			Map<String, Object> details = FailureDetails.of(ex, null);
			Object detail = details.remove("error");
			return problem(ex.isRetryable() ? HttpStatus.SERVICE_UNAVAILABLE : HttpStatus.BAD_GATEWAY,
					String.valueOf(detail), details);
		}
		throw failure;
	}

	private static WebEndpointResponse<Object> problem(HttpStatus status, String detail, Map<String, Object> more) {
		Map<String, Object> problem = new LinkedHashMap<>();
		problem.put("title", status.getReasonPhrase());
		problem.put("status", status.value());
		problem.put("detail", detail);
		problem.putAll(more);
		return new WebEndpointResponse<>(OperationResponseBody.of(problem), status.value(),
				MediaType.APPLICATION_PROBLEM_JSON);
	}

	private static ResponseEntity<Object> toResponseEntity(WebEndpointResponse<Object> response) {
		ResponseEntity.BodyBuilder entity = ResponseEntity.status(response.getStatus());
		if (response.getContentType() != null) {
			entity.contentType(new MediaType(response.getContentType()));
		}
		return entity.body(response.getBody());
	}

}
