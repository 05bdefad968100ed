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

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingServer;
import cn.authing.wechat.client.AuthingServer.Answer;

/**
 * An application that goes through all that can happen with tokens and writes down all
 * that can be told of it.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration(excludeName = { "com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
		"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
class TalkativeApplication {

	/**
	 * Beginnings of the secrets, so that a hex dump in short lines is found as well.
	 */
	static final List<String> SECRET_BEGINNINGS = List.of("AppSecret-", "WechatSecr-", "Token-", "Gateway-");

	static final String APP_SECRET = "AppSecret-0123456789";

	static final String WECHAT_SECRET = "WechatSecr-0123456789";

	static final String GATEWAY_SECRET = "Gateway-0123456789";

	private static final String TOKEN = "Token-0123456789abcdefghijklmnopqrstuvwxyz";

	private static final Duration LIMIT = Duration.ofSeconds(30);

	private static final Log logger = LogFactory.getLog(TalkativeApplication.class);

	public static void main(String[] arguments) {
		AtomicReference<Answer> answer = new AtomicReference<>(AuthingServer.token(TOKEN));
		try (AuthingServer server = new AuthingServer((socket) -> answer.get().write(socket))) {
			System.setProperty("authing.app-host", server.uri().toString());
			ConfigurableApplicationContext context = SpringApplication.run(TalkativeApplication.class, arguments);
			WechatMpTokenService tokens = context.getBean(WechatMpTokenService.class);
			try (context) {
				use(tokens, context);
				failures().forEach((name, failure) -> {
					answer.set(failure);
					WechatMpTokenSource account = tokens.account(new WechatMpCredentials("wx-" + name, WECHAT_SECRET));
					tell(name, account::getAccessTokenSync);
					// Now the failure is remembered
					tell(name, () -> account.getAccessToken().block(LIMIT));
				});
				tell("a failed refresh", () -> tokens.refreshAccessToken().block(LIMIT));
				tell("a valid token", tokens::getAccessTokenSync);
				tellBeans(context);
				tellMeters(context.getBean(MeterRegistry.class));
				Thread.getAllStackTraces().keySet().forEach((thread) -> logger.info("Thread " + thread));
			}
			tell("a closed service", () -> tokens.refreshAccessToken().block(LIMIT));
		}
	}

	private static void use(WechatMpTokenService tokens, ConfigurableApplicationContext context) {
		tell("a first token", tokens::getAccessTokenSync);
		tell("a fresh token", () -> tokens.getAccessToken().block(LIMIT));
		tell("an invalidation", () -> tokens.invalidate(TOKEN));
		tell("another token", tokens::getAccessTokenSync);
		tell("an account", () -> tokens.account("shop"));
		tell("the account's token", () -> tokens.account("shop").getAccessTokenSync());
		tell("an unknown account", () -> tokens.account("unknown"));
		tell("bad credentials", () -> new WechatMpCredentials("", WECHAT_SECRET));
		context.publishEvent(new WechatMpAccountsChangedEvent(context));
	}

	private static Map<String, Answer> failures() {
		String echo = WECHAT_SECRET + " " + GATEWAY_SECRET + " " + TOKEN;
		return Map.of("refused",
				AuthingServer.json("""
						{"statusCode":602,"message":"%s","requestId":"%s","data":{"accessToken":"%s"}}"""
					.formatted(echo, echo, TOKEN)),
				"html", AuthingServer.answer(200, "<html>" + echo, "Content-Type: text/html"), "gateway",
				AuthingServer.answer(502, echo, "X-Echo: " + echo), "redirected",
				AuthingServer.answer(302, echo, "Location: https://host/" + TOKEN), "broken",
				AuthingServer.brokenOff(echo), "reset", AuthingServer.reset(), "silent", AuthingServer.silence());
	}

	private static void tell(String what, Supplier<Object> source) {
		try {
			logger.info(what + ": " + source.get());
		}
		catch (RuntimeException ex) {
			StringWriter stackTrace = new StringWriter();
			ex.printStackTrace(new PrintWriter(stackTrace));
			logger.info(what + ": " + stackTrace);
			tellGetters(ex);
		}
	}

	private static void tellGetters(Throwable failure) {
		Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
		Deque<Throwable> queue = new ArrayDeque<>(List.of(failure));
		while (!queue.isEmpty()) {
			Throwable next = queue.remove();
			if (seen.add(next)) {
				queue.addAll(List.of(next.getSuppressed()));
				for (Method method : next.getClass().getMethods()) {
					Object value = value(next, method);
					logger.info(next.getClass().getName() + "." + method.getName() + " = " + value);
					if (value instanceof Throwable cause) {
						queue.add(cause);
					}
				}
			}
		}
	}

	private static @Nullable Object value(Throwable failure, Method method) {
		if (method.getParameterCount() > 0 || !method.getName().matches("(get|is|to)[A-Z].*")
				|| !(method.canAccess(failure) || method.trySetAccessible())) {
			return null;
		}
		try {
			return method.invoke(failure);
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static void tellBeans(ListableBeanFactory beans) {
		for (String name : beans.getBeanDefinitionNames()) {
			// Scoped and lazy beans are of no interest here
			if (beans.isSingleton(name)) {
				logger.info("Bean " + name + ": " + beans.getBean(name));
			}
		}
	}

	private static void tellMeters(MeterRegistry registry) {
		registry.getMeters().forEach((meter) -> logger.info("Meter " + meter.getId() + " " + meter.measure()));
	}

	@Bean
	ObservationHandler<Observation.Context> observations() {
		return new ObservationHandler<>() {

			@Override
			public void onStop(Observation.Context context) {
				logger.info("Observation " + context + " " + context.getAllKeyValues());
			}

			@Override
			public boolean supportsContext(Observation.Context context) {
				return true;
			}

		};
	}

}
