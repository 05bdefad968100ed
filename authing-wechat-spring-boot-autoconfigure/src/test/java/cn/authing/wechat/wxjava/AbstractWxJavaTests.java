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

package cn.authing.wechat.wxjava;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

import me.chanjar.weixin.common.bean.CommonUploadData;
import me.chanjar.weixin.common.bean.CommonUploadParam;
import me.chanjar.weixin.common.error.WxErrorException;
import me.chanjar.weixin.common.error.WxRuntimeException;
import me.chanjar.weixin.common.service.WxService;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.WxJavaAutoConfiguration;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * What holds for each of WxJava's modules.
 *
 * @param <S> the type of the module's service
 * @param <C> the type of the module's configuration
 */
@ExtendWith(OutputCaptureExtension.class)
abstract class AbstractWxJavaTests<S, C> {

	private static final AuthingApiException FAILURE = new AuthingApiException(
			"Authing said no: forbidden (statusCode 403, requestId req-1)", 403, 2011, "req-1", null);

	final FakeWechat wechat = FakeWechat.start();

	final FakeAccounts accounts = new FakeAccounts("wx1");

	final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(WxJavaAutoConfiguration.class))
		.withBean(WechatMpTokenService.class, () -> this.accounts)
		.withBean("accountProvider", WechatMpAccountProvider.class, () -> this.accounts::credentials);

	@BeforeEach
	void acceptAllTokens() {
		this.wechat.acceptAll();
	}

	@AfterEach
	void closeWechat() {
		this.wechat.close();
	}

	abstract Class<S> serviceType();

	abstract Class<C> configurationType();

	abstract Class<?> starter();

	abstract String[] starterProperties(String appId);

	abstract C newConfiguration(String appId);

	abstract void useStableAccessToken(C configuration);

	abstract S newService();

	abstract S newFinalService();

	abstract S newOverridingService();

	abstract String configurationGetter();

	abstract Object newRegistry(S service);

	abstract Object newSharedRegistry(S service);

	abstract void addToRegistry(Object registry, String tenantId, S service);

	abstract S fromRegistry(Object registry, String tenantId);

	abstract void setConfigurations(S service, Map<String, C> configurations);

	abstract void addConfiguration(S service, String id, C configuration);

	abstract boolean switchover(S service, String id);

	abstract S switchoverTo(S service, String id, Function<String, @Nullable C> factory);

	abstract C configuration(S service);

	abstract String accessToken(C configuration);

	abstract void expireAccessToken(C configuration);

	abstract boolean isAccessTokenExpired(C configuration);

	abstract long expiresTime(C configuration);

	abstract void updateAccessToken(C configuration, String accessToken);

	abstract void setApiUrl(C configuration);

	abstract String accessToken(S service, boolean forceRefresh) throws WxErrorException;

	abstract void call(S service) throws WxErrorException;

	abstract String ticket(S service) throws WxErrorException;

	abstract String loggerName();

	abstract void clearThread();

	@AfterEach
	void leaveThreadAsItWas() {
		clearThread();
	}

	@Test
	void callWhenStarterShouldUseTokenOfAuthing() {
		withStarter().run((context) -> {
			S service = context.getBean(serviceType());
			call(service);
			assertThat(accessToken(service, false)).isEqualTo("authing-default-1");
			assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1");
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void getAccessTokenWhenStarterAndForcedShouldAskAuthing() {
		withStarter().run((context) -> {
			S service = context.getBean(serviceType());
			assertThat(accessToken(service, true)).isEqualTo("authing-default-1");
			assertThat(accessToken(service, true)).isEqualTo("authing-default-2");
			assertThat(accessToken(service, false)).isEqualTo("authing-default-2");
			assertThat(this.accounts.tokens().reports()).isEmpty();
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void callWhenStarterShouldRecoverFromDeadToken() {
		withStarter().run((context) -> assertThatDeadTokenIsReplaced(context.getBean(serviceType())));
	}

	@Test
	void getTicketShouldKeepWorking() {
		withStarter().run((context) -> {
			S service = context.getBean(serviceType());
			assertThat(ticket(service)).isEqualTo("the-ticket");
			assertThat(ticket(service)).isEqualTo("the-ticket");
			assertThat(this.wechat.requests()).extracting(FakeWechat.Request::path)
				.containsExactly("/cgi-bin/ticket/getticket");
			assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1");
		});
	}

	@Test
	void configurationWhenStarterShouldBeManagedAsBeanToo() {
		withStarter().run((context) -> {
			C configuration = context.getBean(configurationType());
			assertThat(accessToken(configuration)).isEqualTo("authing-default-1");
			assertThat(isAccessTokenExpired(configuration)).isFalse();
			assertThat(expiresTime(configuration)).isEqualTo(FakeTokenSource.EXPIRES_AT.toEpochMilli());
			assertThat(configuration(context.getBean(serviceType()))).isSameAs(configuration);
		});
	}

	@Test
	void callWhenStarterWithOtherAppShouldStayAsItWas(CapturedOutput output) {
		this.contextRunner.withConfiguration(AutoConfigurations.of(starter()))
			.withPropertyValues(starterProperties("wx9"))
			.run((context) -> {
				S service = context.getBean(serviceType());
				call(service);
				assertThat(accessToken(service, true)).isEqualTo("wechat-wx9-2");
				assertThat(this.wechat.tokenRequests()).containsExactly("wx9", "wx9");
				assertThat(this.wechat.sentTokens()).containsExactly("wechat-wx9-1");
				assertThat(this.accounts.tokens().fetches()).isZero();
				assertThat(output).contains(
						"from the token service: none; and asks " + "WeChat itself, as before, for those of: 'wx9'");
			});
	}

	@Test
	void callWhenDisabledShouldStayAsItWas() {
		withStarter().withPropertyValues("authing.wechat.wxjava.enabled=false").run((context) -> {
			call(context.getBean(serviceType()));
			assertThat(this.wechat.tokenRequests()).containsExactly("wx1");
			assertThat(this.accounts.tokens().fetches()).isZero();
		});
	}

	@Test
	void callWhenNoStarterAndNoBeansShouldUseTokenOfAuthing() {
		this.contextRunner.run((context) -> {
			S service = context.getBean(serviceType());
			setApiUrl(configuration(service));
			assertThatDeadTokenIsReplaced(service);
		});
	}

	@Test
	void callWhenNoStarterAndSeveralAccountsShouldSwitchByNameAndAppId() {
		this.accounts.add("shop", "wx2");
		this.contextRunner.run((context) -> {
			S service = context.getBean(serviceType());
			for (String id : List.of("wx1", "shop")) {
				assertThat(switchover(service, id)).isTrue();
				setApiUrl(configuration(service));
			}
			call(service);
			assertThat(switchover(service, "wx2")).isTrue();
			call(service);
			clearThread();
			call(service);
			assertThat(this.wechat.sentTokens()).containsExactly("authing-shop-1", "authing-shop-1",
					"authing-default-1");
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void callWhenUserConfigurationShouldUseItInOwnService() {
		this.contextRunner.withBean(configurationType(), () -> newConfiguration("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			assertThat(configuration(service)).isSameAs(context.getBean(configurationType()));
			assertThatDeadTokenIsReplaced(service);
		});
	}

	@Test
	void callWhenUserServiceShouldUseTokenOfAuthing() {
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			assertThat(service).isInstanceOf(newService().getClass());
			assertThat(configuration(service)).isInstanceOf(newConfiguration("wx1").getClass());
			assertThatDeadTokenIsReplaced(service);
		});
	}

	@Test
	void callWhenUserServiceIsFinalShouldUseTokenOfAuthing() {
		this.contextRunner.withBean(serviceType(), () -> {
			S service = newFinalService();
			setConfigurations(service, configurations("wx1"));
			return service;
		}).run((context) -> assertThatDeadTokenIsReplaced(context.getBean(serviceType())));
	}

	@Test
	void callWhenStableTokenShouldUseTokenOfAuthing() {
		this.contextRunner.withBean(configurationType(), () -> {
			C configuration = newConfiguration("wx1");
			useStableAccessToken(configuration);
			return configuration;
		}).run((context) -> assertThatDeadTokenIsReplaced(context.getBean(serviceType())));
	}

	@Test
	void callWhenSeveralConfigurationsShouldManageThoseConfigured(CapturedOutput output) {
		this.accounts.add("shop", "wx2");
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1", "wx2", "wx3")).run((context) -> {
			S service = context.getBean(serviceType());
			for (String appId : List.of("wx1", "wx2", "wx3")) {
				assertThat(switchover(service, appId)).isTrue();
				call(service);
				accessToken(service, true);
				call(service);
			}
			assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1", "authing-default-2",
					"authing-shop-1", "authing-shop-2", "wechat-wx3-1", "wechat-wx3-2");
			assertThat(this.wechat.tokenRequests()).containsExactly("wx3", "wx3");
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			assertThat(output)
				.containsOnlyOnce("WxJava gets the access tokens of these WeChat apps from the token service: "
						+ "'wx1' (account 'default'), 'wx2' (account 'shop'); and asks WeChat itself, as before, "
						+ "for those of: 'wx3'");
		});
	}

	@Test
	void callWhenConfigurationIsAddedLaterShouldManageIt(CapturedOutput output) {
		this.accounts.add("shop", "wx2").add("club", "wx3");
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			addConfiguration(service, "second", newConfiguration("wx2"));
			call(service);
			S switched = switchoverTo(service, "third", (id) -> newConfiguration("wx3"));
			assertThat(switched).isSameAs(service);
			call(switched);
			accessToken(switched, true);
			setConfigurations(service, Map.of("fourth", newConfiguration("wx9")));
			call(service);
			assertThat(this.wechat.sentTokens()).containsExactly("authing-shop-1", "authing-club-1", "wechat-wx9-1");
			assertThat(this.wechat.tokenRequests()).containsExactly("wx9");
			assertThat(output)
				.contains("from the token service: 'wx2' (account 'shop'); and asks WeChat itself, as before, for "
						+ "those of: none");
		});
	}

	@Test
	void switchoverToWhenFactoryHasNoneShouldFailAsBefore() {
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			assertThatExceptionOfType(WxRuntimeException.class)
				.isThrownBy(() -> switchoverTo(service, "unknown", (id) -> null))
				.withMessageContaining("unknown");
		});
	}

	@Test
	void callWhenServiceComesFromRegistryShouldUseTokenOfAuthing() {
		this.contextRunner.withBean("registry", Object.class, () -> newRegistry(serviceOf("wx1"))).run((context) -> {
			Object registry = context.getBean("registry");
			assertThat(fromRegistry(registry, "tenant")).isSameAs(fromRegistry(registry, "tenant"));
			assertThatDeadTokenIsReplaced(fromRegistry(registry, "tenant"));
		});
	}

	@Test
	void callWhenRegistryIsGivenAnotherAccountShouldUseTokenOfAuthing() {
		this.accounts.add("shop", "wx2");
		this.contextRunner.withBean("registry", Object.class, () -> newSharedRegistry(serviceOf("wx1")))
			.run((context) -> {
				Object registry = context.getBean("registry");
				S service = fromRegistry(registry, "wx1");
				call(service);
				addToRegistry(registry, "wx2", serviceOf("wx2"));
				call(fromRegistry(registry, "wx2"));
				for (String tenantId : List.of("wx1", "wx2")) {
					assertThat(switchover(service, tenantId)).isTrue();
					call(service);
				}
				assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1", "authing-shop-1",
						"authing-default-1", "authing-shop-1");
				assertThat(this.wechat.tokenRequests()).isEmpty();
			});
	}

	@Test
	void callWhenServiceIsNoBeanButPostProcessedShouldUseTokenOfAuthing() {
		this.contextRunner.run((context) -> {
			Object service = context.getAutowireCapableBeanFactory().initializeBean(serviceOf("wx1"), "tenantService");
			assertThatDeadTokenIsReplaced(serviceType().cast(service));
		});
	}

	@Test
	void getAccessTokenWhenForcedPastBeanShouldFailAndNotAskWechat() {
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S target = serviceType()
				.cast(Objects.requireNonNull(AopProxyUtils.getSingletonTarget(context.getBean(serviceType()))));
			assertThat(accessToken(target, false)).isEqualTo("authing-default-1");
			assertThatExceptionOfType(WxRuntimeException.class).isThrownBy(() -> accessToken(target, true))
				.withMessageContaining("WeChat was not asked for the access token of app 'wx1'")
				.withMessageContaining("account 'default'");
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void startWhenUserServiceGetsTokenByItsOwnMeansShouldWarn(CapturedOutput output) {
		this.contextRunner.withBean("acmeService", serviceType(), () -> {
			S service = newOverridingService();
			setConfigurations(service, configurations("wx1"));
			return service;
		}).run((context) -> {
			assertThat(accessToken(context.getBean(serviceType()), false)).isEqualTo("acme");
			assertThat(output).contains("WARN").contains("'acmeService'").contains("overrides getAccessToken(boolean)");
		});
	}

	@Test
	void startWhenUserServiceIsNotDerivedShouldWarnAndLeaveIt(CapturedOutput output) {
		S service = newForeignService(newConfiguration("wx1"));
		this.contextRunner.withBean("acmeService", serviceType(), () -> service).run((context) -> {
			assertThat(context.getBean(serviceType())).isSameAs(service);
			assertThat(output).contains("WARN")
				.contains("'acmeService'")
				.contains("is not derived from WxJava's implementation")
				.contains("'wx1'");
		});
	}

	@Test
	void callWhenManyMeetDeadTokenShouldReplaceItOnce() {
		// As many as WxJava's HTTP client sends to one host at a time.
		int callers = 10;
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			this.wechat.reject(accessToken(service, false));
			this.wechat.holdRejectionsUntil(callers);
			ExecutorService executor = Executors.newFixedThreadPool(callers);
			try {
				Callable<Void> caller = () -> {
					call(service);
					return null;
				};
				List<Callable<Void>> all = new ArrayList<>();
				for (int i = 0; i < callers; i++) {
					all.add(caller);
				}
				for (Future<Void> outcome : executor.invokeAll(all, 60, TimeUnit.SECONDS)) {
					outcome.get();
				}
			}
			finally {
				executor.shutdownNow();
			}
			assertThat(this.accounts.tokens().fetches()).isEqualTo(2);
			assertThat(this.accounts.tokens().reports()).containsExactly("authing-default-1");
			assertThat(this.wechat.sentTokens()).hasSize(2 * callers);
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void callWhenWechatRejectsEveryTokenShouldFailAfterOneRepeat() {
		this.wechat.acceptOnly();
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			assertThatExceptionOfType(WxErrorException.class).isThrownBy(() -> call(service))
				.satisfies((ex) -> assertThat(ex.getError().getErrorCode()).isEqualTo(40001));
			assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1", "authing-default-2");
			assertThat(this.accounts.tokens().reports()).containsExactly("authing-default-1", "authing-default-2");
			assertThat(this.accounts.tokens().fetches()).isEqualTo(2);
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void callWhenAuthingFailsShouldFailWithWhatItSaid() {
		this.accounts.tokens().fetchAfter(Mono.error(FAILURE));
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			for (Callable<?> attempt : List.<Callable<?>>of(() -> accessToken(service, false),
					() -> accessToken(service, true), () -> {
						call(service);
						return "";
					})) {
				assertThatExceptionOfType(WxRuntimeException.class).isThrownBy(attempt::call)
					.withMessage("No access token for WeChat app 'wx1' (account 'default'): " + FAILURE.getMessage())
					.withCause(FAILURE);
			}
			assertThat(this.wechat.sentTokens()).isEmpty();
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void callWhenTokenIsDeadAndAuthingFailsShouldDropOnlyThatToken() {
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			this.wechat.reject(accessToken(service, false));
			this.accounts.tokens().fetchAfter(Mono.error(FAILURE));
			assertThatExceptionOfType(WxRuntimeException.class).isThrownBy(() -> call(service)).withCause(FAILURE);
			this.accounts.tokens().fetchAfter(Mono.empty());
			call(service);
			assertThat(this.accounts.tokens().reports()).containsExactly("authing-default-1");
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void expireAccessTokenWhenCalledByApplicationShouldDropTokenLastGiven() {
		this.contextRunner.withBean(configurationType(), () -> newConfiguration("wx1")).run((context) -> {
			C configuration = context.getBean(configurationType());
			expireAccessToken(configuration);
			assertThat(this.accounts.tokens().fetches()).isZero();
			assertThat(accessToken(configuration)).isEqualTo("authing-default-1");
			expireAccessToken(configuration);
			expireAccessToken(configuration);
			assertThat(accessToken(configuration)).isEqualTo("authing-default-2");
			assertThat(this.accounts.tokens().reports()).containsOnly("authing-default-1");
		});
	}

	@Test
	void updateAccessTokenShouldBeIgnoredWithOneWarning(CapturedOutput output) {
		this.contextRunner.withBean(configurationType(), () -> newConfiguration("wx1")).run((context) -> {
			C configuration = context.getBean(configurationType());
			updateAccessToken(configuration, "token-of-another");
			updateAccessToken(configuration, "token-of-another");
			assertThat(accessToken(configuration)).isEqualTo("authing-default-1");
			assertThat(output)
				.containsOnlyOnce(
						"Ignoring the access token that was set on the WxJava configuration " + "of WeChat app 'wx1'")
				.doesNotContain("token-of-another");
		});
	}

	@Test
	void getAccessTokenWhenForcedOnNonBlockingThreadShouldFailAtOnce() {
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			assertThatIllegalStateException()
				.isThrownBy(() -> Mono.fromCallable(() -> accessToken(service, true))
					.subscribeOn(Schedulers.parallel())
					.block())
				.withMessageContaining("getAccessToken(true) of WeChat app 'wx1'")
				.withMessageContaining("boundedElastic");
			assertThat(this.accounts.tokens().fetches()).isZero();
		});
	}

	@Test
	void getAccessTokenWhenForcedAndInterruptedShouldStopWaiting() {
		this.accounts.tokens().fetchAfter(Mono.never());
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			Thread.currentThread().interrupt();
			assertThatExceptionOfType(WxRuntimeException.class).isThrownBy(() -> accessToken(service, true))
				.withMessageContaining("Interrupted")
				.withCauseInstanceOf(InterruptedException.class);
			assertThat(Thread.interrupted()).isTrue();
		});
	}

	@Test
	void accountsWhenChangedShouldBeManagedFromThenOn(CapturedOutput output) {
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx2")).run((context) -> {
			S service = context.getBean(serviceType());
			call(service);
			this.accounts.add("shop", "wx2");
			context.publishEvent(new WechatMpAccountsChangedEvent(this));
			call(service);
			assertThat(this.wechat.sentTokens()).containsExactly("wechat-wx2-1", "authing-shop-1");
			assertThat(output).contains("from the token service: 'wx2' (account 'shop')");
		});
	}

	@Test
	void uploadWhenTokenIsDeadShouldBeRepeatedWithTheSameContent(@TempDir Path directory) throws IOException {
		Path file = Files.writeString(directory.resolve("a.txt"), "the-content");
		CommonUploadParam bytes = CommonUploadParam.fromBytes("media", "a.txt", "the-content".getBytes());
		CommonUploadData data = bytes.getData();
		List<CommonUploadParam> uploads = List.of(CommonUploadParam.fromFile("media", file.toFile()), bytes);
		this.contextRunner.withBean(serviceType(), () -> serviceOf("wx1")).run((context) -> {
			S service = context.getBean(serviceType());
			for (CommonUploadParam upload : uploads) {
				this.wechat.reject(accessToken(service, false));
				assertThat(((WxService) service).upload(this.wechat.url() + "/cgi-bin/media/upload", upload))
					.contains("the-media-id");
			}
			assertThat(this.wechat.requests()).hasSize(4).allMatch((request) -> request.text().contains("the-content"));
			assertThat(bytes.getData()).isSameAs(data);
		});
	}

	@Test
	void getExpiresTimeWhenThereIsNoTokenShouldBeZero() {
		this.accounts.tokens().fetchAfter(Mono.error(FAILURE));
		this.contextRunner.withBean(configurationType(), () -> newConfiguration("wx1"))
			.run((context) -> assertThat(expiresTime(context.getBean(configurationType()))).isZero());
	}

	@Test
	void callWhenUserHasServiceAndNoAccountsShouldUseItForTheOnlyApp() {
		withoutAccounts(WechatMpTokenService.of("the-token")).withBean(serviceType(), () -> serviceOf("wx1"))
			.run((context) -> {
				call(context.getBean(serviceType()));
				assertThat(expiresTime(configuration(context.getBean(serviceType())))).isPositive();
				assertThat(this.wechat.sentTokens()).containsExactly("the-token");
				assertThat(this.wechat.tokenRequests()).isEmpty();
			});
	}

	@Test
	void callWhenUserHasServiceAndNoAccountsShouldFindAccountsByAppId() {
		Supplier<WechatMpAccessToken> token = () -> WechatMpTokenService.of("the-token").getAccessTokenSync();
		withoutAccounts(WechatMpTokenService.of(Map.of("default", token, "wx2", token)))
			.withBean(serviceType(), () -> serviceOf("wx1", "wx2"))
			.run((context) -> {
				S service = context.getBean(serviceType());
				for (String appId : List.of("wx1", "wx2")) {
					assertThat(switchover(service, appId)).isTrue();
					call(service);
				}
				assertThat(this.wechat.sentTokens()).containsExactly("wechat-wx1-1", "the-token");
			});
	}

	private ApplicationContextRunner withoutAccounts(WechatMpTokenService service) {
		return new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(WxJavaAutoConfiguration.class))
			.withBean(WechatMpTokenService.class, () -> service);
	}

	@Test
	void callWhenLoggersAreSetAsDocumentedShouldLogNoToken(CapturedOutput output) {
		LoggingSystem logging = LoggingSystem.get(getClass().getClassLoader());
		Map<String, LogLevel> levels = Map.of(loggerName(), LogLevel.ERROR, "org.apache.hc", LogLevel.INFO,
				"org.apache.http", LogLevel.INFO);
		levels.forEach(logging::setLogLevel);
		try {
			withStarter().run((context) -> {
				S service = context.getBean(serviceType());
				call(service);
				this.wechat.acceptOnly();
				assertThatExceptionOfType(WxErrorException.class).isThrownBy(() -> call(service));
				this.accounts.tokens().fetchAfter(Mono.error(FAILURE));
				assertThatExceptionOfType(WxRuntimeException.class).isThrownBy(() -> call(service));
				updateAccessToken(context.getBean(configurationType()), "authing-default-9");
				assertThat(this.wechat.sentTokens()).hasSize(3);
				assertThat(output).contains("WxJava gets the access tokens")
					.doesNotContain("authing-default-")
					.doesNotContain("secret-of-");
			});
		}
		finally {
			levels.keySet().forEach((name) -> logging.setLogLevel(name, null));
		}
	}

	void assertThatDeadTokenIsReplaced(S service) throws WxErrorException {
		call(service);
		this.wechat.reject("authing-default-1");
		call(service);
		assertThat(accessToken(service, true)).isEqualTo("authing-default-3");
		call(service);
		assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1", "authing-default-1",
				"authing-default-2", "authing-default-3");
		assertThat(this.accounts.tokens().reports()).containsExactly("authing-default-1");
		assertThat(this.wechat.tokenRequests()).isEmpty();
	}

	private S newForeignService(C configuration) {
		return serviceType().cast(Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] { serviceType() },
				(proxy, method, arguments) -> switch (method.getName()) {
					case "equals" -> proxy == arguments[0];
					case "hashCode" -> System.identityHashCode(proxy);
					default -> {
						assertThat(method.getName()).isEqualTo(configurationGetter());
						yield configuration;
					}
				}));
	}

	ApplicationContextRunner withStarter() {
		return this.contextRunner.withConfiguration(AutoConfigurations.of(starter()))
			.withPropertyValues(starterProperties("wx1"));
	}

	S serviceOf(String... appIds) {
		S service = newService();
		setConfigurations(service, configurations(appIds));
		return service;
	}

	private Map<String, C> configurations(String... appIds) {
		Map<String, C> configurations = new LinkedHashMap<>();
		for (String appId : appIds) {
			configurations.put(appId, newConfiguration(appId));
		}
		return configurations;
	}

}
