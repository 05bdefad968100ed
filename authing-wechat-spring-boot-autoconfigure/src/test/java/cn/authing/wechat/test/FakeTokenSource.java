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

package cn.authing.wechat.test;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * Tokens of one account, fetched from a function that is told how many fetches there were
 * before. Keeps the contract (one fetch for all who wait, invalidation by comparison) and
 * counts.
 */
public final class FakeTokenSource implements WechatMpTokenSource {

	/**
	 * When all tokens expire: in the two hours that WeChat's live at most, or Redis would
	 * not share them.
	 */
	public static final Instant EXPIRES_AT = Instant.ofEpochMilli(System.currentTimeMillis()).plusSeconds(7200);

	private final IntFunction<Mono<String>> upstream;

	private final AtomicInteger fetches = new AtomicInteger();

	private final List<String> reports = new CopyOnWriteArrayList<>();

	private final AtomicInteger invalidations = new AtomicInteger();

	private volatile Mono<?> gate = Mono.empty();

	private @Nullable WechatMpAccessToken current;

	private @Nullable Mono<WechatMpAccessToken> inFlight;

	private FakeTokenSource(IntFunction<Mono<String>> upstream) {
		this.upstream = upstream;
	}

	/**
	 * Create a source that hands out tokens one after the other, the last one for ever.
	 * @param tokens the tokens
	 * @return the source
	 */
	public static FakeTokenSource of(String... tokens) {
		return from((fetch) -> Mono.just(tokens[Math.min(fetch, tokens.length - 1)]));
	}

	/**
	 * Create a source whose tokens are numbered, beginning with 1.
	 * @param prefix what comes before the number
	 * @return the source
	 */
	public static FakeTokenSource numbered(String prefix) {
		return from((fetch) -> Mono.just(prefix + (fetch + 1)));
	}

	/**
	 * Create a source.
	 * @param upstream gives the token of each fetch
	 * @return the source
	 */
	public static FakeTokenSource from(IntFunction<Mono<String>> upstream) {
		return new FakeTokenSource(upstream);
	}

	/**
	 * Bring tokens only after something has ended, or fail as it does, from now on.
	 * @param gate what to wait for at each fetch
	 */
	public void fetchAfter(Mono<?> gate) {
		this.gate = gate;
	}

	@Override
	public Mono<WechatMpAccessToken> getAccessToken() {
		return Mono.defer(() -> {
			synchronized (this) {
				if (this.current != null) {
					return Mono.just(this.current);
				}
				if (this.inFlight == null) {
					this.inFlight = fetch();
				}
				return this.inFlight;
			}
		});
	}

	private Mono<WechatMpAccessToken> fetch() {
		return Mono.defer(() -> {
			int fetch = this.fetches.getAndIncrement();
			return this.gate.then(Mono.defer(() -> this.upstream.apply(fetch)));
		})
			.map((token) -> new WechatMpAccessToken(token, EXPIRES_AT))
			.doOnNext(this::hold)
			.doOnTerminate(this::end)
			.cache();
	}

	private synchronized void hold(WechatMpAccessToken token) {
		this.current = token;
	}

	private synchronized void end() {
		this.inFlight = null;
	}

	@Override
	public WechatMpAccessToken getAccessTokenSync() {
		WechatMpAccessToken token = getAccessToken().block(Duration.ofSeconds(10));
		if (token == null) {
			throw new IllegalStateException("No token");
		}
		return token;
	}

	@Override
	public Mono<WechatMpAccessToken> refreshAccessToken() {
		return Mono.defer(this::fetch);
	}

	@Override
	public synchronized boolean invalidate(String accessToken) {
		this.reports.add(accessToken);
		boolean counts = this.current != null && this.current.accessToken().equals(accessToken);
		if (counts) {
			this.current = null;
			this.invalidations.incrementAndGet();
		}
		return counts;
	}

	/**
	 * Return the number of fetches.
	 * @return the number
	 */
	public int fetches() {
		return this.fetches.get();
	}

	/**
	 * Return the tokens that were reported as rejected.
	 * @return one for each report
	 */
	public List<String> reports() {
		return List.copyOf(this.reports);
	}

	/**
	 * Return the number of reports that were about the current token.
	 * @return the number
	 */
	public int invalidations() {
		return this.invalidations.get();
	}

}
