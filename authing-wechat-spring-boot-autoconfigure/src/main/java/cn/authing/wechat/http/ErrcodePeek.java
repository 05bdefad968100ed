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

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;

/**
 * Tells from the first bytes of an answer whether it is a JSON object that begins with
 * {@code errcode}, which is all that WeChat's failures have in common. Takes no more
 * bytes than needed: for an image it is one. Not safe for use by several threads at a
 * time.
 */
final class ErrcodePeek {

	private static final Pattern ERRCODE = Pattern
		.compile("(?:\u00EF\u00BB\u00BF)?\\s*\\{\\s*\"errcode\"\\s*:\\s*(-?\\d{1,9})(?=[\\s,}])");

	private static final Pattern JSON = Pattern.compile("(?:\u00EF\u00BB\u00BF)?\\s*[{\\[]");

	// JSON is UTF-8, if nothing else is said
	private static final Pattern TEXT = Pattern.compile("text/plain\\b(?!.*charset=\"?(?!utf-?8)).*",
			Pattern.CASE_INSENSITIVE);

	private final byte[] head = new byte[256];

	private int length;

	private boolean decided;

	private @Nullable Integer errcode;

	/**
	 * Return the array to read the next bytes into, from {@link #length()} on.
	 */
	byte[] head() {
		return this.head;
	}

	int length() {
		return this.length;
	}

	int remaining() {
		return this.head.length - this.length;
	}

	/**
	 * Look at bytes that were put into {@link #head()}.
	 * @param count the number of new bytes
	 */
	void advance(int count) {
		this.length += count;
		Matcher matcher = ERRCODE.matcher(text());
		if (matcher.lookingAt()) {
			this.errcode = Integer.valueOf(matcher.group(1));
			this.decided = true;
		}
		else {
			this.decided = !matcher.hitEnd() || remaining() == 0;
		}
	}

	boolean isDecided() {
		return this.decided;
	}

	@Nullable Integer errcode() {
		return this.errcode;
	}

	/**
	 * Return whether the answer may quote the request, as one that tells of a failure.
	 */
	boolean isFailure(HttpStatusCode status) {
		return status.isError() || (this.errcode != null && this.errcode != 0);
	}

	/**
	 * Correct the headers of the answer: its body may get shorter if it is a failure, and
	 * WeChat sends the JSON of many APIs as {@code text/plain}.
	 */
	void correct(HttpHeaders headers, boolean failure) {
		if (failure) {
			headers.remove(HttpHeaders.CONTENT_LENGTH);
		}
		String type = headers.getFirst(HttpHeaders.CONTENT_TYPE);
		if (type != null && TEXT.matcher(type).matches() && JSON.matcher(text()).lookingAt()) {
			headers.setContentType(MediaType.APPLICATION_JSON);
		}
	}

	private String text() {
		return new String(this.head, 0, this.length, StandardCharsets.ISO_8859_1);
	}

}
