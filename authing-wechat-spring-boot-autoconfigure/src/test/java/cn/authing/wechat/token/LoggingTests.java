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
import java.util.List;
import java.util.stream.Stream;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import cn.authing.wechat.AuthingTransportException;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenSource;

import static cn.authing.wechat.token.TokenServiceFixture.CREDENTIALS;
import static cn.authing.wechat.token.TokenServiceFixture.LIFE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_DUE;
import static cn.authing.wechat.token.TokenServiceFixture.UNTIL_STALE;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for what is logged, and what never is.
 */
class LoggingTests {

	private static final String TOKEN = "the-access-token";

	private static final String FIRST_TOKEN = "Fetched the first token of account 'default'";

	private static final Duration MIN_REFRESH_INTERVAL = TokenServiceFixture.POLICY.minRefreshInterval();

	private final TokenServiceFixture fixture = new TokenServiceFixture();

	private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

	private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

	private @Nullable Level level;

	@BeforeEach
	void capture() {
		this.level = this.root.getLevel();
		this.root.setLevel(Level.TRACE);
		this.appender.start();
		this.root.addAppender(this.appender);
	}

	@AfterEach
	void release() {
		this.root.detachAppender(this.appender);
		this.root.setLevel(this.level);
	}

	private List<String> messages(Level level) {
		return this.appender.list.stream()
			.filter((event) -> event.getLevel() == level)
			.map(ILoggingEvent::getFormattedMessage)
			.filter((message) -> !message.startsWith(FIRST_TOKEN))
			.toList();
	}

