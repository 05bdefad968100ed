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

package cn.authing.wechat.token;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * A real service whose time and upstream are moved by hand.
 */
final class TokenServiceFixture implements AutoCloseable {

	static final String SECRET = "the-app-secret";

	static final WechatMpCredentials CREDENTIALS = new WechatMpCredentials("wx-default", SECRET);

	/**
	 * The documented defaults.
	 */
	static final WechatMpRefreshPolicy POLICY = WechatMpRefreshPolicy.defaults();

	static final Duration LIFE = Duration.ofHours(2);

	/**
	 * How long to wait from the arrival of a token of {@link #LIFE} until it is due.
	 */
	static final Duration UNTIL_DUE = LIFE.minus(POLICY.refreshAhead());

	/**
	 * How long to wait from the arrival of a token of {@link #LIFE} until its hard
	 * expiry.
	 */
	static final Duration UNTIL_STALE = LIFE.minus(POLICY.expiryMargin());

	final ManualTime time;

	final ScriptedClient client;

	final Map<String, WechatMpCredentials> accounts;

	final WechatMpAccountRegistry registry;

	final TestTokenService service;

	volatile double random;

	private volatile @Nullable Runnable meanwhile;

	private volatile Runnable accountsRead = () -> {
	};

	TokenServiceFixture() {
		this(UnaryOperator.identity());
	}

	TokenServiceFixture(UnaryOperator<Setup> customizer) {
		Setup setup = customizer.apply(new Setup(new ManualTime(), null, POLICY, 10, List.of(),
				Map.of(WechatMpTokenService.DEFAULT_ACCOUNT, CREDENTIALS)));
		this.time = setup.time();
		this.client = new ScriptedClient(setup.time());
		this.accounts = new LinkedHashMap<>(setup.accounts());
		this.service = new TestTokenService(this.client, setup.store(), this::readAccounts, setup.maxEntries(),
				new FetchContext(setup.time(), setup.time().newExecutors(), this::random, setup.policy(),
						setup.listeners()));
		this.registry = this.service.registry();
	}

	/**
	 * Do something once between the reading of a snapshot and its exchange, as another
	 * thread may: the random number for a pause is drawn there.
	 */
	void meanwhile(Runnable action) {
		this.meanwhile = action;
	}

	/**
	 * Do something whenever the accounts are read.
	 */
	void onAccountsRead(Runnable action) {
		this.accountsRead = action;
	}

	private Map<String, WechatMpCredentials> readAccounts() {
		this.accountsRead.run();
		return this.accounts;
	}

	private double random() {
		Runnable action = this.meanwhile;
		this.meanwhile = null;
		if (action != null) {
			action.run();
		}
		return this.random;
	}

	void advance(Duration duration) {
		this.time.advance(duration);
	}

	/**
	 * Ask for the token of the default account and let a fetch start.
	 */
	Caller ask() {
		return ask(this.service);
	}

	Caller ask(WechatMpTokenSource source) {
		Caller caller = Caller.of(source.getAccessToken());
		this.time.runDue();
		return caller;
	}

	/**
	 * Ask for a fetch and let it start.
	 */
	Caller refresh() {
		Caller caller = Caller.of(this.service.refreshAccessToken());
		this.time.runDue();
		return caller;
	}

	/**
	 * Make the default account hold a token.
	 */
	void hold(String accessToken) {
		hold(accessToken, LIFE);
	}

	void hold(String accessToken, Duration life) {
		ask();
		this.client.call().succeed(accessToken, life);
	}

	String held() {
		return this.service.getAccessTokenSync().accessToken();
	}

	int fetches() {
		return this.client.calls().size();
	}

	WechatMpAccountStatus status() {
		return this.registry.status().get(0);
	}

	WechatMpTokenState state() {
		return status().state();
	}

	@Nullable AuthingException lastFailure() {
		return status().lastFailure();
	}

	/**
	 * Block until a gate is opened, or this thread is interrupted.
	 */
	static void await(CountDownLatch gate) {
		try {
			gate.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Override
	public void close() {
		this.registry.close();
	}

	/**
	 * What a test may want otherwise.
	 */
	record Setup(ManualTime time, @Nullable WechatMpTokenStore store, WechatMpRefreshPolicy policy, long maxEntries,
			List<WechatMpTokenListener> listeners, Map<String, WechatMpCredentials> accounts) {

		Setup withTime(ManualTime time) {
			return new Setup(time, this.store, this.policy, this.maxEntries, this.listeners, this.accounts);
		}

		Setup withStore(WechatMpTokenStore store) {
			return new Setup(this.time, store, this.policy, this.maxEntries, this.listeners, this.accounts);
		}

		Setup withPolicy(WechatMpRefreshPolicy policy) {
			return new Setup(this.time, this.store, policy, this.maxEntries, this.listeners, this.accounts);
		}

		Setup withMaxEntries(long maxEntries) {
			return new Setup(this.time, this.store, this.policy, maxEntries, this.listeners, this.accounts);
		}

		Setup withListener(WechatMpTokenListener listener) {
			return new Setup(this.time, this.store, this.policy, this.maxEntries, List.of(listener), this.accounts);
		}

		Setup withAccounts(Map<String, WechatMpCredentials> accounts) {
			return new Setup(this.time, this.store, this.policy, this.maxEntries, this.listeners, accounts);
		}

	}

}
