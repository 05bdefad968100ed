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

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.ApplicationListener;
import org.springframework.util.StringUtils;

import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpAccountsChangedEvent;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;

/**
 * The accounts whose tokens Authing keeps, by WeChat app id, and the app ids that WxJava
 * uses. Says at start-up which of the latter are fed.
 *
 * @since 1.0.0
 */
public final class WxJavaAccounts
		implements SmartInitializingSingleton, ApplicationListener<WechatMpAccountsChangedEvent> {

	private static final Log logger = LogFactory.getLog(WxJavaAccounts.class);

	private final ObjectProvider<WechatMpTokenService> tokens;

	private final ObjectProvider<WechatMpAccountProvider> provider;

	private final Set<String> usedAppIds = new ConcurrentSkipListSet<>();

	private volatile @Nullable Map<String, WxJavaAccount> accounts;

	private volatile boolean started;

	/**
	 * Create the accounts. Nothing is asked of the arguments before WxJava needs a token
	 * or the application has started.
	 * @param tokens the token service
	 * @param provider where the configured accounts come from
	 */
	public WxJavaAccounts(ObjectProvider<WechatMpTokenService> tokens,
			ObjectProvider<WechatMpAccountProvider> provider) {
		this.tokens = tokens;
		this.provider = provider;
	}

	/**
	 * Create WxJava's configuration of each account, for an application that has none of
	 * its own. Of several, each is found by its account's name and by its app id; threads
	 * that have not switched use the default account.
	 * @param <C> the type of the configuration
	 * @param factory creates the configuration of one account
	 * @return the configurations by WxJava's id, the default one first
	 */
	public <C> Map<String, C> createConfigurations(Function<WechatMpCredentials, C> factory) {
		Map<String, WechatMpCredentials> credentials = new LinkedHashMap<>(this.provider.getObject().getAccounts());
		WechatMpCredentials defaultCredentials = credentials.remove(WechatMpTokenService.DEFAULT_ACCOUNT);
		Map<String, C> configurations = new LinkedHashMap<>();
		if (defaultCredentials != null && credentials.isEmpty()) {
			// Not by name too: WxJava spares its users the switching if there is one
			// entry.
			configurations.put(defaultCredentials.appId(), factory.apply(defaultCredentials));
			return configurations;
		}
		if (defaultCredentials != null) {
			put(configurations, WechatMpTokenService.DEFAULT_ACCOUNT, defaultCredentials, factory);
		}
		credentials.forEach((name, other) -> put(configurations, name, other, factory));
		return configurations;
	}

	private <C> void put(Map<String, C> configurations, String name, WechatMpCredentials credentials,
			Function<WechatMpCredentials, C> factory) {
		C configuration = factory.apply(credentials);
		configurations.put(name, configuration);
		configurations.putIfAbsent(credentials.appId(), configuration);
	}

	@Override
	public void afterSingletonsInstantiated() {
		this.started = true;
		report(this.usedAppIds);
	}

	@Override
	public void onApplicationEvent(WechatMpAccountsChangedEvent event) {
		load();
		report(this.usedAppIds);
	}

	void addUsed(@Nullable String appId) {
		if (StringUtils.hasText(appId) && this.usedAppIds.add(appId) && this.started) {
			report(Set.of(appId));
		}
	}

	@Nullable WxJavaAccount find(@Nullable String appId) {
		if (appId == null) {
			return null;
		}
		Map<String, WxJavaAccount> accounts = this.accounts;
		return ((accounts != null) ? accounts : load()).get(appId);
	}

	private synchronized Map<String, WxJavaAccount> load() {
		Map<String, WxJavaAccount> previous = Objects.requireNonNullElse(this.accounts, Map.of());
		Map<String, WxJavaAccount> current = new LinkedHashMap<>();
		this.provider.getObject().getAccounts().forEach((name, credentials) -> {
			String appId = credentials.appId();
			WxJavaAccount known = previous.get(appId);
			current.putIfAbsent(appId, (known != null && known.isNamed(name)) ? known
					: new WxJavaAccount(appId, name, this.tokens.getObject()));
		});
		this.accounts = current;
		return current;
	}

	private void report(Collection<String> appIds) {
		if (appIds.isEmpty()) {
			return;
		}
		List<WxJavaAccount> fed = appIds.stream().map(this::find).filter(Objects::nonNull).toList();
		List<String> others = appIds.stream().filter((appId) -> find(appId) == null).toList();
		logger.info("WxJava gets the access tokens of these WeChat apps from Authing: " + list(fed)
				+ "; and asks WeChat itself, as before, for those of: " + list(others));
	}

	private String list(Collection<?> items) {
		return items.isEmpty() ? "none" : StringUtils.collectionToDelimitedString(items, ", ");
	}

}
