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

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.SlotHash;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.Lifecycle;
import org.springframework.context.support.DefaultLifecycleProcessor;
import org.springframework.core.SpringProperties;
import org.springframework.data.redis.RedisConnectionFailureException;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.token.WechatMpTokenStore.Change;
import cn.authing.wechat.token.WechatMpTokenStore.Lease;
import cn.authing.wechat.token.WechatMpTokenStore.Published;
import cn.authing.wechat.token.WechatMpTokenStore.Rejected;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

import static cn.authing.wechat.redis.TestStore.CREDENTIALS;
import static cn.authing.wechat.redis.TestStore.NOW;
import static cn.authing.wechat.redis.TestStore.PATIENCE;
import static cn.authing.wechat.redis.TestStore.SECRET;
import static cn.authing.wechat.redis.TestStore.key;
import static cn.authing.wechat.redis.TestStore.token;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.withSettings;

/**
 * What the instances of an application do to each other through
 * {@link RedisWechatMpTokenStore}, while Redis is well.
 */
class RedisWechatMpTokenStoreTests {

	private static final Duration LIFE = Duration.ofHours(1);

	private static final RedisAccount ACCOUNT = RedisAccount.of(CREDENTIALS, TestStore.PREFIX);

	private static final WechatMpCredentials OTHER_ACCOUNT = new WechatMpCredentials("wx-other", SECRET);

	private static RedisServer server;

	private static RedisServer.Commands redis;

	private TestStore one;

	private TestStore other;

	@BeforeAll
	static void startServer() {
		server = RedisServer.up();
		redis = server.commands();
	}

	@AfterAll
	static void stopServer() {
		redis.close();
		server.close();
	}

	@BeforeEach
	void createStores() {
		redis.sync().flushall();
		this.one = TestStore.patient(server);
		this.other = TestStore.patient(server);
	}

	@AfterEach
	void closeStores() {
		this.one.close();
		this.other.close();
	}

	@Test
	void readWhenNothingIsSharedShouldBeEmpty() {
		assertThat(read(this.one)).isNull();
	}

	@Test
	void readWhenAnotherInstancePublishedShouldReturnTheToken() {
		publish(this.one, token("a", LIFE));
		StoredToken read = found(this.other);
		assertThat(read.token()).isEqualTo(token("a", LIFE).token());
		assertThat(read.fetchedAt()).isEqualTo(NOW);
		assertThat(read.life()).isBetween(LIFE.minusMinutes(1), LIFE);
		assertThat(read.age()).isBetween(Duration.ZERO, Duration.ofMinutes(1));
	}

	@Test
	void readWhenTheTokenHasAgedShouldTellByTheClockOfRedis() {
		publish(this.one, token("a", LIFE));
		redis.sync().pexpire(ACCOUNT.tokenKey(), 60_000);
		StoredToken read = found(this.other);
		assertThat(read.life()).isLessThanOrEqualTo(Duration.ofMinutes(1));
		assertThat(read.age()).isGreaterThanOrEqualTo(Duration.ofMinutes(59));
	}

	@Test
	void readWithAnotherSecretShouldBeEmpty() {
		publish(this.one, token("a", LIFE));
		WechatMpCredentials wrong = new WechatMpCredentials(CREDENTIALS.appId(), "wrong");
		assertThat(this.other.store.read(wrong).blockOptional(PATIENCE)).isEmpty();
	}

	@Test
	void publishShouldWriteNeitherSecretNorEndlessKeys() {
		publish(this.one, token("a", LIFE));
		lease(this.one);
		List<String> keys = redis.sync().keys("authing:wechat:{*");
		assertThat(keys).containsExactlyInAnyOrder(ACCOUNT.tokenKey(), ACCOUNT.leaseKey())
			.allMatch((key) -> key.startsWith("authing:wechat:{wx1234567890:"));
		for (String key : keys) {
			assertThat(key + redis.sync().get(key)).doesNotContain(SECRET);
			assertThat(redis.sync().pttl(key)).isPositive();
		}
	}

	@Test
	void publishWhenANewerTokenIsSharedShouldReturnThatOne() {
		publish(this.one, token("new", LIFE, NOW.plusSeconds(1)));
		assertThat(publish(this.other, token("old", LIFE.plusHours(1), NOW)).token().accessToken()).isEqualTo("72_new");
		assertThat(sharedToken()).isEqualTo("72_new");
	}

