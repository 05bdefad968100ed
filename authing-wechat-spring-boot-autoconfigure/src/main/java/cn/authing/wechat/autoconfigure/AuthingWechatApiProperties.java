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

import java.time.Duration;
import java.util.List;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Configuration properties of the calls of WeChat that carry an access token.
 *
 * @since 1.0.0
 */
@ConfigurationProperties("authing.wechat.api")
public class AuthingWechatApiProperties {

	/**
	 * Comma-separated list of the hosts that may receive access tokens. No other host
	 * ever does.
	 */
	private List<String> hosts = List.of("api.weixin.qq.com", "api2.weixin.qq.com", "sh.api.weixin.qq.com",
			"sz.api.weixin.qq.com", "hk.api.weixin.qq.com");

	private final RetryBusy retryBusy = new RetryBusy();

	public List<String> getHosts() {
		return this.hosts;
	}

	public void setHosts(List<String> hosts) {
		this.hosts = hosts;
	}

	public RetryBusy getRetryBusy() {
		return this.retryBusy;
	}

	/**
	 * Calls that WeChat was too busy for.
	 */
	public static class RetryBusy {

		/**
		 * Maximum number of attempts, including the first, of a call to which WeChat
		 * responds with errcode -1 (system busy). Use 1 to disable retries.
		 */
		private int maxAttempts = 1;

		/**
		 * Delay before the first retry. Doubles with each further retry.
		 */
		private Duration initialBackoff = Duration.ofMillis(200);

		/**
		 * Maximum delay between attempts.
		 */
		private Duration maxBackoff = Duration.ofSeconds(2);

		public int getMaxAttempts() {
			return this.maxAttempts;
		}

		public void setMaxAttempts(int maxAttempts) {
			this.maxAttempts = maxAttempts;
		}

		public Duration getInitialBackoff() {
			return this.initialBackoff;
		}

		public void setInitialBackoff(Duration initialBackoff) {
			this.initialBackoff = initialBackoff;
		}

		public Duration getMaxBackoff() {
			return this.maxBackoff;
		}

		public void setMaxBackoff(Duration maxBackoff) {
			this.maxBackoff = maxBackoff;
		}

	}

}
