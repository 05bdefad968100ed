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

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

import org.springframework.context.SmartLifecycle;
import org.springframework.core.log.LogMessage;
import org.springframework.util.Assert;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpAccountProvider;
import cn.authing.wechat.WechatMpCredentials;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.WechatMpTokenSource;
import cn.authing.wechat.client.AuthingWechatClient;
import cn.authing.wechat.client.SafeText;
import cn.authing.wechat.token.AccountMonitor.LastFailure;
import cn.authing.wechat.token.WechatMpTokenStore.Change;
import cn.authing.wechat.token.WechatMpTokenStore.Rejected;

/**
 * The accounts and their cached tokens: a cache entry for each credentials pair, those of
 * the configured accounts for as long as they are configured, the others in a bounded
 * cache. What reports on tokens or manages them depends on this class, and not on the
 * {@link WechatMpTokenService}, which an application may replace or decorate. Safe for
 * use by any number of threads.
 *
 * @since 1.0.0
 */
public class WechatMpAccountRegistry implements SmartLifecycle, AutoCloseable {

	private static final Log logger = LogFactory.getLog(WechatMpAccountRegistry.class);

	// Starts after, and stops before, a store, which does so with its connections.
	private static final int PHASE = 100;

	// When this instance hears of a rejection, another one may have asked Authing since.
	private static final Duration NOTIFICATION_DELAY = Duration.ofSeconds(1);

	private static final Duration MIN_PAUSE = Duration.ofSeconds(1);

	private static final Duration MAX_PAUSE = Duration.ofSeconds(30);

	private final FetchContext context;

	private final TokenLoader loader;

	private final @Nullable WechatMpTokenStore store;

	private final WechatMpAccountProvider accountProvider;

	private final Object reloading = new Object();

	private final AccountMonitor dynamicMonitor = new AccountMonitor(AccountMonitor.DYNAMIC_ACCOUNTS);

	private final Map<String, AccountMonitor> monitors = new ConcurrentSkipListMap<>();

	// Entries that are no longer cached, while something else refers to them: a fetch in
	// flight, the timer of a back-off, a caller. The weak key is the entry's own
	// credentials, and so lives as long as the entry.
	private final Map<WechatMpCredentials, WeakReference<TokenEntry>> evictedEntries = Collections
		.synchronizedMap(new WeakHashMap<>());

	private final long maxEntries;

	private volatile Map<String, AccountTokenSource> accounts = Map.of();

	// Those of the dynamic accounts; null while there are none, as in most applications.
	// Made under the lock of this.
	private volatile @Nullable Cache<WechatMpCredentials, TokenEntry> entries;

	private volatile boolean warm;

	private volatile boolean running;

	private volatile @Nullable Disposable changes;

	/**
	 * Create a new registry. Tokens can be had at once; {@link #start()} begins the work
	 * in the background.
	 * @param client what asks Authing
	 * @param store where instances share tokens; {@code null} if they do not
	 * @param accountProvider where the configured accounts come from; read now and at
	 * every {@link #reload()}
	 * @param policy when to refresh
	 * @param maxEntries how many tokens of dynamic accounts are cached
	 * @param listeners who is notified of events
	 */
	public WechatMpAccountRegistry(AuthingWechatClient client, @Nullable WechatMpTokenStore store,
			WechatMpAccountProvider accountProvider, WechatMpRefreshPolicy policy, long maxEntries,
			List<WechatMpTokenListener> listeners) {
		this(client, store, accountProvider, maxEntries, new FetchContext(TokenClock.SYSTEM,
				FetchContext.Executors.create(), () -> ThreadLocalRandom.current().nextDouble(), policy, listeners));
	}

	WechatMpAccountRegistry(AuthingWechatClient client, @Nullable WechatMpTokenStore store,
			WechatMpAccountProvider accountProvider, long maxEntries, FetchContext context) {
		this.context = context;
		this.loader = (store != null) ? new FleetTokenLoader(client, store, context)
				: new TokenLoader(client, context.clock());
		this.maxEntries = maxEntries;
		this.store = store;
		this.accountProvider = accountProvider;
		loadAccounts(readAccounts());
	}

	/**
	 * Start, or resume, the work in the background: notifications of the store, and
	 * accounts that are kept warm.
	 */
	@Override
	public synchronized void start() {
		this.context.resume();
		this.running = true;
		WechatMpTokenStore store = this.store;
		if (store != null && this.changes == null) {
			this.changes = changes(store).subscribe(this::changed);
		}
		this.accounts.values().forEach(AccountTokenSource::resume);
	}

