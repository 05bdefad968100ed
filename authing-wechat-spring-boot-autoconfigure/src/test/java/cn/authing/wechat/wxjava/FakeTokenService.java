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

package cn.authing.wechat.wxjava;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * A token service that counts: the n-th fetch of an account brings
 * {@code authing-<name>-<n>}.
 */
public final class FakeTokenService implements WechatMpTokenService {

	private final Map<String, WechatMpCredentials> accounts = new LinkedHashMap<>();

	private final Map<String, Source> sources = new LinkedHashMap<>();

	/**
	 * Create a service with a default account.
	 * @param appId the app id of the default account
	 */
	public FakeTokenService(String appId) {
		add(DEFAULT_ACCOUNT, appId);
	}

	FakeTokenService add(String name, String appId) {
		this.accounts.put(name, new WechatMpCredentials(appId, "secret-of-" + appId));
		this.sources.put(name, new Source(name));
		return this;
	}

	Source source(String name) {
		return (Source) account(name);
	}

	Source source() {
		return source(DEFAULT_ACCOUNT);
	}

	/**
	 * Return the accounts, as the application's provider does.
	 * @return the accounts
	 */
	public Map<String, WechatMpCredentials> getAccounts() {
		return this.accounts;
	}

	@Override
	public Set<String> accountNames() {
		return this.accounts.keySet();
	}

	@Override
	public WechatMpTokenSource account(String name) {
		Source source = this.sources.get(name);
		if (source == null) {
			throw new IllegalArgumentException("No account '" + name + "'");
		}
		return source;
	}

	@Override
	public WechatMpTokenSource account(WechatMpCredentials credentials) {
		throw new UnsupportedOperationException("Only configured accounts are fed");
	}

	@Override
	public Mono<WechatMpAccessToken> getAccessToken() {
		return source().getAccessToken();
	}

	@Override
	public WechatMpAccessToken getAccessTokenSync() {
		return source().getAccessTokenSync();
	}

	@Override
	public Mono<WechatMpAccessToken> refreshAccessToken() {
		return source().refreshAccessToken();
	}

	@Override
	public boolean invalidate(String accessToken) {
		return source().invalidate(accessToken);
	}

	/**
	 * The tokens of one account.
	 */
	static final class Source implements WechatMpTokenSource {

		static final Instant EXPIRES_AT = Instant.ofEpochSecond(1_900_000_000);

		private final String name;

		private final List<String> rejections = new ArrayList<>();

		private @Nullable WechatMpAccessToken current;

		private @Nullable AuthingException failure;

		private boolean hanging;

		private int fetches;

		Source(String name) {
			this.name = name;
		}

		synchronized void failWith(@Nullable AuthingException failure) {
			this.failure = failure;
		}

		synchronized void hang() {
			this.hanging = true;
		}

		synchronized int fetches() {
			return this.fetches;
		}

		/**
		 * Return the tokens that were reported as rejected.
		 * @return the tokens, in order
		 */
		synchronized List<String> rejections() {
			return List.copyOf(this.rejections);
		}

		@Override
		public Mono<WechatMpAccessToken> getAccessToken() {
			return Mono.fromSupplier(this::getAccessTokenSync);
		}

		@Override
		public synchronized WechatMpAccessToken getAccessTokenSync() {
			WechatMpAccessToken current = this.current;
			return (current != null) ? current : fetch();
		}

		@Override
		public synchronized Mono<WechatMpAccessToken> refreshAccessToken() {
			return this.hanging ? Mono.never() : Mono.fromSupplier(this::fetch);
		}

		@Override
		public synchronized boolean invalidate(String accessToken) {
			this.rejections.add(accessToken);
			if (this.current != null && this.current.accessToken().equals(accessToken)) {
				this.current = null;
				return true;
			}
			return false;
		}

		private synchronized WechatMpAccessToken fetch() {
			this.fetches++;
			if (this.failure != null) {
				throw this.failure;
			}
			WechatMpAccessToken token = new WechatMpAccessToken("authing-" + this.name + "-" + this.fetches,
					EXPIRES_AT);
			this.current = token;
			return token;
		}

	}

}
