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

package cn.authing.wechat.client;

import java.net.URI;
import java.time.Duration;
import java.util.Map;

import org.springframework.util.Assert;
import org.springframework.util.backoff.BackOff;
import org.springframework.util.backoff.ExponentialBackOff;

/**
 * What a {@link DefaultAuthingWechatClient} needs to know.
 *
 * @param appHost the base URL of the Authing application, which may have a path
 * @param appId the app id of the Authing application
 * @param operation the operation to call
 * @param lang the language of Authing's messages
 * @param headers extra headers of each request; one that the client sends by itself is
 * replaced. Their values are not part of {@link #toString()}
 * @param timeout the time within which a call must end, retries included
 * @param defaultTtl the life of a token whose expiry Authing does not tell
 * @param retry the pauses between the attempts, and their number
 * @since 1.0.0
 */
public record AuthingClientSettings(URI appHost, String appId, AuthingOperation operation, String lang,
		Map<String, String> headers, Duration timeout, Duration defaultTtl, BackOff retry) {

	public AuthingClientSettings {
		Assert.isTrue(appHost.getHost() != null && appHost.getRawUserInfo() == null,
				"'appHost' must be an absolute URL without user info");
		Assert.hasText(appId, "'appId' must not be blank");
		Assert.isTrue(timeout.compareTo(Duration.ZERO) > 0, "'timeout' must be positive");
		headers = Map.copyOf(headers);
	}

	/**
	 * Return the default settings.
	 * @param appHost the base URL of the Authing application, which may have a path
	 * @param appId the app id of the Authing application
	 * @return the settings
	 */
	public static AuthingClientSettings of(URI appHost, String appId) {
		return new AuthingClientSettings(appHost, appId, AuthingOperation.ACCESS_TOKEN, "zh-CN", Map.of(),
				Duration.ofSeconds(10), Duration.ofMinutes(1),
				backOff(3, Duration.ofMillis(200), Duration.ofSeconds(2)));
	}

	/**
	 * Return settings with another operation.
	 * @param operation the operation to call
	 * @return the settings
	 */
	public AuthingClientSettings withOperation(AuthingOperation operation) {
		return new AuthingClientSettings(this.appHost, this.appId, operation, this.lang, this.headers, this.timeout,
				this.defaultTtl, this.retry);
	}

	/**
	 * Return settings with another language of messages.
	 * @param lang the language of Authing's messages, such as {@code en-US}
	 * @return the settings
	 */
	public AuthingClientSettings withLang(String lang) {
		return new AuthingClientSettings(this.appHost, this.appId, this.operation, lang, this.headers, this.timeout,
				this.defaultTtl, this.retry);
	}

	/**
	 * Return settings with other extra headers.
	 * @param headers the headers, in place of those before
	 * @return the settings
	 */
	public AuthingClientSettings withHeaders(Map<String, String> headers) {
		return new AuthingClientSettings(this.appHost, this.appId, this.operation, this.lang, headers, this.timeout,
				this.defaultTtl, this.retry);
	}

	/**
	 * Return settings with another timeout.
	 * @param timeout the time within which a call must end, retries included
	 * @return the settings
	 */
	public AuthingClientSettings withTimeout(Duration timeout) {
		return new AuthingClientSettings(this.appHost, this.appId, this.operation, this.lang, this.headers, timeout,
				this.defaultTtl, this.retry);
	}

	/**
	 * Return settings with another default life of tokens.
	 * @param defaultTtl the life of a token whose expiry Authing does not tell
	 * @return the settings
	 */
	public AuthingClientSettings withDefaultTtl(Duration defaultTtl) {
		return new AuthingClientSettings(this.appHost, this.appId, this.operation, this.lang, this.headers,
				this.timeout, defaultTtl, this.retry);
	}

	/**
	 * Return settings with other retries.
	 * @param retry the pauses between the attempts, and their number
	 * @return the settings
	 */
	public AuthingClientSettings withRetry(BackOff retry) {
		return new AuthingClientSettings(this.appHost, this.appId, this.operation, this.lang, this.headers,
				this.timeout, this.defaultTtl, retry);
	}

	@Override
	public String toString() {
		return "AuthingClientSettings[appHost=" + this.appHost + ", appId=" + this.appId + ", operation="
				+ this.operation + ", lang=" + this.lang + ", headers=" + this.headers.keySet() + ", timeout="
				+ this.timeout + ", defaultTtl=" + this.defaultTtl + ", retry=" + this.retry + "]";
	}

	/**
	 * Return pauses that double with each further one; up to half of the first one is
	 * added or taken off at random.
	 * @param maxAttempts the number of attempts, the first one included
	 * @param initial the pause before the second attempt
	 * @param max the longest pause
	 * @return the pauses between attempts
	 */
	public static BackOff backOff(int maxAttempts, Duration initial, Duration max) {
		Assert.isTrue(maxAttempts > 0, "'maxAttempts' must be positive");
		Assert.isTrue(initial.compareTo(Duration.ZERO) > 0 && initial.compareTo(max) <= 0,
				"'initial' must be positive and not longer than 'max'");
		long millis = Math.max(1, initial.toMillis());
		ExponentialBackOff backOff = new ExponentialBackOff(millis, 2);
		backOff.setMaxInterval(Math.max(millis, max.toMillis()));
		backOff.setJitter(millis / 2);
		backOff.setMaxAttempts(maxAttempts - 1L);
		return backOff;
	}

}