	// On a thread that the store may block, and again if it ends or fails.
	private Flux<Change> changes(WechatMpTokenStore store) {
		return FleetTokenLoader.contained(store::changes)
			.doOnError((failure) -> logger.warn(LogMessage.format(
					"Changes of tokens by other instances are not noticed for a while: the token store failed with %s",
					failure.getClass().getName())))
			.subscribeOn(Schedulers.fromExecutorService(this.context.executors().callbacks()))
			.repeatWhen((completions) -> completions.delayElements(MAX_PAUSE))
			.retryWhen(Retry.backoff(Long.MAX_VALUE, MIN_PAUSE).maxBackoff(MAX_PAUSE).transientErrors(true));
	}

	/**
	 * Stop the work in the background and release those who wait, with an
	 * {@link IllegalStateException}. Waits for a moment until what was just fetched is
	 * shared. Tokens that are cached can still be had.
	 */
	@Override
	public synchronized void stop() {
		this.running = false;
		Disposable changes = this.changes;
		if (changes != null) {
			changes.dispose();
			this.changes = null;
		}
		this.context.stop();
		// From now on none schedules anything, so that what is cancelled here stays so.
		this.accounts.values().forEach(AccountTokenSource::pause);
		this.loader.awaitPublications();
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	/**
	 * Stop before the store, and start after it.
	 */
	@Override
	public int getPhase() {
		return PHASE;
	}

	/**
	 * Stop for good.
	 */
	@Override
	public void close() {
		stop();
		this.context.executors().shutdown();
	}

	/**
	 * Return the token source of a configured account.
	 * @param name the name of the account
	 * @return the source
	 * @throws IllegalArgumentException if there is no such account
	 */
	public WechatMpTokenSource account(String name) {
		return requiredAccount(name);
	}

	private AccountTokenSource requiredAccount(String name) {
		AccountTokenSource account = this.accounts.get(name);
		if (account == null) {
			String shown = SafeText.of(name);
			throw new IllegalArgumentException("There is no WeChat account '" + shown + "'; configured are "
					+ this.accounts.keySet() + ". Add authing.wechat.accounts." + shown
					+ ".app-id and .app-secret, or use one of those");
		}
		return account;
	}

	/**
	 * Return the token source of a dynamic account: one whose credentials are known at
	 * run time only.
	 * @param credentials the app id and secret
	 * @return the source
	 */
	public WechatMpTokenSource account(WechatMpCredentials credentials) {
		Assert.notNull(credentials, "'credentials' must not be null");
		Cache<WechatMpCredentials, TokenEntry> entries = this.entries;
		entries = (entries != null) ? entries : createEntries();
		TokenEntry entry = entries.getIfPresent(credentials);
		return (entry != null) ? entry : entries.get(credentials, this::newEntry);
	}

	// Not while accounts are loaded: an account must not get an entry beside this cache.
	private synchronized Cache<WechatMpCredentials, TokenEntry> createEntries() {
		Cache<WechatMpCredentials, TokenEntry> entries = this.entries;
		if (entries == null) {
			entries = Caffeine.newBuilder()
				.maximumSize(this.maxEntries)
				.executor(Runnable::run)
				.<WechatMpCredentials, TokenEntry>evictionListener(
						(credentials, entry, cause) -> letGo(entry, this.accounts))
				.build();
			this.entries = entries;
		}
		return entries;
	}

	private TokenEntry newEntry(WechatMpCredentials credentials) {
		TokenEntry entry = configuredEntry(this.accounts, credentials);
		if (entry != null) {
			return entry;
		}
		WeakReference<TokenEntry> evicted = this.evictedEntries.remove(credentials);
		entry = (evicted != null) ? evicted.get() : null;
		if (entry == null) {
			return new TokenEntry(this.context, this.loader, credentials, this.dynamicMonitor);
		}
		entry.keep();
		entry.countFor(this.dynamicMonitor);
		return entry;
	}

	private static @Nullable TokenEntry configuredEntry(Map<String, AccountTokenSource> accounts,
			WechatMpCredentials credentials) {
		for (AccountTokenSource account : accounts.values()) {
			TokenEntry entry = account.configuredEntry();
			if (entry.credentials().equals(credentials)) {
				return entry;
			}
		}
		return null;
	}

	/**
	 * Return the names of the configured accounts.
	 * @return the names, in the order of the configuration
	 */
	public Set<String> accountNames() {
		return this.accounts.keySet();
	}

	/**
	 * Ask the account provider again, on the calling thread, and take over what has
	 * changed. What the provider throws is passed on; then nothing changes.
	 * @throws IllegalStateException if the provider returns no default account, or
	 * {@code null} for anything; then nothing changes either
	 */
	public void reload() {
		// Who asks for an account meanwhile does not wait for the provider.
		synchronized (this.reloading) {
			loadAccounts(readAccounts());
		}
	}

	@SuppressWarnings("NullAway") // what a provider without null checks may do
	private Map<String, WechatMpCredentials> readAccounts() {
		Map<String, WechatMpCredentials> accounts = this.accountProvider.getAccounts();
		Assert.state(
				accounts != null && Stream.concat(accounts.keySet().stream(), accounts.values().stream())
					.noneMatch(Objects::isNull),
				() -> "The WechatMpAccountProvider must return a map with name and credentials of each account; it "
						+ "returned " + ((accounts != null) ? "null for one of " + accounts.keySet() : null));
		return accounts;
	}

	private synchronized void loadAccounts(Map<String, WechatMpCredentials> configured) {
		Assert.state(configured.containsKey(WechatMpTokenService.DEFAULT_ACCOUNT),
				() -> "The WechatMpAccountProvider must return an account '" + WechatMpTokenService.DEFAULT_ACCOUNT
						+ "'; it returned " + configured.keySet());
		Map<String, AccountTokenSource> accounts = new LinkedHashMap<>();
		configured.forEach((name, credentials) -> accounts.put(name, loadAccount(name, credentials, accounts)));
		this.accounts.forEach((name, account) -> {
			if (!accounts.containsKey(name)) {
				TokenEntry entry = account.configuredEntry();
				letGo(entry, accounts);
				account.remove();
				entry.countFor(this.dynamicMonitor);
			}
		});
		this.accounts = Collections.unmodifiableMap(accounts);
		assignMonitors(accounts);
		// The cache is for accounts that are known at run time only.
		Cache<WechatMpCredentials, TokenEntry> entries = this.entries;
		if (entries != null) {
			entries.invalidateAll(configured.values());
		}
		if (this.warm) {
			accounts.values().forEach(AccountTokenSource::keepWarm);
		}
	}

	private AccountTokenSource loadAccount(String name, WechatMpCredentials credentials,
			Map<String, AccountTokenSource> loaded) {
		AccountTokenSource account = this.accounts.get(name);
		if (account == null) {
			return new AccountTokenSource(this.context, name, findEntry(credentials, loaded));
		}
		TokenEntry current = account.configuredEntry();
		if (!current.credentials().equals(credentials)) {
			TokenEntry entry = findEntry(credentials, loaded);
			// First, so that the replaced credentials lead to one entry at any time.
			letGo(current, loaded);
			account.change(entry);
		}
		return account;
	}

	// It may have a fetch in flight or a back-off, and be asked for by its credentials.
	private void letGo(@Nullable TokenEntry entry, Map<String, AccountTokenSource> loaded) {
		if (entry != null && configuredEntry(loaded, entry.credentials()) == null) {
			this.evictedEntries.put(entry.credentials(), new WeakReference<>(entry));
			entry.evict();
		}
	}

	// One entry for each pair: that of another account, or else the one that served while
	// the pair was known at run time only.
	private TokenEntry findEntry(WechatMpCredentials credentials, Map<String, AccountTokenSource> loaded) {
		TokenEntry configured = configuredEntry(loaded, credentials);
		if (configured != null) {
			return configured;
		}
		Cache<WechatMpCredentials, TokenEntry> entries = this.entries;
		return (entries != null) ? entries.get(credentials, this::newEntry) : newEntry(credentials);
	}

	/**
	 * Have each entry count for the first account that it belongs to.
	 */
	private void assignMonitors(Map<String, AccountTokenSource> accounts) {
		Set<TokenEntry> assigned = new HashSet<>();
		accounts.forEach((name, account) -> {
			account.entries()
				.filter(assigned::add)
				.forEach((entry) -> entry.countFor(this.monitors.computeIfAbsent(name, AccountMonitor::new)));
		});
	}

	/**
	 * Fetch the configured accounts' tokens now, in the background, and from now on
	 * refresh them on time without demand.
	 */
	public synchronized void keepWarm() {
		this.warm = true;
		this.accounts.values().forEach(AccountTokenSource::keepWarm);
	}

	private void changed(Change change) {
		try {
			Stream
				.concat(this.accounts.values().stream().flatMap(AccountTokenSource::entries),
						Stream.ofNullable(dynamicEntry(change.credentials())))
				.filter((entry) -> entry.credentials().equals(change.credentials()) && entry.snapshot().isUsed())
				.distinct()
				.forEach((entry) -> changed(entry, change));
		}
		catch (Throwable ex) {
			// What the store says is no reason to hear no more of it.
			logger.debug(LogMessage.format("A change of the token store failed with %s", ex.getClass().getName()));
		}
	}

	private @Nullable TokenEntry dynamicEntry(WechatMpCredentials credentials) {
		Cache<WechatMpCredentials, TokenEntry> entries = this.entries;
		TokenEntry entry = (entries != null) ? entries.getIfPresent(credentials) : null;
		WeakReference<TokenEntry> evicted = (entry == null) ? this.evictedEntries.get(credentials) : null;
		return (evicted != null) ? evicted.get() : entry;
	}

	private void changed(TokenEntry entry, Change change) {
		if (change instanceof Rejected rejected) {
			entry.reject(rejected.token(), NOTIFICATION_DELAY.toNanos());
		}
		else {
			this.loader.adopt(entry);
		}
	}

	/**
	 * Drop the token that an account holds, whichever it is, as if WeChat had rejected
	 * it: the next caller waits for another, unless the account is kept warm: then it is
	 * fetched at once. Never blocks.
	 * @param account the name of the account
	 * @return whether a token was held and is now dropped
	 * @throws IllegalArgumentException if there is no such account
	 */
	public boolean invalidateCurrent(String account) {
		TokenEntry entry = requiredAccount(account).entry();
		WechatMpAccessToken token = entry.snapshot().token();
		return token != null && entry.invalidate(token.accessToken());
	}

	/**
	 * Return what is known of the configured accounts' tokens.
	 * @return the status of each account, in the order of the configuration
	 */
	public List<WechatMpAccountStatus> status() {
		List<WechatMpAccountStatus> status = new ArrayList<>();
		this.accounts.forEach((name, account) -> status.add(status(name, account)));
		return status;
	}

	/**
	 * Return what is known of a configured account's token.
	 * @param account the name of the account
	 * @return the status, or {@code null} if there is no such account
	 */
	public @Nullable WechatMpAccountStatus status(String account) {
		AccountTokenSource source = this.accounts.get(account);
		return (source != null) ? status(account, source) : null;
	}

	private WechatMpAccountStatus status(String name, AccountTokenSource account) {
		TokenEntry entry = account.entry();
		TokenSnapshot snapshot = entry.snapshot();
		AccountMonitor monitor = entry.monitor();
		WechatMpAccessToken token = snapshot.token();
		LastFailure lastFailure = monitor.lastFailure;
		TokenEntry successor = account.successor();
		int failures = ((successor != null) ? successor.snapshot() : snapshot).failures().count();
		long now = this.context.clock().nanoTime();
		return new WechatMpAccountStatus(name, entry.credentials().appId(), snapshot.state(now),
				localTime(snapshot.receivedAt(), now), localTime(snapshot.softExpiry(), now),
				localTime(snapshot.hardExpiry(), now), (token != null) ? token.expiresAt() : null,
				Duration.ofNanos((now < snapshot.hardExpiry()) ? snapshot.hardExpiry() - now : 0), snapshot.origin(),
				monitor.lastFetchedAt, (lastFailure != null) ? lastFailure.exception() : null,
				(lastFailure != null) ? lastFailure.at() : null, failures, monitor.fetches.sum(),
				monitor.rejections.sum(), successor != null);
	}

	private @Nullable Instant localTime(long nanoTime, long now) {
		return (nanoTime != TokenClock.LONG_AGO) ? this.context.clock().instant().plusNanos(nanoTime - now) : null;
	}

	/**
	 * Return the status of the store through which instances share tokens. Never fails.
	 * @return the status, or {@code null} if there is nothing to tell, as where nothing
	 * is shared or the store fails
	 */
	public @Nullable WechatMpTokenStoreStatus storeStatus() {
		try {
			return (this.store != null) ? this.store.status() : null;
		}
		catch (Throwable ex) {
			return null;
		}
	}

	/**
	 * Return how many requests there were, by the account's name: the configured
	 * accounts, now and earlier, and one name for all that are known at run time only.
	 * Accounts with the same credentials are counted under the name of the first of them.
	 * @return the counts; to be read again for newer ones
	 */
	public Map<String, WechatMpRequestCounts> requestCounts() {
		Map<String, WechatMpRequestCounts> counts = new LinkedHashMap<>();
		this.monitors.keySet().forEach((name) -> counts.put(name, requestCounts(name)));
		counts.put(this.dynamicMonitor.account, this.dynamicMonitor.requests());
		return counts;
	}

	/**
	 * Return how many requests there were for one account.
	 * @param account one of the names of {@link #requestCounts()}
	 * @return the counts; to be read again for newer ones
	 * @throws IllegalArgumentException if nothing is counted under that name
	 */
	public WechatMpRequestCounts requestCounts(String account) {
		return monitor(account).requests();
	}

	/**
	 * Return how many tokens of an account were rejected by WeChat.
	 * @param account one of the names of {@link #requestCounts()}
	 * @return the count
	 * @throws IllegalArgumentException if nothing is counted under that name
	 */
	public long rejections(String account) {
		return monitor(account).rejections.sum();
	}

	private AccountMonitor monitor(String account) {
		AccountMonitor monitor = this.dynamicMonitor.account.equals(account) ? this.dynamicMonitor
				: this.monitors.get(account);
		Assert.notNull(monitor, () -> "Nothing is counted for a WeChat account '" + account + "'");
		return monitor;
	}

}
