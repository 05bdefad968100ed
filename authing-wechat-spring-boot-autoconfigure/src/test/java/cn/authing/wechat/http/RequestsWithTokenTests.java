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

package cn.authing.wechat.http;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.http.HttpStatus;

import cn.authing.wechat.http.ApiClient.Script;
import cn.authing.wechat.test.FakeAccounts;
import cn.authing.wechat.test.FakeTokenSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Which requests get a token, and whose, with each of the clients that can call WeChat.
 */
@ParameterizedClass
@EnumSource
@ExtendWith(OutputCaptureExtension.class)
class RequestsWithTokenTests {

	private static final String[] HOSTS = { "api.weixin.qq.com", "https://proxy.example.com/wechat/",
			"http://10.0.0.5:8080/wx", "[::1]" };

	private static final URI API = URI.create("https://api.weixin.qq.com/cgi-bin/getcallbackip");

	private final FakeAccounts accounts = new FakeAccounts(FakeTokenSource.of("token"));

	private final Script script = new Script(this.accounts, HOSTS);

	private final ApiClient client;

	RequestsWithTokenTests(ApiClient client) {
		this.client = client;
	}

	@ParameterizedTest
	@ValueSource(strings = { "https://api.weixin.qq.com/cgi-bin/getcallbackip", "HTTPS://API.WeiXin.QQ.com/cgi-bin/a",
			"https://api.weixin.qq.com:443/cgi-bin/a", "https://api.weixin.qq.com//cgi-bin/a",
			"https://me:password@api.weixin.qq.com/cgi-bin/a", "https://proxy.example.com/wechat/cgi-bin/a",
			"https://proxy.example.com/wechat/tokens/cgi-bin/token/a", "http://10.0.0.5:8080/wx/cgi-bin/a",
			"http://[::1]:8080/cgi-bin/a", "https://api.weixin.qq.com/cgi-bin/clear_quota",
			"https://api.weixin.qq.com/cgi-bin/component/setprivacysetting", "https://api.weixin.qq.com/sns" })
	void tokenIsAddedToCallsOfListedHosts(String uri) {
		get(uri);
		assertThat(this.script.sent).containsExactly(URI.create(uri + "?access_token=token"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "https://api.weixin.qq.com@evil.example/cgi-bin/a",
			"https://api.weixin.qq.com:443@evil.example/a", "https://evil.example/https://api.weixin.qq.com/a",
			"https://evil.example?api.weixin.qq.com/", "https://evil.example#@api.weixin.qq.com/",
			"https://api.weixin.qq.com./cgi-bin/a", "https://api.weixin.qq.com.evil.example/a",
			"https://evil-api.weixin.qq.com/a", "https://weixin.qq.com/a", "https://api-weixin-qq.com/a",
			"https://api_weixin.qq.com/a", "https://xn--pi-8ia.weixin.qq.com/a", "https://\uff41pi.weixin.qq.com/a",
			"https://api.weixin.qq.com:8443/a", "https://api.weixin.qq.com:80/a", "https://127.0.0.1/a",
			"https://[::ffff:10.0.0.5]:8080/wx/a", "https://[::2]/a", "https://proxy.example.com/cgi-bin/a",
			"https://proxy.example.com/wechat", "https://proxy.example.com/wechat2/a",
			"https://proxy.example.com//wechat/a", "https://proxy.example.com/wechat/../admin",
			"https://proxy.example.com/wechat/..;/admin", "https://proxy.example.com/wechat/%2e%2e/admin",
			"https://proxy.example.com/wechat/..%2fadmin", "https://proxy.example.com/wechat/%252e%252e/admin",
			"https://proxy.example.com/wechat/%5c..%5cadmin", "https://proxy.example.com:444/wechat/a",
			"http://proxy.example.com/wechat/a", "http://10.0.0.5/wx/a", "https://10.0.0.5:8080/wx/a",
			"http://10.0.0.6:8080/wx/a", "http://10.0.0.5:8080/a" })
	void tokenIsNotAddedToCallsOfOtherHosts(String uri) {
		get(uri);
		assertSentAsIs(uri);
	}

	@Test
	void tokenIsNotSentInTheClear() {
		assertThatIllegalArgumentException().isThrownBy(() -> get("http://api.weixin.qq.com/cgi-bin/a"))
			.withMessage(
					"WeChat's access token must not be sent over 'http': write 'https://api.weixin.qq.com', or list "
							+ "'http://api.weixin.qq.com' in authing.wechat.api.hosts if the network in between is trusted");
		assertThat(this.script.sent).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/cgi-bin/a?access_token=mine", "/cgi-bin/a?b=c&access_token=mine",
			"/cgi-bin/a?access_token", "/cgi-bin/a?component_access_token=mine", "/tcb/a?cloudbase_access_token=mine",
			"/cgi-bin/a?authorizer_access_token=mine", "/cgi-bin/a?access%5Ftoken=mine",
			"/cgi-bin/a?%61ccess_toke%6E=mine", "/cgi-bin/a?suite_access_token=mine", "/cgi-bin/a?ACCESS_TOKEN=mine",
			"/cgi-bin/component/api_component_token", "/cgi-bin/component/api_start_push_ticket",
			"/cgi-bin/clear_quota/v2", "/sns/userinfo", "/sns/oauth2/access_token?code=a", "/cgi-bin/token",
			"/cgi-bin/stable_token", "/cgi-bin/stable_token/", "//cgi-bin/token", "/cgi-bin/%74oken" })
	void tokenIsNotAddedToCallsThatTakeAnotherOrNone(String uri) {
		String rejection = "{\"errcode\":40001,\"errmsg\":\"invalid credential\"}";
		for (String prefix : new String[] { "https://api.weixin.qq.com", "https://proxy.example.com/wechat",
				"http://10.0.0.5:8080/wx/api" }) {
			this.script.sent.clear();
			this.script.willAnswer(HttpStatus.OK, rejection);
			assertThat(get(prefix + uri)).isEqualTo(rejection);
			assertSentAsIs(prefix + uri);
		}
		assertThat(this.accounts.tokens().reports()).isEmpty();
	}

