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
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.TestTokenService;

/**
 * 10,000 callers at once while nothing is held: how many fetches there are, and how long
 * after the fetch's end the last caller has its answer. The callers are subscribers and,
 * on a JDK that has them, blocked virtual threads.
 */
public final class ColdStart {

	private static final int CALLERS = 10_000;

	private static final int ROUNDS = 20;

	private ColdStart() {
	}

	public static void main(String[] args) throws Exception {
		System.out.println("| callers | fetches | last answer after the fetch's end, median | longest |");
		System.out.println("| --- | --- | --- | --- |");
		report("subscribers", ColdStart::subscribe);
		if (VirtualThreads.exist()) {
			report("blocked virtual threads", ColdStart::block);
		}
	}

	private static void report(String kind, Callers callers) throws Exception {
		List<Integer> fetches = new ArrayList<>();
		List<Long> times = new ArrayList<>();
		for (int round = 0; round < ROUNDS; round++) {
			GatedUpstream upstream = new GatedUpstream();
			Answers answers = new Answers();
			try (TestTokenService service = Samples.service(upstream, Samples.DEFAULT_POLICY, 1)) {
				callers.call(service, answers);
				upstream.awaitFetch();
				long end = upstream.answer();
				times.add(answers.awaitLast() - end);
			}
			fetches.add(upstream.fetches());
		}
		times.sort(null);
		System.out.printf("| %,d %s | %d | %.1f ms | %.1f ms |%n", CALLERS, kind, Collections.max(fetches),
				times.get(ROUNDS / 2) / 1e6, times.get(ROUNDS - 1) / 1e6);
	}

	private static void subscribe(WechatMpTokenService service, Answers answers) throws InterruptedException {
		Runnable half = () -> {
			for (int i = 0; i < CALLERS / 2; i++) {
				service.getAccessToken().subscribe((token) -> answers.add());
			}
		};
		Thread other = new Thread(half);
		other.start();
		half.run();
		other.join();
	}

	private static void block(WechatMpTokenService service, Answers answers) throws InterruptedException {
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < CALLERS; i++) {
			threads.add(VirtualThreads.start(() -> {
				service.getAccessTokenSync();
				answers.add();
			}));
		}
		for (Thread thread : threads) {
			while (thread.getState() != Thread.State.TIMED_WAITING) {
				Thread.onSpinWait();
			}
		}
	}

	private interface Callers {

		/**
		 * Let all callers ask, and return when all of them wait.
		 */
		void call(WechatMpTokenService service, Answers answers) throws InterruptedException;

	}

	private static final class Answers {

		private final CountDownLatch missing = new CountDownLatch(CALLERS);

		private final AtomicLong last = new AtomicLong();

		void add() {
			this.last.accumulateAndGet(System.nanoTime(), Math::max);
			this.missing.countDown();
		}

		long awaitLast() throws InterruptedException {
			this.missing.await();
			return this.last.get();
		}

	}

}
