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

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import cn.authing.wechat.sample.demo.Demo;

/**
 * What only the demo's own WeChat can be told to do.
 */
@RestController
class DemoController {

	private final ObjectProvider<Demo> demo;

	DemoController(ObjectProvider<Demo> demo) {
		this.demo = demo;
	}

	/**
	 * Make WeChat refuse the default account's token from now on.
	 */
	@PostMapping("/demo/kill-token")
	@ResponseStatus(HttpStatus.NO_CONTENT)
	void killToken() {
		Demo demo = this.demo.getIfAvailable();
		if (demo == null) {
			throw demoOnly();
		}
		demo.killToken();
	}

	private static ErrorResponseException demoOnly() {
		ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.NOT_FOUND,
				"A token can be killed only in profile 'demo', where WeChat is part of this application.");
		problem.setTitle("Not in the demo");
		return new ErrorResponseException(HttpStatus.NOT_FOUND, problem, null);
	}

}
