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
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpRequestDecorator;
import org.springframework.web.reactive.function.BodyInserter;

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

	private boolean tooLong;

	private volatile boolean complete;

	RecordedBody(ClientHttpRequest request) {
		super(request);
	}

	@Override
	public Mono<Void> writeWith(Publisher<? extends DataBuffer> body) {
		if (body instanceof Mono) {
			// It stays one, whose length the client knows.
			return write(Mono.from(body).doOnNext(this::record).doOnSuccess((last) -> end()));
		}
		return (getHeaders().getContentLength() != -1) ? record(Flux.from(body)) : hold(Flux.from(body));
	}

	// Of unknown length, as multipart data is. It would be sent chunked, which WeChat
	// answers with 412 (Precondition Failed).
	private Mono<Void> hold(Flux<DataBuffer> body) {
		AtomicInteger size = new AtomicInteger();
		return body.bufferUntil((buffer) -> size.addAndGet(buffer.readableByteCount()) > LIMIT)
			.switchOnFirst((first, blocks) -> {
				List<DataBuffer> whole = first.get();
				if (whole == null || size.get() > LIMIT) {
					return record(blocks.flatMapIterable(Function.identity()));
				}
				whole.forEach((buffer) -> {
					record(buffer);
					DataBufferUtils.release(buffer);
				});
				end();
				getHeaders().setContentLength(this.content.size());
				return write(Mono.fromSupplier(() -> bufferFactory().wrap(this.content.toByteArray())));
			})
			.then()
			.doOnDiscard(DataBuffer.class, DataBufferUtils::release);
	}

	private Mono<Void> record(Flux<DataBuffer> body) {
		return write(body.doOnNext(this::record).doOnComplete(this::end));
	}

	private Mono<Void> write(Publisher<? extends DataBuffer> body) {
		this.headers.putAll(getHeaders());
		return super.writeWith(body);
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
		this.complete = !this.tooLong;
	}

	/**
	 * Return whether all that was sent is held: not if it was too long, was not sent to
	 * its end, or is an endless stream.
	 */
	boolean isComplete() {
		return this.complete;
	}

	/**
	 * Return what was sent. Must only be called if that is {@linkplain #isComplete()
	 * held}.
	 */
	BodyInserter<Object, ClientHttpRequest> replay() {
		byte[] bytes = this.content.toByteArray();
		return (request, context) -> {
			request.getHeaders().putAll(this.headers);
			return (bytes.length > 0) ? request.writeWith(Mono.fromSupplier(() -> request.bufferFactory().wrap(bytes)))
					: request.setComplete();
		};
	}

}
