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
import java.util.ArrayList;
import java.util.List;

import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.core.io.buffer.NettyDataBufferFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link PeekedBody}: demand, cancellation and that no buffer is lost.
 */
class PeekedBodyTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	private final NettyDataBufferFactory buffers = new NettyDataBufferFactory(UnpooledByteBufAllocator.DEFAULT);

	private final List<DataBuffer> created = new ArrayList<>();

	private final TestPublisher<DataBuffer> source = TestPublisher.create();

	@AfterEach
	void everyBufferIsReleased() {
		assertThat(this.created).noneMatch((buffer) -> NettyDataBufferFactory.toByteBuf(buffer).refCnt() > 0);
	}

	@Test
	void ofShouldAskForOneBufferUntilDecided() {
		List<PeekedBody> result = new ArrayList<>();
		PeekedBody.of(this.source.flux(), (peeking) -> {
		}).subscribe(result::add);
		this.source.assertMaxRequested(1);
		this.source.next(buffer("{\"errcode\""));
		this.source.assertMaxRequested(1);
		assertThat(result).isEmpty();
		this.source.next(buffer(":1,"));
		assertThat(result).singleElement().satisfies((body) -> assertThat(body.peek().errcode()).isOne());
		result.get(0).drain().subscribe();
		this.source.complete();
	}

	@Test
	void cancelUnreadShouldEndBodyThatNobodyHasReadAndNoOther() {
		PeekedBody unread = peek(buffer("ab"));
		PeekedBody.cancelUnread(unread);
		this.source.assertCancelled();
		StepVerifier.create(unread.toFlux()).expectError(IllegalStateException.class).verify();
		PeekedBody.cancelUnread(null);
	}

	@Test
	void cancelUnreadWhenBodyIsReadShouldLeaveIt() {
		PeekedBody body = peek(buffer("ab"));
		StepVerifier.create(body.toFlux().map(PeekedBodyTests::text))
			.expectNext("ab")
			.then(() -> PeekedBody.cancelUnread(body))
			.then(this.source::assertWasNotCancelled)
			.then(this.source::complete)
			.verifyComplete();
	}

	@Test
	void toFluxShouldHandOnWhatIsAskedForOnly() {
		PeekedBody body = peek(buffer("ab"));
		StepVerifier.create(body.toFlux().map(PeekedBodyTests::text), 0)
			.thenRequest(1)
			.expectNext("ab")
			.then(this.source::assertWasNotCancelled)
			.thenRequest(1)
			.then(() -> this.source.next(buffer("cd")))
			.expectNext("cd")
			.then(this.source::complete)
			.expectComplete()
			.verify(TIMEOUT);
	}

	@Test
	void toFluxWhenSourceEndedBeforeShouldComplete() {
		PeekedBody body = peek(buffer("a"));
		this.source.complete();
		StepVerifier.create(body.toFlux().map(PeekedBodyTests::text)).expectNext("a").expectComplete().verify(TIMEOUT);
	}

	@Test
	void toFluxWhenSourceFailedBeforeShouldFailAfterWhatWasRead() {
		PeekedBody body = peek(buffer("a"));
		this.source.error(new IllegalStateException("broken"));
		StepVerifier.create(body.toFlux().map(PeekedBodyTests::text))
			.expectNext("a")
			.expectErrorMessage("broken")
			.verify(TIMEOUT);
	}

	@Test
	void ofWhenSourceFailsDuringLookShouldGiveErrorToConsumer() {
		List<PeekedBody> result = new ArrayList<>();
		PeekedBody.of(this.source.flux(), (peeking) -> {
		}).subscribe(result::add);
		this.source.next(buffer("{"));
		this.source.error(new IllegalStateException("broken"));
		StepVerifier.create(result.get(0).toFlux().map(PeekedBodyTests::text))
			.expectNext("{")
			.expectErrorMessage("broken")
			.verify(TIMEOUT);
	}

	@Test
	void ofWhenSourceIsEmptyShouldGiveEmptyBody() {
		StepVerifier.create(PeekedBody.of(Flux.empty(), (peeking) -> {
		}).flatMapMany(PeekedBody::toFlux)).expectComplete().verify(TIMEOUT);
	}

	@Test
	void ofWhenCancelledDuringLookShouldCancelAndReleaseWhatWasRead() {
		Disposable subscription = PeekedBody.of(this.source.flux(), (peeking) -> {
		}).subscribe();
		this.source.next(buffer("{"));
		subscription.dispose();
		this.source.assertCancelled();
	}

	@Test
	void toFluxWhenCancelledBeforeDemandShouldCancelAndReleaseWhatWasRead() {
		PeekedBody body = peek(buffer("{"), buffer("a"));
		StepVerifier.create(body.toFlux(), 0).thenCancel().verify(TIMEOUT);
		this.source.assertCancelled();
	}

	@Test
	void toFluxWhenCancelledWithinWhatWasReadShouldReleaseTheOthers() {
		PeekedBody body = peek(buffer("{"), buffer("a"));
		StepVerifier.create(body.toFlux(), 1).consumeNextWith(DataBufferUtils::release).thenCancel().verify(TIMEOUT);
		this.source.assertCancelled();
	}

	@Test
	void toFluxWhenCancelledLaterShouldCancel() {
		PeekedBody body = peek(buffer("a"));
		StepVerifier.create(body.toFlux().map(PeekedBodyTests::text))
			.expectNext("a")
			.then(() -> this.source.next(buffer("b")))
			.expectNext("b")
			.thenCancel()
			.verify(TIMEOUT);
		this.source.assertCancelled();
	}

	@Test
	void toFluxWhenSubscribedToAgainShouldFail() {
		PeekedBody body = peek(buffer("a"));
		this.source.complete();
		body.drain().block(TIMEOUT);
		StepVerifier.create(body.toFlux()).expectError(IllegalStateException.class).verify(TIMEOUT);
	}

	@Test
	void drainShouldReleaseAll() {
		PeekedBody body = peek(buffer("{\"errcode\":40001,"));
		StepVerifier.create(body.drain())
			.then(() -> this.source.next(buffer("\"errmsg\":\"\"}")).complete())
			.expectComplete()
			.verify(TIMEOUT);
	}

	@Test
	void drainWhenBodyIsLongShouldCancel() {
		PeekedBody body = peek(buffer("{\"errcode\":40001,"));
		StepVerifier.create(body.drain())
			.then(() -> this.source.next(buffer(" ".repeat(64 * 1024))))
			.expectComplete()
			.verify(TIMEOUT);
		this.source.assertCancelled();
	}

	@Test
	void drainWhenBodyFailsShouldComplete() {
		PeekedBody body = peek(buffer("{\"errcode\":40001,"));
		StepVerifier.create(body.drain())
			.then(() -> this.source.error(new IllegalStateException("broken")))
			.expectComplete()
			.verify(TIMEOUT);
	}

	@Test
	void toFluxWhenSourceIsSynchronousShouldHandOnEveryByte() {
		String json = "{\"errcode\":0," + "x".repeat(1000) + "}";
		Flux<DataBuffer> bytes = Flux.fromStream(json.chars().mapToObj((c) -> buffer(String.valueOf((char) c))));
		Mono<String> result = PeekedBody.of(bytes, (peeking) -> {
		}).flatMapMany(PeekedBody::toFlux).map(PeekedBodyTests::text).reduce(String::concat);
		StepVerifier.create(result).expectNext(json).expectComplete().verify(TIMEOUT);
	}

	private PeekedBody peek(DataBuffer... first) {
		List<PeekedBody> result = new ArrayList<>();
		PeekedBody.of(this.source.flux(), (peeking) -> {
		}).subscribe(result::add);
		for (DataBuffer buffer : first) {
			this.source.next(buffer);
		}
		return result.get(0);
	}

	private DataBuffer buffer(String text) {
		DataBuffer buffer = this.buffers.wrap(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
		this.created.add(buffer);
		return buffer;
	}

	private static String text(DataBuffer buffer) {
		String text = buffer.toString(StandardCharsets.UTF_8);
		DataBufferUtils.release(buffer);
		return text;
	}

}
