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

package cn.authing.wechat.sample;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.AuthingTransportException;

/**
 * Failures of Authing and WeChat as RFC 9457 problem details: 503 where asking again
 * later may help, otherwise 502.
 */
@RestControllerAdvice
class UpstreamProblems {

	@ExceptionHandler
	ResponseEntity<ProblemDetail> authing(AuthingException ex) {
		ProblemDetail problem = problemOf(ex);
		HttpHeaders headers = new HttpHeaders();
		Duration retryAfter = ex.getRetryAfter();
		if (ex.isRetryable() && retryAfter != null) {
			headers.set(HttpHeaders.RETRY_AFTER, String.valueOf(retryAfter.plusMillis(999).toSeconds()));
		}
		return new ResponseEntity<>(problem, headers, problem.getStatus());
	}

	@ExceptionHandler
	ProblemDetail wechat(WechatApiException ex) {
		ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.BAD_GATEWAY, ex.getMessage());
		problem.setTitle("The call of WeChat failed");
		setIfKnown(problem, "errcode", ex.getErrcode());
		return problem;
	}

	/**
	 * Describe a failure of Authing. Its message is made to be shown: it holds no secret
	 * and no token.
	 * @param ex the failure
	 * @return the problem
	 */
	static ProblemDetail problemOf(AuthingException ex) {
		HttpStatus status = ex.isRetryable() ? HttpStatus.SERVICE_UNAVAILABLE : HttpStatus.BAD_GATEWAY;
		ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, ex.getMessage());
		problem.setTitle("No access token from Authing");
		if (ex instanceof AuthingApiException refusal) {
			setIfKnown(problem, "statusCode", refusal.getStatusCode());
			setIfKnown(problem, "apiCode", refusal.getApiCode());
		}
		else if (ex instanceof AuthingTransportException failure) {
			setIfKnown(problem, "httpStatus", failure.getHttpStatus());
		}
		setIfKnown(problem, "requestId", ex.getRequestId());
		return problem;
	}

	private static void setIfKnown(ProblemDetail problem, String name, @Nullable Object value) {
		if (value != null) {
			problem.setProperty(name, value);
		}
	}

}
