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

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.util.StringUtils;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.InvalidAuthingPropertiesException.Problem;
import cn.authing.wechat.http.WechatApiHosts;

/**
 * Finds all that is wrong with {@link AuthingProperties}. No message shows the value of a
 * secret or of a header.
 */
final class AuthingPropertiesValidator {

	private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{[^}]*}");

	// Of others, the value after a colon may be a secret
	private static final Pattern PLAIN_PLACEHOLDER = Pattern.compile("\\$\\{[\\w.-]+}");

	private static final Pattern LANGUAGE = Pattern.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*");

	private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");

	private static final Pattern HEADER_VALUE = Pattern.compile("[\\x20-\\x7e]+");

	private static final Pattern WORD = Pattern.compile("[\\x21-\\x7e]+");

	private static final Pattern WRAPPED = Pattern.compile("[\"'<].*[\"'>]");

	// Those of Authing and of WeChat; an app id of WeChat has 18 characters, one of
	// Authing has 24
	private static final Pattern SECRET = Pattern.compile("[0-9a-fA-F]{32}");

	private static final Pattern AUTHING_APP_ID = Pattern.compile("[0-9a-fA-F]{24}");

	private static final String LONGER = "Write a longer duration, such as %s; a number without a unit is milliseconds.";

	// Jasypt's and Spring Cloud's
	private static final Pattern ENCRYPTED = Pattern.compile("ENC\\(.*\\)|\\{cipher}.*");

	private static final Pattern SIMPLE_KEY = Pattern.compile("[\\w-]+");

	// What is written in place of a URL; a secret in the wrong place has no dot
	private static final Pattern BARE_HOST = Pattern.compile("(localhost|[\\w-]+(\\.[\\w-]+)+)(:\\d+)?(/[\\w./-]*)?");

	// Nobody writes less than this in milliseconds and means it, but for these
	private static final Duration MIN_WITHOUT_UNIT = Duration.ofMillis(100);

	// Far from what overflows as nanoseconds
	private static final Duration MAX_DURATION = Duration.ofDays(365);

	private static final Pattern MAY_BE_SHORT = Pattern.compile("initial-backoff|redis\\.timeout");

	private static final String AUTHING_PATH = "/(oidc(/.*)?|api/v3/get-.*)";

	private static final int MAX_PORT = 65535;

	private static final String APP_ID_REMEDY = "Write the WeChat app id (wx...).";

	private static final String HOST_EXAMPLE = "Write the address of the Authing application, such as "
			+ "https://example.authing.cn.";

	private static final String ENCRYPTION_KEY_REMEDY = "Write what 'openssl rand -base64 32' prints.";

	private static final String CACHE = "authing.wechat.cache.";

	private static final String EXPIRY_MARGIN = CACHE + "expiry-margin";

	private final BoundProperties bound;

	private final AuthingProperties properties;

	private final AuthingWechatProperties wechat;

	private final List<Problem> problems;

	AuthingPropertiesValidator(BoundProperties properties, List<Problem> problems) {
		this.problems = new ArrayList<>(problems);
		this.bound = properties;
		this.properties = properties.authing();
		this.wechat = properties.wechat();
	}

	/**
	 * Validate the properties.
	 * @param connection whether app id and host of the Authing application are needed
	 * @param accounts whether the accounts are needed
	 * @param pair whether app id and secret of the Authing application are needed, if
	 * there is no default account
	 * @throws InvalidAuthingPropertiesException if there is any problem
	 */
	void validate(boolean connection, boolean accounts, boolean pair) {
		boolean pairSent = pair && !hasDefaultAccount();
		if (connection || pairSent) {
			required("authing.app-id", this.properties.getAppId(), "Write the app id of the Authing application.");
		}
		if (pairSent) {
			required("authing.app-secret", this.properties.getAppSecret(),
					"Write the app secret of the Authing application, or set authing.wechat.app-id and "
							+ "authing.wechat.app-secret.");
		}
		if (connection && required("authing.app-host", this.properties.getAppHost(), HOST_EXAMPLE)) {
			validateAppHost("authing.app-host", String.valueOf(this.properties.getAppHost()));
		}
		notSwapped("authing.", this.properties.getAppId(), this.properties.getAppSecret(), false);
		this.bound.values().forEach(this::validateValue);
		validateConnection();
		if (accounts) {
			validateDefaultAccount(this.wechat);
			this.wechat.getAccounts().forEach(this::validateAccount);
		}
		validateCache(this.bound.cache());
		validateApi(this.bound.api());
		throwIfAny();
	}

	/**
	 * Validate what a bean says in place of properties.
	 * @throws InvalidAuthingPropertiesException if there is any problem
	 */
	void validate(AuthingConnectionDetails details) {
		String method = AuthingConnectionDetails.class.getSimpleName() + ".";
		required(method + "getAppId()", details.getAppId(), "Return the app id of the Authing application.");
		if (required(method + "getAppHost()", details.getAppHost(), HOST_EXAMPLE)) {
			validateAppHost(method + "getAppHost()", details.getAppHost());
		}
		throwIfAny();
	}

	private void throwIfAny() {
		if (!this.problems.isEmpty()) {
			throw new InvalidAuthingPropertiesException(this.problems);
		}
	}

	// Defaults are valid: only what is set is looked at
	private void validateValue(ConfigurationPropertyName name, Object value) {
		String property = name.toString();
		if (value instanceof Integer number && number < 1) {
			add(property, "is " + number, "Write 1 or more.");
		}
		else if (value instanceof Duration duration && property.equals(EXPIRY_MARGIN)) {
			if (duration.isNegative()) {
				add(property, "is negative", "Write a duration such as 10s, or 0s for none.");
			}
		}
		else if (value instanceof Duration duration && (duration.isNegative() || duration.isZero())) {
			add(property, "is not positive", "Write a duration such as 2s, 500ms or 5m.");
		}
		else if (value instanceof Duration duration && duration.compareTo(MAX_DURATION) > 0) {
			add(property, "is longer than a year", "Write a duration such as 2s, 500ms or 5m.");
		}
		if (value instanceof Duration duration && duration.compareTo(MIN_WITHOUT_UNIT) < 0 && duration.toMillis() > 0
				&& this.bound.withoutUnit().contains(name) && !MAY_BE_SHORT.matcher(property).find()) {
			add(property, "is " + duration.toMillis() + " ms, as it is a number without a unit",
					"Write the number with its unit, such as %1$ds or %1$dms.".formatted(duration.toMillis()));
		}
	}

	private void validateConnection() {
		if (!LANGUAGE.matcher(this.properties.getLang()).matches()) {
			add("authing.lang", "is '" + this.properties.getLang() + "', which is not a language",
					"Write zh-CN, en-US, ja-JP or zh-TW.");
		}
		this.properties.getHeaders().forEach(this::validateHeader);
		if (StringUtils.hasLength(this.properties.getSsl().getBundle())) {
			required("authing.ssl.bundle", this.properties.getSsl().getBundle(), "Write the name of an SSL bundle.");
		}
		validateRetry("authing.retry.", this.properties.getRetry());
	}

	private void validateAppHost(String property, String appHost) {
		String shown = "is '" + appHost + "', which ";
		URI uri = uri(appHost);
		if (BARE_HOST.matcher(appHost).matches()) {
			add(property, shown + "has no scheme", "Write https://" + appHost + ".");
		}
		else if (uri == null || uri.getHost() == null) {
			// Unreadable, so that a password in it cannot be told apart
			add(property, "is not an absolute URL with a host of letters, digits, hyphens and dots (" + appHost.length()
					+ " characters)", HOST_EXAMPLE);
		}
		else if (uri.getPort() == 0 || uri.getPort() > MAX_PORT) {
			add(property, "has the port " + uri.getPort() + ", which is none",
					"Write a port from 1 to 65535, or no port.");
		}
		else if (uri.getRawUserInfo() != null) {
			add(property, "has user info before its host '" + uri.getHost() + "'",
					"Write the address without it; a gateway's password can go into authing.headers.authorization.");
		}
		else if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
			add(property, "has a query or a fragment behind its host '" + uri.getHost() + "'", HOST_EXAMPLE);
		}
		else if (uri.getPath().matches(AUTHING_PATH)) {
			add(property, shown + "has a path of Authing's own", "Write the address without " + uri.getPath() + ".");
		}
		else if (!"https".equalsIgnoreCase(uri.getScheme())) {
			if (!"http".equalsIgnoreCase(uri.getScheme())) {
				add(property, shown + "is neither https nor http", HOST_EXAMPLE);
			}
			else if (!this.properties.isAllowHttp() && !WechatApiHosts.isLoopback(uri.getHost())) {
				add(property, shown + "is not encrypted, but requests carry the WeChat app secret",
						"Write https://" + uri.getHost() + ", or set authing.allow-http=true if the network in "
								+ "between is trusted.");
			}
		}
	}

	private void validateHeader(String name, String value) {
		String property = "authing.headers" + key(name);
		if (!HEADER_NAME.matcher(name).matches()) {
			add(property, "is not a valid name of an HTTP header", "Use letters, digits and hyphens.");
		}
		else if (isResolved(property, value) && isDecrypted(property, value)
				&& !HEADER_VALUE.matcher(value).matches()) {
			add(property,
					"is empty or has characters that HTTP headers must not have (" + value.length() + " characters)",
					"Write printable ASCII characters, or remove the property.");
		}
	}

	private boolean hasDefaultAccount() {
		return this.wechat.getAppId() != null || this.wechat.getAppSecret() != null
				|| this.wechat.getAccounts().containsKey(WechatMpTokenService.DEFAULT_ACCOUNT);
	}

	private void validateDefaultAccount(AuthingWechatProperties wechat) {
		boolean appId = wechat.getAppId() != null;
		if (appId || wechat.getAppSecret() != null) {
			String remedy = " Remove both authing.wechat.app-id and authing.wechat.app-secret to send the pair of the "
					+ "Authing application instead.";
			validateAppId("authing.wechat.app-id", wechat.getAppId(), APP_ID_REMEDY + remedy);
			required("authing.wechat.app-secret", wechat.getAppSecret(), "Write the WeChat app secret." + remedy);
			notSwapped("authing.wechat.", wechat.getAppId(), wechat.getAppSecret(), true);
		}
		if (appId && wechat.getAccounts().containsKey(WechatMpTokenService.DEFAULT_ACCOUNT)) {
			add("authing.wechat.accounts.default", "names the account that authing.wechat.app-id is the id of already",
					"Choose another name, or remove authing.wechat.app-id and authing.wechat.app-secret.");
		}
	}

	private void validateAccount(String name, AuthingWechatProperties.Account account) {
		String property = "authing.wechat.accounts" + key(name);
		String variable = SIMPLE_KEY.matcher(name).matches() ? " As an environment variable its name is "
				+ "AUTHING_WECHAT_ACCOUNTS_" + BoundProperties.uniform(name).toUpperCase(Locale.ROOT) + "_%s." : "";
		validateAppId(property + ".app-id", account.getAppId(), APP_ID_REMEDY + variable.formatted("APPID"));
		required(property + ".app-secret", account.getAppSecret(),
				"Write the WeChat app secret." + variable.formatted("APPSECRET"));
		notSwapped(property + ".", account.getAppId(), account.getAppSecret(), true);
	}

	private void validateAppId(String property, @Nullable String appId, String remedy) {
		if (required(property, appId, remedy) && String.valueOf(appId).startsWith("gh_")) {
			add(property, "is the original id (gh_...) of an account", remedy);
		}
	}

	/**
	 * Report an app id that is a secret, since app ids are logged.
	 */
	private void notSwapped(String prefix, @Nullable String appId, @Nullable String appSecret, boolean wechat) {
		if (appId != null && appSecret != null && SECRET.matcher(appId).matches()
				&& (wechat || appId.equals(appSecret) || AUTHING_APP_ID.matcher(appSecret).matches())) {
			add(prefix + "app-id", "seems to be an app secret; it and " + prefix + "app-secret may be swapped",
					"Write the id here, and the secret in " + prefix + "app-secret.");
		}
	}

	private void validateCache(AuthingWechatCacheProperties cache) {
		validateRedis(cache.getRedis());
		validateBackOff(CACHE + "failure-backoff.", "initial", cache.getFailureBackoff().getInitial(), "max",
				cache.getFailureBackoff().getMax());
		if (cache.getRefreshAhead().compareTo(cache.getExpiryMargin()) < 0) {
			add(CACHE + "refresh-ahead", "is shorter than " + EXPIRY_MARGIN + ", so that no token would be refreshed "
					+ "before it counts as expired", LONGER.formatted("5m"));
		}
		if (cache.getDefaultTtl().compareTo(cache.getExpiryMargin()) <= 0) {
			add(CACHE + "default-ttl",
					"is not longer than " + EXPIRY_MARGIN + ", so that a token would count as expired at once",
					LONGER.formatted("60s"));
		}
	}

	private void validateRedis(AuthingWechatCacheProperties.Redis redis) {
		String prefix = CACHE + "redis.";
		String remedy = "Write a prefix such as authing:wechat:.";
		if (required(prefix + "key-prefix", redis.getKeyPrefix(), remedy) && redis.getKeyPrefix().contains("{}")) {
			add(prefix + "key-prefix", "contains {}, which keeps the keys of an account apart in Redis Cluster",
					remedy);
		}
		for (int i = 0; i < redis.getEncryptionKeys().size(); i++) {
			String property = prefix + "encryption-keys[" + i + "]";
			String key = redis.getEncryptionKeys().get(i);
			if (required(property, key, ENCRYPTION_KEY_REMEDY) && !isEncryptionKey(key)) {
				add(property, "is not the Base64 of 16, 24 or 32 bytes (" + key.length() + " characters)",
						ENCRYPTION_KEY_REMEDY);
			}
		}
	}

	private static boolean isEncryptionKey(String key) {
		try {
			int length = Base64.getDecoder().decode(key).length;
			return length == 16 || length == 24 || length == 32;
		}
		catch (IllegalArgumentException ex) {
			return false;
		}
	}

	private void validateApi(AuthingWechatApiProperties api) {
		String prefix = "authing.wechat.api.";
		if (api.getHosts().isEmpty()) {
			add(prefix + "hosts", "is empty, so that no call of WeChat could carry a token",
					"Write host names such as api.weixin.qq.com, or remove the property.");
		}
		for (int i = 0; i < api.getHosts().size(); i++) {
			String host = api.getHosts().get(i);
			if (!WechatApiHosts.isValid(host)) {
				add(prefix + "hosts[" + i + "]",
						(host.indexOf('@') == -1) ? "is '" + host + "', which is not a host name or an address in full"
								: "has user info",
						"Write the host, such as api.weixin.qq.com or localhost:8080, or the address of a reverse proxy "
								+ "in full, such as https://proxy.example.com/wechat.");
			}
		}
		validateRetry(prefix + "retry-busy.", api.getRetryBusy());
	}

	private void validateRetry(String prefix, AuthingProperties.Retry retry) {
		validateBackOff(prefix, "initial-backoff", retry.getInitialBackoff(), "max-backoff", retry.getMaxBackoff());
	}

	private void validateBackOff(String prefix, String initialName, Duration initial, String maxName, Duration max) {
		if (initial.compareTo(max) > 0) {
			add(prefix + maxName, "is shorter than " + prefix + initialName, "Write a duration that is not.");
		}
	}

	private boolean required(String property, @Nullable String value, String remedy) {
		if (value == null) {
			return add(property, "is missing", remedy);
		}
		return StringUtils.hasText(value) ? isWord(property, value, remedy) : add(property, "is blank", remedy);
	}

	private boolean isWord(String property, String value, String remedy) {
		if (!isResolved(property, value)) {
			return false;
		}
		if (!value.equals(value.strip())) {
			return add(property, "has white space before or behind it (" + value.length() + " characters)", remedy);
		}
		if (WRAPPED.matcher(value).matches()) {
			return add(property, "has quotes or angle brackets around it (" + value.length() + " characters)",
					"Write the value without them.");
		}
		if (!isDecrypted(property, value)) {
			return false;
		}
		return WORD.matcher(value).matches() || add(property,
				"has white space or other than ASCII characters in it (" + value.length() + " characters)", remedy);
	}

	private boolean isDecrypted(String property, String value) {
		return !ENCRYPTED.matcher(value).matches() || add(property, "is still encrypted",
				"Add the library that decrypts it, and its key, or write the value itself.");
	}

	private boolean isResolved(String property, String value) {
		Matcher placeholder = PLACEHOLDER.matcher(value);
		return !placeholder.find()
				|| add(property, "has " + placeholderName(placeholder.group()) + ", which has no value",
						"Set what it refers to, such as the environment variable of that name.");
	}

	private static String placeholderName(String placeholder) {
		return PLAIN_PLACEHOLDER.matcher(placeholder).matches() ? "the placeholder " + placeholder : "a placeholder";
	}

	// A value that is wrong by itself is not compared with others
	private boolean add(String property, String reason, String remedy) {
		if (this.problems.stream().noneMatch((problem) -> problem.property().equals(property))) {
			this.problems.add(new Problem(property, reason, remedy));
		}
		return false;
	}

	private static @Nullable URI uri(String value) {
		try {
			return new URI(value);
		}
		catch (URISyntaxException ex) {
			return null;
		}
	}

	static String key(String key) {
		return SIMPLE_KEY.matcher(key).matches() ? "." + key : "[" + key + "]";
	}

}
