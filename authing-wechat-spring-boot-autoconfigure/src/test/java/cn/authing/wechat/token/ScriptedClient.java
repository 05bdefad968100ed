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
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.client.AuthingTokenResponse;
import cn.authing.wechat.client.AuthingWechatClient;

/**
 * An upstream that answers when and what a test says.
 */
final class ScriptedClient implements AuthingWechatClient {

	private final ManualTime time;

	private final List<Call> calls = new CopyOnWriteArrayList<>();

	private volatile Consumer<Call> script = (call) -> {
	};

	ScriptedClient(ManualTime time) {
		this.time = time;
	}

	/**
	 * Say what happens at once to each call from now on; by default it is left open.
	 */
	void onCall(Consumer<Call> script) {
		this.script = script;
	}

	List<Call> calls() {
		return this.calls;
	}

	List<Call> openCalls() {
		return this.calls.stream().filter((call) -> !call.ended).toList();
	}

	/**
	 * Return the one call that is open.
	 */
	Call call() {
		List<Call> open = openCalls();
		if (open.size() != 1) {
			throw new AssertionError("Expected one open call but there are " + open.size());
		}
		return open.get(0);
	}

	@Override
	public Mono<WechatMpAccessToken> getWechatMpAccessToken(WechatMpCredentials credentials) {
		return fetch(credentials).map(AuthingTokenResponse::token);
	}

	@Override
	public Mono<AuthingTokenResponse> fetch(WechatMpCredentials credentials) {
		return Mono.create((sink) -> {
			Call call = new Call(credentials, sink);
			this.calls.add(call);
			this.script.accept(call);
		});
	}

	static AuthingException failure(@Nullable Duration retryAfter) {
		return new AuthingApiException("Authing is busy", 503, null, "request-1", retryAfter);
	}

	/**
	 * One call.
	 */
	final class Call {

		private final WechatMpCredentials credentials;

		private final MonoSink<AuthingTokenResponse> sink;

		private final long startedAt = ScriptedClient.this.time.nanoTime();

		private volatile boolean ended;

		private volatile boolean cancelled;

		Call(WechatMpCredentials credentials, MonoSink<AuthingTokenResponse> sink) {
			this.credentials = credentials;
			this.sink = sink;
			sink.onCancel(() -> {
				this.ended = true;
				this.cancelled = true;
			});
		}

		WechatMpCredentials credentials() {
			return this.credentials;
		}

		MonoSink<AuthingTokenResponse> sink() {
			return this.sink;
		}

		Duration startedAt() {
			return Duration.ofNanos(this.startedAt);
		}

		boolean isCancelled() {
			return this.cancelled;
		}

		/**
		 * Answer with a token that expires, by Authing's clock, after a while; as Authing
		 * does, with the {@code Date}.
		 */
		void succeed(String accessToken, Duration life) {
			succeed(new WechatMpAccessToken(accessToken, ScriptedClient.this.time.authingTime().plus(life)), true);
		}

		void succeed(WechatMpAccessToken token, boolean dated) {
			succeed(token, dated ? ScriptedClient.this.time.authingTime() : null);
		}

		void succeed(WechatMpAccessToken token, @Nullable Instant time) {
			this.ended = true;
			// An HTTP date has whole seconds only.
			Instant date = (time != null) ? time.truncatedTo(ChronoUnit.SECONDS) : null;
			this.sink.success(new AuthingTokenResponse(token, date, "request"));
		}

		void fail() {
			fail(failure(null));
		}

		void fail(Throwable failure) {
			this.ended = true;
			this.sink.error(failure);
		}

		void completeEmpty() {
			this.ended = true;
			this.sink.success();
		}

	}

}
