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

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.Stream;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.log.LogMessage;
import org.springframework.data.redis.connection.ReactiveSubscription.Message;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.data.redis.listener.ChannelTopic;
import org.springframework.data.redis.listener.ReactiveRedisMessageListenerContainer;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.redis.RedisReply.Outcome;
import cn.authing.wechat.token.WechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * {@link WechatMpTokenStore} in Redis.
 * <p>
 * Any trouble with Redis is this class's own: an operation that gets no answer in time
 * completes as if nothing were shared, and so do all others, at once, until Redis is
 * back. Connections are made on a thread of its own.
 *
 * @since 1.0.0
 */
public final class RedisWechatMpTokenStore implements WechatMpTokenStore, SmartLifecycle, DisposableBean {

	private static final Log logger = LogFactory.getLog(RedisWechatMpTokenStore.class);

	// After its holder has died a lease ends within this time, and is then taken over at
	// the next attempt of another instance: within 2 s in all.
	private static final Duration LEASE_LIFE = Duration.ofMillis(1500);

	private static final Duration LEASE_RENEWAL = Duration.ofMillis(500);

	// The first connection takes longer than any answer; nobody waits for it.
	private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

	// What Redis carries out later than that after nobody waits for it any more is better
	// not done.
	private static final Duration LATE = Duration.ofSeconds(1);

	private static final Duration INITIAL_PAUSE = Duration.ofSeconds(1);

	private static final Duration MAX_PAUSE = Duration.ofSeconds(10);

	// Reactor's own name of the context's entry.
	private static final String ON_ERROR_DROPPED = "reactor.onErrorDropped.local";

	private static final Consumer<Throwable> AFTERWARDS = (failure) -> logger
		.debug(LogMessage.format("What nobody waits for any more failed with %s", failure.getClass().getName()));

	private final SecureRandom random = new SecureRandom();

	private final LongAdder undecodable = new LongAdder();

	private final AtomicBoolean undecodableWarned = new AtomicBoolean();

	private final String instance = randomName();

	private final ReactiveStringRedisTemplate template;

	private final RedisTokenStoreSettings settings;

	private final TokenCodec codec;

	private final String channel;

	private final Cache<String, WechatMpCredentials> accounts;

	private final Scheduler scheduler;

	private final RedisAvailability availability;

	// The first one; later ones are Lettuce's business.
	private final Mono<RedisReply> connection = Mono.defer(this::connect).cache();

	private volatile long connectingSince;

	// What to add to the local monotonic time to get Redis's time, in milliseconds.
	private volatile long timeOffset = Long.MIN_VALUE;

	/**
	 * Create a new store.
	 * @param template the connection
	 * @param settings the settings
	 */
	public RedisWechatMpTokenStore(ReactiveStringRedisTemplate template, RedisTokenStoreSettings settings) {
		this(template, settings, INITIAL_PAUSE, MAX_PAUSE);
	}

	RedisWechatMpTokenStore(ReactiveStringRedisTemplate template, RedisTokenStoreSettings settings,
			Duration initialPause, Duration maxPause) {
		this.template = template;
		this.settings = settings;
		this.codec = new TokenCodec(settings.encryptionKeys());
		this.channel = settings.keyPrefix() + "changes";
		this.accounts = Caffeine.newBuilder().maximumSize(settings.maxAccounts()).executor(Runnable::run).build();
		// As many threads as connections are made at a time; it ends when it has nothing
		// to do
		this.scheduler = Schedulers.newBoundedElastic(1, Schedulers.DEFAULT_BOUNDED_ELASTIC_QUEUESIZE,
				RedisWechatMpTokenStore::newThread, 10);
		this.availability = new RedisAvailability(Mono.defer(this::probe), settings.timeout(), initialPause, maxPause);
	}

	private static Thread newThread(Runnable task) {
		Thread thread = new Thread(null, task, "authing-wechat-redis", 0, false);
		thread.setDaemon(true);
		return thread;
	}

	private String randomName() {
		byte[] name = new byte[12];
		this.random.nextBytes(name);
		return Base64.getUrlEncoder().encodeToString(name);
	}

	/**
	 * Return the time of two answers, the making of the connection included.
	 */
	@Override
	public Duration maxWait() {
		return this.settings.timeout().multipliedBy(2);
	}

