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

package cn.authing.wechat.sample.page;

import java.util.Map;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import cn.authing.wechat.sample.demo.AuthingMode;
import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.sample.page.EventLog.Type;
import cn.authing.wechat.sample.page.Traffic.Burst;

/**
 * The page's controls. They are there in profile {@code demo} only, and take JSON only,
 * which a form of another site cannot send.
 */
@RestController
@RequestMapping(path = "/demo", consumes = MediaType.APPLICATION_JSON_VALUE)
class DemoController {

	private final ObjectProvider<Demo> demo;

	private final Traffic traffic;

	private final EventLog log;

	DemoController(ObjectProvider<Demo> demo, Traffic traffic, Activity activity) {
		this.demo = demo;
		this.traffic = traffic;
		this.log = activity.log();
	}

	/**
	 * Ask for the default account's token a thousand times at once.
	 */
	@PostMapping("/burst")
	Mono<Burst> burst(@RequestBody BurstRequest request) {
		return this.traffic.burst(Demo.require(this.demo), request.cold())
			.switchIfEmpty(Mono.error(() -> problem(HttpStatus.CONFLICT, "Busy", "The last burst has not ended.")));
	}

	/**
	 * Start or stop the steady stream of calls.
	 */
	@PostMapping("/stream")
	@ResponseStatus(HttpStatus.NO_CONTENT)
	void stream(@RequestBody Switch request) {
		Demo.require(this.demo);
		this.traffic.setStreaming(request.on());
		this.log.add(Type.STREAM, null, Map.of("on", request.on()));
	}

	/**
	 * Make Authing work or fail.
	 */
	@PostMapping("/authing")
	@ResponseStatus(HttpStatus.NO_CONTENT)
	void authing(@RequestBody AuthingRequest request) {
		Demo demo = Demo.require(this.demo);
		AuthingMode mode = required(request.mode(), "mode");
		demo.setAuthingMode(mode);
		this.log.add(Type.AUTHING, null, Map.of("mode", mode.id()));
	}

	/**
	 * Make WeChat refuse an account's token, then call WeChat with it.
	 */
	@PostMapping("/reject")
	Mono<Map<String, Boolean>> reject(@RequestBody RejectRequest request) {
		Demo demo = Demo.require(this.demo);
		String account = required(request.account(), "account");
		try {
			demo.rejectTokens(this.traffic.appId(account));
		}
		catch (IllegalArgumentException ex) {
			throw problem(HttpStatus.NOT_FOUND, "Unknown account", String.valueOf(ex.getMessage()));
		}
		return this.traffic.callWechat(account)
			.map((answer) -> true)
			.onErrorReturn(false)
			.map((answered) -> Map.of("answered", answered));
	}

	/**
	 * Start or stop the Redis that the demo has started.
	 */
	@PostMapping("/redis")
	@ResponseStatus(HttpStatus.NO_CONTENT)
	Mono<Void> redis(@RequestBody Switch request) {
		Demo demo = Demo.require(this.demo);
		if (demo.redisUp() == null) {
			throw problem(HttpStatus.NOT_FOUND, "No Redis", "The demo has started no Redis: run it with the profiles"
					+ " 'demo' and 'redis', with redis-server on the path and no spring.data.redis.* set.");
		}
		return Mono.<Void>fromRunnable(() -> demo.setRedisUp(request.on()))
			.subscribeOn(Schedulers.boundedElastic())
			.doOnSuccess((done) -> this.log.add(Type.REDIS, null, Map.of("on", request.on())));
	}

	private static <T> T required(@Nullable T value, String name) {
		if (value == null) {
			throw problem(HttpStatus.BAD_REQUEST, "Incomplete request", "The JSON body must have '" + name + "'.");
		}
		return value;
	}

	private static ErrorResponseException problem(HttpStatus status, String title, String detail) {
		ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
		problem.setTitle(title);
		return new ErrorResponseException(status, problem, null);
	}

	record BurstRequest(boolean cold) {
	}

	record Switch(boolean on) {
	}

	record RejectRequest(@Nullable String account) {
	}

	record AuthingRequest(@Nullable AuthingMode mode) {
	}

}
