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

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import me.chanjar.weixin.common.error.WxRuntimeException;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.Exceptions;
import reactor.core.scheduler.Schedulers;

import org.springframework.core.log.LogMessage;

import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;

/**
 * One fed account: the token source behind what WxJava asks of a configuration.
 */
final class WxJavaAccount {

	private static final Log logger = LogFactory.getLog(WxJavaAccount.class);

	private final String appId;

	private final String name;

	private final WechatMpTokenService tokens;

	private final RejectionLock lock = new RejectionLock();

	private final AtomicBoolean updateReported = new AtomicBoolean();

	// The token that WxJava is comparing with a rejected one. Guarded by the lock.
	private @Nullable String compared;

	private volatile @Nullable String lastGiven;

	WxJavaAccount(String appId, String name, WechatMpTokenService tokens) {
		this.appId = appId;
		this.name = name;
		this.tokens = tokens;
	}

	/**
	 * Return the current token, blocking where it must be fetched first.
	 * @return the token
	 */
	String getAccessToken() {
		boolean comparing = this.lock.isHeldByCurrentThread();
		if (comparing) {
			this.compared = null;
		}
		String accessToken = answer(() -> source().getAccessTokenSync().accessToken());
		if (comparing) {
			this.compared = accessToken;
		}
		else if (!accessToken.equals(this.lastGiven)) {
			this.lastGiven = accessToken;
		}
		return accessToken;
	}

	/**
	 * Ask Authing now. Nothing is dropped before it has answered: whoever only wants a
	 * newer token must not leave the others without one.
	 * @return the token that Authing answered with
	 */
	String refreshAccessToken() {
		if (Schedulers.isInNonBlockingThread()) {
			throw new IllegalStateException("getAccessToken(true) of WeChat app '" + this.appId
					+ "' waits for Authing and must not be called on the non-blocking thread '"
					+ Thread.currentThread().getName() + "': move the WxJava call to another scheduler, "
					+ "for example Schedulers.boundedElastic()");
		}
		String accessToken = answer(() -> source().refreshAccessToken().blockOptional().orElseThrow().accessToken());
		this.lastGiven = accessToken;
		return accessToken;
	}

	/**
	 * Return when the current token expires, blocking where it must be fetched first.
	 * @return the time in milliseconds since the epoch
	 */
	long getExpiresTime() {
		return answer(() -> source().getAccessTokenSync().expiresAt().toEpochMilli());
	}

	/**
	 * Drop the token that was rejected. WxJava does not say which one it means, but calls
	 * this under its lock after it has compared the current token with the rejected one.
	 * If the comparison failed for want of a token, there is nothing to drop. Outside the
	 * lock it is an application's call, and means the token that WxJava last had.
	 */
	void expireAccessToken() {
		String rejected = this.lock.isHeldByCurrentThread() ? this.compared : this.lastGiven;
		if (rejected != null) {
			source().invalidate(rejected);
		}
	}

	/**
	 * Ignore a token that an application hands to WxJava: there would be two authorities.
	 */
	void updateAccessToken() {
		if (this.updateReported.compareAndSet(false, true)) {
			logger.warn(LogMessage.format(
					"Ignoring the access token that was set on the WxJava configuration of "
							+ "WeChat app '%s', as Authing keeps that account's tokens (account '%s')",
					this.appId, this.name));
		}
	}

	Lock getLock() {
		return this.lock;
	}

	boolean isNamed(String name) {
		return this.name.equals(name);
	}

	@Override
	public String toString() {
		return this.appId + " (account '" + this.name + "')";
	}

	private WechatMpTokenSource source() {
		return this.tokens.account(this.name);
	}

	// A configuration's methods declare no exception, so it is WxJava's unchecked one.
	private <T> T answer(Supplier<T> call) {
		try {
			return call.get();
		}
		catch (AuthingException ex) {
			throw new WxRuntimeException("No access token for WeChat app '" + this.appId + "' (account '" + this.name
					+ "'): " + ex.getMessage(), ex);
		}
		catch (RuntimeException ex) {
			if (Exceptions.unwrap(ex) instanceof InterruptedException interrupted) {
				Thread.currentThread().interrupt();
				throw new WxRuntimeException("Interrupted while waiting for the access token of WeChat app '"
						+ this.appId + "' (account '" + this.name + "')", interrupted);
			}
			throw ex;
		}
	}

	/**
	 * WxJava waits for this lock with {@code lock()} where it drops a rejected token, and
	 * with {@code tryLock} right before it asks WeChat for a token. The latter must never
	 * happen here; it can where {@code getAccessToken(true)} is called past the bean.
	 */
	private final class RejectionLock extends ReentrantLock {

		private static final long serialVersionUID = 1L;

		@Override
		public boolean tryLock(long timeout, TimeUnit unit) {
			throw new WxRuntimeException("WeChat was not asked for the access token of app '" + WxJavaAccount.this.appId
					+ "', as Authing keeps it (account '" + WxJavaAccount.this.name + "'): call getAccessToken(true) "
					+ "on the service that Spring injects, not on the object that its bean was made from");
		}

	}

}
