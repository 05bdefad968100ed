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

package cn.authing.wechat.http;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests that long answers pass the filter as they come.
 */
class StreamingTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private static final int CHUNK = 64 * 1024;

	private final FakeWechat wechat = FakeWechat.start();

	private final WebClient client = WebClient.builder()
		.baseUrl(this.wechat.url())
		.filter(WechatMpTokenExchangeFilterFunction.of(FakeTokenSource.of("alive")).withHosts(this.wechat.host()))
		.build();

	StreamingTests() {
		this.wechat.acceptOnly("alive");
	}

	@AfterEach
	void stop() {
		this.wechat.close();
	}

	@Test
	void firstBytesShouldNotWaitForTheLast() {
		Sinks.Empty<Void> rest = Sinks.empty();
		Flux<ByteBuf> body = Flux.concat(Mono.just(text("first")), rest.asMono().cast(ByteBuf.class),
				Mono.just(text("last")));
		this.wechat.answer("/any", (response) -> response.send(body, (buffer) -> true));
		StepVerifier.create(download().map(StreamingTests::text))
			.expectNext("first")
			.then(rest::tryEmitEmpty)
			.expectNext("last")
			.expectComplete()
			.verify(TIMEOUT);
	}

	@Test
	void longAnswerShouldPassWhole() {
		long total = 200L * 1024 * 1024;
		answerChunks((int) (total / CHUNK), new AtomicInteger());
		AtomicLong held = new AtomicLong();
		long before = direct();
		StepVerifier.create(download().map((buffer) -> {
			held.accumulateAndGet(direct() - before, Math::max);
			return size(buffer);
		}).reduce(0L, Long::sum)).expectNext(total).expectComplete().verify(TIMEOUT);
		assertThat(held.get()).isLessThan(64L * 1024 * 1024);
	}

	@Test
	void slowConsumerShouldHoldTheSenderBack() {
		AtomicInteger sent = new AtomicInteger();
		int chunks = 3200;
		answerChunks(chunks, sent);
		StepVerifier.create(download().map(StreamingTests::size), 0)
			.thenRequest(1)
			.expectNextCount(1)
			.then(() -> assertThat(sent).hasValueLessThan(chunks))
			.thenCancel()
			.verify(TIMEOUT);
	}

	private void answerChunks(int chunks, AtomicInteger sent) {
		byte[] chunk = new byte[CHUNK];
		this.wechat.answer("/any",
				(response) -> response.send(Flux.range(0, chunks)
					.doOnNext((index) -> sent.incrementAndGet())
					.map((index) -> Unpooled.wrappedBuffer(chunk))));
	}

	private Flux<DataBuffer> download() {
		return this.client.get().uri("/any").retrieve().bodyToFlux(DataBuffer.class);
	}

	private static long direct() {
		return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
	}

	private static long size(DataBuffer buffer) {
		long size = buffer.readableByteCount();
		DataBufferUtils.release(buffer);
		return size;
	}

	private static ByteBuf text(String text) {
		return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
	}

	private static String text(DataBuffer buffer) {
		String text = buffer.toString(StandardCharsets.UTF_8);
		DataBufferUtils.release(buffer);
		return text;
	}

}
