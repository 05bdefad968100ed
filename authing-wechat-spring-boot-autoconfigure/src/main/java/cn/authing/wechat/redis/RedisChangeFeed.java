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
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.util.retry.Retry;

import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.connection.ReactiveSubscription.Message;
import org.springframework.data.redis.listener.ChannelTopic;
import org.springframework.data.redis.listener.ReactiveRedisMessageListenerContainer;

import cn.authing.wechat.token.WechatMpTokenStore.Change;
import cn.authing.wechat.token.WechatMpTokenStore.Published;
import cn.authing.wechat.token.WechatMpTokenStore.Rejected;

/**
 * The notifications that instances send each other on one channel. A message is
 * {@code INSTANCE ACCOUNT SIGNATURE} if a token was published, and
 * {@code INSTANCE ACCOUNT DIGEST SIGNATURE} if the token with that digest was rejected.
 * Only who has the account's app secret can write one.
 */
final class RedisChangeFeed {

	private static final Duration INITIAL_BACKOFF = Duration.ofSeconds(1);

	private static final Duration MAX_BACKOFF = Duration.ofSeconds(10);

	private final Sinks.Many<Boolean> running = Sinks.many().replay().latestOrDefault(true);

	private final ReactiveRedisConnectionFactory connectionFactory;

	private final RedisScriptExecutor executor;

	private final String channel;

	private final String instance;

	private final Function<String, @Nullable RedisAccount> accounts;

	/**
	 * Create a new feed.
	 * @param connectionFactory where its connection comes from
	 * @param executor whose circuit breaker and lifecycle it shares
	 * @param channel the name of the channel
	 * @param instance the name of this instance
	 * @param accounts finds an account by its id
	 */
	RedisChangeFeed(ReactiveRedisConnectionFactory connectionFactory, RedisScriptExecutor executor, String channel,
			String instance, Function<String, @Nullable RedisAccount> accounts) {
		this.connectionFactory = connectionFactory;
		this.executor = executor;
		this.channel = channel;
		this.instance = instance;
		this.accounts = accounts;
	}

	String channel() {
		return this.channel;
	}

	void start() {
		this.running.tryEmitNext(true);
	}

	/**
	 * Unsubscribe until {@link #start()}.
	 */
	void stop() {
		this.running.tryEmitNext(false);
	}

	/**
	 * Return what other instances do, for as long as there is a subscription.
	 */
	Flux<Change> changes() {
		return this.running.asFlux()
			.distinctUntilChanged()
			.switchMap((running) -> running ? messages() : Flux.never())
			.flatMap((message) -> Mono.justOrEmpty(change(message)))
			.contextWrite(RedisScriptExecutor.CONTEXT);
	}

	private Flux<String> messages() {
		return this.executor.connected()
			.thenMany(Flux.defer(this::listen).doOnError(this.executor::onFeedError))
			.retryWhen(Retry.backoff(Long.MAX_VALUE, INITIAL_BACKOFF).maxBackoff(MAX_BACKOFF).transientErrors(true))
			.repeatWhen((completions) -> completions.delayElements(INITIAL_BACKOFF))
			.map(Message::getMessage);
	}

	private Flux<Message<String, String>> listen() {
		return Flux.<Message<String, String>>create((sink) -> {
			ReactiveRedisMessageListenerContainer container = new ReactiveRedisMessageListenerContainer(
					this.connectionFactory);
			Mono<Flux<Message<String, String>>> receiving = this.executor
				.track(container.receiveLater(ChannelTopic.of(this.channel)))
				.doOnNext((messages) -> this.executor.onFeedSuccess())
				.cache();
			Disposable subscription = receiving.flatMapMany(Function.identity())
				.contextWrite(sink.contextView())
				.subscribe(sink::next, sink::error, sink::complete);
			// The driver complains of a connection that comes when nobody wants it
			Mono<Void> destroyed = receiving.onErrorComplete().then(container.destroyLater());
			sink.onDispose(() -> close(destroyed, subscription));
		}).subscribeOn(this.executor.subscriptionScheduler());
	}

	private void close(Mono<Void> destroyed, Disposable subscription) {
		try {
			subscription.dispose();
		}
		catch (RuntimeException ex) {
			// Redisson may throw a ConcurrentModificationException
			RedisScriptExecutor.IGNORED_FAILURES.accept(ex);
		}
		this.executor.track(destroyed).subscribe(null, RedisScriptExecutor.IGNORED_FAILURES);
	}

	String published(RedisAccount account) {
		return sign(account, this.instance + " " + account.id());
	}

	String rejected(RedisAccount account, String digest) {
		return sign(account, this.instance + " " + account.id() + " " + digest);
	}

	private static String sign(RedisAccount account, String message) {
		return message + " " + account.signature("message", message);
	}

	private @Nullable Change change(String message) {
		String[] parts = message.split(" ");
		if (parts.length < 3 || parts.length > 4 || parts[0].equals(this.instance)) {
			return null;
		}
		RedisAccount account = this.accounts.apply(parts[1]);
		if (account == null
				|| !RedisAccount.equal(message, sign(account, message.substring(0, message.lastIndexOf(' '))))) {
			return null;
		}
		return (parts.length == 4)
				? new Rejected(account.credentials(), (token) -> RedisAccount.equal(account.digest(token), parts[2]))
				: new Published(account.credentials());
	}

}
