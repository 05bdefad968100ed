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
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

import org.springframework.util.StringUtils;
import org.springframework.web.util.UriUtils;

/**
 * The query parameter that carries WeChat's token.
 */
final class AccessTokenQuery {

	private static final Pattern PARAMETER = Pattern.compile("(?<=[?&])([^=&#]+)(?:=([^&#]*))?");

	// These take no token of the account, whatever prefix a reverse proxy gives them, and
	// a 40001 there is about the AppSecret or a user's own token: neither must cost the
	// account its token.
	private static final Pattern WITHOUT_TOKEN = Pattern
		.compile(".*/(?:sns/.*|cgi-bin/(?:(?:stable_)?token|clear_quota/v2"
				+ "|component/api_(?:component_token|start_push_ticket))/*)");

	private AccessTokenQuery() {
	}

	/**
	 * Return whether the token of an account may be added: not to a request that carries
	 * a token already, and not to those of WeChat's API that take none.
	 */
	static boolean accepts(URI uri) {
		return !hasAccessToken(uri) && !WITHOUT_TOKEN.matcher(uri.getPath()).matches();
	}

	/**
	 * Return whether the query has an {@code access_token} or one of another kind, such
	 * as {@code component_access_token}.
	 */
	static boolean hasAccessToken(URI uri) {
		return uri.getRawQuery() != null
				&& PARAMETER.matcher(uri.toString()).results().anyMatch(AccessTokenQuery::isAccessToken);
	}

	private static boolean isAccessToken(MatchResult parameter) {
		return decode(parameter.group(1)).toLowerCase(Locale.ROOT).endsWith("access_token");
	}

	private static String decode(String text) {
		return UriUtils.decode(text, StandardCharsets.UTF_8);
	}

	/**
	 * Return the URI with the token, encoded, as the first parameter of its query.
	 * Everything else stays as it is written; a fragment, which is never sent, goes.
	 */
	static URI add(URI uri, String accessToken) {
		String[] parts = uri.toString().split("#", 2)[0].split("\\?", 2);
		String others = (parts.length > 1 && !parts[1].isEmpty()) ? "&" + parts[1] : "";
		return URI.create(parts[0] + "?access_token=" + UriUtils.encode(accessToken, StandardCharsets.UTF_8) + others);
	}

	/**
	 * Return all tokens in the query, decoded.
	 */
	static List<String> find(URI uri) {
		return PARAMETER.matcher(uri.toString())
			.results()
			.filter(AccessTokenQuery::isAccessToken)
			.map((parameter) -> parameter.group(2))
			.filter(StringUtils::hasText)
			.map(AccessTokenQuery::decode)
			.toList();
	}

	/**
	 * Return the URI with all tokens in its query hidden.
	 */
	static URI redact(URI uri) {
		return (hasAccessToken(uri)) ? URI.create(PARAMETER.matcher(uri.toString())
			.replaceAll((parameter) -> (isAccessToken(parameter)) ? parameter.group(1) + "=***" : "$0")) : uri;
	}

}
