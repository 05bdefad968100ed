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

package cn.authing.wechat.token;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;

/**
 * A subscriber that remembers what it was answered.
 */
final class Caller extends BaseSubscriber<WechatMpAccessToken> {

	private volatile @Nullable WechatMpAccessToken token;

	private volatile @Nullable Throwable failure;

	static Caller of(Mono<WechatMpAccessToken> source) {
		Caller caller = new Caller();
		source.subscribe(caller);
		return caller;
	}

	@Override
	protected void hookOnNext(WechatMpAccessToken token) {
		this.token = token;
	}

	@Override
	protected void hookOnError(Throwable failure) {
		this.failure = failure;
	}

	@Nullable String accessToken() {
		WechatMpAccessToken token = this.token;
		return (token != null) ? token.accessToken() : null;
	}

	@Nullable Throwable failure() {
		return this.failure;
	}

	boolean isWaiting() {
		return this.token == null && this.failure == null && !isDisposed();
	}

}
