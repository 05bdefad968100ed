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
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.client.SecretMask;

/**
 * Keeps the token of a request out of what is told of it, however it is encoded there.
 */
final class Redaction {

	/**
	 * How much of an answer is held to look for the token.
	 */
	static final int MAX_BYTES = 64 * 1024;

	// No token is longer, even if each of its characters is encoded
	private static final int MAX_TOKEN_BYTES = 4 * 1024;

	private final SecretMask mask;

	private byte[] heldBack = {};

	private Redaction(SecretMask mask) {
		this.mask = mask;
	}

	/**
	 * Create a redaction of the tokens that a URI carries.
	 * @param sent the URI as it is sent
	 */
	static Redaction of(URI sent) {
		return new Redaction(new SecretMask(AccessTokenQuery.find(sent)));
	}

	/**
	 * Return the exception, or a replacement if the text of the exception or of one that
	 * it leads to holds the token. The replacement tells the same but for the token.
	 */
	Throwable apply(Throwable ex) {
		if (isFree(ex, Collections.newSetFromMap(new IdentityHashMap<>()))) {
			return ex;
		}
		IOException replacement = new IOException(SafeText.of(apply(ex.toString())));
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

	private boolean isFree(@Nullable Throwable ex, Set<Throwable> seen) {
		if (ex == null || !seen.add(ex)) {
			return true;
		}
		String text = ex.toString();
		return apply(text).equals(text) && isFree(ex.getCause(), seen)
				&& Arrays.stream(ex.getSuppressed()).allMatch((suppressed) -> isFree(suppressed, seen));
	}

	/**
	 * Return the text with the token hidden.
	 */
	String apply(String text) {
		return this.mask.mask(text);
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

	/**
	 * Return what is to be shown of a body that comes in blocks. The end of each is held
	 * back, as a token may go on in the next.
	 * @param block the next block, empty at the end of the body
	 */
	byte[] next(byte[] block) {
		byte[] bytes = Arrays.copyOf(this.heldBack, this.heldBack.length + block.length);
		System.arraycopy(block, 0, bytes, this.heldBack.length, block.length);
		bytes = apply(bytes);
		int end = (block.length > 0) ? Math.max(0, bytes.length - MAX_TOKEN_BYTES) : bytes.length;
		this.heldBack = Arrays.copyOfRange(bytes, end, bytes.length);
		return Arrays.copyOf(bytes, end);
	}

}
