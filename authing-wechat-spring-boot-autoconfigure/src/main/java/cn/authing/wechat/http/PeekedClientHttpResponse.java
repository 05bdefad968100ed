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

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.URI;

import org.jspecify.annotations.Nullable;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpResponse;

/**
 * An answer whose first bytes have been looked at. What was read is handed on first, then
 * the rest as it comes.
 */
final class PeekedClientHttpResponse implements ClientHttpResponse {

	private final ClientHttpResponse delegate;

	private final InputStream source;

	private final InputStream body;

	private final URI sent;

	private final @Nullable Integer errcode;

	// A failure may quote the address that it is about.
	private final boolean failure;

	private final HttpHeaders headers = new HttpHeaders();

	private PeekedClientHttpResponse(ClientHttpResponse delegate, InputStream source, ErrcodePeek peek, URI sent)
			throws IOException {
		this.delegate = delegate;
		this.source = source;
		this.sent = sent;
		this.errcode = peek.errcode();
		this.failure = peek.isFailure(delegate.getStatusCode());
		this.headers.putAll(delegate.getHeaders());
		peek.correct(this.headers, this.failure);
		this.body = redact(new SequenceInputStream(new ByteArrayInputStream(peek.head(), 0, peek.length()), source));
	}

	/**
	 * Read ahead until it is known whether the answer is one of WeChat's failures.
	 * @param response the answer; it is closed if it cannot be read
	 * @param sent the URI of the request
	 */
	static PeekedClientHttpResponse of(ClientHttpResponse response, URI sent) throws IOException {
		try {
			InputStream source = response.getBody();
			ErrcodePeek peek = new ErrcodePeek();
			// Byte by byte: some clients' streams wait until all that is asked for has
			// come.
			for (int next = source.read(); next != -1; next = source.read()) {
				peek.head()[peek.length()] = (byte) next;
				peek.advance(1);
				if (peek.isDecided()) {
					break;
				}
			}
			return new PeekedClientHttpResponse(response, source, peek, sent);
		}
		catch (IOException | RuntimeException ex) {
			response.close();
			throw ex;
		}
	}

	/**
	 * Return the {@code errcode} that the body begins with.
	 */
	@Nullable Integer errcode() {
		return this.errcode;
	}

	@Override
	public HttpStatusCode getStatusCode() throws IOException {
		return this.delegate.getStatusCode();
	}

	@Override
	public String getStatusText() throws IOException {
		return Redaction.of(this.sent).apply(this.delegate.getStatusText());
	}

	@Override
	public HttpHeaders getHeaders() {
		return this.headers;
	}

	@Override
	public InputStream getBody() throws IOException {
		if (this.source instanceof ByteArrayInputStream) {
			// A buffered answer: each call gives a new stream, from the beginning.
			InputStream again = this.delegate.getBody();
			if (again != this.source) {
				return redact(again);
			}
		}
		return this.body;
	}

	private InputStream redact(InputStream body) {
		return new RedactedInputStream(body, this.sent, this.failure);
	}

	@Override
	public void close() {
		this.delegate.close();
	}

	private static final class RedactedInputStream extends FilterInputStream {

		private final URI sent;

		private final @Nullable Redaction redaction;

		private ByteArrayInputStream block = new ByteArrayInputStream(new byte[0]);

		private boolean ended;

		RedactedInputStream(InputStream source, URI sent, boolean failure) {
			super(source);
			this.sent = sent;
			this.redaction = (failure) ? Redaction.of(sent) : null;
		}

		@Override
		public int read() throws IOException {
			byte[] next = new byte[1];
			return (read(next, 0, 1) != -1) ? next[0] & 0xff : -1;
		}

		@Override
		public int read(byte[] bytes, int offset, int length) throws IOException {
			try {
				if (this.redaction == null) {
					return super.read(bytes, offset, length);
				}
				while (this.block.available() == 0 && !this.ended) {
					byte[] next = this.in.readNBytes(Redaction.MAX_BYTES);
					this.ended = next.length == 0;
					this.block = new ByteArrayInputStream(this.redaction.next(next));
				}
				return this.block.read(bytes, offset, length);
			}
			catch (IOException ex) {
				throw Redaction.of(this.sent).rethrow(ex);
			}
		}

	}

}