	@Test
	void otherParametersThatNameTokensDoNotMatter() {
		get(API + "?token=a&access_token_type=b&q=access_token");
		assertThat(this.script.sent)
			.containsExactly(URI.create(API + "?access_token=token&token=a&access_token_type=b&q=access_token"));
	}

	@Test
	void otherHostIsReportedOnce(CapturedOutput output) {
		String uri = "http://me:password@wechat-proxy:8080/cgi-bin/a";
		get(uri, WechatMpRequestAttributes.withoutToken());
		assertThat(output).doesNotContain("wechat-proxy");
		Script once = new Script(this.accounts, HOSTS);
		// One filter or interceptor: what it has told belongs to its hosts
		WechatCalls calls = WechatCalls.of(this.accounts).withHosts(HOSTS);
		for (int i = 0; i < 3; i++) {
			calls.withTokenSource(this.accounts.account("shop")).include(URI.create(uri), Map.of());
		}
		assertThat(once.sent).isEmpty();
		assertThat(output.toString().lines().filter((line) -> line.contains("wechat-proxy"))).singleElement()
			.asString()
			.contains("WARN")
			.contains("No access token is added to calls of http://wechat-proxy:8080: it is not one of ["
					+ "api.weixin.qq.com, https://proxy.example.com/wechat, http://10.0.0.5:8080/wx, [::1]]")
			.contains("add it to authing.wechat.api.hosts")
			.doesNotContain("password");
	}

	@Test
	void relativeAddressIsReportedAsSuch(CapturedOutput output) {
		WechatCalls.of(this.accounts).withHosts(HOSTS).include(URI.create("/cgi-bin/a"), Map.of());
		assertThat(output).contains("No access token is added to calls of a relative address: ").doesNotContain("null");
	}

	@Test
	void requestCanChooseAccountByName() {
		get(API.toString(), WechatMpRequestAttributes.account("shop"));
		get(API.toString(), WechatMpRequestAttributes.account("default"));
		get(API.toString());
		assertThat(this.script.sent).extracting(URI::getQuery)
			.containsExactly("access_token=shop-token", "access_token=token", "access_token=token");
	}

	@Test
	void requestCanChooseAccountByCredentials() {
		get(API.toString(), WechatMpRequestAttributes.account(FakeAccounts.TENANT));
		assertThat(this.script.sent).extracting(URI::getQuery).containsExactly("access_token=tenant-token");
	}

	@Test
	void rejectedTokenIsTheOneOfTheAccountThatWasChosen() {
		this.script.willAnswer(HttpStatus.OK, "{\"errcode\":40001,\"errmsg\":\"invalid credential\"}");
		get(API.toString(), WechatMpRequestAttributes.account("shop"));
		assertThat(this.accounts.account("shop").invalidations()).isOne();
		assertThat(this.accounts.account("shop").fetches()).isEqualTo(2);
		assertThat(this.accounts.tokens().reports()).isEmpty();
	}

	@Test
	void rejectedTokenIsNotSentAgainIfNoOtherCanBeHad() {
		String rejection = "{\"errcode\":40001,\"errmsg\":\"invalid credential\"}";
		Script same = new Script(FakeTokenSource.of("token"), HOSTS);
		same.willAnswer(HttpStatus.OK, rejection);
		assertThat(this.client.get(same, API, Map.of())).isEqualTo(rejection);
		assertThat(same.sent).hasSize(1);
	}

