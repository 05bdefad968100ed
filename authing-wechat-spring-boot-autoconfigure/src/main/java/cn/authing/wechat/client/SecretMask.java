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

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Masks the secrets that were sent, and whatever looks like one, in text from elsewhere.
 * Secrets are found by their letters and digits alone: in another case, cut by white
 * space or zero-width characters, and in Base64, hexadecimal or URL encoding.
 */
final class SecretMask {

	private static final String MASK = "***";

	private static final int MIN_WORD_LENGTH = 8;

	// Shorter ones would be found in every text
	private static final int MIN_LENGTH = 4;

	// WeChat's and Authing's secrets and tokens have at least 32 of these in a row
	private static final Pattern OPAQUE = Pattern.compile("[A-Za-z0-9_+/=%-]{32,}");

	private final List<String> secrets;

	/**
	 * Create a new mask.
	 * @param secrets what must not be shown
	 */
	SecretMask(Collection<String> secrets) {
		this(secrets.stream());
	}

	private SecretMask(Stream<String> secrets) {
		// Longest first, so that no part of one survives the masking of another
		this.secrets = secrets.flatMap(SecretMask::withWords)
			.flatMap(SecretMask::withEncodings)
			.map(SecretMask::normalize)
			.filter((secret) -> secret.length() >= MIN_LENGTH)
			.distinct()
			.sorted(Comparator.comparingInt(String::length).reversed())
			.toList();
	}

	private SecretMask(List<String> secrets, SecretMask others) {
		this.secrets = Stream.concat(secrets.stream(), others.secrets.stream()).toList();
	}

	/**
	 * Return a mask for one more secret.
	 * @param secret what must not be shown either
	 * @return a new mask
	 */
	SecretMask with(String secret) {
		return new SecretMask(new SecretMask(Stream.of(secret)).secrets, this);
	}

	// Of "Bearer abcdefgh" also the second word is a secret
	private static Stream<String> withWords(String secret) {
		return Stream.concat(Stream.of(secret),
				Arrays.stream(secret.split("\\s+")).filter((word) -> word.length() >= MIN_WORD_LENGTH));
	}

	// What differs in punctuation only is the same when normalized
	private static Stream<String> withEncodings(String secret) {
		byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
		return Stream.of(secret, Base64.getEncoder().encodeToString(bytes), HexFormat.of().formatHex(bytes),
				URLEncoder.encode(secret, StandardCharsets.UTF_8));
	}

	/**
	 * Mask free text.
	 * @param text the text
	 * @return the text to show
	 */
	String maskText(String text) {
		return SafeText.shorten(OPAQUE.matcher(maskSecrets(text)).replaceAll(MASK));
	}

	/**
	 * Mask text that is long and opaque by nature, such as an id.
	 * @param text the text
	 * @return the text to show
	 */
	String maskId(String text) {
		return SafeText.shorten(maskSecrets(text));
	}

	/**
	 * Return whether a text holds a secret or is a part of one.
	 * @param text the text
	 * @return whether it must not be shown
	 */
	boolean hides(String text) {
		String normalized = normalize(text);
		return this.secrets.stream()
			.anyMatch((secret) -> normalized.contains(secret)
					|| (normalized.length() >= MIN_WORD_LENGTH && secret.contains(normalized)));
	}

	private String maskSecrets(String text) {
		String clean = SafeText.clean(text);
		int[] positions = positions(clean);
		String normalized = normalize(clean);
		BitSet masked = new BitSet();
		for (String secret : this.secrets) {
			for (int i = normalized.indexOf(secret); i >= 0; i = normalized.indexOf(secret, i + 1)) {
				masked.set(positions[i], positions[i + secret.length() - 1] + 1);
			}
		}
		StringBuilder shown = new StringBuilder();
		for (int i = 0; i < clean.length(); i++) {
			if (!masked.get(i)) {
				shown.append(clean.charAt(i));
			}
			else if (i == 0 || !masked.get(i - 1)) {
				shown.append(MASK);
			}
		}
		return shown.toString();
	}

	// Where in the text the characters of the normalized text are
	private static int[] positions(String text) {
		int[] positions = new int[text.length()];
		int count = 0;
		for (int i = 0; i < text.length(); i++) {
			if (Character.isLetterOrDigit(text.charAt(i))) {
				positions[count++] = i;
			}
		}
		return positions;
	}

	private static String normalize(String text) {
		StringBuilder normalized = new StringBuilder(text.length());
		for (int i = 0; i < text.length(); i++) {
			char c = text.charAt(i);
			if (Character.isLetterOrDigit(c)) {
				normalized.append(Character.toLowerCase(c));
			}
		}
		return normalized.toString();
	}

}
