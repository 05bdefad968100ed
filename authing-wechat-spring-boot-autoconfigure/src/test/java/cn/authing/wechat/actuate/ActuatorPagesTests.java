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

package cn.authing.wechat.actuate;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import com.jayway.jsonpath.DocumentContext;
import com.jayway.jsonpath.JsonPath;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.OperationType;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvoker;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvokerAdvisor;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameters;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.test.FakeAuthing;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The actuator's pages of servlet and reactive applications that were really started,
 * driven over HTTP.
 */
class ActuatorPagesTests {

	private static final String REFRESH = "{\"operation\":\"refresh\"}";

	private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private final FakeAuthing authing = FakeAuthing.start();

	private @Nullable ConfigurableApplicationContext application;

	@AfterEach
	void stop() {
		stopApplication();
		this.authing.close();
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void readShouldShowAllAccounts(WebApplicationType type) throws Exception {
		start(type);
		DocumentContext before = ok(get("/authingwechat"));
		assertThat(before.<Object>read("$.accounts.default.state")).isEqualTo("EMPTY");
		assertThat(before.<Object>read("$.accounts.shop.appId")).isEqualTo("wx-shop");
		service().getAccessTokenSync();
		service().account("shop").getAccessTokenSync();
		service().account("shop").invalidate(FakeAuthing.TOKEN + 2);
		DocumentContext after = ok(get("/authingwechat"));
		assertThat(after.<Object>read("$.accounts.default.state")).isEqualTo("FRESH");
		assertThat(after.<Integer>read("$.accounts.default.expiresInSeconds")).isPositive();
		assertThat(after.<String>read("$.accounts.default.expiresAt")).endsWith("Z");
		assertThat(after.<String>read("$.accounts.default.lastFetchedAt")).endsWith("Z");
		assertThat(after.<Object>read("$.accounts.default.origin")).isEqualTo("AUTHING");
		assertThat(after.<Object>read("$.accounts.default.fetches")).isEqualTo(1);
		assertThat(after.<Object>read("$.accounts.shop.state")).isEqualTo("EXPIRED");
		assertThat(after.<Object>read("$.accounts.shop.rejections")).isEqualTo(1);
		assertThat(after.<Map<String, Object>>read("$")).as("nothing is shared").containsOnlyKeys("accounts");
		assertThat(this.authing.requests()).isEqualTo(2);
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void readShouldShowLastFailure(WebApplicationType type) throws Exception {
		start(type);
		this.authing.answerWith(FakeAuthing.REFUSAL);
		post("/authingwechat/shop", REFRESH);
		DocumentContext account = ok(get("/authingwechat/shop"));
		assertThat(account.<Object>read("$.state")).isEqualTo("FAILING");
		assertThat(account.<Object>read("$.failures")).isEqualTo(1);
		assertThat(account.<Object>read("$.lastFailure.statusCode")).isEqualTo(403);
		assertThat(account.<Object>read("$.lastFailure.apiCode")).isEqualTo(2011);
		assertThat(account.<Object>read("$.lastFailure.requestId")).isEqualTo("request-403");
		assertThat(account.<String>read("$.lastFailure.error")).contains("no such app");
		assertThat(account.<String>read("$.lastFailure.at")).endsWith("Z");
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void refreshShouldAskAuthingAndShowTheAccountAfterThat(WebApplicationType type) throws Exception {
		start(type);
		service().getAccessTokenSync();
		DocumentContext account = ok(post("/authingwechat/default", REFRESH));
		assertThat(account.<Object>read("$.state")).isEqualTo("FRESH");
		assertThat(account.<Object>read("$.fetches")).isEqualTo(2);
		assertThat(service().getAccessTokenSync().accessToken()).isEqualTo(FakeAuthing.TOKEN + 2);
	}

	@ParameterizedTest
	@CsvSource({ "SERVLET, true, 503", "SERVLET, false, 502", "REACTIVE, true, 503", "REACTIVE, false, 502" })
	void refreshWhenAuthingFailsShouldAnswerWithItsCodes(WebApplicationType type, boolean busy, int status)
			throws Exception {
		start(type);
		service().getAccessTokenSync();
		this.authing.answerWith(busy ? FakeAuthing.BUSY : FakeAuthing.REFUSAL);
		HttpResponse<String> answer = post("/authingwechat/default", REFRESH);
		DocumentContext problem = problem(answer, status);
		assertThat(problem.<Object>read("$.statusCode")).isEqualTo(busy ? 503 : 403);
		assertThat(problem.<Object>read("$.requestId")).isEqualTo(busy ? "request-503" : "request-403");
		assertThat(problem.<String>read("$.detail")).contains(busy ? "busy" : "no such app");
		assertThat(ok(get("/authingwechat/default")).<Object>read("$.state")).isEqualTo("FRESH");
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void invalidateShouldDropTheTokenThatIsHeld(WebApplicationType type) throws Exception {
		start(type);
		service().getAccessTokenSync();
		DocumentContext account = ok(delete("/authingwechat/default"));
		assertThat(account.<Object>read("$.state")).isEqualTo("EXPIRED");
		assertThat(account.<Object>read("$.rejections")).isEqualTo(1);
		assertThat(this.authing.requests()).isEqualTo(1);
		assertThat(service().getAccessTokenSync().accessToken()).isEqualTo(FakeAuthing.TOKEN + 2);
		assertThat(ok(delete("/authingwechat/shop")).<Object>read("$.state")).isEqualTo("EMPTY");
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void refreshWhenAuthingHangsShouldBlockNoThreadAndShareOneFetch(WebApplicationType type) throws Exception {
		// Connections that Tomcat's backlog has no room for are tried again only seconds
		// later
		start(type, "--authing.timeout=60s", "--server.tomcat.accept-count=" + RefreshCounter.REFRESHES);
		service().getAccessTokenSync();
		service().account("shop").getAccessTokenSync();
		CountDownLatch gate = this.authing.holdBack();
		HttpRequest request = request("/authingwechat/default", "POST", REFRESH, "application/json");
		List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
		for (int i = 0; i < RefreshCounter.REFRESHES; i++) {
			answers.add(this.http.sendAsync(request, BodyHandlers.ofString()));
		}
		assertThat(application().getBean(RefreshCounter.class).waiting.await(30, TimeUnit.SECONDS)).isTrue();
		assertThat(ok(get("/health")).<Object>read("$.status")).isEqualTo("UP");
		assertThat(get("/prometheus").statusCode()).isEqualTo(200);
		assertThat(ok(get("/authingwechat/default")).<Object>read("$.fetches")).isEqualTo(1);
		assertThat(answers).noneMatch(CompletableFuture::isDone);
		gate.countDown();
		for (CompletableFuture<HttpResponse<String>> answer : answers) {
			assertThat(ok(answer.get(30, TimeUnit.SECONDS)).<Object>read("$.fetches")).isEqualTo(2);
		}
		assertThat(this.authing.requests()).isEqualTo(3);
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void requestWhenParameterNamesAnotherAccountShouldUseThePath(WebApplicationType type) throws Exception {
		start(type);
		service().getAccessTokenSync();
		service().account("shop").getAccessTokenSync();
		assertThat(ok(get("/authingwechat/default?account=shop")).<Object>read("$.appId")).isEqualTo("wx-default");
		assertThat(ok(delete("/authingwechat/default?account=shop")).<Object>read("$.state")).isEqualTo("EXPIRED");
		DocumentContext refreshed = ok(
				post("/authingwechat/default?account=shop", "{\"operation\":\"refresh\",\"account\":\"shop\"}"));
		assertThat(refreshed.<Object>read("$.appId")).isEqualTo("wx-default");
		for (String query : List.of("?path=shop", "?path=shop&path=shop", "?path=")) {
			for (HttpResponse<String> answer : List.of(get("/authingwechat/default" + query),
					post("/authingwechat/default" + query, REFRESH), delete("/authingwechat/default" + query))) {
				assertThat(problem(answer, 400).<String>read("$.detail")).contains("leave out the parameter 'path'");
			}
		}
		problem(post("/authingwechat/default", "{\"operation\":\"refresh\",\"path\":\"shop\"}"), 400);
		DocumentContext accounts = ok(get("/authingwechat"));
		assertThat(accounts.<Object>read("$.accounts.default.fetches")).isEqualTo(2);
		assertThat(accounts.<Object>read("$.accounts.shop.fetches")).isEqualTo(1);
		assertThat(accounts.<Object>read("$.accounts.shop.state")).isEqualTo("FRESH");
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void requestWhenAccountIsUnknownShouldBeNotFoundAndNameTheKnownOnes(WebApplicationType type) throws Exception {
		start(type);
		for (HttpResponse<String> answer : List.of(get("/authingwechat/nope"), post("/authingwechat/nope", REFRESH),
				delete("/authingwechat/nope"))) {
			assertThat(problem(answer, 404).<String>read("$.detail")).contains("'nope'").contains("[default, shop]");
		}
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void writeWhenOperationIsNotRefreshShouldBeBadRequestWithTheReason(WebApplicationType type) throws Exception {
		start(type);
		for (String body : List.of("", "{}", "{\"operation\":null}", "{\"operation\":\"\"}",
				"{\"operation\":\"delete\"}", "{\"operation\":1}")) {
			assertThat(problem(post("/authingwechat/default", body), 400).<String>read("$.detail"))
				.contains("{\"operation\":\"refresh\"}");
		}
		assertThat(this.authing.requests()).isZero();
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void requestOfTheWrongFormShouldBeRefused(WebApplicationType type) throws Exception {
		start(type);
		assertThat(post("/authingwechat/default", "{").statusCode()).isEqualTo(400);
		assertThat(post("/authingwechat", REFRESH).statusCode()).isEqualTo(404);
		assertThat(delete("/authingwechat").statusCode()).isEqualTo(404);
		assertThat(send("/authingwechat/default", "POST", "operation=refresh", "application/x-www-form-urlencoded")
			.statusCode()).isBetween(400, 499);
		assertThat(this.authing.requests()).isZero();
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void requestWhenAccessIsReadOnlyShouldOnlyRead(WebApplicationType type) throws Exception {
		start(type, "--management.endpoint.authingwechat.access=read-only");
		ok(get("/authingwechat"));
		ok(get("/authingwechat/default"));
		assertThat(post("/authingwechat/default", REFRESH).statusCode()).isEqualTo(405);
		assertThat(delete("/authingwechat/default").statusCode()).isEqualTo(405);
		assertThat(this.authing.requests()).isZero();
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void requestWhenEndpointIsNotExposedShouldBeNotFound(WebApplicationType type) throws Exception {
		start(type, "--management.endpoints.web.exposure.include=health");
		assertThat(get("/authingwechat").statusCode()).isEqualTo(404);
		assertThat(application().getBeanProvider(AuthingWechatEndpoint.class)).isEmpty();
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void healthShouldBeReadByAnyKindOfApplication(WebApplicationType type) throws Exception {
		start(type, "--management.endpoint.health.group.readiness.include=authingWechat");
		assertThat(ok(get("/health/authingWechat")).<Object>read("$.components.shop.details.state")).isEqualTo("FRESH");
		assertThat(ok(get("/health/readiness")).<Object>read("$.status")).isEqualTo("UP");
		service().invalidate(FakeAuthing.TOKEN + 1);
		service().invalidate(FakeAuthing.TOKEN + 2);
		this.authing.answerWith(FakeAuthing.REFUSAL);
		HttpResponse<String> down = get("/health/authingWechat");
		assertThat(down.statusCode()).isEqualTo(503);
		assertThat(JsonPath.<Object>read(down.body(), "$.components.default.details.requestId"))
			.isEqualTo("request-403");
		assertThat(get("/health/readiness").statusCode()).isEqualTo(503);
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "NONE")
	void pagesShouldShowNeitherSecretNorToken(WebApplicationType type) throws Exception {
		start(type, "--management.endpoint.env.show-values=always",
				"--management.endpoint.configprops.show-values=always", "--another.name=" + FakeAuthing.WECHAT_SECRET);
		service().getAccessTokenSync();
		service().account("shop").getAccessTokenSync();
		this.authing.answerWith(FakeAuthing.REFUSAL);
		post("/authingwechat/shop", REFRESH);
		assertThat(get("/env").body()).contains("another.name", "authing.app-secret", "the-authing-app");
		assertThat(get("/configprops").body()).contains("appSecret", "the-authing-app");
		for (String page : new String[] { "", "/env", "/env/authing.app-secret", "/env/another.name",
				"/env/authing.wechat.accounts.shop.app-secret", "/configprops", "/configprops/authing", "/beans",
				"/conditions", "/loggers", "/threaddump", "/mappings", "/info", "/health", "/metrics",
				"/metrics/authing.wechat.token.fetch", "/metrics/authing.wechat.token.requests",
				"/metrics/http.client.requests", "/prometheus", "/authingwechat", "/authingwechat/shop" }) {
			HttpResponse<String> answer = get(page);
			assertThat(answer.statusCode()).as(page).isEqualTo(200);
			assertThat(answer.body()).as(page)
				.doesNotContain(FakeAuthing.APP_SECRET, FakeAuthing.WECHAT_SECRET, FakeAuthing.SHOP_SECRET,
						FakeAuthing.HEADER, FakeAuthing.TOKEN);
		}
	}

	private void start(WebApplicationType type, String... arguments) {
		this.application = new SpringApplicationBuilder(Application.class).web(type)
			.properties("server.port=0", "server.address=127.0.0.1", "spring.main.banner-mode=off",
					"spring.main.web-application-type=" + type.name().toLowerCase(Locale.ROOT),
					"management.endpoints.web.exposure.include=*", "management.endpoint.health.show-details=always",
					"management.endpoint.health.probes.enabled=true", "management.health.redis.enabled=false",
					"authing.wechat.accounts.shop.app-id=wx-shop",
					"authing.wechat.accounts.shop.app-secret=" + FakeAuthing.SHOP_SECRET)
			.properties(this.authing.properties())
			.run(arguments);
	}

	private void stopApplication() {
		if (this.application != null) {
			this.application.close();
		}
	}

	private WechatMpTokenService service() {
		return application().getBean(WechatMpTokenService.class);
	}

	private ConfigurableApplicationContext application() {
		return Objects.requireNonNull(this.application);
	}

	private HttpResponse<String> get(String page) throws IOException, InterruptedException {
		return send(page, "GET", "", "application/json");
	}

	private HttpResponse<String> post(String page, String body) throws IOException, InterruptedException {
		return send(page, "POST", body, "application/json");
	}

	private HttpResponse<String> delete(String page) throws IOException, InterruptedException {
		return send(page, "DELETE", "", "application/json");
	}

	private HttpResponse<String> send(String page, String method, String body, String contentType)
			throws IOException, InterruptedException {
		return this.http.send(request(page, method, body, contentType), BodyHandlers.ofString());
	}

	private HttpRequest request(String page, String method, String body, String contentType) {
		String port = application().getEnvironment().getRequiredProperty("local.server.port");
		HttpRequest.Builder request = HttpRequest
			.newBuilder(URI.create("http://127.0.0.1:" + port + "/actuator" + page))
			.timeout(Duration.ofSeconds(30));
		if (body.isEmpty()) {
			request.method(method, BodyPublishers.noBody());
		}
		else {
			request.header("Content-Type", contentType).method(method, BodyPublishers.ofString(body));
		}
		return request.build();
	}

	private static DocumentContext ok(HttpResponse<String> answer) {
		assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
		return JsonPath.parse(answer.body());
	}

	private static DocumentContext problem(HttpResponse<String> answer, int status) {
		assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
		assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
		DocumentContext problem = JsonPath.parse(answer.body());
		assertThat(problem.<Object>read("$.status")).isEqualTo(status);
		return problem;
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration(
			excludeName = { "com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration",
					"com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration" })
	static class Application {

		@Bean
		RefreshCounter refreshCounter() {
			return new RefreshCounter();
		}

	}

	/**
	 * Tells when that many operations of the endpoint wait for a fetch.
	 */
	static class RefreshCounter implements OperationInvokerAdvisor {

		static final int REFRESHES = 500;

		final CountDownLatch waiting = new CountDownLatch(REFRESHES);

		@Override
		public OperationInvoker apply(EndpointId endpoint, OperationType type, OperationParameters parameters,
				OperationInvoker invoker) {
			return (context) -> {
				Object result = invoker.invoke(context);
				return (result instanceof Mono<?> mono) ? Mono.fromDirect(counted(mono)) : result;
			};
		}

		private <T> Publisher<T> counted(Mono<T> mono) {
			return (subscriber) -> {
				mono.subscribe(subscriber);
				this.waiting.countDown();
			};
		}

	}

}
