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
 * The life of a token.
 *
 * <h2>Who is who</h2>
 * <ul>
 * <li>{@link cn.authing.wechat.token.DefaultWechatMpTokenService} is the bean. It keeps
 * an {@code AccountTokenSource} for each configured account and a bounded cache of
 * entries for the accounts that are known at run time only.</li>
 * <li>A {@code TokenEntry} is the cache of one credentials pair. It has one field that
 * counts, the {@code snapshot}.</li>
 * <li>A {@code TokenSnapshot} is all that an entry knows: token, times, what past fetches
 * forbid, the fetch in flight. It is immutable and swapped by compare-and-set.</li>
 * <li>A {@code TokenFetch} is the one fetch that all who wait share.</li>
 * <li>{@link cn.authing.wechat.token.WechatMpRefreshPolicy} has all the arithmetic of
 * time, a {@code TokenLoader} knows how a token is had, and a
 * {@link cn.authing.wechat.token.WechatMpTokenStore} how instances share it.</li>
 * </ul>
 *
 * <h2>States</h2> The state is a pure function of the snapshot and the time, see
 * {@link cn.authing.wechat.token.WechatMpTokenState}:
 * <table class="striped">
 * <caption>Who waits when</caption> <thead>
 * <tr>
 * <th>state</th>
 * <th>a caller gets</th>
 * <th>upstream</th>
 * </tr>
 * </thead> <tbody>
 * <tr>
 * <td>empty</td>
 * <td>the answer of the one fetch</td>
 * <td>one fetch</td>
 * </tr>
 * <tr>
 * <td>fresh</td>
 * <td>the token, at once</td>
 * <td>nothing</td>
 * </tr>
 * <tr>
 * <td>due</td>
 * <td>the token, at once</td>
 * <td>one background fetch, not before {@code renewFrom}</td>
 * </tr>
 * <tr>
 * <td>expired</td>
 * <td>the answer of the one fetch</td>
 * <td>one fetch, not before {@code fetchFrom}</td>
 * </tr>
 * <tr>
 * <td>failing</td>
 * <td>the remembered failure, at once</td>
 * <td>nothing before {@code fetchFrom}</td>
 * </tr>
 * </tbody>
 * </table>
 *
 * <h2>Why it is right</h2>
 * <ul>
 * <li><b>One fetch.</b> A fetch starts only where it was put into the snapshot by
 * compare-and-set, in place of {@code null}; only its end takes it out. So no entry ever
 * has two.</li>
 * <li><b>No torn reads.</b> Token and times are in one object behind one volatile
 * field.</li>
 * <li><b>Nobody waits for a renewal.</b> {@code held()} answers while the token is
 * usable, whatever is in flight; only when it returns {@code null} does a caller
 * {@code join()}.</li>
 * <li><b>Nobody can spoil it for the others.</b> A fetch runs on a thread of the cache
 * and completes futures; callers only listen to them. It inherits neither a Reactor
 * context nor thread-locals. A caller that leaves, leaves alone.</li>
 * <li><b>Nothing is lost.</b> The snapshot is swapped before the futures are completed,
 * so that who is woken sees the new state. Each fetch ends: by its result, by its
 * deadline, or when the service is closed.</li>
 * <li><b>Upstream is bounded.</b> Each end of a fetch sets {@code fetchFrom} at least
 * {@code initialBackoff} ahead (and {@code renewFrom} no sooner), and no fetch but an
 * explicit {@code refreshAccessToken()} starts before it. Callers that come in between
 * get the token, the remembered failure, or wait for a fetch that starts then, or after
 * {@code initialBackoff} if that is sooner.</li>
 * <li><b>Clocks do not matter.</b> The life that a token has left is computed once, when
 * it arrives, in Authing's time if the answer's {@code Date} is more than 5 s off. From
 * then on only the monotonic clock counts. (It may stand still while a machine is
 * suspended; a token that died meanwhile is found out by WeChat's rejection.)</li>
 * <li><b>Rejections cannot loop.</b> Only the very token that is held can be dropped. A
 * token that the authority hands out again is handed on, and asked for again after a
 * back-off. When one token after the other is rejected, the fetches are spaced by a
 * growing back-off and callers get the last token meanwhile: WeChat's own answer tells
 * them more than a failure of ours.</li>
 * </ul>
 *
 * <h2>Threads</h2> One daemon thread for all accounts starts fetches and runs timers; it
 * ends when it has been idle for ten seconds. What waits is completed on the thread that
 * brings the result. There is no timer but for a fetch in flight and for an account that
 * is kept warm.
 */
@NullMarked
package cn.authing.wechat.token;

import org.jspecify.annotations.NullMarked;
