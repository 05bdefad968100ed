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

package cn.authing.wechat.redis;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

/**
 * Hands out a new token each time it is asked, and counts.
 */
final class FakeAuthing implements AuthingWechatClient {

	static final Duration LIFE = Duration.ofHours(2);

	private final AtomicInteger fetches = new AtomicInteger();

	private volatile Supplier<Mono<WechatMpAccessToken>> answer = this::next;

	@Override
	public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			this.fetches.incrementAndGet();
			return this.answer.get();
		});
	}

	private Mono<WechatMpAccessToken> next() {
		return Mono.just(token(this.fetches.get()));
	}

	private static WechatMpAccessToken token(int number) {
		return new WechatMpAccessToken("72_" + number, Instant.now().plus(LIFE));
	}

	int fetches() {
		return this.fetches.get();
	}

	/**
	 * Answer later.
	 */
	void answerWhen(Mono<?> gate) {
		this.answer = () -> gate.then(Mono.defer(this::next));
	}

	void fail() {
		this.answer = () -> Mono.error(new AuthingTransportException("Authing is down", null, null, true, null));
	}

}
