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

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.boot.origin.TextResourceOrigin;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import cn.authing.wechat.autoconfigure.InvalidAuthingPropertiesException.Problem;

/**
 * Looks for what binding does not notice: names below {@code authing} that no property
 * has, values that YAML or a condition reads as something else, and properties that are
 * written in another place than below {@code authing}. Of variables of the environment
 * only the values, and the names of accounts, are looked at: other programs may have some
 * of that prefix.
 */
final class PropertyScan {

	static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("authing");

	private static final ConfigurationPropertyName WECHAT = ROOT.append("wechat");

	static final ConfigurationPropertyName ACCOUNTS = WECHAT.append("accounts");

	private static final ConfigurationPropertyName HEADERS = ROOT.append("headers");

	private static final Set<String> CREDENTIALS = Set.of("appid", "appsecret");

	// Outside of brackets, all else is left out
	private static final Pattern SPELLING = Pattern.compile("(\\[[^]]*]|[\\w.-]++)*+");

	private static final Pattern ACCOUNT_VARIABLE = Pattern.compile("AUTHING_WECHAT_ACCOUNTS_(\\w+)_APP_?(ID|SECRET)");

	private static final int MAX_DISTANCE = 3;

	// Longer than any name: that of a property in the wrong place comes first
	private static final int MAX_MISPLACED = 1000;

	private final Environment environment;

	private final BoundProperties properties;

	private final List<String> unknown = new ArrayList<>();

	private final Set<Problem> problems = new LinkedHashSet<>();

	PropertyScan(Environment environment, BoundProperties properties) {
		this.environment = environment;
		this.properties = properties;
		properties.values().forEach(this::checkBoolean);
		ConfigurationPropertySources.get(environment).forEach(this::scan);
	}

	/**
	 * Return the names that no property has, each with the one that may be meant. What is
	 * directly below {@code authing} may be the application's own, unless it is almost
	 * the name of a property.
	 */
	List<String> unknown() {
		return this.unknown;
	}

	List<Problem> problems() {
		return List.copyOf(this.problems);
	}

	private void scan(ConfigurationPropertySource source) {
		if (source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource variables) {
			Arrays.stream(variables.getPropertyNames()).forEach(this::checkVariable);
		}
		else if (source instanceof IterableConfigurationPropertySource iterable) {
			Map<ConfigurationPropertyName, String> accounts = new HashMap<>();
			for (ConfigurationPropertyName name : iterable) {
				String account = ACCOUNTS.isAncestorOf(name)
						? name.getElement(ACCOUNTS.getNumberOfElements(), Form.ORIGINAL) : null;
				String same = (account != null) ? accounts.putIfAbsent(name, account) : null;
				if (same != null && !same.equals(account)) {
					this.problems.add(new Problem(name.toString(),
							"is written twice, with other capitals, hyphens or underscores",
							"Choose names of accounts that differ in more than that."));
				}
				if (ROOT.isAncestorOf(name)) {
					checkName(name);
					checkValue(name, BoundProperties.find(this.environment, name));
				}
				else {
					checkPlace(name);
				}
			}
			if (source.getUnderlyingSource() instanceof EnumerablePropertySource<?> enumerable) {
				Arrays.stream(enumerable.getPropertyNames()).forEach(this::checkSpelling);
			}
		}
	}

	/**
	 * Look whether a variable is that of an account, but for an underscore in its name.
	 */
	private void checkVariable(String variable) {
		Matcher matcher = ACCOUNT_VARIABLE.matcher(variable);
		if (matcher.matches()) {
			String account = BoundProperties.uniform(matcher.group(1));
			if (this.properties.wechat()
				.getAccounts()
				.keySet()
				.stream()
				.map(BoundProperties::uniform)
				.noneMatch(account::equals)) {
				addUnknown(variable,
						"AUTHING_WECHAT_ACCOUNTS_" + account.toUpperCase(Locale.ROOT) + "_APP" + matcher.group(2));
			}
		}
	}

	/**
	 * Look whether a value is true for binding, as {@code on} is, but not for conditions,
	 * which there are of those below {@code authing.wechat} only.
	 */
	private void checkBoolean(ConfigurationPropertyName name, Object value) {
		String written = (value instanceof Boolean && WECHAT.isAncestorOf(name))
				? this.environment.getProperty(name.toString()) : null;
		if (written != null && !written.equalsIgnoreCase(value.toString())) {
			this.problems.add(new Problem(name.toString(), "is neither true nor false", "Write true or false."));
		}
	}

