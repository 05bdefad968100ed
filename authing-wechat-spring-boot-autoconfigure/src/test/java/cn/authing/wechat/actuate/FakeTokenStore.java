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

package cn.authing.wechat.actuate;

import java.time.Instant;

import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.TestLease;
import cn.authing.wechat.token.WechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * A store that shares nothing and whose status is what a test says.
 */
final class FakeTokenStore implements WechatMpTokenStore {

	static final Instant UNAVAILABLE_SINCE = Instant.parse("2026-01-01T00:00:00Z");

	private volatile WechatMpTokenStoreStatus status = new WechatMpTokenStoreStatus(null, null, 0, 0, 0, 0);

	/**
	 * Be away, after some operations of each kind.
	 */
	void goAway() {
		this.status = new WechatMpTokenStoreStatus("did not answer within 100 ms", UNAVAILABLE_SINCE, 7, 1, 5, 2);
	}

	void comeBack() {
		this.status = new WechatMpTokenStoreStatus(null, null, 8, 1, 5, 2);
	}

	@Override
	public WechatMpTokenStoreStatus status() {
		return this.status;
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
		return Mono.just(new TestLease(null, Mono.empty()));
	}

	@Override
	public Flux<Change> changes() {
		return Flux.never();
	}

}
