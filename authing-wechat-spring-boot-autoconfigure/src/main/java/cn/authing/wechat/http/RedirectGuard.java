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
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import reactor.netty.http.client.HttpClientRequest;

import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.util.Assert;
import org.springframework.util.ClassUtils;

/**
 * Refuses a redirect of a call with a token to a host that must not be sent one, whether
 * or not the token can be seen in its {@code Location}. Redirects are followed below the
 * filter; Reactor Netty prepares each of its requests anew, which is where it can be
 * stopped.
 */
final class RedirectGuard implements Consumer<ClientHttpRequest> {

	private static final boolean REACTOR_NETTY = ClassUtils.isPresent("reactor.netty.http.client.HttpClientRequest",
			RedirectGuard.class.getClassLoader());

	private final WechatApiHosts hosts;

	/**
	 * Create a new guard.
	 * @param hosts the hosts that may be sent a token
	 */
	RedirectGuard(WechatApiHosts hosts) {
		this.hosts = hosts;
	}

	Consumer<ClientHttpRequest> composeAfter(@Nullable Consumer<ClientHttpRequest> other) {
		return (other != null) ? other.andThen(this) : this;
	}

	@Override
	public void accept(ClientHttpRequest request) {
		if (REACTOR_NETTY && request.getNativeRequest() instanceof HttpClientRequest nettyRequest
				&& nettyRequest.redirectedFrom().length > 0) {
			String target = nettyRequest.resourceUrl();
			Assert.state(target != null && this.hosts.include(URI.create(target)),
					"The answer redirects to a host that must not be sent the access token");
		}
	}

}
