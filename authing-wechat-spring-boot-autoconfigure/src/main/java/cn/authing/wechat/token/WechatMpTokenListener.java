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

/**
 * Notified of what happens to tokens apart from cache hits, which are only
 * {@linkplain WechatMpAccountRegistry#requestCounts() counted}.
 *
 * @since 1.0.0
 */
@FunctionalInterface
public interface WechatMpTokenListener {

	/**
	 * Handle an event. Called for one event after the other, on a thread apart from
	 * callers' and other listeners', which do not wait for it: callers may have their
	 * answer before. What it throws is logged and reaches no caller. A listener that is a
	 * thousand events behind is told of no more until it has caught up.
	 * @param event the event
	 */
	void onEvent(WechatMpTokenEvent event);

}
