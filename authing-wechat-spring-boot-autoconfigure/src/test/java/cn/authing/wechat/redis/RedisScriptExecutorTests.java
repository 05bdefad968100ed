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

package cn.authing.wechat.redis;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.data.redis.RedisConnectionFailureException;
import org.springframework.data.redis.connection.ReactiveRedisConnection;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.connection.ReactiveScriptingCommands;

import cn.authing.wechat.WechatMpCredentials;

import static cn.authing.wechat.redis.RedisWechatMpTokenStoreTests.awaitTrue;
import static cn.authing.wechat.redis.TestStore.PATIENCE;
import static cn.authing.wechat.redis.TestStore.SECRET;
import static cn.authing.wechat.redis.TestStore.token;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.mock;

/**
 * How many scripts of a {@link RedisScriptExecutor} are in flight, with a Redis that
 * answers when it is told to.
 */
class RedisScriptExecutorTests {

	private static final int MAX_IN_FLIGHT = 32;

	private static final int MANY = 5 * MAX_IN_FLIGHT;

	private final Deque<Sinks.One<ByteBuffer>> unanswered = new ConcurrentLinkedDeque<>();

	private final AtomicInteger sent = new AtomicInteger();

	private final ReactiveRedisConnectionFactory connectionFactory = connectionFactory();

	private TestStore store = new TestStore(this.connectionFactory, () -> {
	}, PATIENCE);

	private volatile boolean down;

	private volatile boolean slow;

	@AfterEach
	void closeStore() {
		answer(Integer.MAX_VALUE);
		this.slow = false;
		this.store.close();
	}

	@Test
	void executeWhenManyAreBegunShouldSendAFewAtATimeAndAllInTheEnd() {
		connect();
		List<CompletableFuture<?>> reads = read(0, MANY);
		for (int answered = 0; answered < MANY; answered++) {
			int expected = Math.min(MANY, MAX_IN_FLIGHT + answered);
			awaitTrue(() -> this.sent.get() >= expected);
			assertThat(this.sent).hasValue(expected);
			answer(1);
		}
		assertThat(reads).allSatisfy((read) -> assertThat(read).succeedsWithin(PATIENCE));
		assertThat(this.store.store.status().failed()).isZero();
	}

	@Test
	void executeWhenCallersAreCancelledShouldHaveAsManyInFlightAsBefore() {
		connect();
		List<Disposable> callers = IntStream.range(0, MANY)
			.mapToObj((i) -> this.store.store.read(account(i)).subscribe())
			.toList();
		awaitTrue(() -> this.sent.get() == MAX_IN_FLIGHT);
		callers.forEach(Disposable::dispose);
		assertAsManyInFlightAsBefore();
	}

	@Test
	void executeWhenCallersThrowShouldHaveAsManyInFlightAsBefore() {
		connect();
		IntStream.range(0, MANY).forEach((i) -> this.store.store.read(account(i)).subscribe(null, null, () -> {
			throw new StackOverflowError();
		}));
		assertAsManyInFlightAsBefore();
	}

	private void assertAsManyInFlightAsBefore() {
		awaitTrue(() -> {
			answer(Integer.MAX_VALUE);
			return this.sent.get() == MANY;
		});
		answer(Integer.MAX_VALUE);
		read(MANY, 2 * MANY);
		awaitTrue(() -> this.unanswered.size() == MAX_IN_FLIGHT);
	}

	@Test
	void executeWhenRedisFailsShouldLetNobodyWaitForATurn() {
		connect();
		List<CompletableFuture<?>> reads = read(0, MANY);
		awaitTrue(() -> this.sent.get() == MAX_IN_FLIGHT);
		this.down = true;
		this.unanswered.pop().tryEmitError(new RedisConnectionFailureException("down"));
		assertThat(reads.subList(MAX_IN_FLIGHT, MANY)).allSatisfy((read) -> assertThat(read).succeedsWithin(PATIENCE));
		assertThat(this.store.store.status().failed()).isEqualTo(1);
	}

