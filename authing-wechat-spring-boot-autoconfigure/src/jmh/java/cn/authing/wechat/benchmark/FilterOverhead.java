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

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import com.sun.management.ThreadMXBean;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

import org.springframework.http.MediaType;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.http.WechatMpTokenClientHttpRequestInterceptor;
import cn.authing.wechat.http.WechatMpTokenExchangeFilterFunction;
import cn.authing.wechat.token.TestTokenService;

/**
 * What a call of WeChat costs through the filter and through the interceptor, beside the
 * same call by a bare client whose caller writes the token into the query. WeChat is a
 * process of its own on loopback. The rounds of the two take turns, and the median of the
 * ratios of neighbours counts.
 */
public final class FilterOverhead {

	private static final int CALLS = 10_000;

	private static final int WARM_UP_ROUNDS = 6;

	private static final int ROUNDS = 21;

	private static final int CONCURRENCY = 16;

	private static final String ANSWER = "{\"errcode\":0,\"errmsg\":\"ok\",\"msgid\":1234567890}";

	private static final String BODY = "{\"touser\":\"" + "o".repeat(28) + "\",\"template_id\":\"" + "t".repeat(43)
			+ "\",\"data\":{\"phrase1\":{\"value\":\"" + "x".repeat(200) + "\"}}}";

	private FilterOverhead() {
	}

