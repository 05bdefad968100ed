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

import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

import cn.authing.wechat.WechatMpCredentials;

/**
 * An Authing and a WeChat of this application's own, on loopback and free ports, and what
 * can be done to them. There is a bean of this type in profile {@code demo} and only
 * there.
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

	private final @Nullable EmbeddedRedis redis;

	private Demo(InstantSource clock, Duration tokenLife, @Nullable EmbeddedRedis redis) {
		this.redis = redis;
		this.wechat = new EmbeddedWechat(clock, tokenLife, this.account, this.shop, this.miniProgram);
		this.authing = new EmbeddedAuthing(clock, this.wechat);
		this.wechatServer = LoopbackServer.start(this.wechat.routes());
		this.authingServer = LoopbackServer.start(this.authing.routes());
	}

	/**
	 * Start both servers.
	 * @param clock the time
	 * @param tokenLife how long a token of WeChat works
	 * @param redis the Redis that was started for this demo, if one was
	 * @return the running demo
	 */
	static Demo start(InstantSource clock, Duration tokenLife, @Nullable EmbeddedRedis redis) {
		return new Demo(clock, tokenLife, redis);
	}

	// New secrets at each start: tokens of an earlier one, left over in a shared store,
	// are then not found instead of wrong.
	private static WechatMpCredentials credentials(String appId) {
		return new WechatMpCredentials(appId, UUID.randomUUID().toString());
	}

	/**
	 * Return the demo, or refuse a request for what is there in profile {@code demo}
	 * only.
	 * @param demo provides the demo
	 * @return the demo
	 * @throws ErrorResponseException with status 404 if this is not the demo
	 */
	public static Demo require(ObjectProvider<Demo> demo) {
		Demo running = demo.getIfAvailable();
		if (running == null) {
			ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.NOT_FOUND,
					"This is there in profile 'demo' only, where Authing and WeChat are part of this application.");
			problem.setTitle("Not in the demo");
			throw new ErrorResponseException(HttpStatus.NOT_FOUND, problem, null);
		}
		return running;
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
		if (this.redis != null) {
			properties.put("spring.data.redis.host", LoopbackServer.HOST);
			properties.put("spring.data.redis.port", this.redis.port());
		}
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
	 * Return how often Authing was asked for the token of one account.
	 * @param appId the WeChat app id
	 * @return the number of requests so far
	 */
	public long authingCalls(String appId) {
		return this.authing.calls(appId);
	}

	/**
	 * Return how Authing behaves.
	 * @return the mode
	 */
	public AuthingMode authingMode() {
		return this.authing.mode();
	}

	/**
	 * Make Authing behave in another way from now on.
	 * @param mode the mode
	 */
	public void setAuthingMode(AuthingMode mode) {
		this.authing.setMode(mode);
	}

	/**
	 * Return how many WeChat calls were refused for their token.
	 * @return the number of requests so far
	 */
	public long rejectedWechatCalls() {
		return this.wechat.rejectedCalls();
	}

	/**
	 * Make WeChat refuse all tokens of an account that it has given out so far.
	 * @param appId the WeChat app id
	 */
	public void rejectTokens(String appId) {
		this.wechat.kill(appId);
	}

	/**
	 * Return whether the demo's Redis is running.
	 * @return whether it is, or {@code null} if the demo has started none
	 */
	public @Nullable Boolean redisUp() {
		return (this.redis != null) ? this.redis.isUp() : null;
	}

	/**
	 * Start or stop the demo's Redis, if the demo has started one. Blocks until it runs.
	 * @param up whether it is to run
	 */
	public void setRedisUp(boolean up) {
		if (this.redis != null && up) {
			this.redis.start();
		}
		else if (this.redis != null) {
			this.redis.stop();
		}
	}

	void stop() {
		this.authingServer.stop();
		this.wechatServer.stop();
		if (this.redis != null) {
			this.redis.stop();
		}
	}

}
