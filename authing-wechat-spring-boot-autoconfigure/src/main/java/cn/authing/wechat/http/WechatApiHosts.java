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
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.core.log.LogMessage;
import org.springframework.util.Assert;
import org.springframework.util.ObjectUtils;

import cn.authing.wechat.client.SafeText;

/**
 * The only hosts that are ever sent a token, and the rules for hosts that the properties
 * share. Internal: public for the auto-configuration only.
 *
 * @since 1.0.0
 */
public final class WechatApiHosts {

	private static final Log logger = LogFactory.getLog(WechatApiHosts.class);

	private static final Pattern ABSOLUTE = Pattern.compile("(?i)https?://.*");

	private static final Pattern PREFIX = Pattern.compile("(/(?!\\.\\.)[\\w.~-]+)*/?");

	// Reserved names and literals only: what another name resolves to can change between
	// the check and the call.
	private static final Pattern LOOPBACK = Pattern
		.compile("(?i)(.+\\.)?localhost|127(\\.(25[0-5]|2[0-4]\\d|1?\\d{1,2})){3}|\\[(0*:)*:?0*1]");

	private static final String WECHAT = ".weixin.qq.com";

	private static final int MAX_PORT = 65535;

	private static final int MAX_REPORTED_HOSTS = 100;

	static final WechatApiHosts DEFAULT = of("api.weixin.qq.com", "api2.weixin.qq.com", "sh.api.weixin.qq.com",
			"sz.api.weixin.qq.com", "hk.api.weixin.qq.com");

	private final List<Entry> entries;

	private final Set<String> reported = ConcurrentHashMap.newKeySet();

	private WechatApiHosts(List<Entry> entries) {
		this.entries = entries;
	}

	static WechatApiHosts of(String... hosts) {
		Assert.isTrue(!ObjectUtils.isEmpty(hosts),
				"'hosts' must not be empty: name the hosts that may be sent a token, such as 'api.weixin.qq.com'");
		List<Entry> entries = new ArrayList<>();
		for (String host : hosts) {
			Entry entry = Entry.parse(host);
			Assert.isTrue(entry != null,
					() -> "'hosts' must hold host names with an optional port, such as 'api.weixin.qq.com' or "
							+ "'localhost:8080', or addresses in full, such as 'https://proxy.example.com/wechat', "
							+ "without user info, query or wildcard, but holds " + quote(host));
			entries.add(entry);
		}
		return new WechatApiHosts(List.copyOf(entries));
	}

	private static String quote(@Nullable String host) {
		if (host == null) {
			return "null";
		}
		return (host.indexOf('@') == -1) ? "'" + SafeText.of(host) + "'" : "one with user info";
	}

	/**
	 * Return whether a text can be one of the hosts: a host name with an optional port,
	 * or the address of a reverse proxy in full.
	 * @param host the text
	 * @return whether it can
	 */
	public static boolean isValid(String host) {
		return Entry.parse(host) != null;
	}

	/**
	 * Return whether a host is this machine by its very name.
	 * @param host a host name, or an IP address as URLs have it
	 * @return whether it is
	 */
	public static boolean isLoopback(String host) {
		return LOOPBACK.matcher(host).matches();
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
		String scheme = uri.getScheme();
		if (host == null || scheme == null) {
			return false;
		}
		host = host.toLowerCase(Locale.ROOT);
		scheme = scheme.toLowerCase(Locale.ROOT);
		boolean named = false;
		for (Entry entry : this.entries) {
			if (entry.host().equals(host) && entry.matches(uri, scheme)) {
				if (entry.isSecure(scheme)) {
					return true;
				}
				named = true;
			}
		}
		Assert.isTrue(!named,
				() -> ("WeChat's access token must not be sent over '%1$s': write 'https://%2$s', or list "
						+ "'http://%2$s' in authing.wechat.api.hosts if the network in between is trusted")
					.formatted(uri.getScheme(), uri.getHost()));
		return false;
	}