	@Test
	void executeWhenRedisHasRecoveredShouldSendWhatIsOutstandingAFewAtATime() {
		this.down = true;
		read(0, 1).get(0).join();
		Flux.range(0, MANY)
			.flatMap((i) -> this.store.store.publish(account(i), token("t", Duration.ofHours(1))))
			.blockLast(PATIENCE);
		this.slow = true;
		this.down = false;
		for (int answered = 0; answered < MANY; answered++) {
			int expected = Math.min(MANY, MAX_IN_FLIGHT / 2 + answered);
			awaitTrue(() -> this.sent.get() >= expected);
			assertThat(this.sent).hasValue(expected);
			answer(1);
		}
		awaitTrue(() -> this.store.store.status().reason() == null);
	}

	@Test
	void executeWhenItTakesTooLongWhileOthersAreAnsweredShouldLeaveThoseAlone() {
		this.store.close();
		this.store = new TestStore(this.connectionFactory, () -> {
		}, Duration.ofSeconds(1));
		this.store.store.publish(account(0), token("t", Duration.ofHours(1))).block(PATIENCE);
		connect();
		CompletableFuture<?> write = this.store.store.publish(account(1), token("t", Duration.ofHours(1))).toFuture();
		awaitTrue(() -> this.sent.get() == 1);
		Sinks.One<ByteBuffer> late = this.unanswered.pop();
		CompletableFuture<?> read = read(2, 3).get(0);
		awaitTrue(() -> !this.unanswered.isEmpty());
		answer(1);
		assertThat(read).succeedsWithin(PATIENCE);
		assertThat(write).succeedsWithin(PATIENCE);
		assertThat(this.store.store.status().failed()).isEqualTo(1);
		assertThat(this.store.store.status().reason()).isNull();
		late.tryEmitValue(done());
		awaitTrue(() -> this.sent.get() == 3);
		assertThat(read(3, 4).get(0)).succeedsWithin(PATIENCE);
		assertThat(this.store.store.status().reason()).isEqualTo("did not answer within 1000 ms");
	}

	@Test
	void executeShouldLeaveTheThreadOfTheDriverToAnswers() {
		connect();
		CompletableFuture<Thread> thread = new CompletableFuture<>();
		this.store.store.read(account(1)).doOnTerminate(() -> thread.complete(Thread.currentThread())).subscribe();
		awaitTrue(() -> !this.unanswered.isEmpty());
		answer(1);
		assertThat(thread).succeedsWithin(PATIENCE).isNotSameAs(Thread.currentThread());
	}

	private void connect() {
		read(0, 1).get(0).join();
		this.slow = true;
	}

	private List<CompletableFuture<?>> read(int from, int to) {
		return IntStream.range(from, to)
			.<CompletableFuture<?>>mapToObj((i) -> this.store.store.read(account(i)).toFuture())
			.toList();
	}

	private static WechatMpCredentials account(int number) {
		return new WechatMpCredentials("wx" + number, SECRET);
	}

	private void answer(int count) {
		for (int i = 0; i < count && !this.unanswered.isEmpty(); i++) {
			this.unanswered.pop().tryEmitValue(done());
		}
	}

	private static ByteBuffer done() {
		return ByteBuffer.wrap((System.currentTimeMillis() + " done").getBytes(StandardCharsets.UTF_8));
	}

	private ReactiveRedisConnectionFactory connectionFactory() {
		ReactiveScriptingCommands commands = mock(ReactiveScriptingCommands.class);
		given(commands.evalSha(any(), any(), anyInt(), any(ByteBuffer[].class)))
			.willAnswer((invocation) -> evaluate(invocation.getRawArguments()));
		ReactiveRedisConnection connection = mock(ReactiveRedisConnection.class);
		given(connection.scriptingCommands()).willReturn(commands);
		given(connection.closeLater()).willReturn(Mono.empty());
		ReactiveRedisConnectionFactory connectionFactory = mock(ReactiveRedisConnectionFactory.class);
		given(connectionFactory.getReactiveConnection()).willReturn(connection);
		return connectionFactory;
	}

	private Flux<ByteBuffer> evaluate(Object[] call) {
		if (this.down) {
			return Flux.error(new RedisConnectionFailureException("down"));
		}
		if (!this.slow || call[0].equals(RedisScripts.PROBE.getSha1())) {
			return Flux.just(done());
		}
		Sinks.One<ByteBuffer> answer = Sinks.one();
		this.unanswered.add(answer);
		this.sent.incrementAndGet();
		return answer.asMono().flux();
	}

}
