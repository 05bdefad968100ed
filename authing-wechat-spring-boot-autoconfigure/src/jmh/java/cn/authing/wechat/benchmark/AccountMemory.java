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

import java.lang.ref.Reference;
import java.util.stream.IntStream;

import reactor.core.publisher.Mono;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.TestTokenService;

/**
 * How many bytes of heap an account takes that is known at run time only: all that the
 * service holds for it, with the records of the credentials and of the token, without the
 * strings in them.
 */
public final class AccountMemory {

	private static final int ACCOUNTS = 100_000;

	private AccountMemory() {
	}

	public static void main(String[] args) throws InterruptedException {
		WechatMpCredentials[] strings = IntStream.range(0, ACCOUNTS)
			.mapToObj(Samples::credentials)
			.toArray(WechatMpCredentials[]::new);
		String accessToken = Samples.token().accessToken();
		try (TestTokenService service = Samples.service(
				(credentials) -> Mono
					.fromSupplier(() -> new WechatMpAccessToken(accessToken, Samples.token().expiresAt())),
				Samples.DEFAULT_POLICY, ACCOUNTS)) {
			service.getAccessTokenSync();
			long before = usedHeap();
			for (WechatMpCredentials known : strings) {
				service.account(new WechatMpCredentials(known.appId(), known.appSecret())).getAccessTokenSync();
			}
			long used = usedHeap() - before;
			Reference.reachabilityFence(strings);
			System.out.println("| accounts | heap | bytes an account |");
			System.out.println("| --- | --- | --- |");
			System.out.printf("| %,d | %.1f MB | %d |%n", ACCOUNTS, used / 1e6, used / ACCOUNTS);
		}
	}

	private static long usedHeap() throws InterruptedException {
		Runtime runtime = Runtime.getRuntime();
		long used = Long.MAX_VALUE;
		// What is weakly reachable or being finalized goes only after some collections.
		for (int i = 0; i < 5; i++) {
			System.gc();
			Thread.sleep(200);
			used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
		}
		return used;
	}

}
