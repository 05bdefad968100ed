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

package cn.authing.wechat.sample.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.io.ClassPathResource;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseCookie;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.CookieValue;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseBody;
import org.springframework.web.reactive.result.view.Rendering;
import org.springframework.web.server.ServerWebExchange;

import cn.authing.wechat.sample.demo.AuthingMode;
import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.sample.page.PageState.AccountView;
import cn.authing.wechat.sample.page.PageState.Update;

/**
 * The page at {@code /}, complete with what it shows at first, and the events that keep
 * it up to date.
 */
@Controller
class PageController {

	private static final Duration UPDATE_INTERVAL = Duration.ofMillis(500);

	private static final Duration RECONNECT_AFTER = Duration.ofSeconds(1);

	private static final Set<String> THEMES = Set.of("dark", "light");

	private static final List<Locale> LANGUAGES = List.of(Locale.ENGLISH, Locale.CHINESE);

	private final PageState state;

	private final Activity activity;

	private final ObjectProvider<Demo> demo;

	private final JsonMapper jsonMapper;

	private final Map<String, Map<String, Object>> texts = new HashMap<>();

	PageController(PageState state, Activity activity, ObjectProvider<Demo> demo, JsonMapper jsonMapper) {
		this.state = state;
		this.activity = activity;
		this.demo = demo;
		this.jsonMapper = jsonMapper;
		LANGUAGES.forEach((language) -> this.texts.put(language.getLanguage(), texts(language)));
	}

	private Map<String, Object> texts(Locale language) {
		ClassPathResource resource = new ClassPathResource("texts/" + language.getLanguage() + ".json");
		try (InputStream json = resource.getInputStream()) {
			return this.jsonMapper.readValue(json, new TypeReference<Map<String, Object>>() {
			});
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@GetMapping(path = "/", produces = MediaType.TEXT_HTML_VALUE)
	Rendering page(@CookieValue(name = "lang", required = false) @Nullable String chosenLanguage,
			@CookieValue(name = "theme", required = false) @Nullable String theme, ServerWebExchange exchange) {
		String language = language(chosenLanguage, exchange.getRequest().getHeaders());
		exchange.getResponse().getHeaders().setCacheControl(CacheControl.noStore());
		exchange.getResponse().getHeaders().add(HttpHeaders.VARY, HttpHeaders.ACCEPT_LANGUAGE);
		Update update = this.state.update(null);
		Map<String, Object> texts = this.texts.getOrDefault(language, Map.of());
		return Rendering.view("page")
			.modelAttribute("t", texts)
			.modelAttribute("language", "zh".equals(language) ? "zh-CN" : "en")
			.modelAttribute("theme", (theme != null && THEMES.contains(theme)) ? theme : "auto")
			.modelAttribute("demo", update.controls() != null)
			.modelAttribute("stream", update.controls() != null && update.controls().stream())
			.modelAttribute("redis", update.controls() != null && update.controls().redis() != null)
			.modelAttribute("modes", modes(texts, update))
			.modelAttribute("served", number(update.served(), language))
			.modelAttribute("upstream", number(update.upstream(), language))
			.modelAttribute("failed", number(update.failed(), language))
			.modelAttribute("accounts",
					update.accounts().stream().map((account) -> row(account, update, texts)).toList())
			.modelAttribute("island", island(Map.of("language", language, "texts", texts, "update", update)))
			.build();
	}

	/**
	 * Remember the language that was chosen on the page.
	 */
	@GetMapping(path = "/", params = "lang")
	Rendering language(@RequestParam String lang, ServerWebExchange exchange) {
		if (this.texts.containsKey(lang)) {
			exchange.getResponse()
				.addCookie(ResponseCookie.from("lang", lang)
					.path("/")
					.maxAge(Duration.ofDays(365))
					.sameSite("Lax")
					.build());
		}
		return Rendering.redirectTo("/").status(HttpStatus.SEE_OTHER).build();
	}

	@GetMapping(path = "/events", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
	@ResponseBody
	Flux<ServerSentEvent<Update>> events(ServerWebExchange exchange) {
		exchange.getResponse().getHeaders().setCacheControl(CacheControl.noStore());
		// Proxies that collect a response before they pass it on
		exchange.getResponse().getHeaders().set("X-Accel-Buffering", "no");
		return Flux.defer(() -> {
			Update[] shown = new Update[1];
			return Flux.interval(Duration.ZERO, UPDATE_INTERVAL)
				.onBackpressureDrop()
				.concatMap((number) -> Flux.just(this.state.update(shown[0])), 1)
				.doOnNext((update) -> shown[0] = update)
				.map((update) -> ServerSentEvent.builder(update).retry(RECONNECT_AFTER).build());
		}).takeUntilOther(this.activity.stopped());
	}

	private String language(@Nullable String chosen, HttpHeaders headers) {
		if (chosen != null && this.texts.containsKey(chosen)) {
			return chosen;
		}
		Locale accepted = Locale.lookup(languageRanges(headers), LANGUAGES);
		return ((accepted != null) ? accepted : Locale.ENGLISH).getLanguage();
	}

	private static List<Locale.LanguageRange> languageRanges(HttpHeaders headers) {
		try {
			return headers.getAcceptLanguage();
		}
		catch (IllegalArgumentException ex) {
			return List.of();
		}
	}

	private static List<Map<String, Object>> modes(Map<String, Object> texts, Update update) {
		String current = (update.controls() != null) ? update.controls().authing() : "";
		return List.of(AuthingMode.values())
			.stream()
			.map((mode) -> Map.<String, Object>of("id", mode.id(), "checked", mode.id().equals(current), "label",
					texts.getOrDefault("mode-" + mode.id(), mode.id())))
			.toList();
	}

	private static Map<String, Object> row(AccountView account, Update update, Map<String, Object> texts) {
		Map<String, Object> row = new HashMap<>();
		row.put("name", account.name());
		row.put("appId", account.appId());
		row.put("state", account.state().name());
		row.put("stateText", texts.getOrDefault("state-" + account.state().name(), ""));
		Long expiresAt = account.expiresAt();
		row.put("left", (expiresAt != null) ? Math.max(0, (expiresAt - update.now()) / 1000) + " s" : "–");
		row.put("origin",
				(account.origin() != null) ? texts.getOrDefault("origin-" + account.origin().name(), "") : "–");
		return row;
	}

	private static String number(long number, String language) {
		return String.format(Locale.forLanguageTag(language), "%,d", number);
	}

	// In a script element nothing but its end tag is markup.
	private String island(Object data) {
		return this.jsonMapper.writeValueAsString(data).replace("<", "\\u003c");
	}

}
