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

package cn.authing.wechat.sample.demo;

import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

import cn.authing.wechat.WechatMpCredentials;

/**
 * An Authing and a WeChat of this application's own, on loopback and free ports. There is
 * a bean of this type in profile {@code demo} and only there.
 *
 * @since 1.0.0
 */
public final class Demo {

	private final WechatMpCredentials account = credentials("wx00000000000000a1");

	private final WechatMpCredentials shop = credentials("wx00000000000000b2");

	private final WechatMpCredentials miniProgram = credentials("wx00000000000000c3");

	private final EmbeddedWechat wechat;

	private final EmbeddedAuthing authing;

	private final LoopbackServer wechatServer;

	private final LoopbackServer authingServer;

	private Demo(InstantSource clock) {
		this.wechat = new EmbeddedWechat(clock, this.account, this.shop, this.miniProgram);
		this.authing = new EmbeddedAuthing(clock, this.wechat);
		this.wechatServer = LoopbackServer.start(this.wechat.routes());
		this.authingServer = LoopbackServer.start(this.authing.routes());
	}

	static Demo start(InstantSource clock) {
		return new Demo(clock);
	}

	// New secrets at each start: tokens of an earlier one, left over in a shared store,
	// are then not found instead of wrong.
	private static WechatMpCredentials credentials(String appId) {
		return new WechatMpCredentials(appId, UUID.randomUUID().toString());
	}

	/**
	 * Return what an application must be configured with to use this pair.
	 * @return the properties
	 */
	Map<String, Object> properties() {
		Map<String, Object> properties = new LinkedHashMap<>();
		properties.put("authing.app-id", EmbeddedAuthing.APP_ID);
		properties.put("authing.app-secret", UUID.randomUUID().toString());
		properties.put("authing.app-host", this.authingServer.url());
		put(properties, "authing.wechat", this.account);
		put(properties, "authing.wechat.accounts.shop", this.shop);
		put(properties, "authing.wechat.accounts.mini-program", this.miniProgram);
		properties.put("authing.wechat.api.hosts", LoopbackServer.HOST);
		properties.put("spring.http.serviceclient.wechat.base-url", this.wechatServer.url());
		return properties;
	}

	private static void put(Map<String, Object> properties, String prefix, WechatMpCredentials credentials) {
		properties.put(prefix + ".app-id", credentials.appId());
		properties.put(prefix + ".app-secret", credentials.appSecret());
	}

	/**
	 * Return how often Authing was asked for a token.
	 * @return the number of requests so far
	 */
	public long authingCalls() {
		return this.authing.calls();
	}

	/**
	 * Return how many WeChat calls were refused for their token.
	 * @return the number of requests so far
	 */
	public long rejectedWechatCalls() {
		return this.wechat.rejectedCalls();
	}

	/**
	 * Make WeChat refuse all tokens of the default account that it has given out so far.
	 */
	public void killToken() {
		this.wechat.kill(this.account.appId());
	}

	void stop() {
		this.authingServer.stop();
		this.wechatServer.stop();
	}

}
