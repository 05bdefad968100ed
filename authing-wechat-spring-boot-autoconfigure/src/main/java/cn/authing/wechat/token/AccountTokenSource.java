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

import java.util.concurrent.Future;
import java.util.stream.Stream;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.core.log.LogMessage;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.token.TokenFetch.SharedResult;

/**
 * The tokens of a configured account: those of its current credentials' entry. When the
 * secret changes, the entry of the new credentials is first made to hold a valid token
 * and then takes the old one's place; until then, and while it can, the old one serves.
 */
final class AccountTokenSource extends CachedTokenSource {

	private static final Log logger = LogFactory.getLog(AccountTokenSource.class);

	private final String name;

	// The fields are written under the lock of this.
	private volatile TokenEntry entry;

	private volatile @Nullable TokenEntry successor;

	private volatile boolean removed;

	private volatile boolean warm;

	private @Nullable Future<?> retry;

	AccountTokenSource(FetchContext context, String name, TokenEntry entry) {
		super(context);
		this.name = SafeText.of(name);
		this.entry = entry;
	}

	TokenEntry entry() {
		return this.entry;
	}

	/**
	 * Return the entry of the credentials that the account is configured with, whether it
	 * serves already or not.
	 */
	TokenEntry configuredEntry() {
		TokenEntry successor = this.successor;
		return (successor != null) ? successor : this.entry;
	}

	/**
	 * Return the entry of the changed credentials, while they have produced no valid
	 * token yet.
	 */
	@Nullable TokenEntry successor() {
		return this.successor;
	}

	/**
	 * Return the entries of all credentials in use: the serving one and, while there is
	 * one, its successor.
	 */
	Stream<TokenEntry> entries() {
		return Stream.concat(Stream.of(this.entry), Stream.ofNullable(this.successor));
	}

	@Override
	@Nullable WechatMpAccessToken held() {
		if (this.removed) {
			return null;
		}
		return (this.successor == null) ? this.entry.held() : this.entry.heldWithoutRefresh();
	}

	@Override
	SharedResult join() {
		TokenEntry successor = this.successor;
		if (successor != null) {
			WechatMpAccessToken previous = staleIfError();
			if (previous != null) {
				return SharedResult.of(previous);
			}
			switchTo(successor);
		}
		return this.removed ? failedAsRemoved() : this.entry.join();
	}

	@Override
	SharedResult refresh() {
		TokenEntry successor = this.successor;
		if (successor != null) {
			SharedResult result = successor.refresh();
			result.whenComplete((token, failure) -> {
				if (isValid(successor)) {
					switchTo(successor);
				}
			});
			return result;
		}
		return this.removed ? failedAsRemoved() : this.entry.refresh();
	}

	@Override
	public boolean invalidate(String accessToken) {
		return !this.removed && this.entry.invalidate(accessToken);
	}

	@Override
	void recordOutcome(boolean success) {
		this.entry.recordOutcome(success);
	}

	@Override
	@Nullable WechatMpAccessToken staleIfError() {
		return this.entry.staleIfError();
	}

	private SharedResult failedAsRemoved() {
		return SharedResult
			.failed(new IllegalStateException("The WeChat account '" + this.name + "' is no longer configured"));
	}

	synchronized void keepWarm() {
		this.warm = true;
		if (this.successor == null) {
			this.entry.keepWarm();
		}
	}

	/**
	 * Do nothing in the background.
	 */
	synchronized void pause() {
		FetchContext.cancel(this.retry);
		this.entry.stopWarming();
	}

	/**
	 * Do again in the background what was done before {@link #pause()}.
	 */
	synchronized void resume() {
		TokenEntry successor = this.successor;
		if (successor != null) {
			switchWhenFetched(successor, false);
		}
		else if (this.warm) {
			keepWarm();
		}
	}

	synchronized void change(TokenEntry next) {
		TokenEntry current = this.entry;
		this.successor = next;
		current.stopWarming();
		if (current.credentials().appId().equals(next.credentials().appId()) && current.staleIfError() != null) {
			switchWhenFetched(next, true);
		}
		else {
			switchTo(next);
		}
	}

	synchronized void remove() {
		pause();
		this.removed = true;
		this.successor = null;
	}

	private void switchWhenFetched(TokenEntry next, boolean first) {
		if (this.successor != next) {
			return;
		}
		next.join().whenComplete((token, failure) -> {
			boolean valid = isValid(next);
			if (!valid && this.context.isStopped()) {
				// Goes on with resume().
				return;
			}
			if (valid || this.entry.staleIfError() == null) {
				switchTo(next);
			}
			else if (this.successor == next) {
				if (first) {
					logger.warn(LogMessage.format(
							"The changed credentials of account '%s' have produced no valid token and are tried again;"
									+ " the token of the old ones is used until it expires",
							this.name));
				}
				retryLater(next);
			}
		});
	}

	private synchronized void retryLater(TokenEntry next) {
		if (!this.context.isStopped() && this.successor == next) {
			this.retry = this.context.schedule(() -> switchWhenFetched(next, false),
					this.context.policy().initialBackoff().toNanos());
		}
	}

	private boolean isValid(TokenEntry entry) {
		return this.context.clock().nanoTime() < entry.snapshot().hardExpiry();
	}

	private synchronized void switchTo(TokenEntry next) {
		if (this.successor != next) {
			return;
		}
		this.entry = next;
		this.successor = null;
		if (next.snapshot().isUsed() && !isValid(next)) {
			logger.warn(LogMessage.format("The old credentials of account '%s' have no token any more; the changed ones"
					+ " are used, though they have produced no valid token yet", this.name));
		}
		else {
			logger.info(LogMessage.format("The changed credentials of account '%s' are in use", this.name));
		}
		if (this.warm) {
			next.keepWarm();
		}
	}

}