	/**
	 * Tell, once for each host, that a request is sent without a token since its host is
	 * none of these.
	 */
	void reportExcluded(URI uri) {
		String host = uri.getHost();
		if (host == null) {
			String authority = uri.getRawAuthority();
			host = (authority != null) ? authority.substring(authority.lastIndexOf('@') + 1) : "";
		}
		if (!this.reported.contains(host) && this.reported.size() < MAX_REPORTED_HOSTS && this.reported.add(host)) {
			String address = (uri.getRawAuthority() == null) ? "a relative address"
					: ((uri.getScheme() != null) ? uri.getScheme() + ":" : "") + "//" + host
							+ ((uri.getPort() != -1) ? ":" + uri.getPort() : "");
			logger.warn(LogMessage.format("No access token is added to calls of %s: it is not one of %s. If it is "
					+ "a reverse proxy of WeChat's API, add it to authing.wechat.api.hosts (or withHosts): its host "
					+ "name, or its address in full if it has a path prefix or is called over http",
					SafeText.of(address), this));
		}
	}

	@Override
	public String toString() {
		return this.entries.toString();
	}

	/**
	 * One of the hosts.
	 *
	 * @param scheme the scheme, if it was written
	 * @param host the host name in lower case
	 * @param port the port, -1 if it was not written
	 * @param prefix the path that all calls begin with, may be empty
	 */
	private record Entry(@Nullable String scheme, String host, int port, String prefix) {

		static @Nullable Entry parse(@Nullable String text) {
			if (text == null) {
				return null;
			}
			boolean absolute = ABSOLUTE.matcher(text).matches();
			try {
				URI uri = new URI((absolute) ? text : "https://" + text);
				if (uri.getHost() == null || !isValid(uri, absolute)) {
					return null;
				}
				String scheme = (absolute) ? uri.getScheme().toLowerCase(Locale.ROOT) : null;
				String host = uri.getHost().toLowerCase(Locale.ROOT);
				boolean clear = "http".equals(scheme) && host.endsWith(WECHAT);
				return (!clear) ? new Entry(scheme, host, uri.getPort(), uri.getPath().replaceAll("/$", "")) : null;
			}
			catch (URISyntaxException ex) {
				return null;
			}
		}

		private static boolean isValid(URI uri, boolean absolute) {
			String path = uri.getRawPath();
			return uri.getRawUserInfo() == null && uri.getRawQuery() == null && uri.getRawFragment() == null
					&& uri.getPort() != 0 && uri.getPort() <= MAX_PORT && !uri.getRawAuthority().endsWith(":")
					&& ((absolute) ? PREFIX.matcher(path).matches() : path.isEmpty());
		}

		boolean matches(URI uri, String scheme) {
			int port = (uri.getPort() != -1) ? uri.getPort() : defaultPort(scheme);
			if (this.scheme == null) {
				return (this.port != -1) ? port == this.port : isLoopback(this.host) || port == defaultPort(scheme);
			}
			return this.scheme.equals(scheme) && port == ((this.port != -1) ? this.port : defaultPort(scheme))
					&& (this.prefix.isEmpty() || isBelowPrefix(uri.getPath()));
		}

		// What a server may take for the way out of the prefix is not below it.
		private boolean isBelowPrefix(String path) {
			return path.startsWith(this.prefix + "/") && !path.contains("/..") && path.indexOf('%') == -1
					&& path.indexOf('\\') == -1;
		}

		boolean isSecure(String scheme) {
			return this.scheme != null || scheme.equals("https") || (scheme.equals("http") && isLoopback(this.host));
		}

		private static int defaultPort(String scheme) {
			return (scheme.equals("https")) ? 443 : 80;
		}

		@Override
		public String toString() {
			return ((this.scheme != null) ? this.scheme + "://" : "") + this.host
					+ ((this.port != -1) ? ":" + this.port : "") + this.prefix;
		}

	}

}
