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

import java.util.Map;
import java.util.function.Consumer;

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
 * With HTTP interfaces, for a group that is named {@code wechat} in
 * {@code @ImportHttpServices} and whose address is in
 * {@code spring.http.serviceclient.wechat.base-url}:
 *
 * <pre class="code">
 * &#64;Bean
 * WebClientHttpServiceGroupConfigurer wechatGroup(WechatMpTokenExchangeFilterFunction filter) {
 *     return (groups) -&gt; groups.filterByName("wechat")
 *         .forEachClient((group, builder) -&gt; builder.filter(filter));
 * }
 * </pre>
 *
 * <b>Which requests.</b> Only those to the hosts of {@link #withHosts(String...)}, and
 * only over https (or to a loopback address); others pass untouched. A request that
 * already has an {@code access_token} in its query is the caller's own affair: it is sent
 * as it is and not repeated. So are those of WeChat's API that take none
 * ({@code /sns/...}, {@code /cgi-bin/token}, {@code /cgi-bin/stable_token}).
 * <p>
 * <b>Repeating.</b> A body of up to 256 KB is kept while it is sent and sent again from
 * there, so publishers are subscribed to only once. A longer one is not repeated: the
 * rejection is recorded, and WeChat's answer passed on. To have those repeated too, mark
 * the request with {@link #replayableBody()}. If no other token can be had the call fails
 * with the error of {@link WechatMpTokenSource#getAccessToken()}.
 * <p>
 * <b>Streaming.</b> Of an answer only so many bytes are read ahead as it takes to see
 * that it does not begin with {@code errcode}: one, for an image. The rest is asked for
 * by its consumer. An answer must be decompressed by the HTTP client to be understood.
 * <p>
 * <b>Privacy.</b> Exceptions and observations show the caller's request, without the
 * token. (An {@code access_token} that the caller wrote is hidden in exceptions only.)
 * Filters that are added after this one see the token, so add this one last. The HTTP
 * client sees it too: keep those of its loggers that tell request lines above debug level
 * ({@code reactor.netty.http.client.HttpClientConnect},
 * {@code org.apache.hc.client5.http}). Redirects, which WeChat never sends, are better
 * not followed: {@code spring.http.serviceclient.<group>.redirects=dont-follow}.
 * Whichever way, Reactor Netty is kept from following one that would take the token to
 * another host.
 * <p>
 * Instances are immutable and safe for use by any number of threads. Nothing blocks.
 *
 * @since 1.0.0
 * @see WechatMpTokenClientHttpRequestInterceptor
 */
public class WechatMpTokenExchangeFilterFunction implements ExchangeFilterFunction {

	private static final String REPLAYABLE_BODY_ATTRIBUTE = WechatMpTokenExchangeFilterFunction.class.getName()
			+ ".replayableBody";

	private final WechatCalls calls;

	private WechatMpTokenExchangeFilterFunction(WechatCalls calls) {
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

	/**
	 * Mark a request, by {@link WebClient.RequestHeadersSpec#attributes}, as one whose
	 * body can be written any number of times, such as one made from a file. It is then
	 * not kept while it is sent, and repeated whatever its length.
	 * @return what sets the attribute
	 */
	public static Consumer<Map<String, Object>> replayableBody() {
		return (attributes) -> attributes.put(REPLAYABLE_BODY_ATTRIBUTE, true);
	}

	@Override
	public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
		if (!this.calls.include(request.url(), request.attributes())) {
			return next.exchange(request);
		}
		return Mono.defer(() -> {
			WechatExchange exchange = new WechatExchange(request, next, this.calls.hosts(),
					request.attributes().containsKey(REPLAYABLE_BODY_ATTRIBUTE));
			WechatCall call = this.calls.create(request.url(), request.attributes());
			return (call != null) ? exchange.exchange(call) : exchange.exchange();
		});
	}

}