	@Test
	void publishWhenFetchedAtTheSameTimeShouldKeepWhatExpiresLater() {
		publish(this.one, token("long", LIFE.plusSeconds(1)));
		assertThat(publish(this.other, token("short", LIFE)).token().accessToken()).isEqualTo("72_long");
		assertThat(publish(this.other, token("longer", LIFE.plusSeconds(2))).token().accessToken())
			.isEqualTo("72_longer");
		assertThat(sharedToken()).isEqualTo("72_longer");
	}

	@Test
	void publishWhenAnOlderTokenIsSharedShouldReplaceIt() {
		publish(this.one, token("old", LIFE));
		publish(this.other, token("new", LIFE, NOW.plusMillis(1)));
		assertThat(sharedToken()).isEqualTo("72_new");
	}

	@Test
	void publishWhenManyInstancesRaceShouldKeepTheNewest() {
		List<Mono<StoredToken>> publications = IntStream.range(0, 200)
			.mapToObj((i) -> ((i % 2 == 0) ? this.one : this.other).store.publish(CREDENTIALS,
					token("t" + (i * 73) % 200, LIFE, NOW.plusMillis((i * 73) % 200))))
			.toList();
		Mono.when(publications).block(PATIENCE);
		assertThat(sharedToken()).isEqualTo("72_t199");
	}

	@Test
	void publishWhenTheTokenIsDeadShouldShareNothing() {
		publish(this.one, token("dead", Duration.ofSeconds(-5)));
		assertThat(redis.sync().keys("*token")).isEmpty();
	}

	@Test
	void publishWhenCarriedOutLateShouldNotLengthenTheLife() {
		long now = redisTime();
		long end = now + 60_000;
		assertThat(publish(now - 10_000, end)).endsWith(" late");
		assertThat(publish(now + 10_000, now - 1)).endsWith(" late");
		assertThat(redis.sync().exists(ACCOUNT.tokenKey())).isZero();
		assertThat(publish(now + 30_000, end)).endsWith(" done");
		assertThat(redis.sync().pttl(ACCOUNT.tokenKey())).isBetween(1L, 60_000L);
	}

	private static String publish(long deadline, long end) {
		String value = new TokenCodec(List.of()).encode(ACCOUNT, token("a", LIFE), end);
		return redis.sync()
			.eval(RedisScripts.PUBLISH.getScriptAsString(), ScriptOutputType.VALUE, new String[] { ACCOUNT.tokenKey() },
					String.valueOf(deadline), value, String.valueOf(end), "channel", "message", "");
	}

	private static long redisTime() {
		return Long.parseLong(redis.sync().time().get(0)) * 1000;
	}

	@Test
	void publishWhenRedisIsPausedShouldShareAsSoonAsRedisTakesIt() {
		try (TestStore impatient = new TestStore(server, Duration.ofMillis(100))) {
			read(impatient);
			redis.sync().scriptFlush();
			redis.sync().clientPause(1000);
			StoredToken token = token("a", LIFE);
			assertThat(publish(impatient, token)).isEqualTo(token);
			awaitTrue(() -> found(this.other, "72_a"));
		}
	}

	@Test
	void dropWhenRedisIsPausedShouldRemoveTheTokenAsSoonAsRedisTakesIt() {
		publish(this.one, token("a", LIFE));
		try (TestStore impatient = new TestStore(server, Duration.ofMillis(100))) {
			read(impatient);
			redis.sync().scriptFlush();
			redis.sync().clientPause(1000);
			impatient.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
			awaitTrue(() -> read(this.other) == null);
		}
	}

	@Test
	void publishWhenTheTokenIsDroppedBeforeRedisTakesItShouldNotShareIt() {
		try (RedisServer late = RedisServer.down(); TestStore store = new TestStore(late, PATIENCE)) {
			publish(store, token("a", LIFE));
			store.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
			store.store.publish(OTHER_ACCOUNT, token("b", LIFE)).block(PATIENCE);
			late.start();
			awaitTrue(() -> store.store.read(OTHER_ACCOUNT).block(PATIENCE) != null);
			assertThat(read(store)).isNull();
		}
	}

