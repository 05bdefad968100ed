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

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import reactor.core.publisher.Flux;

import org.springframework.core.ParameterizedTypeReference;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRequest;
import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import org.springframework.web.reactive.function.client.WebClientResponseException;

/**
 * The request as responses and exceptions may show it: the caller's, without the token.
 */
final class RedactedRequest implements HttpRequest {

	private final ClientRequest request;

	private final URI sent;

	/**
	 * Create a new redacted request.
	 * @param request the caller's request
	 * @param sent the URI that it was really sent to
	 */
	RedactedRequest(ClientRequest request, URI sent) {
		this.request = request;
		this.sent = sent;
	}

	@Override
	public HttpMethod getMethod() {
		return this.request.method();
	}

	@Override
	public URI getURI() {
		return AccessTokenQuery.redact(this.request.url());
	}

	@Override
	public Map<String, Object> getAttributes() {
		return this.request.attributes();
	}

	@Override
	public HttpHeaders getHeaders() {
		return this.request.headers();
	}

	/**
	 * Return a response that shows this request. If it is a failure, which may quote the
	 * address that it is about, its body is without the token too.
	 * @param response the response
	 * @param body the response's body
	 */
	ClientResponse redact(ClientResponse response, PeekedBody body) {
		boolean failure = body.peek().isFailure(response.statusCode());
		return response.mutate()
			.request(this)
			.headers((headers) -> body.peek().correct(headers, failure))
			.body((source) -> failure ? redact(body.toFlux()) : body.toFlux())
			.build();
	}

	private Flux<DataBuffer> redact(Flux<DataBuffer> body) {
		return Flux.defer(() -> {
			Redaction redaction = Redaction.of(this.sent);
			AtomicInteger size = new AtomicInteger();
			return body
				.bufferUntil((buffer) -> size.addAndGet(buffer.readableByteCount()) >= Redaction.MAX_BYTES
						&& size.getAndSet(0) > 0)
				.map(RedactedRequest::join)
				.concatWithValues(new byte[0])
				.<DataBuffer>map((block) -> DefaultDataBufferFactory.sharedInstance.wrap(redaction.next(block)));
		}).doOnDiscard(DataBuffer.class, DataBufferUtils::release);
	}

	private static byte[] join(List<DataBuffer> buffers) {
		DataBuffer joined = buffers.get(0).factory().join(buffers);
		byte[] bytes = new byte[joined.readableByteCount()];
		joined.read(bytes);
		DataBufferUtils.release(joined);
		return bytes;
	}

	Throwable redact(Throwable ex) {
		Redaction redaction = Redaction.of(this.sent);
		if (ex instanceof WebClientRequestException requestException) {
			return redact(requestException, redaction);
		}
		if (ex instanceof WebClientResponseException responseException) {
			return redact(responseException, redaction);
		}
		return redaction.apply(ex);
	}

	private Throwable redact(WebClientRequestException ex, Redaction redaction) {
		Throwable cause = (ex.getCause() != null) ? ex.getCause() : ex;
		return copyTrace(ex, redaction,
				new WebClientRequestException(redaction.apply(cause), getMethod(), getURI(), ex.getHeaders()));
	}

	// The declared type of the decode function does not tell that there may be nothing to
	// decode.
	@SuppressWarnings("NullAway")
	private Throwable redact(WebClientResponseException ex, Redaction redaction) {
		MediaType contentType = ex.getHeaders().getContentType();
		WebClientResponseException result = WebClientResponseException.create(ex.getStatusCode(),
				redaction.apply(ex.getStatusText()), ex.getHeaders(), redaction.apply(ex.getResponseBodyAsByteArray()),
				(contentType != null) ? contentType.getCharset() : null, this);
		result
			.setBodyDecodeFunction((type) -> ex.getResponseBodyAs(ParameterizedTypeReference.forType(type.getType())));
		if (ex.getCause() != null) {
			result.initCause(redaction.apply(ex.getCause()));
		}
		return copyTrace(ex, redaction, result);
	}

	private static Throwable copyTrace(Throwable ex, Redaction redaction, Throwable result) {
		result.setStackTrace(ex.getStackTrace());
		for (Throwable suppressed : ex.getSuppressed()) {
			result.addSuppressed(redaction.apply(suppressed));
		}
		return result;
	}

}
