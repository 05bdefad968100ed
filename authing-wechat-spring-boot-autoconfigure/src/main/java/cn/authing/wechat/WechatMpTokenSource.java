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

package cn.authing.wechat;

import reactor.core.publisher.Mono;

/**
 * WeChat access tokens of one account (an official account or a mini program), as Authing
 * hands them out.
 * <p>
 * A source caches the current token and refreshes it ahead of its expiry without making a
 * caller wait. Callers wait only while no token is cached that is valid for longer than
 * the expiry margin (10 s), and then all of them wait for one and the same fetch. A
 * caller that cancels, times out or is interrupted changes nothing for the others.
 * <p>
 * Sources are safe for use by any number of threads. Keep one or ask the
 * {@link WechatMpTokenService} each time; both lead to the same token.
 *
 * @since 1.0.0
 * @see WechatMpTokenService
 */
public interface WechatMpTokenSource {

	/**
	 * Return the current token. Nothing happens until a subscription; each subscription
	 * is answered by itself, so the same {@code Mono} may be kept and subscribed to
	 * again.
	 * <p>
	 * While such a token is cached the answer is given at once, on the subscribing
	 * thread. Otherwise it is given when the fetch in flight ends, on another thread, or
	 * sooner where a cached token or failure is the answer. A subscriber that blocks
	 * there delays no other, but costs a thread.
	 * @return the token, never empty. Errors are {@link AuthingException}s, and an
	 * {@link IllegalStateException} where a fetch would be needed once the service is
	 * closed; there is never an error while a valid token is cached
	 */
	Mono<WechatMpAccessToken> getAccessToken();

	/**
	 * Return the current token, blocking for it where it must be fetched first. While a
	 * token is cached that is valid for longer than the expiry margin this takes no lock,
	 * allocates nothing and returns at once, on any thread.
	 * @return the token
	 * @throws AuthingException if no valid token is cached and none could be fetched, at
	 * the latest shortly after {@code authing.timeout}; also if the thread is interrupted
	 * while it waits (its interrupt status is set again)
	 * @throws IllegalStateException if the call would have to wait on a thread that must
	 * not block (such as an event loop: use {@link #getAccessToken()} there), or if it
	 * would have to once the service is closed
	 */
	WechatMpAccessToken getAccessTokenSync();

	/**
	 * Fetch from Authing now, regardless of the cached token. Nothing happens until a
	 * subscription. Subscribers that come while a fetch is in flight share that one;
	 * where instances share tokens it may end with what another one has just been given.
	 * <p>
	 * Authing may answer with the token that is already cached: near its expiry only
	 * WeChat decides when there is a new one. There is no need to call this for a refresh
	 * or after a rejection ({@link #invalidate(String)} is for that).
	 * @return the token that Authing answered with, never empty. Errors are
	 * {@link AuthingException}s, also while a valid token is cached; that one is kept
	 */
	Mono<WechatMpAccessToken> refreshAccessToken();

	/**
	 * Report that WeChat rejected a token (errcode {@code 40001}, {@code 40014} or
	 * {@code 42001}). If that very token is the current one it is dropped, and the next
	 * caller waits for another. Any number of reports of the same token have the effect
	 * of one, and a late report of an older token has none.
	 * <p>
	 * Never blocks. Starts a fetch, in the background, only for an account that is kept
	 * warm.
	 * @param accessToken the token that was rejected
	 * @return {@code true} if that token was the current one and is now dropped
	 */
	boolean invalidate(String accessToken);

}
