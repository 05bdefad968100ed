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

import java.lang.reflect.Method;
import java.util.regex.Pattern;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.BeansException;
import org.springframework.beans.factory.annotation.AnnotatedBeanDefinition;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.context.aot.AbstractAotProcessor;
import org.springframework.core.env.Environment;
import org.springframework.core.log.LogMessage;
import org.springframework.core.type.MethodMetadata;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.DefaultWechatMpTokenService;

/**
 * Removes what talks to Authing if another {@link WechatMpTokenService} is used and
 * Authing is not configured. Conditions on beans cannot see that: a test replaces the
 * definition of a bean after they were evaluated, and whether a {@code @Primary} bean
 * decorates ours is not known before it is created.
 */
class AuthingBackOff implements BeanFactoryPostProcessor {

	static final String SERVICE = "authingWechatMpTokenService";

	private static final Log logger = LogFactory.getLog(AuthingBackOff.class);

	private static final Pattern CONFIGURATION = Pattern.compile("cn\\.authing\\.wechat\\.autoconfigure\\."
			+ "Authing(Client|Properties|Wechat(Auto|Endpoint|Health|Metrics|Redis)).*");

	private final Environment environment;

	AuthingBackOff(Environment environment) {
		this.environment = environment;
	}

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory beanFactory) throws BeansException {
		// What Authing is configured with may only be known where the application starts
		boolean starts = !this.environment.getProperty(AbstractAotProcessor.AOT_PROCESSING, Boolean.class, false);
		if (starts && isReplaced(beanFactory) && beanFactory instanceof BeanDefinitionRegistry registry) {
			try {
				new ValidatedProperties(this.environment, beanFactory);
			}
			catch (InvalidAuthingPropertiesException | BindException ex) {
				logger.debug(LogMessage.format("Another WechatMpTokenService is used; nothing of Authing's is, since "
						+ "its configuration is not usable: %s", ex.getMessage()));
				// A singleton that is there by now has taken the place of ours
				for (String name : registry.getBeanDefinitionNames()) {
					if (!beanFactory.containsSingleton(name) && isOfAuthing(registry.getBeanDefinition(name))) {
						registry.removeBeanDefinition(name);
					}
				}
			}
		}
	}

	static boolean isReplaced(ConfigurableListableBeanFactory beanFactory) {
		String[] services = beanFactory.getBeanNamesForType(WechatMpTokenService.class, true, false);
		Class<?> type = beanFactory.containsBean(SERVICE) ? beanFactory.getType(SERVICE, false) : null;
		return services.length > 1 || type == null || !DefaultWechatMpTokenService.class.isAssignableFrom(type);
	}

	private static boolean isOfAuthing(BeanDefinition definition) {
		MethodMetadata metadata = (definition instanceof AnnotatedBeanDefinition annotated)
				? annotated.getFactoryMethodMetadata() : null;
		if (metadata != null) {
			return CONFIGURATION.matcher(metadata.getDeclaringClassName()).matches();
		}
		// Definitions that were made ahead of time have no metadata
		Method method = (definition instanceof RootBeanDefinition root) ? root.getResolvedFactoryMethod() : null;
		return method != null && CONFIGURATION.matcher(method.getDeclaringClass().getName()).matches();
	}

}