	public static void main(String[] args) throws Exception {
		if (args.length > 0) {
			serve();
			return;
		}
		Process wechat = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
				System.getProperty("java.class.path"), FilterOverhead.class.getName(), "serve")
			.redirectError(Redirect.INHERIT)
			.start();
		try (TestTokenService tokens = Samples.service();
				BufferedReader output = new BufferedReader(
						new InputStreamReader(wechat.getInputStream(), StandardCharsets.US_ASCII))) {
			report("http://127.0.0.1:" + output.readLine(), tokens);
		}
		finally {
			wechat.destroyForcibly();
		}
	}

	private static void serve() {
		DisposableServer server = HttpServer.create()
			.host("127.0.0.1")
			.port(0)
			.handle((request, response) -> request.receive()
				.aggregate()
				.then(response.header("Content-Type", "application/json")
					.header("Content-Length", String.valueOf(ANSWER.length()))
					.sendString(Mono.just(ANSWER))
					.then()))
			.bindNow();
		System.out.println(server.port());
		server.onDispose().block();
	}

	private static void report(String wechat, WechatMpTokenService tokens) throws InterruptedException {
		System.out.println("| calls | calls/s bare | calls/s with | ratio | bytes/call bare | bytes/call with |");
		System.out.println("| --- | --- | --- | --- | --- | --- |");
		WebClient web = WebClient.create(wechat);
		WebClient filtered = web.mutate()
			.filter(WechatMpTokenExchangeFilterFunction.of(tokens).withHosts("127.0.0.1"))
			.build();
		compare("`WebClient`, GET", () -> exchangeAll(get(web, tokens)), () -> exchangeAll(get(filtered)));
		compare("`WebClient`, POST", () -> exchangeAll(post(web, tokens)), () -> exchangeAll(post(filtered)));
		RestClient rest = RestClient.builder()
			.baseUrl(wechat)
			.requestFactory(new JdkClientHttpRequestFactory())
			.build();
		RestClient intercepted = rest.mutate()
			.requestInterceptor(WechatMpTokenClientHttpRequestInterceptor.of(tokens).withHosts("127.0.0.1"))
			.build();
		Runnable bareCall = () -> get(rest, "/cgi-bin/getcallbackip?access_token={token}",
				tokens.getAccessTokenSync().accessToken());
		Runnable call = () -> get(intercepted, "/cgi-bin/getcallbackip");
		compare("`RestClient`, GET", () -> callAll(bareCall, Thread::new, true),
				() -> callAll(call, Thread::new, true));
		if (VirtualThreads.exist()) {
			compare("`RestClient`, GET, virtual threads", () -> callAll(bareCall, VirtualThreads::start, false),
					() -> callAll(call, VirtualThreads::start, false));
		}
	}

	private static Mono<?> get(WebClient client, WechatMpTokenService tokens) {
		return tokens.getAccessToken()
			.flatMap((token) -> client.get()
				.uri("/cgi-bin/getcallbackip?access_token={token}", token.accessToken())
				.retrieve()
				.bodyToMono(String.class));
	}

	private static Mono<?> get(WebClient client) {
		return client.get().uri("/cgi-bin/getcallbackip").retrieve().bodyToMono(String.class);
	}

	private static Mono<?> post(WebClient client, WechatMpTokenService tokens) {
		return tokens.getAccessToken()
			.flatMap((token) -> client.post()
				.uri("/cgi-bin/message/subscribe/send?access_token={token}", token.accessToken())
				.contentType(MediaType.APPLICATION_JSON)
				.bodyValue(BODY)
				.retrieve()
				.bodyToMono(String.class));
	}

	private static Mono<?> post(WebClient client) {
		return client.post()
			.uri("/cgi-bin/message/subscribe/send")
			.contentType(MediaType.APPLICATION_JSON)
			.bodyValue(BODY)
			.retrieve()
			.bodyToMono(String.class);
	}

	private static void get(RestClient client, String uri, Object... variables) {
		client.get().uri(uri, variables).retrieve().body(String.class);
	}

	private static void exchangeAll(Mono<?> call) {
		Flux.range(0, CALLS).flatMap((number) -> call, CONCURRENCY).blockLast();
	}

	private static void callAll(Runnable call, ThreadStarter threads, boolean start) throws InterruptedException {
		CountDownLatch running = new CountDownLatch(CONCURRENCY);
		for (int i = 0; i < CONCURRENCY; i++) {
			Thread thread = threads.start(() -> {
				for (int number = 0; number < CALLS / CONCURRENCY; number++) {
					call.run();
				}
				running.countDown();
			});
			if (start) {
				thread.start();
			}
		}
		running.await();
	}

	private static void compare(String calls, Round bare, Round with) throws InterruptedException {
		for (int round = 0; round < WARM_UP_ROUNDS; round++) {
			bare.run();
			with.run();
		}
		List<Result> bareResults = new ArrayList<>();
		List<Result> withResults = new ArrayList<>();
		List<Double> ratios = new ArrayList<>();
		for (int round = 0; round < ROUNDS; round++) {
			Result first = Result.of((round % 2 == 0) ? bare : with);
			Result second = Result.of((round % 2 == 0) ? with : bare);
			bareResults.add((round % 2 == 0) ? first : second);
			withResults.add((round % 2 == 0) ? second : first);
			ratios.add(withResults.get(round).rate() / bareResults.get(round).rate());
		}
		System.out.printf("| %s | %,.0f | %,.0f | %.3f | %,.0f | %,.0f |%n", calls,
				median(bareResults.stream().map(Result::rate).toList()),
				median(withResults.stream().map(Result::rate).toList()), median(ratios),
				median(bareResults.stream().map(Result::bytes).toList()),
				median(withResults.stream().map(Result::bytes).toList()));
	}

	private static double median(List<Double> values) {
		return values.stream().sorted().toList().get(values.size() / 2);
	}

	private interface Round {

		void run() throws InterruptedException;

	}

	private interface ThreadStarter {

		Thread start(Runnable task);

	}

	/**
	 * What a round came to.
	 *
	 * @param rate calls per second
	 * @param bytes bytes allocated per call, by all threads
	 */
	private record Result(double rate, double bytes) {

		static Result of(Round round) throws InterruptedException {
			long allocated = allocated();
			long startedAt = System.nanoTime();
			round.run();
			long elapsed = System.nanoTime() - startedAt;
			return new Result(CALLS * 1e9 / elapsed, (double) (allocated() - allocated) / CALLS);
		}

		private static long allocated() {
			ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
			long sum = 0;
			for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
				sum += Math.max(bytes, 0);
			}
			return sum;
		}

	}

}
