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

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Masks secrets in text from elsewhere: in another case, with other punctuation, cut by
 * white space or invisible characters, and encoded as in JSON or, any number of times, as
 * in a URL. Internal: for use by the packages of this library only.
 *
 * @since 1.0.0
 */
public final class SecretMask {

	private static final String MASK = "***";

	private static final int MIN_WORD_LENGTH = 8;

	// Shorter ones would be found in every text
	private static final int MIN_LENGTH = 3;

	// WeChat's and Authing's secrets and tokens have at least 32 of these in a row
	private static final Pattern OPAQUE = Pattern.compile("[A-Za-z0-9_+/=%-]{32,}");

	private static final Pattern PUNCTUATION = Pattern.compile("[^\\p{L}\\p{Nd}]");

	private final List<String> secrets;

	private final List<Pattern> patterns;

	private SecretMask(List<String> secrets, List<Pattern> patterns) {
		this.secrets = secrets;
		this.patterns = patterns;
	}

	/**
	 * Create a mask.
	 * @param secrets what must not be shown
	 * @return the mask
	 */
	public static SecretMask of(Collection<String> secrets) {
		// Longest first, so that no part of one survives the masking of another
		List<String> all = secrets.stream()
			.filter((secret) -> normalize(secret).length() >= MIN_LENGTH)
			.distinct()
			.sorted(Comparator.comparingInt(String::length).reversed())
			.toList();
		return new SecretMask(all.stream().map(SecretMask::normalize).toList(),
				(all.isEmpty()) ? List.of()
						: List.of(Pattern.compile(
								all.stream().map(SecretMask::anyEncoding).collect(Collectors.joining("|")),
								Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE)));
	}

	/**
	 * Create a mask that finds the words of secrets, Base64 and hexadecimal too.
	 * @param secrets what must not be shown
	 * @return the mask
	 */
	static SecretMask withEncodings(Collection<String> secrets) {
		return of(secrets.stream().flatMap(SecretMask::withWords).flatMap((secret) -> {
			byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
			return Stream.of(secret, Base64.getEncoder().withoutPadding().encodeToString(bytes),
					HexFormat.of().formatHex(bytes));
		}).toList());
	}

	// Of "Bearer abcdefgh" also the second word is a secret
	private static Stream<String> withWords(String secret) {
		return Stream.concat(Stream.of(secret),
				Arrays.stream(secret.split("\\s+")).filter((word) -> word.length() >= MIN_WORD_LENGTH));
	}

	// Each character as it is, as in JSON, or as in a URL, encoded any number of times
	private static String anyEncoding(String secret) {
		StringBuilder result = new StringBuilder();
		secret.codePoints().forEach((character) -> {
			String text = Character.toString(character);
			result.append("(?:\\\\?").append(Pattern.quote(text)).append('|');
			result.append((character <= 0xffff) ? "\\\\u%04x|".formatted(character) : "");
			for (byte part : text.getBytes(StandardCharsets.UTF_8)) {
				result.append("%%(?:25)*%02x".formatted(part));
			}
			result.append((Character.isLetterOrDigit(character)) ? ")" : "|\\p{Punct})?")
				.append("[\\s\\p{Cc}\\p{Cf}]*+");
		});
		return result.toString();
	}

	/**
	 * Return a mask that hides what another one does, too.
	 */
	SecretMask and(SecretMask other) {
		return new SecretMask(concat(other, (mask) -> mask.secrets), concat(other, (mask) -> mask.patterns));
	}

	private <T> List<T> concat(SecretMask other, Function<SecretMask, List<T>> part) {
		return Stream.of(this, other).map(part).flatMap(List::stream).toList();
	}

	/**
	 * Return a text without the secrets, and otherwise as it is.
	 * @param text the text
	 * @return the text with the secrets masked
	 */
	public String mask(String text) {
		String result = text;
		for (Pattern pattern : this.patterns) {
			result = pattern.matcher(result).replaceAll(MASK);
		}
		return result;
	}

	/**
	 * Return free text as it may be shown.
	 */
	String maskText(String text) {
		return SafeText.shorten(OPAQUE.matcher(mask(SafeText.clean(text))).replaceAll(MASK));
	}

	/**
	 * Return text that is long and opaque by nature, such as an id, as it may be shown.
	 */
	String maskId(String text) {
		return SafeText.shorten(mask(SafeText.clean(text)));
	}

	/**
	 * Return whether a text holds a secret or is a part of one.
	 */
	boolean hides(String text) {
		String normalized = normalize(text);
		return this.secrets.stream()
			.anyMatch((secret) -> normalized.contains(secret)
					|| (normalized.length() >= MIN_WORD_LENGTH && secret.contains(normalized)));
	}

	private static String normalize(String text) {
		return PUNCTUATION.matcher(text).replaceAll("").toLowerCase(Locale.ROOT);
	}

}