	@Test
	void afterPropertiesSetShouldConnect() {
		ReactiveRedisConnectionFactory connectionFactory = connectionFactory(true);
		TestStore store = store(connectionFactory);
		store.store.afterPropertiesSet();
		store.close();
		verify(connectionFactory).getReactiveConnection();
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void destroyWhenApplicationHasNotStartedShouldLogNothingOfRedis(CapturedOutput output) throws Exception {
		CountDownLatch destroyed = new CountDownLatch(1);
		ReactiveRedisConnectionFactory connectionFactory = connectionFactory(true);
		given(connectionFactory.getReactiveConnection()).willAnswer((invocation) -> {
			destroyed.await();
			throw new RedisConnectionFailureException("down");
		});
		TestStore store = store(connectionFactory);
		store.store.afterPropertiesSet();
		Thread closing = new Thread(store::close);
		closing.start();
		awaitTrue(() -> closing.getState() == Thread.State.WAITING);
		destroyed.countDown();
		closing.join();
		assertThat(output).doesNotContain("Redis");
	}

	@Test
	void afterPropertiesSetWhenConnectionFactoryHasNotStartedShouldNotConnect() {
		assertNotConnected(connectionFactory(false));
	}

	@ParameterizedTest
	@ValueSource(strings = { DefaultLifecycleProcessor.CHECKPOINT_PROPERTY_NAME,
			DefaultLifecycleProcessor.EXIT_PROPERTY_NAME })
	void afterPropertiesSetWhenApplicationEndsBeforeItHasStartedShouldNotConnect(String property) {
		SpringProperties.setProperty(property, "onRefresh");
		try {
			assertNotConnected(connectionFactory(true));
		}
		finally {
			SpringProperties.setProperty(property, null);
		}
	}

	private static TestStore store(ReactiveRedisConnectionFactory connectionFactory) {
		return new TestStore(connectionFactory, () -> {
		}, PATIENCE);
	}

	private static ReactiveRedisConnectionFactory connectionFactory(boolean running) {
		ReactiveRedisConnectionFactory connectionFactory = mock(ReactiveRedisConnectionFactory.class,
				withSettings().extraInterfaces(Lifecycle.class));
		given(((Lifecycle) connectionFactory).isRunning()).willReturn(running);
		return connectionFactory;
	}

	// Closing waits for connections that are being made.
	private static void assertNotConnected(ReactiveRedisConnectionFactory connectionFactory) {
		TestStore store = store(connectionFactory);
		store.store.afterPropertiesSet();
		store.close();
		verify(connectionFactory, never()).getReactiveConnection();
	}

	@Test
	void stopShouldFinishWhatHasBegun() {
		TestStore store = TestStore.patient(server);
		read(store);
		redis.sync().clientPause(300);
		store.store.publish(CREDENTIALS, token("a", LIFE)).subscribe();
		store.store.stop();
		store.close();
		assertThat(found(this.other, "72_a")).isTrue();
	}

	@Test
	void stopShouldWaitForAConnectionThatNobodyWantsAnyMore() throws Exception {
		CountDownLatch connecting = new CountDownLatch(1);
		CountDownLatch stopped = new CountDownLatch(1);
		CompletableFuture<Boolean> stoppedFirst = new CompletableFuture<>();
		AtomicReference<@Nullable Thread> scripts = new AtomicReference<>();
		ReactiveRedisConnectionFactory connectionFactory = mock(ReactiveRedisConnectionFactory.class);
		given(connectionFactory.getReactiveConnection()).willAnswer((invocation) -> {
			if (scripts.compareAndSet(null, Thread.currentThread()) || scripts.get() == Thread.currentThread()) {
				throw new RedisConnectionFailureException("down");
			}
			connecting.countDown();
			try {
				stopped.await();
			}
			catch (InterruptedException ex) {
				// Nobody wants it any more
				stoppedFirst.complete(stopped.await(100, TimeUnit.MILLISECONDS));
			}
			throw new RedisConnectionFailureException("interrupted");
		});
		TestStore store = store(connectionFactory);
		store.store.changes().subscribe();
		store.store.start();
		assertThat(connecting.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
		store.close();
		stopped.countDown();
		assertThat(stoppedFirst.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isFalse();
	}

	@Test
	void stopWhenNothingWasUsedShouldEndAtOnceAndStartShouldBringTheStoreBack() {
		this.one.store.start();
		assertThat(this.one.store.isRunning()).isTrue();
		this.one.store.stop();
		this.one.store.stop();
		assertThat(this.one.store.isRunning()).isFalse();
		publish(this.one, token("a", LIFE));
		assertThat(redis.sync().exists(ACCOUNT.tokenKey())).isZero();
		this.one.store.start();
		awaitTrue(() -> redis.sync().exists(ACCOUNT.tokenKey()) == 1);
	}

	@Test
	void dropWhenItIsTheSharedTokenShouldRemoveIt() {
		publish(this.one, token("a", LIFE));
		this.other.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		assertThat(read(this.one)).isNull();
	}

	@Test
	void dropWhenAnotherTokenIsSharedShouldLeaveIt() {
		publish(this.one, token("new", LIFE));
		this.other.store.drop(CREDENTIALS, "72_old").block(PATIENCE);
		assertThat(sharedToken()).isEqualTo("72_new");
	}

	@Test
	void leaseWhenAnotherInstanceHoldsItShouldBeEmptyUntilItsRelease() {
		Lease lease = granted(this.one);
		assertThat(lease(this.other)).isNull();
		assertThat(lease(this.one)).isNull();
		lease.release().block(PATIENCE);
		assertThat(lease(this.other)).isNotNull();
	}

	@Test
	void leaseWhenManyAskShouldBeGrantedOnce() {
		List<Mono<Lease>> requests = IntStream.range(0, 200)
			.mapToObj((i) -> ((i % 2 == 0) ? this.one : this.other).store.lease(CREDENTIALS))
			.toList();
		assertThat(Flux.merge(requests).collectList().block(PATIENCE)).hasSize(1);
	}

	@Test
	void leaseShouldTellWhatIsSharedByThen() {
		publish(this.one, token("a", LIFE));
		Lease lease = granted(this.other);
		StoredToken shared = Objects.requireNonNull(lease.shared());
		assertThat(shared.token().accessToken()).isEqualTo("72_a");
	}

	@Test
	void leaseWhenItsHolderIsDeadShouldEndByItself() {
		redis.sync().psetex(ACCOUNT.leaseKey(), 1500, "dead");
		Lease lease = this.one.store.lease(CREDENTIALS)
			.repeatWhenEmpty((empty) -> empty.delayElements(Duration.ofMillis(20)))
			.block(PATIENCE);
		assertThat(lease).isNotNull();
	}

	@ParameterizedTest
	@ValueSource(longs = { -1, 3_600_000 })
	void leaseWhenItDoesNotEndInTimeShouldTakeItOver(long life) {
		redis.sync().set(ACCOUNT.leaseKey(), "forever");
		if (life > 0) {
			redis.sync().pexpire(ACCOUNT.leaseKey(), life);
		}
		assertThat(lease(this.one)).isNotNull();
		assertThat(redis.sync().pttl(ACCOUNT.leaseKey())).isBetween(1L, 1500L);
	}

	@Test
	void leaseWhileItIsHeldShouldBeRenewed() {
		Lease lease = granted(this.one);
		redis.sync().pexpire(ACCOUNT.leaseKey(), PATIENCE.toMillis());
		awaitTrue(() -> redis.sync().pttl(ACCOUNT.leaseKey()) <= RedisLease.LIFE.toMillis());
		lease.release().block(PATIENCE);
		assertThat(redis.sync().exists(ACCOUNT.leaseKey())).isZero();
	}

	@Test
	void releaseWhenTheLeaseWasLostShouldLeaveThatOfAnother() {
		Lease lease = granted(this.one);
		redis.sync().set(ACCOUNT.leaseKey(), "another");
		lease.release().block(PATIENCE);
		assertThat(redis.sync().get(ACCOUNT.leaseKey())).isEqualTo("another");
	}

	@Test
	void changesWhenAnotherInstancePublishesShouldTell() throws Exception {
		Changes changes = listen(this.other);
		publish(this.one, token("a", LIFE));
		Change change = changes.next();
		assertThat(change.credentials()).isEqualTo(CREDENTIALS);
		assertThat(change).isInstanceOf(Published.class);
	}

	@Test
	void changesWhenTheSameTokenIsPublishedAgainShouldNotTell() throws Exception {
		Changes changes = listen(this.other);
		publish(this.one, token("a", LIFE));
		changes.next();
		publish(this.one, new StoredToken(token("a", LIFE).token(), LIFE, NOW.plusSeconds(30)));
		this.one.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		assertThat(changes.next()).isInstanceOf(Rejected.class);
	}

	@Test
	void changesWhenAnotherInstanceDropsShouldTellWhichToken() throws Exception {
		publish(this.one, token("a", LIFE));
		Changes changes = listen(this.other);
		this.one.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		this.one.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		assertThat(changes.next()).isInstanceOfSatisfying(Rejected.class, (rejected) -> {
			assertThat(rejected.token().test("72_a")).isTrue();
			assertThat(rejected.token().test("72_b")).isFalse();
		});
		publish(this.one, token("b", LIFE));
		assertThat(changes.next()).isInstanceOf(Published.class);
	}

	@Test
	void changesShouldNotTellWhatTheInstanceItselfDoes() throws Exception {
		Changes changes = listen(this.one);
		publish(this.one, token("a", LIFE));
		this.one.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		publish(this.other, token("b", LIFE));
		assertThat(changes.next()).isInstanceOf(Published.class);
		assertThat(changes.received).isEmpty();
	}

	@Test
	void changesWhenAMessageIsNotOursShouldIgnoreIt() throws Exception {
		Changes changes = listen(this.other);
		for (String message : List.of("", " ", "x", "a b", "a b c d", "\0\1", "i " + ACCOUNT.id() + "x",
				"i " + ACCOUNT.id() + " x y")) {
			redis.sync().publish(TestStore.PREFIX + "changes", message);
		}
		publish(this.one, token("a", LIFE));
		assertThat(changes.next().credentials()).isEqualTo(CREDENTIALS);
		assertThat(changes.received).isEmpty();
	}

	@Test
	void changesWhenTheStoreIsStoppedAndStartedShouldTellAgain() throws Exception {
		Changes changes = listen(this.other);
		this.other.store.start();
		this.other.store.stop();
		awaitTrue(() -> listeners(redis) == 0);
		this.other.store.start();
		awaitListener(redis);
		publish(this.one, token("a", LIFE));
		assertThat(changes.next()).isInstanceOf(Published.class);
	}

	@Test
	void changesWhenAMessageIsForgedShouldIgnoreIt() throws Exception {
		publish(this.one, token("a", LIFE));
		String digest = redis.sync().get(ACCOUNT.tokenKey()).split(" ")[3];
		Changes changes = listen(this.other);
		RedisAccount stranger = RedisAccount.of(new WechatMpCredentials(CREDENTIALS.appId(), "guess"), "");
		for (String message : List.of("i " + ACCOUNT.id(), "i " + ACCOUNT.id() + " " + digest,
				"i " + ACCOUNT.id() + " " + digest + " " + digest)) {
			redis.sync().publish(TestStore.PREFIX + "changes", message);
			redis.sync().publish(TestStore.PREFIX + "changes", message + " " + stranger.signature("message", message));
		}
		this.one.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		assertThat(changes.next()).isInstanceOf(Rejected.class);
		assertThat(changes.received).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void readWhenAnOldValueIsStoredAgainShouldNotLengthenItsLife(boolean encrypted) {
		try (TestStore store = encrypted ? TestStore.patient(server, key(1)) : TestStore.patient(server)) {
			publish(store, token("a", LIFE));
			redis.sync().persist(ACCOUNT.tokenKey());
			redis.sync().pexpire(ACCOUNT.tokenKey(), Duration.ofDays(1).toMillis());
			assertThat(found(store).life()).isLessThanOrEqualTo(LIFE);
			TokenCodec codec = new TokenCodec(encrypted ? List.of(key(1)) : List.of());
			redis.sync()
				.psetex(ACCOUNT.tokenKey(), Duration.ofHours(2).toMillis(),
						codec.encode(ACCOUNT, token("old", LIFE, NOW.minus(LIFE)), redisTime() - 1000));
			assertThat(found(store).life()).isZero();
			publish(store, token("b", LIFE));
			assertThat(found(store).token().accessToken()).isEqualTo("72_b");
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 3, 4, 5, 6 })
	void readWhenAPartOfTheValueIsForgedShouldBeEmptyAndReplacedByTheNextToken(int part) {
		publish(this.one, token("a", LIFE));
		String[] parts = redis.sync().get(ACCOUNT.tokenKey()).split(" ");
		parts[part] = switch (part) {
			case 1, 2, 4 -> String.valueOf(Long.parseLong(parts[part]) + Duration.ofMinutes(30).toMillis());
			case 6 -> "=72_forged";
			default -> "A".repeat(22);
		};
		redis.sync().psetex(ACCOUNT.tokenKey(), LIFE.toMillis(), String.join(" ", parts));
		assertThat(read(this.other)).isNull();
		assertThat(publish(this.one, token("b", LIFE)).token().accessToken()).isEqualTo("72_b");
		assertThat(sharedToken()).isEqualTo("72_b");
	}

	@Test
	void readWhenTheTokenWasFetchedInTheFutureShouldBeEmptyAndReplacedByTheNextToken() {
		assertNotBelieved(new StoredToken(new WechatMpAccessToken("72_future", NOW.plus(LIFE)), LIFE,
				NOW.plus(LIFE.dividedBy(2))));
	}

	// Authing's clock may be that fast.
	@ParameterizedTest
	@ValueSource(longs = { 70, 3600, 1_000_000 })
	void readWhenTheClockOfTheWriterIsFastShouldBelieveTheTokenUntilTheNextOne(long seconds) {
		StoredToken fast = token("fast", LIFE, NOW.plusSeconds(seconds));
		publish(this.one, fast);
		StoredToken read = found(this.other);
		assertThat(read.token()).isEqualTo(fast.token());
		assertThat(read.life()).isBetween(LIFE.minusMinutes(1), LIFE);
		assertThat(publish(this.other, token("b", LIFE)).token().accessToken()).isEqualTo("72_b");
		assertThat(sharedToken()).isEqualTo("72_b");
	}

	@Test
	void publishWhenAYoungerTokenOfAFastClockIsSharedShouldReturnThatOne() {
		publish(this.one, token("fast", LIFE, NOW.plus(LIFE)));
		StoredToken old = new StoredToken(token("old", LIFE).token(), LIFE.minusMinutes(1), NOW);
		assertThat(publish(this.other, old).token().accessToken()).isEqualTo("72_fast");
		assertThat(sharedToken()).isEqualTo("72_fast");
	}

	@Test
	void readWhenTheClockOfTheWriterIsSlowShouldBeEmptyAndReplacedByTheNextToken() {
		assertNotBelieved(new StoredToken(new WechatMpAccessToken("72_slow", NOW.plus(LIFE)), LIFE,
				NOW.minus(Duration.ofHours(2))));
	}

	private void assertNotBelieved(StoredToken token) {
		publish(this.one, token);
		assertThat(redis.sync().exists(ACCOUNT.tokenKey())).isOne();
		assertThat(read(this.other)).isNull();
		assertThat(lease(this.other)).isNotNull().extracting(Lease::shared).isNull();
		assertThat(publish(this.other, token("b", LIFE)).token().accessToken()).isEqualTo("72_b");
		assertThat(sharedToken()).isEqualTo("72_b");
	}

	@Test
	void readWhenTheValueIsThatOfAnotherAccountShouldBeEmpty() {
		publish(this.one, token("a", LIFE));
		redis.sync()
			.psetex(RedisAccount.of(OTHER_ACCOUNT, TestStore.PREFIX).tokenKey(), LIFE.toMillis(),
					redis.sync().get(ACCOUNT.tokenKey()));
		assertThat(this.other.store.read(OTHER_ACCOUNT).block(PATIENCE)).isNull();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "garbage", "1 2 3", "1 999999999999999 999999999999999 AAAAAAAAAAAAAAAAAAAAAA =x",
			"2 1 1 AAAAAAAAAAAAAAAAAAAAAA =x", "\0\u00ff" })
	void publishWhenThereIsGarbageShouldReplaceIt(String garbage) {
		redis.sync().setex(ACCOUNT.tokenKey(), 60, garbage);
		assertThat(read(this.one)).isNull();
		assertThat(publish(this.one, token("a", LIFE)).token().accessToken()).isEqualTo("72_a");
		assertThat(sharedToken()).isEqualTo("72_a");
		assertThat(this.one.store.status().isAvailable()).isTrue();
		assertThat(this.one.store.status().undecodable()).isPositive();
	}

	@Test
	void publishWhenTheValueHasNoEndShouldReplaceIt() {
		publish(this.one, token("a", LIFE, NOW.plusSeconds(60)));
		redis.sync().persist(ACCOUNT.tokenKey());
		assertThat(read(this.one)).isNull();
		publish(this.one, token("b", LIFE));
		assertThat(sharedToken()).isEqualTo("72_b");
	}

	@Test
	void publishWhenTheValueIsTooLongShouldReplaceIt() {
		redis.sync().set(ACCOUNT.tokenKey(), "x".repeat(1_000_000));
		assertThat(read(this.one)).isNull();
		publish(this.one, token("b", LIFE));
		assertThat(sharedToken()).isEqualTo("72_b");
	}

	@Test
	void publishWhenTheKeyHasAnotherTypeShouldReplaceIt() {
		redis.sync().lpush(ACCOUNT.tokenKey(), "a", "b");
		assertThat(read(this.one)).isNull();
		assertThat(lease(this.one)).isNotNull();
		this.one.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		publish(this.one, token("a", LIFE));
		assertThat(sharedToken()).isEqualTo("72_a");
		assertThat(this.one.store.status().isAvailable()).isTrue();
	}

	@Test
	void leaseWhenItsKeyHasAnotherTypeShouldTakeItOver() {
		redis.sync().hset(ACCOUNT.leaseKey(), "a", "b");
		Lease lease = granted(this.one);
		assertThat(lease(this.other)).isNull();
		lease.release().block(PATIENCE);
		assertThat(redis.sync().exists(ACCOUNT.leaseKey())).isZero();
	}

	@Test
	void readWhenTheValueWasWrittenWithoutTheSecretShouldBeEmpty() {
		publish(this.one, token("a", LIFE));
		String value = redis.sync().get(ACCOUNT.tokenKey());
		redis.sync().setex(ACCOUNT.tokenKey(), 60, value.replace("=72_a", "=72_forged"));
		assertThat(read(this.other)).isNull();
	}

	@Test
	void readWhenEncryptedShouldDecryptWithAnyOfTheKeys() {
		try (TestStore encrypting = TestStore.patient(server, key(1));
				TestStore rotated = TestStore.patient(server, key(2), key(1));
				TestStore stranger = TestStore.patient(server, key(2))) {
			publish(encrypting, token("a", LIFE));
			assertThat(redis.sync().get(ACCOUNT.tokenKey())).doesNotContain("72_a");
			assertThat(found(rotated).token().accessToken()).isEqualTo("72_a");
			assertThat(read(stranger)).isNull();
			assertThat(read(this.one)).isNull();
			publish(rotated, token("b", LIFE, NOW.plusSeconds(1)));
			assertThat(found(stranger).token().accessToken()).isEqualTo("72_b");
			assertThat(read(encrypting)).isNull();
		}
	}

	@Test
	void readWhenAnEncryptedValueWasMovedShouldBeEmpty() {
		try (TestStore encrypting = TestStore.patient(server, key(1))) {
			publish(encrypting, token("a", LIFE));
			String value = redis.sync().get(ACCOUNT.tokenKey());
			redis.sync().setex(ACCOUNT.tokenKey(), 60, value.replaceFirst("1 \\d", "1 9"));
			assertThat(read(encrypting)).isNull();
		}
	}

	@Test
	void publishWhenEncryptedWithAnUnknownKeyShouldReplaceIt() {
		try (TestStore encrypting = TestStore.patient(server, key(1))) {
			publish(encrypting, token("a", LIFE, NOW.plusSeconds(60)));
			publish(this.one, token("b", LIFE));
			assertThat(sharedToken()).isEqualTo("72_b");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "wx}{", "wx 1", "{}", "\u5fae\u4fe1" })
	void readWhenTheAppIdIsUnusualShouldWork(String appId) {
		WechatMpCredentials credentials = new WechatMpCredentials(appId, SECRET);
		this.one.store.publish(credentials, token("a", LIFE)).block(PATIENCE);
		assertThat(this.other.store.read(credentials).block(PATIENCE)).isNotNull();
		assertThat(this.one.store.lease(credentials).block(PATIENCE)).isNotNull();
		assertThat(this.one.store.status().isAvailable()).isTrue();
	}

	@Test
	void operationsWhenTheUserMayDoNoMoreThanIsDocumentedShouldWork() throws Exception {
		try (RedisServer guarded = RedisServer.up("--user", "app", "on", ">password", "~authing:wechat:*",
				"resetchannels", "&authing:wechat:*", "+@connection", "+eval", "+evalsha", "+get", "+set", "+del",
				"+type", "+strlen", "+pttl", "+pexpire", "+time", "+publish", "+subscribe", "+unsubscribe");
				RedisServer.Commands commands = guarded.commands();
				TestStore first = TestStore.patientAs(guarded, "app", "password");
				TestStore second = TestStore.patientAs(guarded, "app", "password")) {
			assertShared(first, second, commands);
		}
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void operationsWhenTheUserMayNotSubscribeShouldWorkAndSaySoOnce(CapturedOutput output) {
		try (RedisServer guarded = RedisServer.up("--user", "app", "on", ">password", "~*", "allchannels", "+@all",
				"-subscribe"); TestStore store = TestStore.patientAs(guarded, "app", "password")) {
			store.store.changes().subscribe();
			awaitTrue(() -> store.store.status().failed() > 1);
			publish(store, token("a", LIFE));
			assertThat(found(store, "72_a")).isTrue();
			assertThat(store.store.status().isAvailable()).isTrue();
			assertThat(output).containsOnlyOnce("error NOPERM to a subscription").doesNotContain("until it recovers");
		}
	}

	@Test
	void operationsWhenTheUserMayNotRunACommandShouldTellThat() {
		try (RedisServer guarded = RedisServer.up("--user", "app", "on", ">password", "~*", "allchannels", "+@all",
				"-pttl"); TestStore store = TestStore.patientAs(guarded, "app", "password")) {
			lease(store);
			assertThat(store.store.status().reason()).isEqualTo("answered with the error NOPERM");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "wx1", "}evil", "{}", "{", "a{}b" })
	void keysOfAnAccountShouldBeInOneSlot(String appId) {
		for (String prefix : List.of(TestStore.PREFIX, "{app}:", "a{b:", "a}b{:")) {
			RedisAccount account = RedisAccount.of(new WechatMpCredentials(appId, SECRET), prefix);
			assertThat(SlotHash.getSlot(account.leaseKey())).as(prefix).isEqualTo(SlotHash.getSlot(account.tokenKey()));
		}
	}

	@Test
	void operationsWhenRedisIsAClusterShouldWork(@TempDir Path directory) throws Exception {
		try (RedisServer node = RedisServer.up("--cluster-enabled", "yes", "--dir", directory.toString());
				RedisServer.Commands commands = node.commands()) {
			commands.sync().clusterAddSlots(IntStream.range(0, 16384).toArray());
			awaitTrue(() -> commands.sync().clusterInfo().contains("cluster_state:ok"));
			try (TestStore first = TestStore.patientInCluster(node);
					TestStore second = TestStore.patientInCluster(node)) {
				assertShared(first, second, commands);
			}
		}
	}

	@Test
	void operationsWhenTheUserOfAClusterMayDoNoMoreThanIsDocumentedShouldWork(@TempDir Path directory)
			throws Exception {
		try (RedisServer node = RedisServer.up("--cluster-enabled", "yes", "--dir", directory.toString(), "--user",
				"app", "on", ">password", "~authing:wechat:*", "resetchannels", "&authing:wechat:*", "+@connection",
				"+eval", "+evalsha", "+get", "+set", "+del", "+type", "+strlen", "+pttl", "+pexpire", "+time",
				"+publish", "+subscribe", "+unsubscribe", "+cluster|nodes");
				RedisServer.Commands commands = node.commands()) {
			commands.sync().clusterAddSlots(IntStream.range(0, 16384).toArray());
			awaitTrue(() -> commands.sync().clusterInfo().contains("cluster_state:ok"));
			try (TestStore first = TestStore.patientInClusterAs(node, "app", "password");
					TestStore second = TestStore.patientInClusterAs(node, "app", "password")) {
				assertShared(first, second, commands);
			}
		}
	}

	static void assertShared(TestStore first, TestStore second, RedisServer.Commands commands) throws Exception {
		Changes changes = new Changes(second);
		awaitListener(commands);
		assertThat(read(second)).isNull();
		Lease lease = granted(first);
		assertThat(lease(second)).isNull();
		publish(first, token("a", LIFE));
		lease.release().block(PATIENCE);
		assertThat(changes.next().credentials()).isEqualTo(CREDENTIALS);
		assertThat(read(second)).isNotNull();
		first.store.drop(CREDENTIALS, "72_a").block(PATIENCE);
		assertThat(read(second)).isNull();
		assertThat(first.store.status().failed()).isZero();
	}

	private static @Nullable StoredToken read(TestStore store) {
		return store.store.read(CREDENTIALS).block(PATIENCE);
	}

	private static StoredToken found(TestStore store) {
		return Objects.requireNonNull(read(store));
	}

	private static boolean found(TestStore store, String accessToken) {
		StoredToken read = read(store);
		return read != null && read.token().accessToken().equals(accessToken);
	}

	private static StoredToken publish(TestStore store, StoredToken token) {
		return Objects.requireNonNull(store.store.publish(CREDENTIALS, token).block(PATIENCE));
	}

	private static @Nullable Lease lease(TestStore store) {
		return store.store.lease(CREDENTIALS).block(PATIENCE);
	}

	private static Lease granted(TestStore store) {
		return Objects.requireNonNull(lease(store));
	}

	private String sharedToken() {
		return found(this.other).token().accessToken();
	}

	static void awaitTrue(BooleanSupplier condition) {
		long end = System.nanoTime() + PATIENCE.toNanos();
		while (!condition.getAsBoolean()) {
			assertThat(System.nanoTime()).as("time").isLessThan(end);
		}
	}

	private static Changes listen(TestStore store) {
		Changes changes = new Changes(store);
		awaitListener(redis);
		read(store);
		return changes;
	}

	private static void awaitListener(RedisServer.Commands commands) {
		awaitTrue(() -> listeners(commands) == 1);
	}

	private static long listeners(RedisServer.Commands commands) {
		String channel = TestStore.PREFIX + "changes";
		return commands.sync().pubsubNumsub(channel).getOrDefault(channel, 0L);
	}

	private static final class Changes {

		private final BlockingQueue<Change> received = new LinkedBlockingQueue<>();

		private final Disposable subscription;

		Changes(TestStore store) {
			this.subscription = store.store.changes().subscribe(this.received::add);
		}

		Change next() throws InterruptedException {
			Change change = this.received.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
			assertThat(change).isNotNull();
			assertThat(this.subscription.isDisposed()).isFalse();
			return change;
		}

	}

}
