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

import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpCredentials;

/**
 * The store of an application that shares nothing: what an instance knows is in its
 * entries.
 */
final class LocalTokenStore implements WechatMpTokenStore {

	static final LocalTokenStore INSTANCE = new LocalTokenStore();

	private LocalTokenStore() {
	}

	@Override
	public boolean isShared() {
		return false;
	}

	@Override
	public Mono<StoredToken> read(WechatMpCredentials credentials) {
		return Mono.empty();
	}

	@Override
	public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
		return Mono.just(token);
	}

	@Override
	public Mono<Void> drop(WechatMpCredentials credentials, String accessToken) {
		return Mono.empty();
	}

	@Override
	public Mono<Lease> lease(WechatMpCredentials credentials) {
		return Mono.empty();
	}

	@Override
	public Flux<Change> changes() {
		return Flux.never();
	}

}