	@Override
	public Mono<StoredToken> read(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			RedisAccount account = account(credentials);
			long startedAt = System.nanoTime();
			return execute(RedisScripts.READ, List.of(account.tokenKey()), List.of())
				.flatMap((reply) -> Mono.justOrEmpty(token(account, reply, startedAt)));
		});
	}

	@Override
	public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
		return Mono.defer(() -> publish(account(credentials), token, "")).defaultIfEmpty(token);
	}

	private Mono<StoredToken> publish(RedisAccount account, StoredToken token, String replaceable) {
		if (token.life().toMillis() <= 0) {
			return Mono.empty();
		}
		long startedAt = System.nanoTime();
		return executeInTime(RedisScripts.PUBLISH, List.of(account.tokenKey()), this.codec.encode(account, token),
				String.valueOf(token.life().toMillis()), this.channel, message(account.id()), replaceable)
			.filter((reply) -> reply.outcome() == Outcome.NEWER && reply.value() != null)
			.flatMap((reply) -> {
				StoredToken newer = token(account, reply, startedAt);
				if (newer == null && replaceable.isEmpty()) {
					// It only looks like a newer one.
					return publish(account, token, String.valueOf(reply.value()));
				}
				return Mono.justOrEmpty(newer);
			});
	}

	@Override
	public Mono<Void> drop(WechatMpCredentials credentials, String accessToken) {
		return Mono.defer(() -> {
			RedisAccount account = account(credentials);
			String digest = account.digest(accessToken);
			return execute(RedisScripts.DROP, List.of(account.tokenKey()),
					List.of(digest, this.channel, message(account.id(), digest)));
		}).then();
	}

	@Override
	public Mono<Lease> lease(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			RedisAccount account = account(credentials);
			RedisLease lease = new RedisLease(account.leaseKey());
			long startedAt = System.nanoTime();
			return executeInTime(RedisScripts.LEASE, List.of(account.tokenKey(), account.leaseKey()), lease.owner,
					String.valueOf(LEASE_LIFE.toMillis()))
				.flatMap((reply) -> (reply.outcome() != Outcome.HELD)
						? Mono.just(lease.granted(reply, token(account, reply, startedAt))) : Mono.empty());
		});
	}

	@Override
	public Flux<Change> changes() {
		// The connection for all else is best made now, before a caller needs it.
		return this.connection.onErrorResume((failure) -> probe())
			.thenMany(listen())
			.doOnError(this.availability::failed)
			.retryWhen(Retry.backoff(Long.MAX_VALUE, INITIAL_PAUSE).maxBackoff(MAX_PAUSE).transientErrors(true))
			.repeatWhen((completions) -> completions.delayElements(INITIAL_PAUSE))
			.map(Message::getMessage)
			.flatMap((message) -> Mono.justOrEmpty(change(message)))
			.contextWrite((context) -> context.put(ON_ERROR_DROPPED, AFTERWARDS));
	}

	private Flux<Message<String, String>> listen() {
		ChannelTopic topic = ChannelTopic.of(this.channel);
		// The template would leave an error at the end to nobody
		return Flux
			.using(() -> new ReactiveRedisMessageListenerContainer(this.template.getConnectionFactory()),
					(container) -> container.receive(topic),
					(container) -> container.destroyLater().subscribe(null, AFTERWARDS))
			.subscribeOn(this.scheduler);
	}

	private String message(String... parts) {
		return this.instance + " " + String.join(" ", parts);
	}

	private @Nullable Change change(String message) {
		String[] parts = message.split(" ");
		if (parts.length < 2 || parts.length > 3 || parts[0].equals(this.instance)) {
			return null;
		}
		WechatMpCredentials credentials = this.accounts.getIfPresent(parts[1]);
		if (credentials == null) {
			return null;
		}
		RedisAccount account = account(credentials);
		return (parts.length == 3)
				? new Rejected(credentials, (token) -> TokenCodec.equal(account.digest(token), parts[2]))
				: new Published(credentials);
	}

	@Override
	public WechatMpTokenStoreStatus status() {
		return this.availability.status(this.undecodable.sum());
	}

	private RedisAccount account(WechatMpCredentials credentials) {
		RedisAccount account = RedisAccount.of(credentials, this.settings.keyPrefix());
		this.accounts.put(account.id(), credentials);
		return account;
	}

	private @Nullable StoredToken token(RedisAccount account, RedisReply reply, long startedAt) {
		if (reply.value() == null) {
			return null;
		}
		// Some of the life may have passed on the way
		long onTheWay = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedAt);
		long life = (reply.life() >= 0) ? Math.max(reply.life() - onTheWay, 0) : reply.life();
		StoredToken token = this.codec.decode(account, reply.value(), Duration.ofMillis(life));
		if (token == null) {
			this.undecodable.increment();
			if (this.undecodableWarned.compareAndSet(false, true)) {
				logger.warn(LogMessage.format(
						"The value of the Redis key '%s' cannot be read and is taken for absent:"
								+ " it is damaged, or encrypted with a key that is not among"
								+ " authing.wechat.cache.redis.encryption-keys. Further ones are only counted",
						account.tokenKey()));
			}
		}
		return token;
	}

	private Mono<RedisReply> probe() {
		return send(RedisScripts.PROBE, List.of(this.settings.keyPrefix() + "probe"), List.of(),
				isConnected() ? this.settings.timeout() : CONNECT_TIMEOUT);
	}

	/**
	 * Execute a script that must know how late it is executed.
	 */
	private Mono<RedisReply> executeInTime(RedisScript<String> script, List<String> keys, String... arguments) {
		long sentAt = localTime();
		String patience = String.valueOf(this.settings.timeout().plus(LATE).toMillis());
		Mono<RedisReply> attempt = Mono.defer(() -> execute(script, keys,
				Stream.concat(Stream.of(redisTime(sentAt), patience), Stream.of(arguments)).toList()));
		// It was in time if the clocks were not known or have changed, which they are now
		return attempt.flatMap((reply) -> (reply.outcome() == Outcome.LATE) ? attempt : Mono.just(reply));
	}

	private String redisTime(long localTime) {
		return isConnected() ? String.valueOf(localTime + this.timeOffset) : "0";
	}

	private Mono<RedisReply> execute(RedisScript<String> script, List<String> keys, List<String> arguments) {
		return Mono.defer(() -> {
			if (!this.availability.admits()) {
				return Mono.just(RedisReply.NONE);
			}
			return isConnected() ? attempt(script, keys, arguments)
					: awaitConnection().flatMap((connected) -> attempt(script, keys, arguments))
						.defaultIfEmpty(RedisReply.NONE);
		});
	}

	/**
	 * Wait for the first connection, but no longer in all than for two answers.
	 */
	private Mono<RedisReply> awaitConnection() {
		Duration patience = maxWait();
		long startedAt = this.connectingSince;
		if (startedAt != 0) {
			patience = patience.minusNanos(System.nanoTime() - startedAt);
		}
		Duration left = patience.isNegative() ? Duration.ZERO : patience;
		return this.connection.timeout(left, Mono.empty()).onErrorComplete();
	}

	private Mono<RedisReply> connect() {
		this.connectingSince = System.nanoTime();
		return probe().doOnError(this.availability::failed);
	}

	private Mono<RedisReply> attempt(RedisScript<String> script, List<String> keys, List<String> arguments) {
		return send(script, keys, arguments, this.settings.timeout()).doOnNext((reply) -> this.availability.succeeded())
			.onErrorResume((failure) -> {
				this.availability.failed(failure);
				return Mono.just(RedisReply.NONE);
			});
	}

	private Mono<RedisReply> send(RedisScript<String> script, List<String> keys, List<String> arguments,
			Duration timeout) {
		return this.template.execute(script, keys, arguments)
			.next()
			.subscribeOn(this.scheduler)
			.timeout(timeout)
			.map(RedisReply::parse)
			.doOnNext((reply) -> this.timeOffset = reply.time() - localTime())
			.contextWrite((context) -> context.put(ON_ERROR_DROPPED, AFTERWARDS));
	}

	private boolean isConnected() {
		return this.timeOffset != Long.MIN_VALUE;
	}

	private static long localTime() {
		return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
	}

	/**
	 * Use Redis again, after a {@link #stop()}.
	 */
	@Override
	public void start() {
		this.availability.resume();
	}

	/**
	 * Use Redis no more.
	 */
	@Override
	public void stop() {
		this.availability.suspend();
	}

	@Override
	public boolean isRunning() {
		return !this.availability.isSuspended();
	}

	/**
	 * Stop just before the connection factory, which is in the phase below.
	 */
	@Override
	public int getPhase() {
		return 1;
	}

	@Override
	public void destroy() {
		stop();
		this.scheduler.dispose();
	}

	/**
	 * The right to fetch, renewed until it is given back or no fetch can take any longer.
	 */
	private final class RedisLease implements Lease {

		private final String owner = randomName();

		private final List<String> keys;

		private @Nullable StoredToken shared;

		private @Nullable Disposable renewal;

		RedisLease(String leaseKey) {
			this.keys = List.of(leaseKey);
		}

		Lease granted(RedisReply reply, @Nullable StoredToken shared) {
			this.shared = shared;
			if (reply.outcome() == Outcome.DONE) {
				this.renewal = Flux.interval(LEASE_RENEWAL)
					.take(RedisWechatMpTokenStore.this.settings.maxLease())
					.onBackpressureDrop()
					.concatMap((tick) -> execute(RedisScripts.RENEW, this.keys,
							List.of(this.owner, String.valueOf(LEASE_LIFE.toMillis()))))
					.takeWhile((renewed) -> renewed.outcome() != Outcome.LOST)
					.subscribe();
			}
			return this;
		}

		@Override
		public @Nullable StoredToken shared() {
			return this.shared;
		}

		@Override
		public Mono<Void> release() {
			return Mono.defer(() -> {
				Disposable renewal = this.renewal;
				if (renewal == null) {
					return Mono.empty();
				}
				renewal.dispose();
				return execute(RedisScripts.RELEASE, this.keys, List.of(this.owner)).then();
			});
		}

	}

}
