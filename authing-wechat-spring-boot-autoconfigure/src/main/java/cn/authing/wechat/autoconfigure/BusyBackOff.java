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

package cn.authing.wechat.autoconfigure;

import org.springframework.util.backoff.BackOff;
import org.springframework.util.backoff.ExponentialBackOff;

import cn.authing.wechat.autoconfigure.AuthingWechatApiProperties.RetryBusy;

/**
 * Pauses between the attempts of a call that WeChat is too busy for.
 */
final class BusyBackOff {

	private BusyBackOff() {
	}

	static BackOff of(RetryBusy properties) {
		ExponentialBackOff backOff = new ExponentialBackOff();
		backOff.setInitialInterval(properties.getInitialBackoff().toMillis());
		backOff.setMaxInterval(properties.getMaxBackoff().toMillis());
		backOff.setMultiplier(2);
		backOff.setJitter(properties.getInitialBackoff().toMillis() / 2);
		backOff.setMaxAttempts(properties.getMaxAttempts() - 1);
		return backOff;
	}

}
