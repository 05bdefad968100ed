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

import org.jspecify.annotations.Nullable;

/**
 * WeChat refused a call, or gave no answer that could be used.
 */
final class WechatApiException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final @Nullable Integer errcode;

	private WechatApiException(String message, @Nullable Integer errcode) {
		super(message);
		this.errcode = errcode;
	}

	static WechatApiException refused(int errcode, @Nullable String errmsg) {
		return new WechatApiException("WeChat refused the call with errcode %d: %s".formatted(errcode, errmsg),
				errcode);
	}

	static WechatApiException noUsableAnswer() {
		return new WechatApiException("WeChat could not be reached or gave no usable answer. Check"
				+ " 'spring.http.serviceclient.wechat.base-url' and the way from here to there.", null);
	}

	/**
	 * Return WeChat's own code.
	 * @return the code, or {@code null} if there was no usable answer
	 */
	@Nullable Integer getErrcode() {
		return this.errcode;
	}

}
