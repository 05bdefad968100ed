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

import java.util.regex.Pattern;

/**
 * Text from elsewhere, made fit for log lines and messages: on one line, without control
 * and invisible characters, and not too long. Internal: for use by the packages of this
 * library only.
 *
 * @since 1.0.0
 */
public final class SafeText {

	private static final int MAX_LENGTH = 300;

	// Of our own failures, which end with advice and have the far end's words in between
	private static final int MAX_MESSAGE_LENGTH = 2_000;

	// Zero-width characters and marks of direction, which split or reorder what is shown
	private static final Pattern INVISIBLE = Pattern.compile("\\p{Cf}+");

	// C0 and C1 controls, line separators, lone surrogates, unassigned and private
	// characters
	private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Cs}\\p{Co}\\p{Cn}]+");

	private SafeText() {
	}

	/**
	 * Return a text as it may be shown.
	 * @param text the text, such as an app id, the name of an account or a message of
	 * Authing or WeChat
	 * @return the text to show
	 */
	public static String of(String text) {
		return isPlain(text) ? text : shorten(clean(text));
	}

	/**
	 * Return the message of a failure as it may be shown.
	 * @param failure the failure
	 * @return the text to show
	 */
	public static String messageOf(Throwable failure) {
		return shorten(clean(String.valueOf(failure.getMessage())), MAX_MESSAGE_LENGTH);
	}

	static String clean(String text) {
		return UNPRINTABLE.matcher(INVISIBLE.matcher(text).replaceAll("")).replaceAll(" ").strip();
	}

	static String shorten(String text) {
		return shorten(text, MAX_LENGTH);
	}

	private static String shorten(String text, int maxLength) {
		return (text.length() > maxLength) ? text.substring(0, maxLength).strip() + "..." : text;
	}

	private static boolean isPlain(String text) {
		return text.length() <= MAX_LENGTH && text.chars().allMatch((c) -> c >= ' ' && c <= '~');
	}

}
