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
import cn.authing.wechat.client.SafeText;

/**
 * One managed account: the token source behind what WxJava asks of a configuration.
 */
final class WxJavaAccount {

	private static final Log logger = LogFactory.getLog(WxJavaAccount.class);

	private final String name;

	// As it is shown: neither the app id nor the name need be ours
	private final String description;

	private final WechatMpTokenService tokens;

	private final RejectionLock lock = new RejectionLock();

	private final AtomicBoolean updateReported = new AtomicBoolean();

	// The token that WxJava is comparing with a rejected one. Guarded by the lock.
	private @Nullable String compared;

	private volatile @Nullable String lastGiven;

	WxJavaAccount(String appId, String name, WechatMpTokenService tokens) {
		this.name = name;
		this.description = "'" + SafeText.of(appId) + "' (account '" + SafeText.of(name) + "')";
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
	 * Fetch a token now. The current one is kept until then: whoever wants a newer token
	 * must not leave the others without one.
	 * @return the token that was fetched
	 */
	String refreshAccessToken() {
		if (Schedulers.isInNonBlockingThread()) {
			throw new IllegalStateException("getAccessToken(true) of WeChat app " + this.description
					+ " waits for a fetch and must not be called on the non-blocking thread '"
					+ Thread.currentThread().getName() + "': move the WxJava call to another scheduler, "
					+ "for example Schedulers.boundedElastic()");
		}
		String accessToken = answer(() -> source().refreshAccessToken().blockOptional().orElseThrow().accessToken());
		this.lastGiven = accessToken;
		return accessToken;
	}

	/**
	 * Return when the current token expires, blocking where it must be fetched first.
	 * Never fails, as those who ask do not expect it: WxJava itself reads a field.
	 * @return the time in milliseconds since the epoch; 0 if there is no token
	 */
	long getExpiresTime() {
		try {
			return source().getAccessTokenSync().expiresAt().toEpochMilli();
		}
		catch (ArithmeticException ex) {
			return Long.MAX_VALUE;
		}
		catch (RuntimeException ex) {
			logger.debug(LogMessage.format("No access token for WeChat app %s, so that its expiry is unknown: %s",
					this.description, ex.getMessage()));
			return 0;
		}
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
			logger.warn("Ignoring the access token that was set on the WxJava configuration of WeChat app "
					+ this.description + ", as the token service manages that account");
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
		return this.description;
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
			throw new WxRuntimeException("No access token for WeChat app " + this.description + ": " + ex.getMessage(),
					ex);
		}
		catch (RuntimeException ex) {
			if (Exceptions.unwrap(ex) instanceof InterruptedException interrupted) {
				Thread.currentThread().interrupt();
				throw new WxRuntimeException(
						"Interrupted while waiting for the access token of WeChat app " + this.description,
						interrupted);
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
			throw new WxRuntimeException("WeChat was not asked for the access token of app "
					+ WxJavaAccount.this.description + ", as the token service manages it: call getAccessToken(true) "
					+ "on the service that Spring injects, not on the object that its bean was made from");
		}

	}

}
