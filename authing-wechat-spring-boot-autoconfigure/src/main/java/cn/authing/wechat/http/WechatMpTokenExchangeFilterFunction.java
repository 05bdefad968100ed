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

import reactor.core.publisher.Mono;

import org.springframework.util.backoff.BackOff;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * Makes a {@link WebClient} call WeChat's API: adds {@code access_token} to the query,
 * and when WeChat rejects the token ({@code errcode} 40001, 40014 or 42001) drops exactly
 * that one and repeats the call once with another. All other answers, and the second
 * rejection, reach the caller as WeChat gave them.
 *
 * <pre class="code">
 * WebClient wechat = webClientBuilder.baseUrl("https://api.weixin.qq.com").filter(filter).build();
 * WebClient shop = webClientBuilder.clone()
 *     .baseUrl("https://api.weixin.qq.com")
 *     .filter(filter.withTokenSource(tokens.account("shop")))
 *     .build();
 * </pre>
 *
 * HTTP interfaces need no more than the account of their group in
 * {@code @ImportHttpServices}: {@code authing.wechat.api.service-groups.<group>=default}.
 * <p>
 * <b>Which requests.</b> Only those to the hosts of {@link #withHosts(String...)} are
 * given a token, and only over https, to a loopback host, or where http was written out
 * in full; others pass untouched, and a warning tells of each such host once. A request
 * that already has an {@code access_token}, {@code component_access_token} or another
 * {@code *access_token} in its query is the caller's own affair: it is sent as it is and
 * not repeated. So are those of WeChat's API that take none: {@code /sns/...},
 * {@code /cgi-bin/token}, {@code /cgi-bin/stable_token}, {@code /cgi-bin/clear_quota/v2},
 * {@code /cgi-bin/component/api_component_token} and {@code .../api_start_push_ticket}.
 * {@link WechatMpRequestAttributes} choose another account for a request, or no token.
 * <p>
 * <b>Repeating.</b> A body of up to 12 MB is kept in memory while it is sent and sent
 * again from there, so publishers are subscribed to only once. A longer one is not
 * repeated: the rejection is recorded, and WeChat's answer passed on. If no other token
 * can be had the call fails with the error of
 * {@link WechatMpTokenSource#getAccessToken()}; it is not repeated with the rejected one
 * where that is all there is.
 * <p>
 * <b>Uploads.</b> WeChat answers requests without a {@code Content-Length} with status
 * 412. A body of unknown length, as of multipart data, is therefore sent when it has
 * ended; if it is longer than 12 MB the call fails.
 * <p>
 * <b>Streaming.</b> Of an answer only so many bytes are read ahead as it takes to see
 * that it does not begin with {@code errcode}: one, for an image. The rest is asked for
 * by its consumer. An answer must be decompressed by the HTTP client to be understood.
 * JSON that comes as {@code text/plain}, as from many of WeChat's APIs, is told to be
 * {@code application/json}.
 * <p>
 * <b>Privacy.</b> Exceptions and observations show the caller's request, without the
 * token, and so do the bodies of failures (an HTTP error, or an {@code errcode} other
 * than 0) that quote it. (An {@code access_token} that the caller wrote is hidden in
 * exceptions only.) Filters that are added after this one see the token, so add this one
 * last. The HTTP client sees it too: keep its loggers above debug level
 * ({@code reactor.netty.http.client}, {@code org.apache.hc.client5.http},
 * {@code org.eclipse.jetty}, {@code jdk.internal.httpclient.debug}).
 * <p>
 * <b>Redirects</b> are never sent by WeChat. Reactor Netty is kept from following one to
 * a host that is not listed, and Jetty from following any. Other HTTP clients follow by
 * themselves unless they are told not to:
 * {@code spring.http.clients.redirects=dont-follow}, which is what the groups of
 * {@code authing.wechat.api.service-groups} do.
 * <p>
 * Instances are immutable and safe for use by any number of threads. Nothing blocks.
 *
 * @since 1.0.0
 * @see WechatMpTokenClientHttpRequestInterceptor
 */
public class WechatMpTokenExchangeFilterFunction implements ExchangeFilterFunction {

	private final WechatCalls calls;

	// Not private, so that the bean can be proxied
	WechatMpTokenExchangeFilterFunction(WechatCalls calls) {
		this.calls = calls;
	}

	/**
	 * Create a filter for the tokens of one account, for WeChat's own hosts, that does
	 * not repeat calls WeChat is too busy for.
	 * @param tokens the tokens: a {@link WechatMpTokenService} for its default account,
	 * or one of its accounts
	 * @return the filter
	 */
	public static WechatMpTokenExchangeFilterFunction of(WechatMpTokenSource tokens) {
		return new WechatMpTokenExchangeFilterFunction(WechatCalls.of(tokens));
	}

	/**
	 * Return a filter for another account.
	 * @param tokens the tokens of the account
	 * @return a filter with the other settings of this one
	 */
	public WechatMpTokenExchangeFilterFunction withTokenSource(WechatMpTokenSource tokens) {
		return new WechatMpTokenExchangeFilterFunction(this.calls.withTokenSource(tokens));
	}

	/**
	 * Return a filter that sends the token to these hosts and to no others.
	 * @param hosts host names, compared exactly but for case, with an optional port: if
	 * none is written that of the scheme is meant, and any port of a loopback host
	 * ({@code localhost}, {@code 127.0.0.1}, {@code [::1]}), which may be called over
	 * http too. A reverse proxy can be written in full: {@code https://host/prefix}, or
	 * {@code http://host:port/prefix} for one inside a network that is trusted
	 * @return a filter with the other settings of this one
	 */
	public WechatMpTokenExchangeFilterFunction withHosts(String... hosts) {
		return new WechatMpTokenExchangeFilterFunction(this.calls.withHosts(hosts));
	}

	/**
	 * Return a filter that repeats a call which WeChat answers with {@code errcode} -1
	 * (system busy). Unlike a call with a rejected token, such a call may have had an
	 * effect.
	 * @param backOff the pauses between the attempts, and their number
	 * @return a filter with the other settings of this one
	 */
	public WechatMpTokenExchangeFilterFunction withBusyBackOff(BackOff backOff) {
		return new WechatMpTokenExchangeFilterFunction(this.calls.withBusyBackOff(backOff));
	}

	@Override
	public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
		if (!this.calls.include(request.url(), request.attributes())) {
			return next.exchange(request);
		}
		return Mono.defer(() -> {
			WechatExchange exchange = new WechatExchange(request, next, this.calls.hosts());
			WechatCalls.Call call = this.calls.create(request.url(), request.attributes());
			return (call != null) ? exchange.exchange(call) : exchange.exchange();
		});
	}

}
