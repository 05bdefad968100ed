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
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.context.Lifecycle;
import org.springframework.context.Phased;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.support.DefaultLifecycleProcessor;
import org.springframework.core.SpringProperties;
import org.springframework.core.log.LogMessage;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.WechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * {@link WechatMpTokenStore} in Redis.
 * <p>
 * Redis failures never reach callers: an operation that gets no answer in time completes
 * as if nothing were shared, and so do all others, at once, until Redis has recovered.
 * What could not be written by then is written as soon as Redis takes it.
 * <p>
 * The first connection is made in the background, from the making of the bean on;
 * operations wait for it, but not for long. The store starts after its connection factory
 * and stops before it.
 *
 * @since 1.0.0
 */
public class RedisWechatMpTokenStore implements WechatMpTokenStore, InitializingBean, SmartLifecycle, DisposableBean {

	private static final Log logger = LogFactory.getLog(RedisWechatMpTokenStore.class);

	private static final Duration INITIAL_BACKOFF = Duration.ofSeconds(1);

	private static final Duration MAX_BACKOFF = Duration.ofSeconds(10);

	private static final int MAX_OUTSTANDING_IN_FLIGHT = 16;

	private final AtomicLong undecodable = new AtomicLong();

	private final ReactiveRedisConnectionFactory connectionFactory;

	private final RedisTokenStoreSettings settings;

	private final TokenCodec codec;

	private final Cache<String, RedisAccount> accounts;

	// The last write of each account that Redis has not carried out yet.
	private final Cache<String, Mono<?>> outstanding;

	private final RedisScriptExecutor executor;

	private final RedisChangeFeed feed;

	private volatile boolean started;

	private volatile boolean running;

	/**
	 * Create a new store.
	 * @param connectionFactory where the connections come from
	 * @param settings the settings
	 */
	public RedisWechatMpTokenStore(ReactiveRedisConnectionFactory connectionFactory, RedisTokenStoreSettings settings) {
		this(connectionFactory, settings, INITIAL_BACKOFF, MAX_BACKOFF);
	}

	RedisWechatMpTokenStore(ReactiveRedisConnectionFactory connectionFactory, RedisTokenStoreSettings settings,
			Duration initialBackoff, Duration maxBackoff) {
		this.connectionFactory = connectionFactory;
		this.settings = settings;
		this.codec = new TokenCodec(settings.encryptionKeys());
		Caffeine<Object, Object> caches = Caffeine.newBuilder()
			.maximumSize(settings.maxAccounts())
			.executor(Runnable::run);
		this.accounts = caches.build();
		this.outstanding = caches.expireAfterWrite(TokenCodec.MAX_LIFE).build();
		this.executor = new RedisScriptExecutor(connectionFactory, settings, this::writeOutstanding, initialBackoff,
				maxBackoff);
		this.feed = new RedisChangeFeed(connectionFactory, this.executor, settings.keyPrefix() + "changes",
				UUID.randomUUID().toString(), this.accounts::getIfPresent);
	}

	/**
	 * Return an upper limit, for a machine that is busy or has just started; on another
	 * one, two answers take at most twice the timeout.
	 */
	@Override
	public Duration maxWait() {
		return this.settings.connectTimeout();
	}

