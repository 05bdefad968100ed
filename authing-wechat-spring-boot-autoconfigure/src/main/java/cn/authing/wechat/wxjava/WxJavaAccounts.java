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
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;
import java.util.stream.Stream;

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
import cn.authing.wechat.client.SafeText;

/**
 * The managed accounts, those of the token service, by WeChat app id, and the app ids
 * that WxJava uses. Logs at start-up which of the latter are managed.
 * <p>
 * The {@link WechatMpAccountProvider} tells which account has which app id. Where there
 * is none, as with an application's own token service, an account is found by its name
 * being the app id; and if the service has but one account, it serves the one app id that
 * WxJava uses.
 *
 * @since 1.0.0
 */
public class WxJavaAccounts implements SmartInitializingSingleton, ApplicationListener<WechatMpAccountsChangedEvent> {

	private static final Log logger = LogFactory.getLog(WxJavaAccounts.class);

	private final ObjectProvider<WechatMpTokenService> tokens;

	private final ObjectProvider<WechatMpAccountProvider> provider;

	private final Set<String> usedAppIds = new ConcurrentSkipListSet<>();

	private final Map<String, Class<?>> redisStorages = new ConcurrentSkipListMap<>();

	private final Map<String, WxJavaAccount> accounts = new ConcurrentHashMap<>();

	// The name of the account with an app id; null until it is asked for first
	private volatile @Nullable Function<String, @Nullable String> names;

	private volatile boolean started;

	private volatile @Nullable String reported;

	/**
	 * Create the accounts. Nothing is asked of the arguments before WxJava needs a token
	 * or the application has started.
	 * @param tokens the token service
	 * @param provider where the configured accounts come from, if that is known
	 */
	public WxJavaAccounts(ObjectProvider<WechatMpTokenService> tokens,
			ObjectProvider<WechatMpAccountProvider> provider) {
		this.tokens = tokens;
		this.provider = provider;
	}

	/**
	 * Return the configurations for a service of WxJava: those that the application has,
	 * or else one that is created for each account. Of several, each is found by its
	 * account's name and by its app id; threads that have not switched use the default
	 * account.
	 * @param <C> the type of the configuration
	 * @param existing the configurations that the application has
	 * @param appIds tells the app id of a configuration
	 * @param factory creates the configuration of one account
	 * @return the configurations by WxJava's id, the default one first
	 */
	public <C> Map<String, C> configurations(Stream<C> existing, Function<C, String> appIds,
			Function<WechatMpCredentials, C> factory) {
		Map<String, C> configurations = new LinkedHashMap<>();
		existing.forEach((configuration) -> configurations.put(appIds.apply(configuration), configuration));
		if (!configurations.isEmpty()) {
			return configurations;
		}
		Map<String, WechatMpCredentials> accounts = this.provider.getObject().getAccounts();
		// Not by name too: WxJava spares its users the switching if there is one entry
		boolean named = !accounts.keySet().equals(Set.of(WechatMpTokenService.DEFAULT_ACCOUNT));
		accounts.entrySet()
			.stream()
			.sorted(Comparator.comparing((account) -> !WechatMpTokenService.DEFAULT_ACCOUNT.equals(account.getKey())))
			.forEach((account) -> {
				C configuration = factory.apply(account.getValue());
				if (named) {
					configurations.put(account.getKey(), configuration);
				}
				configurations.putIfAbsent(account.getValue().appId(), configuration);
			});
		return configurations;
	}

	@Override
	public void afterSingletonsInstantiated() {
		this.started = true;
		report(this.usedAppIds);
	}

	@Override
	public void onApplicationEvent(WechatMpAccountsChangedEvent event) {
		this.names = null;
		report(this.usedAppIds);
	}

	void addUsed(@Nullable String appId, Class<?> configurationType) {
		if (!StringUtils.hasText(appId)) {
			return;
		}
		if (configurationType.getSimpleName().contains("Redis")) {
			this.redisStorages.put(appId, configurationType);
		}
		if (this.usedAppIds.add(appId) && this.started) {
			report(Set.of(appId));
		}
	}

	@Nullable WxJavaAccount find(@Nullable String appId) {
		String name = (appId != null) ? names().apply(appId) : null;
		if (appId == null || name == null) {
			return null;
		}
		WxJavaAccount known = this.accounts.get(appId);
		return (known != null && known.isNamed(name)) ? known
				: this.accounts.compute(appId, (id, current) -> (current != null && current.isNamed(name)) ? current
						: new WxJavaAccount(id, name, this.tokens.getObject()));
	}

	private Function<String, @Nullable String> names() {
		Function<String, @Nullable String> names = this.names;
		if (names == null) {
			WechatMpAccountProvider provider = this.provider.getIfAvailable();
			names = (provider != null) ? namesOf(provider) : this::findName;
			this.names = names;
		}
		return names;
	}

	private static Function<String, @Nullable String> namesOf(WechatMpAccountProvider provider) {
		Map<String, String> names = new LinkedHashMap<>();
		provider.getAccounts().forEach((name, credentials) -> names.putIfAbsent(credentials.appId(), name));
		return names::get;
	}

	private @Nullable String findName(String appId) {
		Set<String> names = this.tokens.getObject().accountNames();
		if (names.contains(appId)) {
			return appId;
		}
		// Once decided it stays so, whatever WxJava is given later
		boolean only = this.usedAppIds.equals(Set.of(appId)) || this.accounts.containsKey(appId);
		return (only && names.equals(Set.of(WechatMpTokenService.DEFAULT_ACCOUNT)))
				? WechatMpTokenService.DEFAULT_ACCOUNT : null;
	}

	private void report(Collection<String> appIds) {
		if (appIds.isEmpty()) {
			return;
		}
		List<WxJavaAccount> managed = appIds.stream().map(this::find).filter(Objects::nonNull).toList();
		List<String> others = appIds.stream()
			.filter((appId) -> find(appId) == null)
			.map((appId) -> "'" + SafeText.of(appId) + "'")
			.toList();
		String report = "WxJava gets the access tokens of these WeChat apps from the token service: " + list(managed)
				+ "; and asks WeChat itself, as before, for those of: " + list(others);
		if (!report.equals(this.reported)) {
			this.reported = report;
			logger.info(report);
			appIds.forEach(this::warnOfRedisStorage);
		}
	}

	private void warnOfRedisStorage(String appId) {
		Class<?> storage = this.redisStorages.get(appId);
		WxJavaAccount account = (storage != null) ? find(appId) : null;
		if (storage != null && account != null) {
			logger.warn("WxJava stores what it knows of WeChat app " + account + " in Redis (" + storage.getSimpleName()
					+ "), but its access token is managed by the token service and is neither read nor written there. "
					+ "An application that still gets the token through that storage fetches it from WeChat itself, "
					+ "which invalidates the managed one: let each of them use this starter");
		}
	}

	private String list(Collection<?> items) {
		return items.isEmpty() ? "none" : StringUtils.collectionToDelimitedString(items, ", ");
	}

}