	private void checkName(ConfigurationPropertyName name) {
		if (this.properties.names().contains(name) || HEADERS.isAncestorOf(name)
				|| (name.isLastElementIndexed() && this.properties.names().contains(name.getParent()))) {
			return;
		}
		int depth = ACCOUNTS.getNumberOfElements();
		if (ACCOUNTS.isAncestorOf(name) && name.getNumberOfElements() > depth + 2) {
			StringJoiner account = new StringJoiner(".");
			for (int i = depth; i < name.getNumberOfElements() - 1; i++) {
				account.add(name.getElement(i, Form.ORIGINAL));
			}
			String bracketed = ACCOUNTS + "[" + account + "]." + name.getLastElement(Form.DASHED);
			this.problems.add(new Problem(name.toString(), "belongs to no account, since a dot ends the account's name",
					"Write " + bracketed + "; in YAML, write the name as \"[" + account + "]\"."));
			return;
		}
		String meant = meant(name);
		if (meant != null || WECHAT.isAncestorOf(name)) {
			addUnknown(name, meant);
		}
	}

	/**
	 * Look whether a name is that of a property which is not set, with something before
	 * it or without {@code authing}.
	 */
	private void checkPlace(ConfigurationPropertyName name) {
		ConfigurationPropertyName meant = null;
		if (name.getElement(0, Form.UNIFORM).equals("wechat")) {
			meant = ROOT.append(name);
		}
		for (int i = 1; i < name.getNumberOfElements() && meant == null; i++) {
			meant = name.getElement(i, Form.UNIFORM).equals("authing") ? name.subName(i) : null;
		}
		if (meant != null && (this.properties.names().contains(meant) || ACCOUNTS.isAncestorOf(meant))
				&& !this.properties.values().containsKey(meant.isLastElementIndexed() ? meant.getParent() : meant)) {
			addUnknown(name, meant.toString());
		}
	}

	private void addUnknown(Object name, @Nullable String meant) {
		String shown = name + ((meant != null) ? " (did you mean " + meant + "?)" : "");
		if (!this.unknown.contains(shown)) {
			this.unknown.add(shown);
		}
	}

	private @Nullable String meant(ConfigurationPropertyName name) {
		String lastElement = name.getLastElement(Form.UNIFORM);
		if (WECHAT.isAncestorOf(name.getParent()) && CREDENTIALS.contains(lastElement)) {
			// Of an account, whatever stands before its name: not the default one's
			return ACCOUNTS.append(name.subName(name.getNumberOfElements() - 2)).toString();
		}
		String meant = null;
		int least = Integer.MAX_VALUE;
		for (ConfigurationPropertyName candidate : this.properties.names()) {
			int distance = distance(name.toString(), candidate.toString());
			boolean misplaced = lastElement.length() > MAX_DISTANCE
					&& candidate.getLastElement(Form.UNIFORM).equals(lastElement);
			boolean similar = misplaced || distance <= MAX_DISTANCE;
			distance += misplaced ? 0 : MAX_MISPLACED;
			if (similar && distance < least
					&& (!ACCOUNTS.isAncestorOf(candidate) || candidate.getParent().equals(name.getParent()))) {
				meant = candidate.toString();
				least = distance;
			}
		}
		return meant;
	}

	/**
	 * Return how many letters have to be added, removed or replaced to make one text of
	 * the other.
	 */
	private static int distance(String first, String second) {
		int[] row = new int[second.length() + 1];
		for (int j = 0; j < row.length; j++) {
			row[j] = j;
		}
		for (int i = 1; i <= first.length(); i++) {
			int diagonal = row[0];
			row[0] = i;
			for (int j = 1; j < row.length; j++) {
				int replaced = diagonal + ((first.charAt(i - 1) != second.charAt(j - 1)) ? 1 : 0);
				diagonal = row[j];
				row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
			}
		}
		return row[second.length()];
	}

	/**
	 * Look whether Spring Boot leaves out a part of what is written, so that two accounts
	 * would be one.
	 */
	private void checkSpelling(String written) {
		// Spaces at the ends are of no account
		ConfigurationPropertyName name = SPELLING.matcher(written.strip()).matches() ? ROOT
				: ConfigurationPropertyName.adapt(written, '.');
		if (WECHAT.isAncestorOf(name) || HEADERS.isAncestorOf(name)) {
			this.problems.add(new Problem(written, "would be read as " + name,
					"Put a name that has other than ASCII letters, digits and hyphens into brackets, such as "
							+ ACCOUNTS + "[旗舰店].app-id; in YAML, write the name as \"[旗舰店]\"."));
		}
	}

	private void checkValue(ConfigurationPropertyName name, @Nullable ConfigurationProperty property) {
		boolean text = BoundProperties.isSecret(name.toString()) || name.getLastElement(Form.UNIFORM).equals("appid");
		if (text && property != null && !(property.getValue() instanceof CharSequence)) {
			Origin origin = (property.getOrigin() instanceof PropertySourceOrigin source) ? source.getOrigin()
					: property.getOrigin();
			if (origin instanceof TextResourceOrigin) {
				this.problems.add(new Problem(name.toString(),
						"may not be read as it is written, since YAML takes it for a number, a date or the like",
						"Put the value in quotes."));
			}
		}
	}

}
