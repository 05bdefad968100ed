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

package cn.authing.wechat.autoconfigure;

import java.io.IOException;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import reactor.netty.NettyPipeline;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;

/**
 * Reactor Netty with a new connection for each request. It closes the connection when the
 * answer has been read or its reader cancels.
 * <p>
 * As a channel's handler it passes over interim answers, of which Reactor Netty takes
 * some for the answer, and takes what the far end sent out of the failures to read it,
 * which Reactor Netty logs.
 */
final class ReactorTransport extends ChannelInboundHandlerAdapter {

	private boolean interim;

	private ReactorTransport() {
	}

	static ReactorClientHttpConnectorBuilder customize(ReactorClientHttpConnectorBuilder builder) {
		return builder.withHttpClientFactory(() -> HttpClient.create(ConnectionProvider.newConnection()))
			.withHttpClientCustomizer((client) -> client.protocol(HttpProtocol.HTTP11)
				.keepAlive(false)
				.doOnChannelInit((observer, channel, address) -> channel.pipeline()
					.addBefore(NettyPipeline.ReactiveBridge, "authing.guard", new ReactorTransport())));
	}

	@Override
	public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
		if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
			part.setDecoderResult(DecoderResult.failure(new IOException("the answer is not HTTP")));
		}
		else if (message instanceof HttpResponse response) {
			this.interim = response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
		}
		if (!this.interim) {
			super.channelRead(context, message);
			return;
		}
		this.interim = !(message instanceof LastHttpContent);
		ReferenceCountUtil.release(message);
		context.read();
	}

}
