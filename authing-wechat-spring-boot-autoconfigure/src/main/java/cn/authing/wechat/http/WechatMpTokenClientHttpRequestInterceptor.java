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
import java.io.InterruptedIOException;
import java.net.URI;

import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.support.HttpRequestWrapper;
import org.springframework.util.backoff.BackOff;
import org.springframework.web.client.RestClient;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * Makes a {@link RestClient} call WeChat's API: adds {@code access_token} to the query,
 * and when WeChat rejects the token ({@code errcode} 40001, 40014 or 42001) drops exactly
 * that one and repeats the call once with another. All other answers, and the second
 * rejection, reach the caller as WeChat gave them, but for JSON that comes as
 * {@code text/plain}, which is told to be {@code application/json}.
 *
 * <pre class="code">
 * RestClient wechat = restClientBuilder.baseUrl("https://api.weixin.qq.com").requestInterceptor(interceptor).build();
 * </pre>
 *
 * A {@code RestTemplate} takes it the same way. HTTP interfaces need no more than the
 * account of their group in {@code @ImportHttpServices}:
 * {@code authing.wechat.api.service-groups.<group>=default}.
 * <p>
 * <b>Which requests.</b> Those of {@link WechatMpTokenExchangeFilterFunction}: to the
 * hosts of {@link #withHosts(String...)}, unless they carry a token already or are of
 * those of WeChat's API that take none. {@link WechatMpRequestAttributes} choose another
 * account for a request, or no token.
 * <p>
 * <b>Repeating.</b> Every request can be repeated: with an interceptor,
 * {@code RestClient} holds the body in memory. If no other token can be had the call
 * fails with the exception of {@link WechatMpTokenSource#getAccessTokenSync()}; it is not
 * repeated with the rejected one where that is all there is.
 * <p>
 * <b>Streaming.</b> Of an answer only so many bytes are read ahead as it takes to see
 * that it does not begin with {@code errcode}. An answer must be decompressed by the HTTP
 * client to be understood.
 * <p>
 * <b>Privacy.</b> As of {@link WechatMpTokenExchangeFilterFunction}: add this interceptor
 * last, and keep the loggers of the HTTP client above debug level, here also
 * {@code sun.net.www.protocol.http.HttpURLConnection}.
 * <p>
 * <b>Redirects</b> are never sent by WeChat, and HTTP clients follow them by themselves,
 * which cannot be stopped from here. Tell them not to:
 * {@code spring.http.clients.redirects=dont-follow}, which is what the groups of
 * {@code authing.wechat.api.service-groups} do.
 * <p>
 * Instances are immutable and safe for use by any number of threads. A call blocks, as
 * {@code RestClient} does, without holding a lock; an interrupt ends its pauses.
 *
 * @since 1.0.0
 * @see WechatMpTokenExchangeFilterFunction
 */
public class WechatMpTokenClientHttpRequestInterceptor implements ClientHttpRequestInterceptor {

	private final WechatCalls calls;

	// Not private, so that the bean can be proxied
	WechatMpTokenClientHttpRequestInterceptor(WechatCalls calls) {
		this.calls = calls;
	}

	/**
	 * Create an interceptor for the tokens of one account, for WeChat's own hosts, that
	 * does not repeat calls WeChat is too busy for.
	 * @param tokens the tokens: a {@link WechatMpTokenService} for its default account,
	 * or one of its accounts
	 * @return the interceptor
	 */
	public static WechatMpTokenClientHttpRequestInterceptor of(WechatMpTokenSource tokens) {
		return new WechatMpTokenClientHttpRequestInterceptor(WechatCalls.of(tokens));
	}

	/**
	 * Return an interceptor for another account.
	 * @param tokens the tokens of the account
	 * @return an interceptor with the other settings of this one
	 */
	public WechatMpTokenClientHttpRequestInterceptor withTokenSource(WechatMpTokenSource tokens) {
		return new WechatMpTokenClientHttpRequestInterceptor(this.calls.withTokenSource(tokens));
	}

	/**
	 * Return an interceptor that sends the token to these hosts and to no others.
	 * @param hosts the hosts, written as for
	 * {@link WechatMpTokenExchangeFilterFunction#withHosts(String...)}
	 * @return an interceptor with the other settings of this one
	 */
	public WechatMpTokenClientHttpRequestInterceptor withHosts(String... hosts) {
		return new WechatMpTokenClientHttpRequestInterceptor(this.calls.withHosts(hosts));
	}

	/**
	 * Return an interceptor that repeats a call which WeChat answers with {@code errcode}
	 * -1 (system busy). Unlike a call with a rejected token, such a call may have had an
	 * effect.
	 * @param backOff the pauses between the attempts, and their number
	 * @return an interceptor with the other settings of this one
	 */
	public WechatMpTokenClientHttpRequestInterceptor withBusyBackOff(BackOff backOff) {
		return new WechatMpTokenClientHttpRequestInterceptor(this.calls.withBusyBackOff(backOff));
	}

	@Override
	public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
			throws IOException {
		if (!this.calls.include(request.getURI(), request.getAttributes())) {
			return execution.execute(request, body);
		}
		WechatCalls.Call call = this.calls.create(request.getURI(), request.getAttributes());
		if (call == null) {
			return send(request, body, execution);
		}
		String accessToken = call.tokens().getAccessTokenSync().accessToken();
		while (true) {
			PeekedClientHttpResponse response = send(withToken(request, accessToken), body, execution);
			long delay = call.nextRetryDelay(response.errcode(), accessToken, true);
			if (delay == WechatCalls.Call.STOP) {
				return response;
			}
			if (delay > 0) {
				response.close();
				sleep(delay);
			}
			accessToken = nextToken(call, response);
			if (delay == 0 && call.isRejected(accessToken)) {
				return response;
			}
			response.close();
		}
	}

	private static HttpRequest withToken(HttpRequest request, String accessToken) {
		URI uri = AccessTokenQuery.add(request.getURI(), accessToken);
		return new HttpRequestWrapper(request) {

			@Override
			public URI getURI() {
				return uri;
			}

		};
	}

	private static String nextToken(WechatCalls.Call call, ClientHttpResponse response) {
		try {
			return call.tokens().getAccessTokenSync().accessToken();
		}
		catch (RuntimeException | Error ex) {
			response.close();
			throw ex;
		}
	}

	private static PeekedClientHttpResponse send(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
			throws IOException {
		try {
			return PeekedClientHttpResponse.of(execution.execute(request, body), request.getURI());
		}
		catch (IOException | RuntimeException ex) {
			throw Redaction.of(request.getURI()).rethrow(ex);
		}
	}

	private static void sleep(long delay) throws IOException {
		try {
			Thread.sleep(delay);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new InterruptedIOException("Interrupted while waiting to repeat a call that WeChat was too busy for");
		}
	}

}
