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

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import reactor.core.Disposable;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.token.TestTokenService;

/**
 * Eleven subscribers wait for the first token; the first of them, for whom the fetch was
 * started, leaves: how many fetches there are, how many of the others are answered, and
 * how long after the fetch's end.
 */
public final class FirstSubscriberCancels {

	private static final int ROUNDS = 1_000;

	private static final int OTHERS = 10;

	private FirstSubscriberCancels() {
	}

	public static void main(String[] args) throws Exception {
		int fetches = 0;
		int answers = 0;
		List<Long> times = new ArrayList<>();
		for (int round = 0; round < ROUNDS; round++) {
			GatedUpstream upstream = new GatedUpstream();
			try (TestTokenService service = Samples.service(upstream, Samples.DEFAULT_POLICY, 1)) {
				Disposable first = service.getAccessToken().subscribe();
				List<CompletableFuture<WechatMpAccessToken>> others = new ArrayList<>();
				for (int i = 0; i < OTHERS; i++) {
					others.add(service.getAccessToken().toFuture());
				}
				upstream.awaitFetch();
				first.dispose();
				long end = upstream.answer();
				for (CompletableFuture<WechatMpAccessToken> other : others) {
					other.join();
					answers++;
				}
				times.add(System.nanoTime() - end);
			}
			fetches += upstream.fetches();
		}
		times.sort(null);
		System.out.println("| rounds | fetches a round | answers a round | last answer, median | longest |");
		System.out.println("| --- | --- | --- | --- | --- |");
		System.out.printf("| %d | %.3f | %.3f | %.3f ms | %.1f ms |%n", ROUNDS, (double) fetches / ROUNDS,
				(double) answers / ROUNDS, times.get(ROUNDS / 2) / 1e6, times.get(ROUNDS - 1) / 1e6);
	}

}
