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

import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;

/**
 * Some of WeChat's API. No method mentions an access token: the filter that
 * {@link WechatApiConfiguration} adds attaches it, and repeats a call whose token WeChat
 * has rejected.
 */
interface WechatApi {

	@GetExchange("/cgi-bin/getcallbackip")
	Mono<CallbackIps> getCallbackIp();

	@PostExchange("/cgi-bin/message/subscribe/send")
	Mono<Done> sendSubscribeMessage(@RequestBody SubscribeMessage message);

	@PostExchange("/wxa/business/getuserphonenumber")
	Mono<PhoneNumber> getPhoneNumber(@RequestBody PhoneNumberCode code);

	/**
	 * Fetch the image of a mini program's code. A failure is JSON instead.
	 */
	@PostExchange("/wxa/getwxacodeunlimit")
	Mono<ResponseEntity<byte[]>> getCodeImage(@RequestBody CodeImage image);

	/**
	 * What all answers in JSON may be: a failure.
	 */
	interface Answer {

		@Nullable Integer errcode();

		@Nullable String errmsg();

	}

	record Done(@Nullable Integer errcode, @Nullable String errmsg) implements Answer {
	}

	record CallbackIps(@Nullable Integer errcode, @Nullable String errmsg,
			@JsonProperty("ip_list") @Nullable List<String> ipList) implements Answer {
	}

	record SubscribeMessage(String touser, @JsonProperty("template_id") String templateId, @Nullable String page,
			Map<String, Value> data) {

		record Value(String value) {
		}

	}

	record PhoneNumberCode(String code) {
	}

	record PhoneNumber(@Nullable Integer errcode, @Nullable String errmsg,
			@JsonProperty("phone_info") @Nullable PhoneInfo phoneInfo) implements Answer {

		record PhoneInfo(String phoneNumber, String purePhoneNumber, String countryCode) {
		}

	}

	record CodeImage(String scene, @Nullable String page) {
	}

}
