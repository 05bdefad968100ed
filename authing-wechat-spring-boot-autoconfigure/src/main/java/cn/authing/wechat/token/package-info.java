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

/**
 * The life of a token: cached, refreshed ahead, fetched by a single flight. API for what
 * reports on tokens or manages them ({@code WechatMp…}), SPI for a shared store
 * ({@link cn.authing.wechat.token.WechatMpTokenStore}, provisional); all else is
 * internal.
 *
 * <h2>Classes</h2> Each class knows only those below it, which a test checks.
 * <ul>
 * <li>{@link cn.authing.wechat.token.DefaultWechatMpTokenService}: the bean. Delegates to
 * the registry.</li>
 * <li>{@link cn.authing.wechat.token.WechatMpAccountRegistry}: accounts, by name or by
 * credentials; start, stop, status. {@code AccountTokenSource} is a configured account,
 * whose credentials may change.</li>
 * <li>{@code TokenEntry}: the cache of one credentials pair. Its state is one volatile
 * field, the snapshot, swapped by compare-and-set. {@code CachedTokenSource}, its base,
 * answers blocking callers and subscribers.</li>
 * <li>{@code AccountMonitor}: counts and logs what happens, and creates the events.
 * {@code RequestCounter}: a counter that costs a nanosecond.</li>
 * <li>{@code FleetTokenLoader} and {@code TokenLoader}: obtain tokens, with and without a
 * store.</li>
 * <li>{@code TokenSnapshot}: the decisions about a token, as pure functions of snapshot,
 * {@link cn.authing.wechat.token.WechatMpRefreshPolicy policy}, time and random number.
 * Only the fetch in flight that it refers to changes by itself.</li>
 * <li>{@code TokenFetch}: a single flight; its {@code SharedResult} wakes those who wait.
 * {@code TokenWarmer}: the timer of an account that is kept warm. {@code FetchContext}:
 * what all fetches share. They know no entry.</li>
 * </ul>
 *
 * <h2>Reading order</h2> To follow a call for which no token is cached, read
 * {@code DefaultWechatMpTokenService}, {@code CachedTokenSource}, {@code held()} and
 * {@code join()} of {@code AccountTokenSource} and {@code TokenEntry}, {@code answer()}
 * of {@code TokenSnapshot}, {@code TokenEntry.tryFetch}, then {@code TokenFetch} from
 * {@code start} to {@code received}, and {@code TokenLoader.load}. The token goes to
 * {@code TokenEntry.received}, whose swap of the snapshot ends the flight, and then to
 * those who wait. A call for a fresh token goes no further than
 * {@code TokenEntry.held()}; a rejection is {@code TokenEntry.reject} and
 * {@code TokenSnapshot.rejected}.
 *
 * <h2>States</h2> The state follows from the snapshot and the time, see
 * {@link cn.authing.wechat.token.WechatMpTokenState}. Time alone moves to the right:
 * <pre>
 *           fetched       soft expiry     hard expiry     real expiry
 *  EMPTY ------------> FRESH --------> DUE --------> STALE --------> EXPIRED
 *    ^                   ^              |              |                ^
 *    |                   +--------------+--------------+----------------+
 *    |                                  fetched                         |
 *    v         down: fetch fails       up: back-off over                v
 *    +----------------------------- FAILING ----------------------------+
 * </pre> A token that WeChat rejects is EXPIRED. It is STALE instead where no better one
 * can be had yet:
 * <ul>
 * <li>it was rejected soon after it arrived, as was the one before it,</li>
 * <li>or Authing handed it out again after the rejection,</li>
 * <li>or it was expired when it arrived,</li>
 * <li>or it has expired, but the fallback, an earlier token that lives longer, has
 * not.</li>
 * </ul>
 * Who waits when:
 * <ul>
 * <li>EMPTY, EXPIRED: a caller waits for the single flight, which starts at once, or when
 * the cool-down is over.</li>
 * <li>FRESH: a caller gets the token at once; nothing is fetched.</li>
 * <li>DUE: a caller gets the token at once; one fetch in the background, at most one per
 * {@code minRefreshInterval}.</li>
 * <li>STALE: a caller waits for the single flight and gets the stale token if it fails,
 * or if it has not ended after half of the time from hard expiry (or its start) to real
 * expiry. During a back-off nothing is fetched and a caller gets the stale token at
 * once.</li>
 * <li>FAILING: a caller gets the cached failure at once, or waits for a flight that
 * {@code refreshAccessToken()} has started; else nothing is fetched until the back-off
 * has passed.</li>
 * </ul>
 *
 * <h2>Why each rule holds</h2>
 * <ol>
 * <li><b>Valid beats new.</b> {@code held()} answers in FRESH and DUE whatever is in
 * flight. A failure changes neither token nor expiries, so that it reaches callers only
 * when {@code staleIfError} is {@code null}: past the real expiry of token and fallback,
 * or after a first rejection. A fetch that hangs is not waited for until the token has
 * expired.</li>
 * <li><b>The same token again is not news.</b> It leaves the expiries of a token that
 * works as they are, if they differ by no more than 2 s, and sets the next refresh
 * {@code minRefreshInterval} ahead.</li>
 * <li><b>Rejection is compare-and-set.</b> Only the current token, or the fallback behind
 * it, can be rejected. A fetch that began before and brings it asks once more; asked
 * after it, the token is served as STALE with a growing back-off.</li>
 * <li><b>Single flight belongs to no caller.</b> A fetch starts only where it was put
 * into the snapshot by compare-and-set in place of {@code null}. Of its possible ends
 * (token, failure, time-out, stop) the one that takes it out by compare-and-set counts,
 * and only then is anybody told. It runs on a thread of its own; blocked threads are
 * woken first, and a subscriber that blocks costs a thread. One whose deadline got lost,
 * for want of memory, is ended by the next caller.</li>
 * <li><b>Clocks differ.</b> The life of a token is computed once, when it arrives, in
 * Authing's time. From then on only the monotonic clock counts.</li>
 * <li><b>Bounded upstream load.</b> Each end of a fetch that has begun to load sets a
 * back-off of at least the cool-down, and no fetch but {@code refreshAccessToken()} and
 * the one repeat of rule 3 starts before it; a caller for whom there is neither a token
 * nor a failure waits for the cool-down only. An entry in use is found again after
 * eviction: a flight is held by the context, a back-off by its timer, anything else by
 * its holder.</li>
 * <li><b>Retries inside one fetch</b> are the client's.</li>
 * <li><b>Blocking callers</b> wait for at most the deadline of the fetch; on a thread
 * that must not block they fail at once instead.</li>
 * <li><b>Shutdown and pause.</b> {@code stop()} ends flights and what is done without
 * demand, tells those who wait, and waits for publications; {@code start()} resumes.</li>
 * <li><b>Configured accounts.</b> {@code TokenWarmer} refreshes without demand; the first
 * fetches come one after the other, so that many accounts do not need a thread each.
 * Changed credentials of the same app take over when they have produced a valid token, or
 * when the old one has expired.</li>
 * <li><b>What is plugged in is not trusted.</b> Clients (their cancellation included),
 * stores, listeners and subscribers run on threads that they may block, and what they
 * throw is caught. Once a flight has ended, those who wait are told whatever a logger or
 * a listener does; a listener that hangs costs itself events, and nobody memory.</li>
 * </ol>
 *
 * <h2>Threads</h2> Daemon threads that end when they have been idle for ten seconds: one
 * for timers, and as many as needed for what may block. Timers exist only while a fetch
 * or a call of the store is in flight, for kept-warm accounts, for changed credentials
 * that have produced no valid token yet, and for evicted entries that back off.
 */
@NullMarked
package cn.authing.wechat.token;

import org.jspecify.annotations.NullMarked;
