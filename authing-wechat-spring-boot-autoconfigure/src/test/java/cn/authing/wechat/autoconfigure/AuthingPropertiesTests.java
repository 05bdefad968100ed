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

package cn.authing.wechat.autoconfigure;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.CompositePropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.client.AuthingOperation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.entry;

/**
 * Tests for {@link AuthingProperties}, their validation and the analysis of what is wrong
 * with them.
 */
@ExtendWith(OutputCaptureExtension.class)
class AuthingPropertiesTests {

	private static final String SECRET = "s3cr3t-0123456789";

	private static final String[] REQUIRED = { "authing.app-id=authing-app", "authing.app-secret=" + SECRET,
			"authing.app-host=https://example.authing.cn" };

	private final ApplicationContextRunner contextRunner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, AuthingClientAutoConfiguration.class,
				AuthingWechatAutoConfiguration.class))
		.withPropertyValues(REQUIRED);

	@ParameterizedTest
	@ValueSource(strings = { "authing.app-host=https://example.authing.cn/",
			"authing.app-host=HTTPS://example.cn:8443/a", "authing.app-host=http://localhost:8080",
			"authing.app-host=http://authing.localhost", "authing.app-host=http://127.0.0.1:8080",
			"authing.app-host=http://[::1]:8080", "authing.app-host=http://[0:0:0:0:0:0:0:1]", "authing.lang=en-US",
			"authing.ssl.bundle=", "authing.wechat.api.hosts=localhost:65535,[::1]:8080,127.0.0.1",
			"authing.wechat.cache.expiry-margin=0s", "authing.app-host=https://gateway.example.com/api/v1/authing",
			"authing.wechat.cache.redis.timeout=50", "authing.retry.initial-backoff=50", "authing.connect-timeout=50ms",
			"authing.headers.X-Any=value with spaces", "authing.headers[X-Api.Key]=value", "authing.allow-http=on",
			"authing.allowHttp=true", "authing.wechat.failFast=false", "authing.wechat.wxjava.enabled=TRUE" })
	void validateWhenValueIsFineShouldStart(String property) {
		this.contextRunner
			.withPropertyValues(property, "authing.wechat.accounts.default.app-id=wx1",
					"authing.wechat.accounts.default.app-secret=" + SECRET)
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void propertiesThatAreReadInSpiteOfTheirNamesShouldNotBeRefused() {
		Map<String, Object> first = Map.of("authing.wechat.accounts.shop.app-id", "wx1",
				"authing.wechat.accounts.shop.app-secret", SECRET);
		Map<String, Object> second = Map.of("authing.wechat.accounts.shop.appId", "wx2", " authing.lang ", "en-US",
				"authing.wechat.app-id ", "wx0", "authing.wechat.app-secret ", SECRET, "x".repeat(10_000), "long");
		CompositePropertySource source = new CompositePropertySource("bootstrap");
		source.addPropertySource(new MapPropertySource("profile", first));
		source.addPropertySource(new MapPropertySource("all", second));
		this.contextRunner.withInitializer((context) -> context.getEnvironment().getPropertySources().addFirst(source))
			.run((context) -> assertThat(accounts(context))
				.containsEntry("default", new WechatMpCredentials("wx0", SECRET))
				.containsEntry("shop", new WechatMpCredentials("wx1", SECRET)));
	}

	@Test
	void failFastWhenParentHasAnotherServiceShouldCheckAllTheSame() {
		new ApplicationContextRunner().withBean(WechatMpTokenService.class, () -> WechatMpTokenService.of("parent"))
			.run((parent) -> this.contextRunner.withParent(parent)
				.withPropertyValues("authing.app-host=https://localhost:1", "authing.wechat.fail-fast=true",
						"authing.retry.max-attempts=1")
				.run((context) -> assertThat(context).getFailure().hasMessageContaining("authingDefaultAccountCheck")));
	}

	@Test
	void validateWhenHttpIsAllowedShouldStart() {
		this.contextRunner.withPropertyValues("authing.app-host=http://authing.internal", "authing.allow-http=true")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "authing.app-id=|is blank",
			"authing.app-id=${MISSING}|has the placeholder ${MISSING}", "authing.app-id=your app id|has white space",
			"authing.app-secret=|is blank", "authing.app-secret=${MISSING}|has the placeholder ${MISSING}",
			"authing.app-host=|is blank", "authing.app-host=https://${MISSING}|has the placeholder",
			"authing.app-host=example.authing.cn|which has no scheme",
			"authing.app-host=localhost:8080|which has no scheme",
			"authing.app-host=s3cr3t-0123456789|is not an absolute URL",
			"authing.app-host=https://example.cn:99999|has the port 99999",
			"authing.app-host=https://example.cn:0|has the port 0",
			"authing.app-host=//example.authing.cn|which is neither https nor http",
			"authing.app-host=https:/example|is not an absolute URL",
			"authing.app-host=https://a_b^c|is not an absolute URL",
			"authing.app-host=http://my_gateway:8080|a host of letters, digits, hyphens and dots",
			"authing.timeout=200000d|is longer than a year",
			"authing.retry.max-backoff=9223372036854775807s|is longer than a year",
			"authing.app-host=ftp://example.authing.cn|is neither https nor http",
			"authing.app-host=http://example.authing.cn|is not encrypted",
			"authing.app-host=http://127.0.0.1.example.com|is not encrypted",
			"authing.app-host=http://localhost.example.com|is not encrypted",
			"authing.app-host=https://user:s3cr3t-0123456789@example.cn|has user info",
			"authing.app-host=https://example.cn?s3cr3t-0123456789|has a query",
			"authing.app-host=https://example.cn/#/login|a fragment", "authing.lang=chinese, please|language",
			"authing.timeout=0s|is not positive", "authing.connect-timeout=-1s|is not positive",
			"authing.retry.max-attempts=0|is 0", "authing.retry.initial-backoff=0s|is not positive",
			"authing.retry.max-backoff=100ms|is shorter than authing.retry.initial-backoff",
			"authing.headers.X-A=|is empty", "authing.headers.X-A=${MISSING}|has the placeholder",
			"authing.headers[X A]=s3cr3t-0123456789|is not a valid name",
			"authing.wechat.cache.refresh-ahead=0s|is not positive", "authing.timeout=10|is 10 ms",
			"authing.wechat.cache.min-refresh-interval=30|is 30 ms",
			"authing.app-host=https://example.authing.cn/oidc|has a path of Authing's own",
			"authing.app-host=https://example.authing.cn/api/v3/get-wechat-access-token|has a path of Authing's own",
			"authing.app-id=<your-app-id>|has quotes or angle brackets",
			"authing.app-host=\"https://example.authing.cn\"|has quotes or angle brackets",

			"authing.wechat.cache.refresh-ahead=5s|is shorter than authing.wechat.cache.expiry-margin",
			"authing.wechat.cache.min-refresh-interval=0s|is not positive",
			"authing.wechat.cache.expiry-margin=-1s|is negative",
			"authing.wechat.cache.default-ttl=10s|is not longer than authing.wechat.cache.expiry-margin",
			"authing.wechat.cache.failure-backoff.initial=0s|is not positive",
			"authing.wechat.cache.failure-backoff.max=500ms|is shorter than", "authing.wechat.cache.max-entries=0|is 0",
			"authing.wechat.fail-fast=on|is neither true nor false",
			"authing.wechat.cache.keep-warm=1|is neither true nor false", "authing.wechat.api.hosts=|is empty",
			"authing.wechat.api.hosts[0]=http://api.weixin.qq.com|is not a host name",
			"authing.wechat.api.hosts[0]=*.weixin.qq.com|is not a host name",
			"authing.wechat.api.hosts[0]=api..weixin.qq.com|is not a host name",
			"authing.wechat.api.hosts[0]=localhost:0|is not a host name",
			"authing.wechat.api.hosts[0]=localhost:65536|is not a host name",
			"authing.wechat.api.retry-busy.max-attempts=0|is 0",
			"authing.wechat.api.retry-busy.max-backoff=1ms|is shorter than" })
	void validateWhenValueIsWrongShouldNameTheProperty(String property, String problem) {
		this.contextRunner.withPropertyValues(property)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOfSatisfying(InvalidAuthingPropertiesException.class,
						(ex) -> assertThat(ex.getProblems()).singleElement().satisfies((found) -> {
							assertThat(found.property()).isEqualTo(property.substring(0, property.indexOf('=')));
							assertThat(found.reason()).contains(problem);
							assertThat(found.remedy()).endsWith(".");
							assertThat(found.toString()).doesNotContain(SECRET);
						})));
	}

	@Test
	void validateWhenValueHasWhiteSpaceAroundItShouldNameTheProperty() {
		this.contextRunner
			.withInitializer((context) -> context.getEnvironment()
				.getPropertySources()
				.addFirst(new MapPropertySource("first", Map.of("authing.app-secret", " " + SECRET + "\n"))))
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContaining("authing.app-secret has white space before or behind it (19 characters)")
				.message()
				.doesNotContain(SECRET));
	}

	@ParameterizedTest
	@CsvSource({ "app-id,app-secret", "app-secret,app-id" })
	void validateWhenHalfOfTheDefaultAccountIsSetShouldNameTheOtherHalf(String present, String missing) {
		this.contextRunner.withPropertyValues("authing.wechat." + present + "=wx1234")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith("authing.wechat." + missing + " is missing. Write the WeChat app"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "authing.wechat.", "authing.wechat.accounts.shop." })
	void validateWhenIdAndSecretAreSwappedShouldNameBothAndShowNone(String prefix) {
		String secret = "0123456789ABCDEF0123456789abcdef";
		for (String other : List.of("wx0123456789abcdef", secret, secret.toLowerCase(Locale.ROOT))) {
			this.contextRunner.withPropertyValues(prefix + "app-id=" + secret, prefix + "app-secret=" + other)
				.run((context) -> assertThat(context).getFailure()
					.rootCause()
					.hasMessageStartingWith(prefix + "app-id seems to be an app secret")
					.hasMessageContaining(prefix + "app-secret may be swapped")
					.message()
					.doesNotContainIgnoringCase(secret));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "authing.wechat.", "authing.wechat.accounts.shop." })
	void validateWhenAppIdIsTheOriginalIdShouldSaySo(String prefix) {
		this.contextRunner.withPropertyValues(prefix + "app-id=gh_0123456789ab", prefix + "app-secret=" + SECRET)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith(prefix + "app-id is the original id (gh_...) of an account. Write the WeChat"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "ENC(GbF0i3sRt=)", "{cipher}0123456789abcdef" })
	void validateWhenSecretIsStillEncryptedShouldSaySo(String secret) {
		this.contextRunner.withPropertyValues("authing.wechat.app-id=wx1", "authing.wechat.app-secret=" + secret)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith("authing.wechat.app-secret is still encrypted. Add the library"));
		this.contextRunner.withPropertyValues("authing.headers.authorization=" + secret)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith("authing.headers.authorization is still encrypted. Add the library"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "authing.wechat.accounts.1001.", "authing.wechat.accounts[1001]." })
	void accountWhoseNameIsANumberShouldBeOne(String prefix) {
		this.contextRunner.withPropertyValues(prefix + "app-id=wx1", prefix + "app-secret=" + SECRET)
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void validateWhenThePairOfAuthingIsSwappedShouldNameBoth() {
		String secret = "0123456789abcdef0123456789abcdef";
		this.contextRunner.withPropertyValues("authing.app-id=" + secret, "authing.app-secret=0123456789abcdef01234567")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith("authing.app-id seems to be an app secret; it and authing.app-secret")
				.message()
				.doesNotContain(secret));
	}

	@ParameterizedTest
	@CsvSource({ "0123456789abcdef0123456789abcdef,wx1", "0123456789abcdef0123456789abcdef,0123456789abcdef01234567",
			"0123456789abcdef0123456789abcdef,0123456789abcdef0123456789abcdef" })
	void credentialsThatAreSwappedShouldBeRefused(String appId, String appSecret) {
		assertThatIllegalArgumentException().isThrownBy(() -> new WechatMpCredentials(appId, appSecret))
			.withMessageContaining("swapped")
			.withMessageNotContaining(appId);
		assertThatNoException()
			.isThrownBy(() -> new WechatMpCredentials("0123456789abcdef0123456789abcdef", "f".repeat(32)));
	}

	@Test
	void validateWhenThereAreTwoDefaultAccountsShouldSaySo() {
		this.contextRunner.withPropertyValues("authing.wechat.app-id=wx1", "authing.wechat.app-secret=" + SECRET,
				"authing.wechat.accounts.default.app-id=wx2", "authing.wechat.accounts.default.app-secret=" + SECRET)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith("authing.wechat.accounts.default names the account"));
	}

	@Test
	void validateWhenAccountsAreIncompleteShouldNameThem() {
		this.contextRunner
			.withPropertyValues("authing.wechat.accounts.shop.app-id=wx1",
					"authing.wechat.accounts[My.Shop].app-secret=" + SECRET)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContainingAll("authing.wechat.accounts.shop.app-secret is missing.",
						"authing.wechat.accounts[My.Shop].app-id is missing."));
	}

	@Test
	void validateWhenNameOfAccountHasLineBreakShouldStayOnOneLine() {
		this.contextRunner
			.withInitializer((context) -> context.getEnvironment()
				.getPropertySources()
				.addFirst(new MapPropertySource("first",
						Map.of("authing.wechat.accounts[a\nWARN \u009bforged].app-id", "wx1"))))
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageStartingWith("authing.wechat.accounts[a WARN  forged].app-secret is missing."));
	}

	@Test
	void startWhenPropertiesAreMissingShouldAnalyzeAllOfThem(CapturedOutput output) {
		assertThatException().isThrownBy(() -> run());
		assertThat(output).contains("APPLICATION FAILED TO START", "authing.app-id is missing.",
				"authing.app-secret is missing.", "authing.app-host is missing.",
				"Write the app secret of the Authing application, or set authing.wechat.app-id",
				"      app-host: https://example.authing.cn", "authing.wechat.enabled=false");
	}

	@Test
	void startWhenPropertiesAreWrongShouldTellWhereTheyWereSet(CapturedOutput output) {
		assertThatException().isThrownBy(() -> run("--authing.app-id=authing-app", "--authing.app-secret= " + SECRET,
				"--authing.app-host=http://example.authing.cn", "--authing.headers.X-Gateway=",
				"--authing.wechat.accounts[My.Shop].app-id=wx1"));
		assertThat(output).contains("authing.app-secret has white space before or behind it (18 characters) (set in ",
				"authing.app-host is 'http://example.authing.cn', which is not encrypted",
				"Write https://example.authing.cn, or set authing.allow-http=true",
				"authing.wechat.accounts[My.Shop].app-secret is missing.",
				"authing.headers.X-Gateway is empty or has characters that HTTP headers must not have (0 characters) (set in ")
			.doesNotContain(SECRET);
	}

	@ParameterizedTest
	@CsvSource({ "authing.wechat.operation, access-tokens, ACCESS_TOKEN_INFO",
			"authing.wechat.cache.store, memcached, REDIS" })
	void startWhenChoiceIsUnknownShouldNameKeyAndChoices(String key, String value, String choice,
			CapturedOutput output) {
		assertThatException().isThrownBy(() -> run(arguments("--" + key + "=" + value)));
		assertThat(output).contains("APPLICATION FAILED TO START", key, value, choice).doesNotContain(SECRET);
	}

	@Test
	void startWhenSslBundleIsUnknownShouldAnalyzeIt(CapturedOutput output) {
		assertThatException().isThrownBy(() -> run(arguments("--authing.ssl.bundle=missing")));
		assertThat(output).contains("APPLICATION FAILED TO START",
				"authing.ssl.bundle names 'missing', which is not one of the known bundles []");
	}

	@Test
	void bindShouldReachAllProperties() {
		this.contextRunner
			.withPropertyValues("authing.headers.authorization=abc", "authing.wechat.operation=access-token-info",
					"authing.wechat.cache.store=redis", "authing.wechat.cache.keep-warm=true",
					"authing.wechat.api.hosts=localhost:1,localhost:2", "authing.wechat.wxjava.enabled=false",
					"authing.wechat.api.retry-busy.max-attempts=3")
			.run((context) -> {
				AuthingProperties properties = context.getBean(AuthingProperties.class);
				assertThat(properties.getHeaders()).containsExactly(entry("authorization", "abc"));
				AuthingWechatProperties wechat = context.getBean(AuthingWechatProperties.class);
				AuthingWechatCacheProperties cache = context.getBean(AuthingWechatCacheProperties.class);
				AuthingWechatApiProperties api = context.getBean(AuthingWechatApiProperties.class);
				assertThat(wechat.getOperation()).isEqualTo(AuthingOperation.ACCESS_TOKEN_INFO);
				assertThat(cache.getStore()).isEqualTo(AuthingWechatCacheProperties.Store.REDIS);
				assertThat(cache.isKeepWarm()).isTrue();
				assertThat(api.getHosts()).isEqualTo(List.of("localhost:1", "localhost:2"));
				assertThat(api.getRetryBusy().getMaxAttempts()).isEqualTo(3);
				assertThat(wechat.getWxjava().isEnabled()).isFalse();
				assertThat(properties.toString()).doesNotContain(SECRET);
			});
	}

	@Test
	void getAccountsWhenNoWechatAccountShouldUseTheAuthingPair() {
		this.contextRunner.run((context) -> assertThat(accounts(context))
			.containsExactly(entry("default", new WechatMpCredentials("authing-app", SECRET))));
	}

	@Test
	void getAccountsWhenWechatAccountsShouldListTheDefaultFirst() {
		this.contextRunner
			.withPropertyValues("authing.wechat.app-id=wx0", "authing.wechat.app-secret=s0",
					"authing.wechat.accounts.b.app-id=wx1", "authing.wechat.accounts.b.app-secret=s1",
					"authing.wechat.accounts.a.app-id=wx2", "authing.wechat.accounts.a.app-secret=s2")
			.run((context) -> assertThat(accounts(context)).containsExactly(
					entry("default", new WechatMpCredentials("wx0", "s0")),
					entry("b", new WechatMpCredentials("wx1", "s1")),
					entry("a", new WechatMpCredentials("wx2", "s2"))));
	}

	@Test
	void getAccountsWhenDefaultIsAmongTheNamedShouldUseThat() {
		this.contextRunner
			.withPropertyValues("authing.wechat.accounts.shop.app-id=wx1", "authing.wechat.accounts.shop.app-secret=s1",
					"authing.wechat.accounts.default.app-id=wx2", "authing.wechat.accounts.default.app-secret=s2")
			.run((context) -> assertThat(accounts(context)).containsExactly(
					entry("default", new WechatMpCredentials("wx2", "s2")),
					entry("shop", new WechatMpCredentials("wx1", "s1"))));
	}

	@Test
	void environmentVariableShouldBelongToTheAccountThatIsWrittenWithHyphen() {
		this.contextRunner
			.withInitializer((context) -> environment(context, "AUTHING_WECHAT_ACCOUNTS_MYSHOP_APPSECRET", SECRET))
			.withPropertyValues("authing.wechat.accounts.my-shop.app-id=wx1")
			.run((context) -> assertThat(accounts(context)).containsOnlyKeys("default", "my-shop")
				.containsEntry("my-shop", new WechatMpCredentials("wx1", SECRET)));
	}

	@ParameterizedTest
	@ValueSource(strings = { "my_shop", "My-Shop" })
	void accountWhoseSecretIsMissingShouldBeAdvisedOfItsVariable(String name) {
		this.contextRunner.withPropertyValues("authing.wechat.accounts." + name + ".app-id=wx1")
			.withInitializer((context) -> environment(context, "AUTHING_WECHAT_ACCOUNTS_MY_SHOP_APPSECRET", SECRET))
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContaining("authing.wechat.accounts." + name + ".app-secret is missing")
				.hasMessageContaining("its name is AUTHING_WECHAT_ACCOUNTS_MYSHOP_APPSECRET."));
		this.contextRunner.withPropertyValues("authing.wechat.accounts." + name + ".app-id=wx1")
			.withInitializer((context) -> environment(context, "AUTHING_WECHAT_ACCOUNTS_MYSHOP_APPSECRET", SECRET))
			.run((context) -> assertThat(accounts(context)).containsOnlyKeys("default", name)
				.containsEntry(name, new WechatMpCredentials("wx1", SECRET)));
	}

	@Test
	void accountsWhoseNamesDifferInBracketsShouldBeTwo() {
		this.contextRunner.withPropertyValues("authing.wechat.accounts[my_shop].app-id=wx1",
				"authing.wechat.accounts[my_shop].app-secret=" + SECRET, "authing.wechat.accounts[my-shop].app-id=wx2",
				"authing.wechat.accounts[my-shop].app-secret=" + SECRET)
			.run((context) -> assertThat(accounts(context))
				.containsEntry("my_shop", new WechatMpCredentials("wx1", SECRET))
				.containsEntry("my-shop", new WechatMpCredentials("wx2", SECRET)));
	}

	@Test
	void environmentVariablesOfAccountsThatAreNotReadShouldBeReported(CapturedOutput output) {
		this.contextRunner
			.withInitializer((context) -> environment(context, "AUTHING_WECHAT_ACCOUNTS_MY_SHOP_APPID", "wx1",
					"AUTHING_WECHAT_ACCOUNTS_SHOP_APPID", "wx2", "AUTHING_WECHAT_ACCOUNTS_SHOP_APPSECRET", SECRET))
			.run((context) -> assertThat(accounts(context)).containsOnlyKeys("default", "shop"));
		assertThat(output)
			.contains("AUTHING_WECHAT_ACCOUNTS_MY_SHOP_APPID (did you mean " + "AUTHING_WECHAT_ACCOUNTS_MYSHOP_APPID?)")
			.doesNotContain("(did you mean AUTHING_WECHAT_ACCOUNTS_SHOP");
	}

	@Test
	void environmentVariablesAloneShouldMakeAccount() {
		this.contextRunner
			.withInitializer((context) -> environment(context, "AUTHING_WECHAT_ACCOUNTS_MYSHOP_APPID", "wx1",
					"AUTHING_WECHAT_ACCOUNTS_MYSHOP_APPSECRET", SECRET))
			.run((context) -> assertThat(accounts(context)).containsEntry("myshop",
					new WechatMpCredentials("wx1", SECRET)));
	}

	@ParameterizedTest
	@CsvSource({ "authing.lang, x-token, one", "authing.headers.X-Token, X-Token, one",
			"authing.headers[x.token], x-token, one", "authing.headers[a.b], a.b, two" })
	void environmentVariableShouldBelongToHeaderWithHyphens(String property, String header, String value) {
		this.contextRunner.withInitializer((context) -> environment(context, "AUTHING_HEADERS_X_TOKEN", "one"))
			.withPropertyValues(property + "=two")
			.run((context) -> assertThat(context.getBean(ValidatedProperties.class).current().authing().getHeaders())
				.containsEntry(header, value)
				.doesNotContainKeys("x.token", "xtoken")
				.hasSize("two".equals(value) ? 2 : 1));
	}

	private static void environment(ConfigurableApplicationContext context, String... namesAndValues) {
		Map<String, Object> variables = new HashMap<>();
		for (int i = 0; i < namesAndValues.length; i += 2) {
			variables.put(namesAndValues[i], namesAndValues[i + 1]);
		}
		context.getEnvironment()
			.getPropertySources()
			.addFirst(new SystemEnvironmentPropertySource("test-systemEnvironment", variables));
	}

	// The test class path has more than the starter brings, also what makes a web server.
	private static void run(String... arguments) {
		SpringApplication application = new SpringApplication(Application.class);
		application.setWebApplicationType(WebApplicationType.NONE);
		application.run(arguments);
	}

	private static Map<String, WechatMpCredentials> accounts(ApplicationContext context) {
		PropertiesWechatMpAccountProvider provider = context.getBean(PropertiesWechatMpAccountProvider.class);
		Map<String, WechatMpCredentials> accounts = provider.getAccounts();
		assertThat(provider.getAccounts()).as("bound anew").isEqualTo(accounts);
		return accounts;
	}

	private static String[] arguments(String argument) {
		return new String[] { "--" + REQUIRED[0], "--" + REQUIRED[1], "--" + REQUIRED[2], argument };
	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ SslAutoConfiguration.class, AuthingClientAutoConfiguration.class,
			AuthingWechatAutoConfiguration.class })
	static class Application {

	}

}