	@Override
	public Mono<StoredToken> read(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			RedisAccount account = account(credentials);
			return this.executor.execute(RedisScripts.READ, List.of(account.tokenKey()))
				.flatMap((reply) -> Mono.justOrEmpty(token(account, reply)));
		});
	}

	@Override
	public Mono<StoredToken> publish(WechatMpCredentials credentials, StoredToken token) {
		return Mono.defer(() -> {
			if (token.life().toMillis() <= 0) {
				return Mono.empty();
			}
			RedisAccount account = account(credentials);
			return write(account.id(), publish(account, token, System.nanoTime(), ""));
		}).defaultIfEmpty(token);
	}

	/**
	 * Share a token.
	 * @return the token that is shared now, or empty if Redis has not carried it out
	 */
	private Mono<StoredToken> publish(RedisAccount account, StoredToken token, long since, String replaceable) {
		return this.executor.executeWithDeadline(RedisScripts.PUBLISH, List.of(account.tokenKey()), (now) -> {
			long end = now + token.life().minusNanos(System.nanoTime() - since).toMillis();
			return List.of(this.codec.encode(account, token, end), String.valueOf(end), this.feed.channel(),
					this.feed.published(account), replaceable);
		}).filter(RedisReply::isExecuted).flatMap((reply) -> {
			if (!reply.is(RedisReply.NEWER)) {
				return Mono.just(token);
			}
			StoredToken other = token(account, reply);
			if (other != null && isNewer(other, token, System.nanoTime() - since)) {
				return Mono.just(other);
			}
			// It only looks like a newer one.
			return replaceable.isEmpty() ? publish(account, token, since, String.valueOf(reply.value()))
					: Mono.just(token);
		});
	}

	/**
	 * Return whether a token that says so is newer. Where the clocks of those who wrote
	 * the two differ, the ages count, which are by Redis's clock.
	 */
	private static boolean isNewer(StoredToken other, StoredToken token, long held) {
		Duration later = Duration.between(token.fetchedAt(), other.fetchedAt());
		Duration younger = token.age().plusNanos(held).minus(other.age());
		return later.minus(younger).compareTo(TokenCodec.TOLERANCE) <= 0 || younger.compareTo(Duration.ZERO) > 0;
	}

	@Override
	public Mono<Void> drop(WechatMpCredentials credentials, String accessToken) {
		return Mono.defer(() -> {
			RedisAccount account = account(credentials);
			String digest = account.digest(accessToken);
			return write(account.id(),
					this.executor
						.execute(RedisScripts.DROP, List.of(account.tokenKey()), digest, this.feed.channel(),
								this.feed.rejected(account, digest))
						.filter(RedisReply::isExecuted));
		}).then();
	}

	/**
	 * Write, now or as soon as Redis can be used.
	 * @param write what emits when it was carried out
	 */
	private <T> Mono<T> write(String accountId, Mono<T> write) {
		return Mono.defer(() -> {
			this.outstanding.put(accountId, write);
			return carryOut(accountId, write);
		});
	}

	private <T> Mono<T> carryOut(String accountId, Mono<T> write) {
		return write.doOnNext((done) -> this.outstanding.asMap().remove(accountId, write));
	}

	/**
	 * Write what is outstanding, a few at a time, so that callers get their turn. Another
	 * write may have taken the place of one by then.
	 */
	private void writeOutstanding() {
		Flux.fromIterable(List.copyOf(this.outstanding.asMap().keySet())).flatMap((accountId) -> {
			Mono<?> write = this.outstanding.getIfPresent(accountId);
			return (write != null) ? carryOut(accountId, write) : Mono.empty();
		}, MAX_OUTSTANDING_IN_FLIGHT).subscribe();
	}

	@Override
	public Mono<Lease> lease(WechatMpCredentials credentials) {
		return Mono.defer(() -> {
			RedisAccount account = account(credentials);
			String owner = UUID.randomUUID().toString();
			return this.executor
				.executeWithDeadline(RedisScripts.LEASE, List.of(account.tokenKey(), account.leaseKey()),
						(now) -> List.of(owner, String.valueOf(RedisLease.LIFE.toMillis())))
				.filter((reply) -> !reply.is(RedisReply.HELD))
				.map((reply) -> {
					RedisLease lease = new RedisLease(this.executor, account, owner, token(account, reply));
					return reply.is(RedisReply.DONE) ? lease.renewed(this.settings.maxLease()) : lease;
				});
		});
	}

	@Override
	public Flux<Change> changes() {
		return this.feed.changes();
	}

	@Override
	public WechatMpTokenStoreStatus status() {
		return this.executor.status(this.undecodable.get());
	}

	private RedisAccount account(WechatMpCredentials credentials) {
		RedisAccount account = RedisAccount.of(credentials, this.settings.keyPrefix());
		this.accounts.put(account.id(), account);
		return account;
	}

	private @Nullable StoredToken token(RedisAccount account, RedisReply reply) {
		if (reply.value() == null) {
			return null;
		}
		StoredToken token = this.codec.decode(account, reply);
		if (token == null && this.undecodable.getAndIncrement() == 0) {
			logger.warn(LogMessage.format(
					"The value of the Redis key '%s' is ignored: it is damaged or forged, its times cannot be"
							+ " (is a clock wrong?), or it is encrypted with a key that is not among"
							+ " authing.wechat.cache.redis.encryption-keys. Further ones are only counted",
					account.tokenKey()));
		}
		return token;
	}

	/**
	 * Begin to connect, so that the connection is there when the application has started
	 * and asks for a token; but not before its connection factory has started, nor where
	 * the application ends before it has started, for a checkpoint or a training run.
	 */
	@Override
	public void afterPropertiesSet() {
		boolean started = !(this.connectionFactory instanceof Lifecycle lifecycle) || lifecycle.isRunning();
		if (started && SpringProperties.getProperty(DefaultLifecycleProcessor.CHECKPOINT_PROPERTY_NAME) == null
				&& SpringProperties.getProperty(DefaultLifecycleProcessor.EXIT_PROPERTY_NAME) == null) {
			this.executor.start();
		}
	}

	@Override
	public void start() {
		this.executor.start();
		this.feed.start();
		this.started = true;
		this.running = true;
	}

	/**
	 * Unsubscribe, finish what has begun, for at most a few seconds, and use Redis no
	 * more until {@link #start()}.
	 */
	@Override
	public void stop() {
		this.running = false;
		this.feed.stop();
		this.executor.stop();
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	/**
	 * Stop just before the connection factory, and after the account registry.
	 */
	@Override
	public int getPhase() {
		return (this.connectionFactory instanceof Phased phased) ? phased.getPhase() + 1 : 1;
	}

	/**
	 * Stop for good. Where the application has not started, the reason is another one,
	 * from which nothing about Redis must distract.
	 */
	@Override
	public void destroy() {
		if (!this.started) {
			this.executor.suspend();
		}
		stop();
	}

}
