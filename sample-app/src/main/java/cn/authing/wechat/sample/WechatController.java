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

import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.codec.CodecException;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClientException;

import cn.authing.wechat.sample.WechatApi.Answer;
import cn.authing.wechat.sample.WechatApi.CodeImage;
import cn.authing.wechat.sample.WechatApi.PhoneNumber.PhoneInfo;
import cn.authing.wechat.sample.WechatApi.PhoneNumberCode;
import cn.authing.wechat.sample.WechatApi.SubscribeMessage;
import cn.authing.wechat.sample.demo.Demo;

/**
 * Calls WeChat for whoever asks. Nobody has to log in here: what sends something, or
 * shows what a user has entrusted, is there in profile {@code demo} only.
 */
@RestController
class WechatController {

	private final WechatApi wechat;

	private final JsonMapper jsonMapper;

	private final ObjectProvider<Demo> demo;

	WechatController(WechatApi wechat, JsonMapper jsonMapper, ObjectProvider<Demo> demo) {
		this.wechat = wechat;
		this.jsonMapper = jsonMapper;
		this.demo = demo;
	}

	@GetMapping("/wechat/callback-ip")
	Mono<CallbackIps> callbackIp() {
		return answer(this.wechat.getCallbackIp()).flatMap((ips) -> Mono.justOrEmpty(ips.ipList()))
			.map(CallbackIps::new)
			.switchIfEmpty(Mono.error(WechatApiException::noUsableAnswer));
	}

	@PostMapping("/wechat/subscribe-messages")
	Mono<Void> subscribeMessage(@RequestBody SubscribeMessage message) {
		Demo.require(this.demo);
		return answer(this.wechat.sendSubscribeMessage(message)).then();
	}

	@GetMapping("/wechat/phone-number")
	Mono<PhoneInfo> phoneNumber(@RequestParam String code) {
		Demo.require(this.demo);
		return answer(this.wechat.getPhoneNumber(new PhoneNumberCode(code)))
			.flatMap((number) -> Mono.justOrEmpty(number.phoneInfo()))
			.switchIfEmpty(Mono.error(WechatApiException::noUsableAnswer));
	}

	@GetMapping("/wechat/code")
	Mono<ResponseEntity<byte[]>> code(@RequestParam String scene) {
		Demo.require(this.demo);
		return usable(this.wechat.getCodeImage(new CodeImage(scene, null))).map(this::image);
	}

	private static <T extends Answer> Mono<T> answer(Mono<T> answer) {
		return usable(answer).doOnNext(WechatController::check);
	}

	private static <T> Mono<T> usable(Mono<T> answer) {
		return answer
			.onErrorMap((ex) -> ex instanceof WebClientException || ex instanceof CodecException,
					(ex) -> WechatApiException.noUsableAnswer())
			.switchIfEmpty(Mono.error(WechatApiException::noUsableAnswer));
	}

	private static void check(Answer answer) {
		if (answer.errcode() != null && answer.errcode() != 0) {
			throw WechatApiException.refused(answer.errcode(), answer.errmsg());
		}
	}

	private ResponseEntity<byte[]> image(ResponseEntity<byte[]> response) {
		MediaType type = response.getHeaders().getContentType();
		byte[] body = response.getBody();
		if (body == null || type == null) {
			throw WechatApiException.noUsableAnswer();
		}
		if (!"image".equals(type.getType())) {
			check(read(body));
			throw WechatApiException.noUsableAnswer();
		}
		return ResponseEntity.ok().contentType(type).body(body);
	}

	private WechatApi.Done read(byte[] json) {
		try {
			return this.jsonMapper.readValue(json, WechatApi.Done.class);
		}
		catch (JacksonException ex) {
			throw WechatApiException.noUsableAnswer();
		}
	}

	/**
	 * Addresses from which WeChat calls back.
	 *
	 * @param ipList the addresses
	 */
	record CallbackIps(List<String> ipList) {
	}

}
