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
import java.util.Map;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.analyzer.AbstractInjectionFailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.util.CollectionUtils;

import cn.authing.wechat.AuthingApiException;
import cn.authing.wechat.AuthingException;
import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.autoconfigure.DefaultAccountCheck.DefaultAccountException;
import cn.authing.wechat.autoconfigure.InvalidAuthingPropertiesException.Problem;
import cn.authing.wechat.client.SafeText;

/**
 * Analyzes the failures of a start that are about the configuration of Authing, or about
 * a bean of ours that is not there: says what is switched off or has taken its place.
 * Comes before Spring Boot's own analyzers, which advise to define the bean.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class AuthingFailureAnalyzer extends AbstractInjectionFailureAnalyzer<Throwable> {

	private static final String ENABLED = "authing.wechat.enabled";

	private static final Pattern PACKAGES = Pattern
		.compile("cn\\.authing\\.wechat(\\.(autoconfigure|client|http|redis|token))?");

	private static final String ACCOUNTS = "authing.wechat.accounts";

	private static final String ACCOUNT_REMEDY = "Write the accounts as " + ACCOUNTS + ".shop.app-id and " + ACCOUNTS
			+ ".shop.app-secret. A name that has other than ASCII letters, digits and hyphens goes into brackets: "
			+ ACCOUNTS + "[旗舰店].app-id; in YAML, write the name as \"[旗舰店]\".";

	private static final ConfigurationPropertyName KEYS = ConfigurationPropertyName
		.of("authing.wechat.cache.redis.encryption-keys");

	private static final Map<String, String> REMEDIES = Map.of("authing.headers",
			"Write the value behind the name of a header, such as authing.headers.authorization.", KEYS.toString(),
			"Write a comma-separated list, or number the keys from [0] on without a gap.");

	private final @Nullable BeanFactory beanFactory;

	private final @Nullable Environment environment;

	AuthingFailureAnalyzer(@Nullable BeanFactory beanFactory, @Nullable Environment environment) {
		this.beanFactory = beanFactory;
		this.environment = environment;
	}

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, Throwable failure,
			@Nullable String description) {
		FailureAnalysis analysis = null;
		for (Throwable cause = failure; cause != null && analysis == null; cause = cause.getCause()) {
			if (cause instanceof InvalidAuthingPropertiesException exception) {
				analysis = analyze(exception);
			}
			else if (cause instanceof DefaultAccountException exception) {
				analysis = analyze(exception);
			}
			else if (cause instanceof BindException exception) {
				analysis = analyze(exception);
			}
			else if (cause instanceof NoSuchBeanDefinitionException exception) {
				analysis = analyze(exception, description);
			}
		}
		return analysis;
	}

	/**
	 * Tell what is wrong, where it was set and what to write.
	 */
	private FailureAnalysis analyze(InvalidAuthingPropertiesException cause) {
		StringBuilder description = new StringBuilder("The configuration of Authing is not usable:%n".formatted());
		for (Problem problem : cause.getProblems()) {
			description.append("%n    %s %s%s.%n        %s%n".formatted(problem.property(), problem.reason(),
					origin(problem.property()), problem.remedy()));
		}
		boolean properties = cause.getProblems()
			.stream()
			.anyMatch((problem) -> problem.property().startsWith("authing"));
		return new FailureAnalysis(description.toString(), properties ? """
				Correct the properties. The least that is needed, in application.yaml:

				    authing:
				      app-id: 1234567890abcdef12345678
				      app-secret: ${AUTHING_APP_SECRET}
				      app-host: https://example.authing.cn

				To start without WeChat access tokens, set authing.wechat.enabled=false.""" : "Correct the bean.",
				cause);
	}

	private String origin(String property) {
		ConfigurationProperty found = (this.environment != null)
				? BoundProperties.find(this.environment, ConfigurationPropertyName.adapt(property, '.')) : null;
		return (found != null && found.getOrigin() != null) ? " (set in " + found.getOrigin() + ")" : "";
	}

	/**
	 * Tell what Authing answered and what to change.
	 */
	private static FailureAnalysis analyze(DefaultAccountException cause) {
		String facts = "";
		if (cause.getCause() instanceof AuthingException exception) {
			if (exception instanceof AuthingApiException api) {
				facts += fact("statusCode", api.getStatusCode()) + fact("apiCode", api.getApiCode());
			}
			facts += fact("requestId", exception.getRequestId()) + fact("retryable", exception.isRetryable());
		}
		return new FailureAnalysis("""
				The access token of the default WeChat account could not be fetched, and authing.wechat.fail-fast is \
				set:

				    %s

				""".formatted(cause.getMessage()) + facts, """
				Correct what the message names: authing.app-host and authing.app-id, or authing.wechat.app-id and \
				authing.wechat.app-secret (without those the pair of the Authing application is sent). Authing's \
				support asks for the requestId.

				To start all the same, remove authing.wechat.fail-fast.""", cause);
	}

	private static String fact(String name, @Nullable Object value) {
		return (value != null) ? "    %s: %s%n".formatted(name, value) : "";
	}

	/**
	 * Tell how a duration is written. Tell of a secret that could not be bound, and of a
	 * value where there must be further names, which may be a secret. Spring Boot's own
	 * analysis would show it, and the exception, which may contain it, is left out of
	 * this one.
	 */
	private @Nullable FailureAnalysis analyze(BindException cause) {
		ConfigurationPropertyName name = cause.getName();
		ConfigurationProperty property = cause.getProperty();
		if (property != null && PropertyScan.ROOT.isAncestorOf(name)
				&& Duration.class.equals(cause.getTarget().getType().resolve())) {
			return new FailureAnalysis(
					"%s is '%s', which is not a duration%s.".formatted(name,
							SafeText.of(String.valueOf(property.getValue())), origin(name.toString())),
					"Write a whole number and its unit: 500ms, 10s, 5m or 2h.", cause);
		}
		boolean account = PropertyScan.ACCOUNTS.equals(name) || PropertyScan.ACCOUNTS.isAncestorOf(name);
		if (!account && !BoundProperties.isSecret(name.toString()) && !name.isAncestorOf(KEYS)) {
			return null;
		}
		String remedy = account ? ACCOUNT_REMEDY
				: REMEDIES.getOrDefault(name.toString(), "Write one value, without names or numbers below it.");
		return new FailureAnalysis(name + " cannot be bound" + origin(cause) + ". The value is not shown here.", remedy,
				InvalidAuthingPropertiesException.of(name.toString(), "cannot be bound", remedy));
	}

	private String origin(BindException cause) {
		ConfigurationProperty property = cause.getProperty();
		if (property == null && cause.getCause() instanceof UnboundConfigurationPropertiesException unbound) {
			property = CollectionUtils.firstElement(unbound.getUnboundProperties());
		}
		return (property != null && property.getOrigin() != null)
				? ": " + property.getName() + " is set in " + property.getOrigin() : origin(cause.getName().toString());
	}

	/**
	 * Tell what is switched off or has taken the place of a bean of ours.
	 */
	private @Nullable FailureAnalysis analyze(NoSuchBeanDefinitionException cause, @Nullable String description) {
		Class<?> type = (cause.getResolvableType() != null) ? cause.getResolvableType().resolve() : null;
		if (type == null || cause.getNumberOfBeansFound() > 0 || !PACKAGES.matcher(type.getPackageName()).matches()) {
			return null;
		}
		String what = ((description != null) ? description : "The application") + " needs a bean of type "
				+ type.getName() + ", which does not exist, since ";
		String enabled = (this.environment != null) ? this.environment.getProperty(ENABLED, "true") : "true";
		if (!enabled.equalsIgnoreCase("true")) {
			return new FailureAnalysis(
					what + ENABLED + " is " + (enabled.isBlank() ? "blank" : SafeText.of(enabled)) + origin(ENABLED)
							+ ".",
					"Remove " + ENABLED + ", or inject the bean as ObjectProvider<" + type.getSimpleName()
							+ "> and do without it where there is none. To do without Authing, remove " + ENABLED
							+ " and define a WechatMpTokenService of your own.",
					cause);
		}
		if (this.beanFactory instanceof ConfigurableListableBeanFactory beans && AuthingBackOff.isReplaced(beans)) {
			String[] services = beans.getBeanNamesForType(WechatMpTokenService.class, true, false);
			return (services.length > 0) ? new FailureAnalysis(
					what + "the application has a WechatMpTokenService of its own (" + String.join(", ", services)
							+ ") and nothing of Authing's is set up.",
					"Use that bean; or mark it as @Primary if it decorates Authing's, and see to it that authing.app-id "
							+ "and authing.app-host are set.",
					cause) : null;
		}
		return null;
	}

}
