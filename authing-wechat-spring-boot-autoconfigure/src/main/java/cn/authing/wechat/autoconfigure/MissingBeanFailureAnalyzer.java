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

import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.analyzer.AbstractInjectionFailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

import cn.authing.wechat.WechatMpTokenService;

/**
 * Analyzes that a bean of ours is not there: says what is switched off or has taken its
 * place. Comes before Spring Boot's own, which advises to define the bean.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class MissingBeanFailureAnalyzer extends AbstractInjectionFailureAnalyzer<NoSuchBeanDefinitionException> {

	private static final String ENABLED = "authing.wechat.enabled";

	private static final Pattern PACKAGES = Pattern
		.compile("cn\\.authing\\.wechat(\\.(autoconfigure|client|http|redis|token))?");

	private final @Nullable BeanFactory beanFactory;

	private final @Nullable Environment environment;

	MissingBeanFailureAnalyzer(@Nullable BeanFactory beanFactory, @Nullable Environment environment) {
		this.beanFactory = beanFactory;
		this.environment = environment;
	}

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, NoSuchBeanDefinitionException cause,
			@Nullable String description) {
		Class<?> type = (cause.getResolvableType() != null) ? cause.getResolvableType().resolve() : null;
		if (type == null || cause.getNumberOfBeansFound() > 0 || !PACKAGES.matcher(type.getPackageName()).matches()) {
			return null;
		}
		String what = ((description != null) ? description : "The application") + " needs a bean of type "
				+ type.getName() + ", which does not exist, since ";
		if (this.environment != null && !this.environment.getProperty(ENABLED, Boolean.class, true)) {
			return new FailureAnalysis(
					what + ENABLED + " is false" + AuthingFailureAnalyzer.origin(ENABLED, this.environment) + ".",
					"Remove " + ENABLED + ", or inject the bean as ObjectProvider<" + type.getSimpleName()
							+ "> and do without it where there is none, or define a WechatMpTokenService of your own.",
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
