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

import java.io.IOException;
import java.net.URI;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/**
 * Keeps the token of a request out of what is told of it, however it is encoded there.
 */
final class Redaction {

	/**
	 * How much of an answer is held to look for the token.
	 */
	static final int MAX_BYTES = 64 * 1024;

	private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Cf}]+");

	private final @Nullable Pattern secrets;

	private Redaction(@Nullable Pattern secrets) {
		this.secrets = secrets;
	}

	/**
	 * Create a redaction of the tokens that a URI carries.
	 * @param sent the URI as it is sent
	 */
	static Redaction of(URI sent) {
		List<String> tokens = AccessTokenQuery.find(sent);
		return new Redaction((tokens.isEmpty()) ? null
				: Pattern.compile(tokens.stream().map(Redaction::anyEncoding).collect(Collectors.joining("|"))));
	}

	// Each character as it is, as in JSON, or as in a URL, encoded any number of times,
	// and
	// nothing but invisible ones in between
	private static String anyEncoding(String token) {
		StringBuilder result = new StringBuilder();
		token.codePoints().forEach((character) -> {
			String text = Character.toString(character);
			result.append("(?:\\\\?").append(Pattern.quote(text)).append('|');
			result.append((character <= 0xffff) ? "\\\\u(?i:%04x)|".formatted(character) : "");
			for (byte part : text.getBytes(StandardCharsets.UTF_8)) {
				result.append("%%(?:25)*(?i:%02x)".formatted(part));
			}
			result.append(")[\\p{Cc}\\p{Cf}]*+");
		});
		return result.toString();
	}

	/**
	 * Return the exception, or a replacement if the text of the exception or of one that
	 * it leads to holds the token. The replacement tells the same but for the token.
	 */
	Throwable apply(Throwable ex) {
		if (causalChain(ex).stream().noneMatch((related) -> isFound(related.toString()))) {
			return ex;
		}
		IOException replacement = new IOException(CONTROL.matcher(apply(ex.toString())).replaceAll(" "));
		replacement.setStackTrace(ex.getStackTrace());
		return replacement;
	}

	/**
	 * Same as {@link #apply(Throwable)}, for a blocking call.
	 * @return never: it always throws
	 */
	IOException rethrow(Exception ex) throws IOException {
		Throwable redacted = apply(ex);
		if (redacted instanceof RuntimeException runtimeException) {
			throw runtimeException;
		}
		throw (IOException) redacted;
	}

	private static Set<Throwable> causalChain(Throwable ex) {
		Set<Throwable> result = Collections.newSetFromMap(new IdentityHashMap<>());
		Deque<Throwable> queue = new ArrayDeque<>(List.of(ex));
		while (!queue.isEmpty()) {
			Throwable next = queue.remove();
			if (result.add(next)) {
				queue.addAll(List.of(next.getSuppressed()));
				if (next.getCause() != null) {
					queue.add(next.getCause());
				}
			}
		}
		return result;
	}

	private boolean isFound(String text) {
		return this.secrets != null && this.secrets.matcher(text).find();
	}

	/**
	 * Return the text with the token hidden.
	 */
	String apply(String text) {
		return (this.secrets != null) ? this.secrets.matcher(text).replaceAll("***") : text;
	}

	/**
	 * Return the bytes of a text with the token hidden; all others stay as they are.
	 */
	byte[] apply(byte[] bytes) {
		String text = new String(bytes, StandardCharsets.UTF_8);
		boolean utf8 = Arrays.equals(bytes, text.getBytes(StandardCharsets.UTF_8));
		Charset charset = (utf8) ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
		return apply((utf8) ? text : new String(bytes, charset)).getBytes(charset);
	}

}
