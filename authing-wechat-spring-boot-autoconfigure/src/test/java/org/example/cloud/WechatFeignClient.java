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

package org.example.cloud;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

import cn.authing.wechat.WechatMpTokenSource;
import feign.Client;
import feign.Request;
import feign.Response;
import feign.Util;

class WechatFeignClient implements Client {

	private static final Pattern REJECTED = Pattern.compile("\\s*\\{\\s*\"errcode\"\\s*:\\s*(40001|40014|42001)\\b");

	private final Client delegate;

	private final WechatMpTokenSource tokens;

	WechatFeignClient(Client delegate, WechatMpTokenSource tokens) {
		this.delegate = delegate;
		this.tokens = tokens;
	}

	@Override
	public Response execute(Request request, Request.Options options) throws IOException {
		String accessToken = this.tokens.getAccessTokenSync().accessToken();
		Response response = execute(request, options, accessToken);
		if (!REJECTED.matcher(Util.toString(response.body().asReader(StandardCharsets.UTF_8))).lookingAt()) {
			return response;
		}
		this.tokens.invalidate(accessToken);
		String next = this.tokens.getAccessTokenSync().accessToken();
		// The same where no other can be had yet
		return next.equals(accessToken) ? response : execute(request, options, next);
	}

	private Response execute(Request request, Request.Options options, String accessToken) throws IOException {
		String url = request.url() + (request.url().contains("?") ? "&" : "?") + "access_token=" + accessToken;
		Request withToken = Request.create(request.httpMethod(), url, request.headers(), request.body(),
				request.charset(), request.requestTemplate());
		try (Response response = this.delegate.execute(withToken, options)) {
			byte[] body = (response.body() != null) ? Util.toByteArray(response.body().asInputStream()) : new byte[0];
			// Feign shows the request of an answer in exceptions and in its log
			return response.toBuilder().request(request).body(body).build();
		}
		catch (IOException ex) {
			throw new IOException(String.valueOf(ex.getMessage()).replace(accessToken, "***"));
		}
	}

}
