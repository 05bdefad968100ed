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

import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.cloud.context.scope.refresh.RefreshScopeRefreshedEvent;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.event.SmartApplicationListener;
import org.springframework.core.log.LogMessage;

import cn.authing.wechat.WechatMpAccountsChangedEvent;

/**
 * Publishes a {@link WechatMpAccountsChangedEvent} when Spring Cloud says that the
 * environment has changed, whatever has changed: a secret may be the value of any
 * variable. Comes after libraries that decrypt values (Jasypt does so in a listener
 * shortly before the last), but before Spring Cloud binds all properties again, which
 * fails at the first that cannot be bound. An application's own account provider may have
 * those properties or be in the refresh scope, so that it is asked once more when Spring
 * Cloud is done.
 */
class EnvironmentChangeListener implements SmartApplicationListener {

	private static final Log logger = LogFactory.getLog(EnvironmentChangeListener.class);

	private static final Predicate<String> CHANGEABLE = Pattern
		.compile("authing\\.(app-secret|wechat\\.(app-id|app-secret|accounts\\..*|accounts\\[.*))")
		.asMatchPredicate();

	private final ApplicationEventPublisher publisher;

	private final ValidatedProperties properties;

	private final BoundProperties effective;

	private Set<String> reported = Set.of();

	private boolean usable = true;

	EnvironmentChangeListener(ApplicationEventPublisher publisher, ValidatedProperties properties) {
		this.publisher = publisher;
		this.properties = properties;
		this.effective = properties.initial();
	}

	@Override
	public boolean supportsEventType(Class<? extends ApplicationEvent> eventType) {
		return EnvironmentChangeEvent.class.isAssignableFrom(eventType)
				|| RefreshScopeRefreshedEvent.class.isAssignableFrom(eventType);
	}

	@Override
	public synchronized void onApplicationEvent(ApplicationEvent event) {
		if (event instanceof RefreshScopeRefreshedEvent && !this.usable) {
			// That has been reported
			return;
		}
		this.usable = false;
		try {
			Set<String> changed = this.properties.rebind().changedSince(this.effective);
			this.usable = true;
			this.publisher.publishEvent(new WechatMpAccountsChangedEvent(this));
			changed.removeIf(CHANGEABLE);
			if (!changed.isEmpty() && !changed.equals(this.reported)) {
				logger.warn(LogMessage.format("Changes of %s take effect when the application is started again",
						String.join(", ", changed)));
			}
			this.reported = changed;
		}
		catch (InvalidAuthingPropertiesException ex) {
			reportNotUsable(ex.getMessage());
		}
		catch (BindException ex) {
			reportNotUsable(this.properties.explain(ex));
		}
		catch (RuntimeException ex) {
			// Not that they stay as they are: others listen as well
			logger.warn("The environment has changed, and to read the accounts again, or to tell of them, has failed",
					ex);
		}
	}

	private static void reportNotUsable(@Nullable String reason) {
		logger.warn(LogMessage.format("The environment has changed, and the configuration of Authing is not "
				+ "usable any more. The accounts stay as they are. %s", reason));
	}

	@Override
	public int getOrder() {
		return LOWEST_PRECEDENCE - 1;
	}

}
