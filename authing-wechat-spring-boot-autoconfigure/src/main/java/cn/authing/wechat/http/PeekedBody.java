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

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.util.context.Context;

import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;

/**
 * The body of an answer whose first bytes have been looked at. The one subscription to
 * the source is opened for the look and kept: what was read is handed on first, then the
 * rest as it comes, as fast as it is asked for.
 * <p>
 * Until the look is over buffers are asked for one at a time, and none after that until
 * the body's own subscriber asks. Hence {@link #onNext} is never called while a body is
 * without a subscriber; only a terminal signal may come at any time.
 */
final class PeekedBody implements CoreSubscriber<DataBuffer>, Subscription {

	private static final int MAX_DRAINED_BYTES = 64 * 1024;

	private final MonoSink<PeekedBody> sink;

	private final ErrcodePeek peek = new ErrcodePeek();

	private volatile Subscription upstream = Operators.emptySubscription();

	private volatile @Nullable Subscriber<? super DataBuffer> downstream;

	// Tells a late subscriber too
	private final Sinks.Empty<Void> termination = Sinks.empty();

	// Guarded by this object's lock, which is never held while a signal is passed on.
	private @Nullable List<DataBuffer> read = new ArrayList<>(1);

	private PeekedBody(MonoSink<PeekedBody> sink) {
		this.sink = sink;
	}

	/**
	 * Look at the first bytes of a body. Cancelling ends the body too.
	 * @param body the body; it is subscribed to once
	 * @param peeking told of the result before it can be cancelled
	 * @return the body, as soon as it is known whether it is one of WeChat's failures. A
	 * body that fails during the look is no error here: its subscriber gets it
	 */
	static Mono<PeekedBody> of(Flux<DataBuffer> body, Consumer<PeekedBody> peeking) {
		return Mono.create((sink) -> {
			PeekedBody result = new PeekedBody(sink);
			peeking.accept(result);
			sink.onCancel(result::cancel);
			body.subscribe(result);
		});
	}

	/**
	 * Return what the first bytes tell.
	 */
	ErrcodePeek peek() {
		return this.peek;
	}

	/**
	 * Return the whole body. It can be subscribed to once, and must be, as the body of
	 * any answer.
	 */
	Flux<DataBuffer> toFlux() {
		return Flux.defer(() -> {
			List<DataBuffer> read = takeRead();
			if (read == null) {
				return Flux.error(new IllegalStateException("The body can be consumed only once"));
			}
			return Flux.fromIterable(read).concatWith(Flux.<DataBuffer>from(this::attach));
		}).doOnCancel(this::cancel).doOnDiscard(DataBuffer.class, DataBufferUtils::release);
	}

	/**
	 * Read and drop the body, so that its connection can be used again; but rather give
	 * up the connection than read a long one.
	 */
	Mono<Void> drain() {
		return toFlux().map(PeekedBody::release)
			.scan(Integer::sum)
			.takeUntil((total) -> total > MAX_DRAINED_BYTES)
			.onErrorComplete()
			.then();
	}

	private static int release(DataBuffer buffer) {
		int count = buffer.readableByteCount();
		DataBufferUtils.release(buffer);
		return count;
	}

	private void attach(Subscriber<? super DataBuffer> downstream) {
		this.downstream = downstream;
		downstream.onSubscribe(this);
		this.termination.asMono().subscribe(null, downstream::onError, downstream::onComplete);
	}

	@Override
	public Context currentContext() {
		return Context.of(this.sink.contextView());
	}

	@Override
	public void onSubscribe(Subscription subscription) {
		this.upstream = subscription;
		subscription.request(1);
	}

	@Override
	public void onNext(DataBuffer buffer) {
		Subscriber<? super DataBuffer> downstream = this.downstream;
		if (downstream != null) {
			downstream.onNext(buffer);
		}
		else if (!keep(buffer)) {
			DataBufferUtils.release(buffer);
		}
		else if (this.peek.isDecided()) {
			this.sink.success(this);
		}
		else {
			request(1);
		}
	}

	private synchronized boolean keep(DataBuffer buffer) {
		if (this.read == null) {
			return false;
		}
		this.read.add(buffer);
		int count = Math.min(buffer.readableByteCount(), this.peek.remaining());
		buffer.toByteBuffer(buffer.readPosition(), ByteBuffer.wrap(this.peek.head()), this.peek.length(), count);
		this.peek.advance(count);
		return true;
	}

	@Override
	public void onError(Throwable ex) {
		this.termination.tryEmitError(ex);
		endLook();
	}

	@Override
	public void onComplete() {
		this.termination.tryEmitEmpty();
		endLook();
	}

	private void endLook() {
		if (!this.peek.isDecided()) {
			this.sink.success(this);
		}
	}

	@Override
	public void request(long count) {
		this.upstream.request(count);
	}

	/**
	 * Cancel a body that nobody has come to read, as its answer was given up: what holds
	 * the connection does not know that it is not read on.
	 */
	static void cancelUnread(@Nullable PeekedBody body) {
		List<DataBuffer> read = (body != null) ? body.takeRead() : null;
		if (body != null && read != null) {
			body.upstream.cancel();
			read.forEach(DataBufferUtils::release);
		}
	}

	@Override
	public void cancel() {
		this.upstream.cancel();
		cancelUnread(this);
	}

	private synchronized @Nullable List<DataBuffer> takeRead() {
		List<DataBuffer> read = this.read;
		this.read = null;
		return read;
	}

}
