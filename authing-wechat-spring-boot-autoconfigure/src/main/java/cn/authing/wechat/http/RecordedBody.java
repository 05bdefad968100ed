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

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CancellationException;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpRequestDecorator;

/**
 * A request whose body is kept while it is sent, up to a limit, so that it can be sent
 * again though its publisher may be one that can be subscribed to only once. A body of
 * unknown length is held back until it has ended, so that it is sent with its length.
 */
final class RecordedBody extends ClientHttpRequestDecorator {

	/**
	 * How much is kept: no file that WeChat takes is longer.
	 */
	static final int LIMIT = 12 * 1024 * 1024;

	private final ByteArrayOutputStream content = new ByteArrayOutputStream();

	private final HttpHeaders headers = new HttpHeaders();

	private final Sinks.Empty<Void> givenUp = Sinks.empty();

	private boolean tooLong;

	// All that was sent; null until its end, and where it was too long.
	private volatile byte @Nullable [] kept;

	RecordedBody(ClientHttpRequest request) {
		super(request);
	}

	@Override
	public Mono<Void> writeWith(Publisher<? extends DataBuffer> body) {
		if (getHeaders().getContentLength() == -1) {
			return hold(body);
		}
		this.headers.putAll(getHeaders());
		return super.writeWith(
				(body instanceof Mono) ? Mono.from(body).doOnNext(this::record).doOnSuccess((last) -> end())
						: Flux.from(body).doOnNext(this::record).doOnComplete(this::end));
	}

	// Of unknown length, as multipart data is. It would be sent chunked, which WeChat
	// answers with 412 (Precondition Failed).
	private Mono<Void> hold(Publisher<? extends DataBuffer> body) {
		Mono<Void> held = DataBufferUtils.join(body, LIMIT)
			.onErrorMap(DataBufferLimitException.class,
					(ex) -> new DataBufferLimitException("The body is longer than " + LIMIT
							+ " bytes, and WeChat needs its Content-Length: set that, or use a RestClient"))
			.map(RecordedBody::toBytes)
			.defaultIfEmpty(new byte[0])
			.flatMap((bytes) -> {
				getHeaders().setContentLength(bytes.length);
				this.headers.putAll(getHeaders());
				this.kept = bytes;
				return write(getDelegate(), bytes);
			});
		return Mono.firstWithSignal(held, this.givenUp.asMono());
	}

	private static byte[] toBytes(DataBuffer buffer) {
		byte[] bytes = new byte[buffer.readableByteCount()];
		buffer.read(bytes);
		DataBufferUtils.release(buffer);
		return bytes;
	}

	private static Mono<Void> write(ClientHttpRequest request, byte[] bytes) {
		return (bytes.length > 0) ? request.writeWith(Mono.fromSupplier(() -> request.bufferFactory().wrap(bytes)))
				: request.setComplete();
	}

	/**
	 * End the body where it is held, as nobody sends it any more: HTTP clients tell only
	 * what they send themselves.
	 */
	void giveUp() {
		this.givenUp.tryEmitError(new CancellationException("The request has ended"));
	}

	@Override
	public Mono<Void> setComplete() {
		end();
		return super.setComplete();
	}

	private void record(DataBuffer buffer) {
		int count = buffer.readableByteCount();
		this.tooLong = this.tooLong || this.content.size() + count > LIMIT;
		if (this.tooLong) {
			this.content.reset();
			return;
		}
		byte[] bytes = new byte[count];
		buffer.toByteBuffer(ByteBuffer.wrap(bytes));
		this.content.writeBytes(bytes);
	}

	private void end() {
		this.kept = this.tooLong ? null : this.content.toByteArray();
	}

	/**
	 * Return whether all that was sent is held: not if it was too long, was not sent to
	 * its end, or is an endless stream.
	 */
	boolean isComplete() {
		return this.kept != null;
	}

	/**
	 * Send again what was sent. Must only be called if that is {@linkplain #isComplete()
	 * held}.
	 */
	Mono<Void> replay(ClientHttpRequest request) {
		request.getHeaders().putAll(this.headers);
		return write(request, Objects.requireNonNull(this.kept));
	}

}
