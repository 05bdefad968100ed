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

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.Context;

import org.springframework.core.log.LogMessage;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;

import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Executes {@link RedisScripts}, a few at a time. Every operation completes in time, with
 * {@link RedisReply#NONE} if Redis has not answered. Connections are made on threads of
 * its own, the first one in the background.
 */
final class RedisScriptExecutor {

	private static final Log logger = LogFactory.getLog(RedisScriptExecutor.class);

	static final Consumer<Throwable> IGNORED_FAILURES = (failure) -> logger
		.debug(LogMessage.format("Abandoned Redis operation failed: %s", failure.getClass().getName()));

	/**
	 * Reactor hands errors that come too late to the consumer under this name, instead of
	 * logging them.
	 */
	static final Context CONTEXT = Context.of("reactor.onErrorDropped.local", IGNORED_FAILURES);

	// A script that Redis runs later than this after its timeout must do nothing.
	private static final Duration LATENESS_TOLERANCE = Duration.ofSeconds(1);

	private static final String TIMEOUT_MESSAGE = "did not answer within %d ms";

	private static final String CONNECT_TIMEOUT_MESSAGE = "could not be connected to within %d ms";

	private static final String QUEUE_TIMEOUT_MESSAGE = "was so busy that a script has waited for its turn for over %d ms";

	private static final Duration MAX_CONNECT_TIME = Duration.ofSeconds(10);

	private static final Duration STOP_TIMEOUT = Duration.ofSeconds(2);

	private static final int TIMEOUT_STEPS = 20;

	// Keeps Redis busy, and yet each of them is answered soon: the time for an answer
	// must not pass in a queue.
	private static final int MAX_IN_FLIGHT = 32;

	private static final long UNKNOWN = Long.MIN_VALUE;

	private final ReactiveStringRedisTemplate template;

	private final RedisTokenStoreSettings settings;

	private final List<String> probeKeys;

	private final RedisAvailability availability;

	private final Set<RedisScript<?>> answered = ConcurrentHashMap.newKeySet();

	private final Set<CompletableFuture<Void>> pending = ConcurrentHashMap.newKeySet();

	// Scripts that wait for their turn, in the order in which they came.
	private final AtomicReference<FluxSink<Supplier<Mono<?>>>> turns = new AtomicReference<>();

	// One thread each, which is blocked while a connection is made.
	private volatile ExecutorService connector = newConnector();

	private volatile ExecutorService subscriptionConnector = newConnector();

	// The first connection; later ones are the driver's business.
	private volatile Mono<RedisReply> connecting;

	private volatile Mono<RedisReply> connection;

	// What to add to the local monotonic time to get Redis's time, in milliseconds.
	private volatile long timeOffset = UNKNOWN;

	/**
	 * Create a new executor.
	 * @param connectionFactory the connections
	 * @param settings the settings
	 * @param onRecovery called at the first connection, and whenever Redis can be used
	 * again
	 * @param initialBackoff the time to the first probe of a Redis that has failed
	 * @param maxBackoff the longest time between two probes
	 */
	RedisScriptExecutor(ReactiveRedisConnectionFactory connectionFactory, RedisTokenStoreSettings settings,
			Runnable onRecovery, Duration initialBackoff, Duration maxBackoff) {
		this.template = new ReactiveStringRedisTemplate(connectionFactory);
		this.settings = settings;
		this.probeKeys = List.of(settings.keyPrefix() + "probe");
		this.availability = new RedisAvailability(Mono.defer(this::probe), onRecovery, initialBackoff, maxBackoff);
		this.connecting = newConnecting();
		this.connection = newConnection();
		Flux.<Supplier<Mono<?>>>create(this.turns::set).flatMap(Supplier::get, MAX_IN_FLIGHT).subscribe();
	}

	// Its thread ends when it has nothing to do.
	private static ExecutorService newConnector() {
		ThreadPoolExecutor executor = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
				RedisScriptExecutor::newThread);
		executor.allowCoreThreadTimeOut(true);
		return executor;
	}

	private static Thread newThread(Runnable task) {
		Thread thread = new Thread(null, task, "authing-wechat-redis", 0, false);
		thread.setDaemon(true);
		return thread;
	}

	private Mono<RedisReply> newConnecting() {
		return track(Mono.defer(this::probe)
			.doOnNext((reply) -> this.availability.close())
			.doOnError(this.availability::onError)).cache();
	}

	/**
	 * Return what waits for the first connection, but not for long, from the first
	 * operation on: nothing is late while nobody waits. The connection is made all the
	 * same, and what could not be written by then is written.
	 */
	private Mono<RedisReply> newConnection() {
		return timeout(this.connecting, this.settings.connectTimeout(), CONNECT_TIMEOUT_MESSAGE)
			.doOnError(this.availability::onError)
			.cache();
	}

	/**
	 * Connect in the background.
	 */
	void start() {
		if (this.connector.isShutdown()) {
			this.timeOffset = UNKNOWN;
			this.connector = newConnector();
			this.subscriptionConnector = newConnector();
			this.connecting = newConnecting();
			this.connection = newConnection();
			this.availability.resume();
		}
		this.connecting.subscribe(null, IGNORED_FAILURES);
	}

	/**
	 * Begin nothing more, and log nothing.
	 */
	void suspend() {
		this.availability.suspend();
	}

	/**
	 * Finish what has begun, for a while, and use Redis no more.
	 */
	void stop() {
		if (this.connector.isShutdown()) {
			return;
		}
		long end = System.nanoTime() + STOP_TIMEOUT.toNanos();
		awaitPending(end);
		suspend();
		awaitPending(end);
		awaitConnectors(end);
		awaitPending(end);
	}

	// The driver complains if its threads end while a connection is being made
	private void awaitConnectors(long end) {
		List<ExecutorService> connectors = List.of(this.connector, this.subscriptionConnector);
		connectors.forEach(ExecutorService::shutdown);
		try {
			for (ExecutorService connector : connectors) {
				connector.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		connectors.forEach(ExecutorService::shutdownNow);
	}

	private void awaitPending(long end) {
		while (!this.pending.isEmpty() && System.nanoTime() < end) {
			CompletableFuture.allOf(this.pending.toArray(CompletableFuture[]::new))
				.completeOnTimeout(null, end - System.nanoTime(), TimeUnit.NANOSECONDS)
				.join();
		}
	}

	/**
	 * Have {@link #stop()} wait for an operation.
	 */
	<T> Mono<T> track(Mono<T> operation) {
		return Mono.using(() -> {
			CompletableFuture<Void> end = new CompletableFuture<>();
			this.pending.add(end);
			return end;
		}, (end) -> operation, (end) -> {
			this.pending.remove(end);
			end.complete(null);
		}, false);
	}

	/**
	 * Return what completes when the first connection has been made or has failed.
	 */
	Mono<Void> connected() {
		return Mono.defer(() -> this.connecting).then().onErrorComplete();
	}

	/**
	 * Return the scheduler for a subscription, which has a connection of its own: while
	 * that is made no script must wait.
	 */
	Scheduler subscriptionScheduler() {
		return Schedulers.fromExecutorService(this.subscriptionConnector);
	}

	void onFeedSuccess() {
		this.availability.onFeedSuccess();
	}

	/**
	 * Find out whether it is Redis that has failed, or the feed only.
	 */
	void onFeedError(Throwable failure) {
		execute(RedisScripts.PROBE, this.probeKeys).filter(RedisReply::isExecuted)
			.subscribe((reply) -> this.availability.onFeedError(failure));
	}

	WechatMpTokenStoreStatus status(long undecodable) {
		return this.availability.status(undecodable);
	}

	Mono<RedisReply> execute(RedisScript<String> script, List<String> keys, String... arguments) {
		return execute(script, keys, (now) -> List.of(arguments));
	}

	/**
	 * Execute a script whose first argument is until when it may be executed.
	 * @param arguments given the time by Redis's clock, the other arguments
	 */
	Mono<RedisReply> executeWithDeadline(RedisScript<String> script, List<String> keys,
			LongFunction<List<String>> arguments) {
		Mono<RedisReply> attempt = execute(script, keys, (now) -> {
			long tolerance = timeout(script).plus(LATENESS_TOLERANCE).toMillis();
			List<String> all = new ArrayList<>(List.of(String.valueOf(now + tolerance)));
			all.addAll(arguments.apply(now));
			return all;
		});
		// Retried once: the reply has recalibrated the clock offset
		return attempt.flatMap((reply) -> reply.is(RedisReply.LATE) ? attempt : Mono.just(reply));
	}

	private Mono<RedisReply> execute(RedisScript<String> script, List<String> keys,
			LongFunction<List<String>> arguments) {
		Mono<RedisReply> attempt = ifPermitted(() -> {
			long begunAt = System.nanoTime();
			return send(script, keys, arguments, timeout(script), TIMEOUT_MESSAGE).doOnNext((reply) -> {
				this.answered.add(script);
				this.availability.onSuccess();
			}).doOnError((failure) -> this.availability.onError(failure, begunAt));
		});
		// Redis may have failed by its turn
		return track(ifPermitted(
				() -> (this.timeOffset != UNKNOWN) ? inTurn(attempt) : this.connection.then(inTurn(attempt))));
	}

	private Mono<RedisReply> ifPermitted(Supplier<Mono<RedisReply>> operation) {
		return Mono.defer(() -> this.availability.isCallPermitted() ? operation.get() : Mono.just(RedisReply.NONE))
			.onErrorReturn(RedisReply.NONE);
	}

	/**
	 * Begin when there are few enough in flight. Whoever has waited so long that no
	 * caller waits any more shows that Redis cannot be used; then all others wait no
	 * longer.
	 */
	private Mono<RedisReply> inTurn(Mono<RedisReply> attempt) {
		return Mono.defer(() -> {
			long latest = System.nanoTime() + this.settings.connectTimeout().toNanos();
			CompletableFuture<@Nullable RedisReply> reply = new CompletableFuture<>();
			this.turns.get().next(() -> begin(attempt, latest, reply));
			return Mono.fromFuture(reply, true);
		});
	}

	/**
	 * Begin, apart from both the caller and the queue, which must get over whatever is
	 * thrown: by the caller that gets the reply, or where no thread can be started.
	 */
	private Mono<?> begin(Mono<RedisReply> attempt, long latest, CompletableFuture<@Nullable RedisReply> reply) {
		try {
			if (System.nanoTime() - latest > 0) {
				this.availability.onError(new TimeoutException(
						QUEUE_TIMEOUT_MESSAGE.formatted(this.settings.connectTimeout().toMillis())));
			}
			attempt.subscribe(reply::complete, reply::completeExceptionally, () -> reply.complete(null));
		}
		catch (Throwable ex) {
			reply.completeExceptionally(ex);
		}
		return Mono.fromFuture(reply).onErrorComplete();
	}

	// The first answer to a script takes longer in a process that has just started:
	// classes are loaded, often beside other starting processes
	private Duration timeout(RedisScript<?> script) {
		return this.answered.contains(script) ? this.settings.timeout() : this.settings.connectTimeout();
	}

	private Mono<RedisReply> probe() {
		boolean connected = this.timeOffset != UNKNOWN;
		return send(RedisScripts.PROBE, this.probeKeys, (now) -> List.of(),
				connected ? this.settings.timeout() : MAX_CONNECT_TIME,
				connected ? TIMEOUT_MESSAGE : CONNECT_TIMEOUT_MESSAGE);
	}

	private Mono<RedisReply> send(RedisScript<String> script, List<String> keys, LongFunction<List<String>> arguments,
			Duration timeout, String timeoutMessage) {
		Mono<RedisReply> reply = Mono.defer(() -> {
			long sentAt = localTime();
			return this.template.execute(script, keys, arguments.apply(sentAt + this.timeOffset)).next().map((text) -> {
				RedisReply parsed = RedisReply.parse(text);
				long now = localTime();
				this.timeOffset = parsed.time() - now;
				return parsed.receivedAfter(now - sentAt);
			});
		});
		Scheduler scheduler = Schedulers.fromExecutorService(this.connector);
		// The time for an answer begins when the script is sent, which others or the
		// making of a connection may delay, and ends when the driver has the answer: what
		// is done with one must not delay the others
		Mono<RedisReply> sent = timeout(reply, timeout, timeoutMessage).publishOn(scheduler).subscribeOn(scheduler);
		return timeout(sent, timeout.plus(this.settings.connectTimeout()), timeoutMessage).contextWrite(CONTEXT);
	}

	private static <T> Mono<T> timeout(Mono<T> operation, Duration timeout, String message) {
		return operation.timeout(runningTime(timeout),
				Mono.error(() -> new TimeoutException(message.formatted(timeout.toMillis()))));
	}

	/**
	 * Wait for a time in small steps, of which each begins when this process has noticed
	 * the end of the one before: on a busy machine Redis may have answered a process that
	 * does not get to run.
	 */
	private static Mono<Void> runningTime(Duration time) {
		return Mono.delay(time.dividedBy(TIMEOUT_STEPS)).repeat(TIMEOUT_STEPS - 1).then();
	}

	private static long localTime() {
		return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
	}

}
