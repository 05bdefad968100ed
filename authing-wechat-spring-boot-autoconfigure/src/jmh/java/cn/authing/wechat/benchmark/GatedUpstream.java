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

package cn.authing.wechat.benchmark;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingWechatClient;

/**
 * An upstream that answers when it is told to, and counts how often it was asked.
 */
final class GatedUpstream implements AuthingWechatClient {

	private final AtomicInteger fetches = new AtomicInteger();

	private final CountDownLatch asked = new CountDownLatch(1);

	private final Sinks.One<WechatMpAccessToken> answer = Sinks.one();

	@Override
	public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			this.fetches.incrementAndGet();
			this.asked.countDown();
			return this.answer.asMono();
		});
	}

	void awaitFetch() throws InterruptedException {
		this.asked.await();
	}

	/**
	 * Answer all fetches.
	 * @return when, in nanoseconds
	 */
	long answer() {
		long time = System.nanoTime();
		this.answer.emitValue(Samples.token(), Sinks.EmitFailureHandler.FAIL_FAST);
		return time;
	}

	int fetches() {
		return this.fetches.get();
	}

}
