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
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.springframework.util.Assert;
import org.springframework.util.ObjectUtils;

/**
 * The only hosts that are ever sent a token. An entry is a host name, exactly, with an
 * optional port.
 */
final class WechatApiHosts {

	private static final Pattern HOST = Pattern
		.compile("([\\w-]+(\\.[\\w-]+)*|\\[[0-9a-fA-F:.]+])(:(?<port>\\d{1,5}))?");

	// Literals only: what a name resolves to can change between the check and the call.
	private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[(0*:)*:?0*1]");

	private static final int HTTP_PORT = 80;

	private static final int HTTPS_PORT = 443;

	private static final int MAX_PORT = 65535;

	static final WechatApiHosts DEFAULT = of("api.weixin.qq.com", "api2.weixin.qq.com", "sh.api.weixin.qq.com",
			"sz.api.weixin.qq.com", "hk.api.weixin.qq.com");

	private final Set<String> entries;

	private WechatApiHosts(Set<String> entries) {
		this.entries = entries;
	}

	static WechatApiHosts of(String... hosts) {
		Assert.isTrue(!ObjectUtils.isEmpty(hosts),
				"'hosts' must not be empty: name the hosts that may be sent a token, such as 'api.weixin.qq.com'");
		Set<String> entries = new LinkedHashSet<>();
		for (String host : hosts) {
			Assert.isTrue(isHost(host),
					() -> "'hosts' must hold host names with an optional port, such as "
							+ "'api.weixin.qq.com' or 'localhost:8080', without scheme, path or wildcard, but holds '"
							+ host + "'");
			entries.add(host.toLowerCase(Locale.ROOT));
		}
		return new WechatApiHosts(Set.copyOf(entries));
	}

	private static boolean isHost(String host) {
		Matcher matcher = HOST.matcher(host);
		return matcher.matches() && (matcher.group("port") == null || isPort(Integer.parseInt(matcher.group("port"))));
	}

	private static boolean isPort(int port) {
		return port > 0 && port <= MAX_PORT;
	}

	/**
	 * Return whether the URI may be sent a token.
	 * @param uri the URI of a request
	 * @return whether its host is one of these
	 * @throws IllegalArgumentException if the host is one of these but the token would
	 * cross the network in the clear
	 */
	boolean include(URI uri) {
		String host = uri.getHost();
		if (host == null) {
			return false;
		}
		host = host.toLowerCase(Locale.ROOT);
		boolean loopback = LOOPBACK.matcher(host).matches();
		boolean https = "https".equalsIgnoreCase(uri.getScheme());
		if (!isListed(host, uri.getPort(), loopback, https)) {
			return false;
		}
		Assert.isTrue(https || (loopback && "http".equalsIgnoreCase(uri.getScheme())),
				() -> "WeChat's access token must not be sent over '%s': write 'https://%s'".formatted(uri.getScheme(),
						uri.getHost()));
		return true;
	}

	private boolean isListed(String host, int port, boolean loopback, boolean https) {
		int defaultPort = (https) ? HTTPS_PORT : HTTP_PORT;
		int effectivePort = (port != -1) ? port : defaultPort;
		return this.entries.contains(host + ":" + effectivePort)
				|| (this.entries.contains(host) && (loopback || effectivePort == defaultPort));
	}

	@Override
	public String toString() {
		return this.entries.toString();
	}

}