	@Test
	void streakOfFailedRefreshesShouldBeLoggedOnceAtItsBeginAndOnceAtItsEnd() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(UNTIL_DUE);
		for (int attempt = 0; attempt < 4; attempt++) {
			this.fixture.ask();
			this.fixture.client.call().fail();
			this.fixture.advance(MIN_REFRESH_INTERVAL);
		}
		assertThat(messages(Level.WARN)).singleElement()
			.asString()
			.contains("account 'default'", "300 s", "Authing is busy");
		this.fixture.ask();
		this.fixture.client.call().succeed(TOKEN + 2, LIFE);
		assertThat(messages(Level.INFO)).singleElement().asString().contains("account 'default'", "4 failed attempts");
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().fail();
		assertThat(messages(Level.WARN)).as("a new streak").hasSize(2);
		assertThat(messages(Level.ERROR)).isEmpty();
	}

	@Test
	void streakOfTokensThatArriveExpiredShouldBeLoggedOnceAndOnceAtItsEnd() {
		for (int attempt = 0; attempt < 4; attempt++) {
			assertThat(messages(Level.WARN)).as("first ones").hasSize((attempt < 2) ? 0 : 1);
			this.fixture.ask();
			this.fixture.client.call().succeed(TOKEN, Duration.ofSeconds(-100));
			this.fixture.advance(MIN_REFRESH_INTERVAL);
		}
		assertThat(messages(Level.WARN)).singleElement()
			.asString()
			.contains("account 'default'", "(-100 s left)", "clock");
		assertThat(messages(Level.INFO)).isEmpty();
		this.fixture.ask();
		this.fixture.client.call().succeed(TOKEN, LIFE);
		assertThat(messages(Level.INFO)).singleElement().asString().contains("account 'default'", "4 failed attempts");
		assertThat(messages(Level.WARN)).hasSize(1);
	}

	@Test
	void firstSuccessOfAnAccountShouldBeLoggedAtInfo() {
		this.fixture.hold(TOKEN);
		this.fixture.refresh();
		this.fixture.client.call().succeed(TOKEN + 2, LIFE);
		assertThat(this.appender.list).extracting(ILoggingEvent::getFormattedMessage)
			.filteredOn(FIRST_TOKEN::equals)
			.hasSize(1);
	}

	@Test
	void firstFailureOfAnAccountShouldBeLoggedAtWarnAndItsEndAtInfo() {
		failTwice();
		assertThat(messages(Level.WARN)).singleElement().asString().contains("account 'default'", "Authing is busy");
		this.fixture.hold(TOKEN);
		assertThat(messages(Level.INFO)).singleElement().asString().contains("2 failed attempts");
	}

	@Test
	void failureShouldBeLoggedWithTheAdviceAtItsEnd() {
		this.fixture.ask();
		this.fixture.client.call()
			.fail(new AuthingTransportException("x".repeat(900) + " Check authing.app-host.", null, null, false, null));
		assertThat(messages(Level.WARN)).singleElement().asString().endsWith("Check authing.app-host.");
	}

	@Test
	void rejectedTokenThatIsReplacedShouldBeLoggedAtInfoWithACount() {
		this.fixture.hold(TOKEN);
		for (int rejection = 1; rejection <= 2; rejection++) {
			this.fixture.advance(Duration.ofMinutes(1));
			this.fixture.service.invalidate(this.fixture.held());
			this.fixture.hold(TOKEN + rejection);
			assertThat(messages(Level.INFO)).hasSize(rejection)
				.last()
				.asString()
				.contains("account 'default'", "(rejections reported here so far: " + rejection + ")");
		}
		assertThat(messages(Level.WARN)).isEmpty();
	}

	@Test
	void tokensThatAreRejectedOneAfterTheOtherShouldBeLoggedOnceAtWarn() {
		this.fixture.hold(TOKEN);
		this.fixture.client.onCall((call) -> call.succeed(TOKEN + this.fixture.client.calls(), LIFE));
		this.fixture.advance(MIN_REFRESH_INTERVAL);
		for (int rejection = 1; rejection <= 4; rejection++) {
			assertThat(messages(Level.WARN)).hasSize((rejection < 3) ? 0 : 1);
			this.fixture.service.invalidate(this.fixture.held());
			this.fixture.advance(TokenServiceFixture.POLICY.maxBackoff().dividedBy(2));
			this.fixture.ask();
		}
		assertThat(messages(Level.WARN)).singleElement()
			.asString()
			.contains("account 'default'", "Another program may ask WeChat");
		assertThat(messages(Level.INFO)).as("replaced, which helps only once").hasSize(1);
	}

	@Test
	void rejectedTokenThatAuthingReturnsAgainShouldBeLoggedOnceAtWarn() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(MIN_REFRESH_INTERVAL);
		this.fixture.client.onCall((call) -> call.succeed(TOKEN, LIFE));
		for (int rejection = 1; rejection <= 3; rejection++) {
			this.fixture.service.invalidate(TOKEN);
			this.fixture.ask();
			this.fixture.advance(TokenServiceFixture.POLICY.maxBackoff().dividedBy(2));
			assertThat(messages(Level.WARN)).singleElement()
				.asString()
				.contains("account 'default'", "Another program may ask WeChat");
		}
	}

	@Test
	void namesWithControlCharactersShouldNotWriteLinesOfTheirOwn() {
		WechatMpTokenSource evil = this.fixture.service
			.account(new WechatMpCredentials("wx\r\nERROR forged\u0085\u009b", "tenant-secret"));
		this.fixture.ask(evil);
		this.fixture.client.call().succeed(TOKEN, LIFE);
		assertThat(evil.toString()).contains("ERROR forged").doesNotContain("\n", "\r", "\u0085", "\u009b");
		assertThat(messages(Level.DEBUG)).noneMatch((message) -> message.matches("(?s).*[\\p{Cc}].*"));
	}

	@Test
	void failureAfterAnExpiryShouldBeLoggedAsAnyOther() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(LIFE);
		failTwice();
		assertThat(messages(Level.WARN)).singleElement()
			.asString()
			.contains("account 'default'", "No valid token is left");
		this.fixture.hold(TOKEN + 2);
		assertThat(messages(Level.INFO)).singleElement().asString().contains("2 failed attempts");
	}

	@Test
	void failureAfterARejectionShouldBeLoggedAsAnyOther() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(Duration.ofMinutes(1));
		this.fixture.service.invalidate(TOKEN);
		failTwice();
		assertThat(messages(Level.WARN)).singleElement()
			.asString()
			.contains("account 'default'", "No valid token is left");
	}

	@Test
	void streakOfFailuresShouldBeLoggedOnceMoreWhenNoTokenIsLeft() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(UNTIL_STALE);
		failTwice();
		assertThat(messages(Level.WARN)).singleElement().asString().contains("valid for another 10 s");
		this.fixture.advance(Duration.ofSeconds(10));
		this.fixture.ask();
		this.fixture.client.call().fail();
		assertThat(messages(Level.WARN)).hasSize(2).last().asString().contains("No valid token is left");
		this.fixture.advance(Duration.ofMinutes(1));
		this.fixture.hold(TOKEN + 2);
		assertThat(messages(Level.INFO)).singleElement().asString().contains("3 failed attempts");
	}

	@Test
	void streakWhileAnEarlierTokenWorksShouldNotBeLoggedAsIfThereWasNone() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(LIFE.minusSeconds(60));
		this.fixture.refresh();
		this.fixture.client.call().succeed(TOKEN + 2, Duration.ofSeconds(20));
		this.fixture.advance(Duration.ofSeconds(25));
		failTwice();
		assertThat(messages(Level.WARN)).singleElement().asString().contains("valid for another 35 s");
	}

	@Test
	void streakAfterATokenThatArrivedExpiredShouldNotBeLoggedAsIfItWasValid() {
		this.fixture.ask();
		this.fixture.client.call().succeed(TOKEN, Duration.ofSeconds(-100));
		this.fixture.refresh();
		this.fixture.client.call().fail();
		assertThat(messages(Level.WARN)).singleElement().asString().contains("which has expired or was rejected");
	}

	@Test
	void failureOfCredentialsThatACallerMadeUpShouldBeLoggedAtDebugOnly() {
		this.fixture.ask(this.fixture.service.account(new WechatMpCredentials("wx-tenant", "tenant-secret")));
		this.fixture.client.call().fail();
		assertThat(messages(Level.WARN)).isEmpty();
	}

	private void failTwice() {
		for (int attempt = 0; attempt < 2; attempt++) {
			this.fixture.ask();
			this.fixture.client.call().fail();
			this.fixture.advance(Duration.ofSeconds(2));
		}
	}

	@Test
	void failureThatFindsItsCallersGoneShouldBeLoggedOnce() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(LIFE);
		this.fixture.ask().cancel();
		this.fixture.refresh().cancel();
		this.fixture.client.call().fail();
		assertThat(messages(Level.ERROR)).isEmpty();
		assertThat(messages(Level.WARN)).hasSize(1);
	}

	@Test
	void refreshShouldBeLoggedAtDebugOnly() {
		this.fixture.hold(TOKEN);
		this.fixture.advance(UNTIL_DUE);
		this.fixture.hold(TOKEN + 2);
		assertThat(messages(Level.WARN)).isEmpty();
		assertThat(messages(Level.INFO)).isEmpty();
		assertThat(messages(Level.DEBUG)).isNotEmpty();
	}

	@Test
	void streakThatAnotherInstanceEndsShouldBeLoggedAtItsEnd() {
		List<TokenServiceFixture> sharing = twoThatShare();
		TokenServiceFixture one = sharing.get(0);
		TokenServiceFixture other = sharing.get(1);
		one.hold(TOKEN);
		one.advance(UNTIL_DUE);
		one.ask();
		one.client.call().fail();
		assertThat(messages(Level.WARN)).hasSize(1);
		other.refresh();
		other.client.call().succeed(TOKEN + 2, LIFE);
		assertThat(one.held()).isEqualTo(TOKEN + 2);
		assertThat(messages(Level.INFO)).hasSize(1);
	}

	@Test
	void streakWhileAnotherInstanceAsksShouldNotEnd() {
		List<TokenServiceFixture> sharing = twoThatShare();
		TokenServiceFixture one = sharing.get(0);
		TokenServiceFixture other = sharing.get(1);
		one.hold(TOKEN);
		other.ask();
		one.advance(UNTIL_DUE);
		for (int failures = 1; failures <= 3; failures++) {
			one.ask();
			one.client.call().fail();
			one.advance(MIN_REFRESH_INTERVAL);
			other.ask();
			one.ask();
			assertThat(one.status().failures()).isEqualTo(failures);
			other.client.call().fail();
			one.advance(MIN_REFRESH_INTERVAL);
		}
		assertThat(messages(Level.WARN)).as("one for each instance").hasSize(2);
		assertThat(messages(Level.INFO)).isEmpty();
	}

	private static List<TokenServiceFixture> twoThatShare() {
		ManualTime time = new ManualTime();
		SharedTestStore store = new SharedTestStore(time);
		return Stream
			.generate(() -> new TokenServiceFixture((setup) -> setup.withTime(time).withStore(store.newInstance())))
			.limit(2)
			.toList();
	}

	private void changeTheSecretToOneThatFails() {
		this.fixture.hold(TOKEN);
		this.fixture.client.onCall((call) -> call.fail());
		this.fixture.accounts.put("default", new WechatMpCredentials(CREDENTIALS.appId(), "another-secret"));
		this.fixture.registry.reload();
	}

	@Test
	void changedCredentialsThatAreUsedForWantOfOthersShouldNotBeCalledASuccess() {
		changeTheSecretToOneThatFails();
		this.fixture.advance(LIFE);
		this.fixture.ask();
		assertThat(messages(Level.WARN)).last()
			.asString()
			.isEqualTo("The old credentials of account 'default' have no token any more; the changed ones are used, "
					+ "though they have produced no valid token yet");
		assertThat(messages(Level.INFO)).noneMatch((message) -> message.contains("are in use"));
	}

	@Test
	void changeOfCredentialsShouldBeLoggedOnce() {
		changeTheSecretToOneThatFails();
		this.fixture.advance(Duration.ofMinutes(10));
		assertThat(messages(Level.WARN)).satisfiesExactly(
				(message) -> assertThat(message).contains("No valid token is left", "Authing is busy"),
				(message) -> assertThat(message).contains("changed credentials of account 'default'"));
		this.fixture.client.onCall((call) -> call.succeed(TOKEN + 2, LIFE));
		this.fixture.advance(Duration.ofMinutes(1));
		assertThat(messages(Level.INFO)).last().asString().contains("account 'default' are in use");
		assertThat(messages(Level.WARN)).hasSize(2);
	}

	@Test
	void runTimeAccountShouldBeNamedByAppId() {
		this.fixture.ask(this.fixture.service.account(new WechatMpCredentials("wx-tenant", "tenant-secret")));
		this.fixture.client.call().succeed(TOKEN, LIFE);
		assertThat(messages(Level.DEBUG))
			.anySatisfy((message) -> assertThat(message).contains("WeChat app 'wx-tenant'"));
	}

	@Test
	void everythingShouldBeLoggedWithoutTokenAndSecret() {
		this.fixture.hold(TOKEN);
		this.fixture.refresh();
		this.fixture.client.call().succeed(TOKEN, LIFE);
		this.fixture.advance(UNTIL_DUE);
		this.fixture.ask();
		this.fixture.client.call().fail();
		this.fixture.service.invalidate(TOKEN);
		this.fixture.advance(Duration.ofSeconds(30));
		this.fixture.ask();
		this.fixture.client.call().succeed(TOKEN, LIFE);
		this.fixture.refresh();
		this.fixture.client.call().fail(new IllegalStateException(TOKEN + CREDENTIALS.appSecret()));
		this.fixture.accounts.put("default", new WechatMpCredentials(CREDENTIALS.appId(), CREDENTIALS.appSecret() + 2));
		this.fixture.registry.reload();
		this.fixture.time.runDue();
		this.fixture.client.call().succeed(TOKEN + 2, LIFE);
		this.fixture.registry.keepWarm();
		this.fixture.advance(UNTIL_STALE);
		this.fixture.close();
		assertThat(this.appender.list).isNotEmpty().allSatisfy((event) -> {
			assertThat(event.getFormattedMessage()).doesNotContain(TOKEN, CREDENTIALS.appSecret());
			for (IThrowableProxy thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
				assertThat(thrown.getMessage()).doesNotContain(TOKEN, CREDENTIALS.appSecret());
			}
		});
		assertThat(
				List.of(this.fixture.service, this.fixture.registry.status(), this.fixture.service.account("default"),
						this.fixture.service.account(CREDENTIALS), this.fixture.service.getAccessToken()))
			.allSatisfy((value) -> assertThat(value.toString()).doesNotContain(TOKEN, CREDENTIALS.appSecret()));
	}

}