	@Test
	void requestCanGoWithoutToken() {
		get(API.toString(), WechatMpRequestAttributes.withoutToken());
		assertSentAsIs(API.toString());
	}

	@Test
	void requestWithAttributeThatIsFalseGetsToken() {
		get(API.toString(), (attributes) -> attributes.put(WechatMpRequestAttributes.WITHOUT_TOKEN, false));
		assertThat(this.script.sent).extracting(URI::getQuery).containsExactly("access_token=token");
	}

	@Test
	void unknownAccountIsToldByTheService() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> get(API.toString(), WechatMpRequestAttributes.account("shops")))
			.withMessage("No account 'shops', only default, shop");
		assertThat(this.script.sent).isEmpty();
	}

	@Test
	void attributeOfAnotherTypeIsAnError() {
		assertThatIllegalArgumentException()
			.isThrownBy(
					() -> get(API.toString(), (attributes) -> attributes.put(WechatMpRequestAttributes.ACCOUNT, 42)))
			.withMessageContaining("'cn.authing.wechat.account' must be the name of an account")
			.withMessageContaining("java.lang.Integer");
	}

	@Test
	void accountCannotBeChosenWhereThereIsOnlyOne() {
		Script single = new Script(FakeTokenSource.of("token"), HOSTS);
		assertThatIllegalStateException()
			.isThrownBy(() -> this.client.get(single, API, Map.of(WechatMpRequestAttributes.ACCOUNT, "shop")))
			.withMessageContaining("make it of a WechatMpTokenService");
	}

	@ParameterizedTest
	@ValueSource(strings = { "a+b/c=d", "a%2Bb%2Fc%3Dd", "a%2bb%2fc%3dd", "a%252Bb%252Fc%253Dd", "a%25252bb/c%3D%64",
			"a\\u002bb\\/c\\u003Dd", "a+b/\u200bc=d", "a+b/\nc=d", "A+B/C=D" })
	void failureThatQuotesTokenIsHandedOnWithoutIt(String written) {
		Script quoting = new Script(FakeTokenSource.of("a+b/c=d"), HOSTS);
		quoting.willAnswer(HttpStatus.NOT_FOUND, "\u4e0d\u5b58\u5728: " + API + "?access_token=" + written + ".");
		assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> this.client.get(quoting, API, Map.of()))
			.satisfies((ex) -> Secrets.assertAbsent(ex, written))
			.satisfies((ex) -> assertThat(((Object) ex).toString()).contains("404"));
		quoting.willAnswer(HttpStatus.OK, "{\"errcode\":48001,\"errmsg\":\"" + written + "\"}");
		assertThat(this.client.get(quoting, API, Map.of())).isEqualTo("{\"errcode\":48001,\"errmsg\":\"***\"}");
	}

	@Test
	void longFailureIsHandedOnWhole() {
		String body = "x".repeat(3 * Redaction.MAX_BYTES);
		this.script.willAnswer(HttpStatus.OK, "{\"errcode\":48001,\"errmsg\":\"token" + body + "\"}");
		assertThat(get(API.toString())).isEqualTo("{\"errcode\":48001,\"errmsg\":\"***" + body + "\"}");
	}

	@Test
	void tokenAtTheBorderOfTwoBlocksOfFailureIsHidden() {
		String body = "x".repeat(Redaction.MAX_BYTES - 28);
		this.script.willAnswer(HttpStatus.OK, "{\"errcode\":48001,\"errmsg\":\"" + body + "token" + body + "\"}");
		assertThat(get(API.toString())).isEqualTo("{\"errcode\":48001,\"errmsg\":\"" + body + "***" + body + "\"}");
	}

	@Test
	void successIsHandedOnAsItIs() {
		this.script.willAnswer(HttpStatus.OK, "{\"errcode\":0,\"url\":\"token\"}");
		assertThat(get(API.toString())).isEqualTo("{\"errcode\":0,\"url\":\"token\"}");
	}

	private @Nullable String get(String uri) {
		return get(uri, (attributes) -> {
		});
	}

	private @Nullable String get(String uri, Consumer<Map<String, Object>> attributes) {
		Map<String, Object> all = new HashMap<>();
		attributes.accept(all);
		return this.client.get(this.script, URI.create(uri), all);
	}

	private void assertSentAsIs(String uri) {
		assertThat(this.script.sent).containsExactly(URI.create(uri));
		assertThat(this.accounts.tokens().fetches()).isZero();
	}

}
