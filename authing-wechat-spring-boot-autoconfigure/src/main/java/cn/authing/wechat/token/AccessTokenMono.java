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

import java.time.Duration;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

import cn.authing.wechat.WechatMpAccessToken;

/**
 * The token as a {@link Mono}: each subscription is answered with what is held at that
 * moment, without an operator in between, or by the fetch that is in flight then.
 */
final class AccessTokenMono extends Mono<WechatMpAccessToken> {

	private final CachedTokenSource source;

	AccessTokenMono(CachedTokenSource source) {
		this.source = source;
	}

	@Override
	public void subscribe(CoreSubscriber<? super WechatMpAccessToken> actual) {
		WechatMpAccessToken token = this.source.held();
		if (token != null) {
			actual.onSubscribe(new HeldToken(actual, token));
		}
		else {
			this.source.joinLater().subscribe(actual);
		}
	}

	// Blocking for what is held needs neither a subscriber nor a latch.

	@Override
	public @Nullable WechatMpAccessToken block() {
		WechatMpAccessToken token = this.source.held();
		return (token != null) ? token : this.source.joinLater().block();
	}

	@Override
	public @Nullable WechatMpAccessToken block(Duration timeout) {
		WechatMpAccessToken token = this.source.held();
		return (token != null) ? token : this.source.joinLater().block(timeout);
	}

	/**
	 * Answers the first request. Reactive Streams (rule 2.7) has a subscriber make its
	 * requests one after the other, so that it takes no atomic operation to tell which
	 * one is the first.
	 */
	private static final class HeldToken implements Subscription {

		private final CoreSubscriber<? super WechatMpAccessToken> actual;

		private final WechatMpAccessToken token;

		private boolean requested;

		private volatile boolean cancelled;

		HeldToken(CoreSubscriber<? super WechatMpAccessToken> actual, WechatMpAccessToken token) {
			this.actual = actual;
			this.token = token;
		}

		@Override
		public void request(long count) {
			if (!Operators.validate(count) || this.requested || this.cancelled) {
				return;
			}
			this.requested = true;
			this.actual.onNext(this.token);
			if (!this.cancelled) {
				this.actual.onComplete();
			}
		}

		@Override
		public void cancel() {
			this.cancelled = true;
		}

	}

}
