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
import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Masks secrets in text from elsewhere. They are found by their letters and digits alone:
 * in another case, cut by white space or invisible characters, and encoded as in JSON or,
 * any number of times, as in a URL. Internal: for use by the packages of this library
 * only.
 *
 * @since 1.0.0
 */
public final class SecretMask {

	private static final String MASK = "***";

	private static final int MIN_WORD_LENGTH = 8;

	// Shorter ones would be found in every text
	private static final int MIN_LENGTH = 4;

	// WeChat's and Authing's secrets and tokens have at least 32 of these in a row
	private static final Pattern OPAQUE = Pattern.compile("[A-Za-z0-9_+/=%-]{32,}");

	private static final Pattern ENCODED = Pattern.compile("%(?:25)*([0-7]\\p{XDigit})|\\\\u(\\p{XDigit}{4})");

	private final Set<String> secrets = new LinkedHashSet<>();

	/**
	 * Create a new mask.
	 * @param secrets what must not be shown
	 */
	public SecretMask(Collection<String> secrets) {
		secrets.forEach(this::add);
	}

	private void add(String secret) {
		String normalized = normalize(secret);
		if (normalized.length() >= MIN_LENGTH) {
			this.secrets.add(normalized);
		}
	}

	/**
	 * Return a mask for more secrets, which finds their words, Base64 and hexadecimal
	 * too.
	 */
	SecretMask and(Collection<String> secrets) {
		SecretMask result = new SecretMask(secrets);
		result.secrets.addAll(this.secrets);
		for (String secret : secrets) {
			result.addEncodings(secret);
			// Of "Bearer abcdefgh" also the second word is a secret
			for (String word : secret.split("\\s+")) {
				if (word.length() >= MIN_WORD_LENGTH) {
					result.add(word);
					result.addEncodings(word);
				}
			}
		}
		return result;
	}

	private void addEncodings(String secret) {
		byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
		add(Base64.getEncoder().withoutPadding().encodeToString(bytes));
		add(HexFormat.of().formatHex(bytes));
	}

	/**
	 * Return a text without the secrets, and otherwise as it is.
	 * @param text the text
	 * @return the text with the secrets masked
	 */
	public String mask(String text) {
		BitSet masked = new BitSet();
		find(text, false, masked);
		find(text, true, masked);
		if (masked.isEmpty()) {
			return text;
		}
		StringBuilder result = new StringBuilder();
		int end = 0;
		for (int start = masked.nextSetBit(0); start >= 0; start = masked.nextSetBit(end)) {
			result.append(text, end, start).append(MASK);
			end = masked.nextClearBit(start);
		}
		return result.append(text, end, text.length()).toString();
	}

	private void find(String text, boolean decode, BitSet found) {
		int[] starts = new int[text.length()];
		int[] ends = new int[text.length()];
		String normalized = normalize(text, decode, starts, ends);
		for (String secret : this.secrets) {
			for (int i = normalized.indexOf(secret); i >= 0; i = normalized.indexOf(secret, i + 1)) {
				found.set(starts[i], ends[i + secret.length() - 1]);
			}
		}
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
		return normalize(text, false, new int[text.length()], new int[text.length()]);
	}

	/**
	 * Return the letters and digits of a text, and write down where they are in it.
	 */
	private static String normalize(String text, boolean decode, int[] starts, int[] ends) {
		StringBuilder normalized = new StringBuilder();
		Matcher encoded = ENCODED.matcher(text);
		for (int i = 0, end = 1; i < text.length(); i = end, end = i + 1) {
			char character = text.charAt(i);
			if (decode && (character == '%' || character == '\\') && encoded.region(i, text.length()).lookingAt()) {
				String code = (encoded.group(1) != null) ? encoded.group(1) : encoded.group(2);
				character = (char) Integer.parseInt(code, 16);
				end = encoded.end();
			}
			if (Character.isLetterOrDigit(character)) {
				starts[normalized.length()] = i;
				ends[normalized.length()] = end;
				normalized.append(Character.toLowerCase(character));
			}
		}
		return normalized.toString();
	}

}
