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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.scheduler.NonBlocking;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingTransportException;

import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.POLICY;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Rule 8: blocking callers wait at most the deadline, are interruptible, and never block
 * an event-loop thread.
 */
@Timeout(60)
class BlockingCallersTests {

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	@Test
	void getAccessTokenSyncWhenInterruptedShouldThrowAndLeaveFetchAlone() throws Exception {
		Waiting caller = new Waiting(this.fixture);
		caller.interrupt();
		assertThat(caller.failure()).isInstanceOf(AuthingTransportException.class)
			.hasMessageContaining("Interrupted")
			.hasCauseInstanceOf(InterruptedException.class);
		assertThat(caller.wasInterrupted).isTrue();
		Caller other = this.fixture.ask();
		this.fixture.client.call().succeed("A", LIFE);
		assertThat(other.accessToken()).isEqualTo("A");
		assertThat(this.fixture.fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenSyncWhenTimeIsUpShouldThrowAndLeaveFetchAlone() throws Exception {
		// The caller waits in real time; the fetch's own deadline is in the fixture's.
		WechatMpRefreshPolicy hasty = POLICY.withTimeout(Duration.ofMillis(1));
		TokenServiceFixture fixture = new TokenServiceFixture((setup) -> setup.withPolicy(hasty));
		Waiting caller = new Waiting(fixture);
		assertThat(caller.failure()).isInstanceOf(AuthingTransportException.class)
			.hasMessageContaining("authing.timeout");
		Caller other = fixture.ask();
		fixture.client.call().succeed("A", LIFE);
		assertThat(other.accessToken()).isEqualTo("A");
		assertThat(fixture.fetches()).isEqualTo(1);
	}

	@Test
	void getAccessTokenSyncWhenInterruptedBeforeAndHeldShouldReturn() {
		this.fixture.hold("A");
		Thread.currentThread().interrupt();
		assertThat(this.fixture.held()).isEqualTo("A");
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void getAccessTokenSyncWhenInterruptedBeforeAndStaleShouldReturn() {
		this.fixture.hold("A");
		this.fixture.advance(UNTIL_STALE);
		Thread.currentThread().interrupt();
		assertThat(this.fixture.held()).isEqualTo("A");
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void getAccessTokenSyncWhenOnEventLoopShouldFailOnlyIfItHadToWait() throws Exception {
		assertThat(onEventLoop(this.fixture)).asInstanceOf(InstanceOfAssertFactories.THROWABLE)
			.isInstanceOf(IllegalStateException.class)
			.hasMessageContaining("getAccessToken()")
			.hasMessageContaining("event-loop");
		this.fixture.time.runDue();
		this.fixture.client.call().fail();
		assertThat(onEventLoop(this.fixture)).as("the remembered failure").isInstanceOf(AuthingApiException.class);
		this.fixture.advance(Duration.ofSeconds(1));
		this.fixture.hold("A");
		assertThat(onEventLoop(this.fixture)).isEqualTo("A");
		this.fixture.advance(UNTIL_DUE);
		assertThat(onEventLoop(this.fixture)).isEqualTo("A");
		this.fixture.advance(UNTIL_STALE.minus(UNTIL_DUE));
		assertThat(this.fixture.state()).isEqualTo(WechatMpTokenState.STALE);
		assertThat(onEventLoop(this.fixture)).isEqualTo("A");
	}

	private static @Nullable Object onEventLoop(TokenServiceFixture fixture) throws Exception {
		CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
		new EventLoopThread(() -> {
			try {
				result.complete(fixture.held());
			}
			catch (RuntimeException ex) {
				result.complete(ex);
			}
		}).start();
		return result.get(10, TimeUnit.SECONDS);
	}

	private static final class EventLoopThread extends Thread implements NonBlocking {

		EventLoopThread(Runnable task) {
			super(task, "event-loop");
		}

	}

	/**
	 * A thread that waits in {@code getAccessTokenSync()}.
	 */
	private static final class Waiting {

		private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

		private final Thread thread;

		private volatile boolean wasInterrupted;

		Waiting(TokenServiceFixture fixture) throws InterruptedException {
			CountDownLatch started = new CountDownLatch(1);
			fixture.client.onCall((call) -> started.countDown());
			this.thread = new Thread(() -> {
				try {
					fixture.held();
				}
				catch (RuntimeException ex) {
					this.wasInterrupted = Thread.currentThread().isInterrupted();
					this.failure.complete(ex);
				}
			});
			this.thread.start();
			while (started.getCount() > 0) {
				Thread.onSpinWait();
				fixture.time.runDue();
			}
		}

		void interrupt() {
			this.thread.interrupt();
		}

		Throwable failure() throws Exception {
			return this.failure.get(30, TimeUnit.SECONDS);
		}

	}

}
