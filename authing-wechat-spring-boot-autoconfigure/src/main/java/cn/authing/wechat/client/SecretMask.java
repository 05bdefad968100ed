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

package cn.authing.wechat.client;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes text that came from elsewhere fit for messages: without the secrets that were
 * sent, without anything that looks like one, on one line and short.
 */
final class SecretMask {

	private static final String MASK = "***";

	private static final int MAX_LENGTH = 300;

	private static final int MIN_WORD_LENGTH = 8;

	// WeChat's and Authing's secrets and tokens have at least 32 of these in a row
	private static final Pattern OPAQUE = Pattern.compile("[A-Za-z0-9_+=-]{32,}");

	private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\p{Zl}\\p{Zp}\\p{Cf}]+");

	private final List<String> secrets;

	/**
	 * Create a new mask.
	 * @param secrets what must not be shown
	 */
	SecretMask(Collection<String> secrets) {
		// Longest first, so that no part of one survives the masking of another
		this.secrets = secrets.stream()
			.flatMap(SecretMask::withWords)
			.filter((secret) -> !secret.isBlank())
			.distinct()
			.sorted(Comparator.comparingInt(String::length).reversed())
			.toList();
	}

	// Of "Bearer abcdefgh" also the second word is a secret
	private static Stream<String> withWords(String secret) {
		return Stream.concat(Stream.of(secret),
				Stream.of(secret.split("\\s+")).filter((word) -> word.length() >= MIN_WORD_LENGTH));
	}

	/**
	 * Mask free text.
	 * @param text the text
	 * @return the text to show
	 */
	String maskText(String text) {
		return shorten(OPAQUE.matcher(maskSecrets(text)).replaceAll(MASK));
	}

	/**
	 * Mask text that is long and opaque by nature, such as an id.
	 * @param text the text
	 * @return the text to show
	 */
	String maskId(String text) {
		return shorten(maskSecrets(text));
	}

	private static String shorten(String text) {
		String shown = CONTROL.matcher(text).replaceAll(" ").strip();
		return (shown.length() > MAX_LENGTH) ? shown.substring(0, MAX_LENGTH) + "..." : shown;
	}

	private String maskSecrets(String text) {
		String masked = text;
		for (String secret : this.secrets) {
			masked = masked.replace(secret, MASK);
		}
		return masked;
	}

}
