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
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.web.util.UriUtils;

/**
 * The query parameter that carries WeChat's token.
 */
final class AccessTokenQuery {

	private static final Pattern PARAMETER = Pattern.compile("(?<=[?&])access_token(?:=(?<value>[^&#]*))?(?=[&#]|$)");

	// They take no token of the account, and a 40001 there is about the AppSecret or a
	// user's own token: neither must cost the account its token.
	private static final Pattern WITHOUT_TOKEN = Pattern.compile("/(?:sns/.*|cgi-bin/(?:stable_)?token)");

	private AccessTokenQuery() {
	}

	static boolean isTakenBy(URI uri) {
		return !WITHOUT_TOKEN.matcher(uri.getPath()).matches() && !isPresentIn(uri);
	}

	static boolean isPresentIn(URI uri) {
		return uri.getRawQuery() != null && PARAMETER.matcher(uri.toString()).find();
	}

	/**
	 * Return the URI with the token, encoded, as the first parameter of its query.
	 * Everything else stays as it is written; a fragment, which is never sent, goes.
	 */
	static URI add(URI uri, String accessToken) {
		String text = uri.toString();
		int end = indexOf(text, '#', text.length());
		int query = indexOf(text, '?', end);
		StringBuilder result = new StringBuilder(text.length() + accessToken.length() + 16);
		result.append(text, 0, query).append("?access_token=").append(encode(accessToken));
		if (query + 1 < end) {
			result.append('&').append(text, query + 1, end);
		}
		return URI.create(result.toString());
	}

	private static int indexOf(String text, char character, int end) {
		int index = text.indexOf(character);
		return (index != -1 && index < end) ? index : end;
	}

	static String encode(String accessToken) {
		return UriUtils.encode(accessToken, StandardCharsets.UTF_8);
	}

	/**
	 * Return the value of the parameter, still encoded.
	 */
	static @Nullable String find(URI uri) {
		Matcher matcher = PARAMETER.matcher(uri.toString());
		return (matcher.find()) ? matcher.group("value") : null;
	}

	/**
	 * Return the text with the parameter's value hidden.
	 */
	static String redact(String text) {
		return PARAMETER.matcher(text).replaceAll("access_token=***");
	}

	static URI redact(URI uri) {
		return (isPresentIn(uri)) ? URI.create(redact(uri.toString())) : uri;
	}

}
