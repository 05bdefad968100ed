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
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.springframework.util.StringUtils;
import org.springframework.web.util.UriUtils;

/**
 * Keeps a token out of the exceptions that leave a call.
 */
final class Redaction {

	private final List<String> secrets;

	private Redaction(List<String> secrets) {
		this.secrets = secrets;
	}

	/**
	 * Create a redaction of the token that a URI carries.
	 * @param sent the URI as it is sent
	 */
	static Redaction of(URI sent) {
		String encoded = AccessTokenQuery.find(sent);
		if (!StringUtils.hasText(encoded)) {
			return new Redaction(List.of());
		}
		return new Redaction(Stream.of(encoded, UriUtils.decode(encoded, StandardCharsets.UTF_8)).distinct().toList());
	}

	/**
	 * Return the exception, or a stand-in if the text of the exception or of one that it
	 * leads to holds the token. The stand-in tells the same but for the token.
	 */
	Throwable apply(Throwable ex) {
		if (related(ex).stream().noneMatch((related) -> isFound(related.toString()))) {
			return ex;
		}
		IOException standIn = new IOException(hide(ex.toString()));
		standIn.setStackTrace(ex.getStackTrace());
		return standIn;
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

	private static Set<Throwable> related(Throwable ex) {
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

	boolean isFound(String text) {
		return this.secrets.stream().anyMatch(text::contains);
	}

	private String hide(String text) {
		String result = text;
		for (String secret : this.secrets) {
			result = result.replace(secret, "***");
		}
		return result;
	}

}
