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

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;

import me.chanjar.weixin.common.bean.CommonUploadParam;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.Advisor;
import org.springframework.aop.ClassFilter;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.framework.AbstractAdvisingBeanPostProcessor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.support.ComposablePointcut;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.ClassUtils;
import org.springframework.util.ConcurrentReferenceHashMap;
import org.springframework.util.ReflectionUtils;

import cn.authing.wechat.client.SafeText;

/**
 * Supplies tokens to the beans of one of WxJava's modules and to the configurations that
 * its services hold, whenever they are added. A managed object keeps its class, or its
 * interfaces if the class is final.
 *
 * @param <S> the type of the module's service
 * @param <C> the type of the module's configuration
 * @since 1.0.0
 */
// Serializable by inheritance only: a bean post-processor is never serialized.
@SuppressWarnings("serial")
public class WxJavaBeanPostProcessor<S, C> extends AbstractAdvisingBeanPostProcessor {

	private static final Log logger = LogFactory.getLog(WxJavaBeanPostProcessor.class);

	private static final Set<String> CONFIGURATION_METHODS = Set.of("getAccessToken", "isAccessTokenExpired",
			"getAccessTokenLock", "getExpiresTime", "expireAccessToken", "updateAccessToken",
			"updateAccessTokenProcessor");

	private final Class<S> serviceType;

	private final Class<C> configurationType;

	private final String configurationsField;

	private final String registryType;

	private final Function<C, @Nullable String> appIds;

	private final Function<S, ? extends @Nullable C> configurations;

	private final BiConsumer<S, UnaryOperator<C>> factories;

	private final BiFunction<S, Object, Object> subServices;

	private final ObjectProvider<WxJavaAccounts> accounts;

	@SuppressWarnings("this-escape") // only called for beans
	private final Advisor tokenAdvisor = new DefaultPointcutAdvisor(
			new ComposablePointcut((ClassFilter) this::isOfWxJava), (MethodInterceptor) this::invoke);

	// What a registry hands out, by what it holds.
	private final Map<Object, Object> registered = new ConcurrentReferenceHashMap<>();

	/**
	 * Create a new post-processor.
	 * @param serviceType the type of the services
	 * @param configurationType the type of the configurations
	 * @param configurationsField the name of the field in which services hold their
	 * configurations by id; they have no method that returns them all
	 * @param registryType the name of the type by which WxJava's multi-account starter
	 * hands out services that are not beans
	 * @param appIds tells the app id of a configuration
	 * @param configurations tells the current configuration of a service
	 * @param factories has the configurations that a service will create managed by the
	 * given operator
	 * @param subServices tells what a managed service returns in place of a sub-service
	 * that would call the service past it; all else it returns as it is given
	 * @param accounts the managed accounts
	 */
	public WxJavaBeanPostProcessor(Class<S> serviceType, Class<C> configurationType, String configurationsField,
			String registryType, Function<C, @Nullable String> appIds,
			Function<S, ? extends @Nullable C> configurations, BiConsumer<S, UnaryOperator<C>> factories,
			BiFunction<S, Object, Object> subServices, ObjectProvider<WxJavaAccounts> accounts) {
		this.serviceType = serviceType;
		this.configurationType = configurationType;
		this.configurationsField = configurationsField;
		this.registryType = registryType;
		this.appIds = appIds;
		this.configurations = configurations;
		this.factories = factories;
		this.subServices = subServices;
		this.accounts = accounts;
		this.advisor = this.tokenAdvisor;
		this.beforeExistingAdvisors = true;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (bean instanceof Advised advised && advised.indexOf(this.tokenAdvisor) >= 0) {
			return bean;
		}
		if (this.configurationType.isInstance(bean)) {
			this.accounts.getObject()
				.addUsed(this.appIds.apply(this.configurationType.cast(bean)), ClassUtils.getUserClass(bean));
		}
		else if (this.serviceType.isInstance(bean)) {
			Object target = AopProxyUtils.getSingletonTarget(bean);
			S service = this.serviceType.cast((target != null) ? target : bean);
			if (!manageConfigurations(service, beanName)) {
				return bean;
			}
			this.factories.accept(service, this::manage);
		}
		return super.postProcessAfterInitialization(bean, beanName);
	}

	@Override
	protected void customizeProxyFactory(ProxyFactory proxyFactory) {
		Class<?> targetClass = proxyFactory.getTargetClass();
		proxyFactory.setProxyTargetClass(targetClass != null && !Modifier.isFinal(targetClass.getModifiers()));
	}

	// The field's generic type is known: tests hold that it is this one.
	@SuppressWarnings("unchecked")
	private boolean manageConfigurations(S service, String beanName) {
		Field field = ReflectionUtils.findField(service.getClass(), this.configurationsField, Map.class);
		if (field == null) {
			warn(service, beanName, "is not derived from WxJava's implementation");
			return false;
		}
		Method method = ReflectionUtils.findMethod(service.getClass(), "getAccessToken", boolean.class);
		if (method != null && method.getDeclaringClass() != field.getDeclaringClass()) {
			warn(service, beanName, "overrides getAccessToken(boolean)");
		}
		ReflectionUtils.makeAccessible(field);
		// WxJava, too, adds configurations under the service's own lock.
		synchronized (service) {
			Map<String, C> configurations = (Map<String, C>) ReflectionUtils.getField(field, service);
			if (configurations != null) {
				configurations.replaceAll((id, configuration) -> manage(configuration));
			}
		}
		return true;
	}

	private void warn(S service, String beanName, String reason) {
		C configuration = this.configurations.apply(service);
		if (configuration != null && find(configuration) != null) {
			logger.warn("WxJava service '" + beanName + "' (" + ClassUtils.getUserClass(service).getName() + ") "
					+ reason + ": the access tokens that it gets by its own means do not come from the token service, "
					+ "which manages those of WeChat app '"
					+ SafeText.of(String.valueOf(this.appIds.apply(configuration)))
					+ "'. Derive it from WxJava's implementation and leave getAccessToken(boolean) to that");
		}
	}

	/**
	 * Return the configuration that WxJava is to use.
	 * @param configuration the configuration
	 * @return the managed configuration, of the same class
	 */
	private C manage(C configuration) {
		return this.configurationType
			.cast(postProcessAfterInitialization(configuration, configuration.getClass().getName()));
	}

	private @Nullable Object manageArgument(@Nullable Object argument) {
		if (this.configurationType.isInstance(argument)) {
			return manage(this.configurationType.cast(argument));
		}
		if (argument instanceof Map<?, ?> map && map.values().stream().anyMatch(this.configurationType::isInstance)) {
			Map<Object, @Nullable Object> managed = new LinkedHashMap<>();
			map.forEach((id, configuration) -> managed.put(id, manageArgument(configuration)));
			return managed;
		}
		if (argument instanceof Function<?, ?> factory) {
			return manageResult(factory);
		}
		return argument;
	}

	private <T> Function<T, @Nullable Object> manageResult(Function<T, ?> factory) {
		return (id) -> manageArgument(factory.apply(id));
	}

	private @Nullable WxJavaAccount find(C configuration) {
		return this.accounts.getObject().find(this.appIds.apply(configuration));
	}

	private boolean isOfWxJava(Class<?> type) {
		return this.configurationType.isAssignableFrom(type) || this.serviceType.isAssignableFrom(type)
				|| ClassUtils.getAllInterfacesForClassAsSet(type)
					.stream()
					.anyMatch((candidate) -> candidate.getName().equals(this.registryType));
	}

	private @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		Object target = Objects.requireNonNull(invocation.getThis());
		if (this.configurationType.isInstance(target)) {
			return invokeConfiguration(invocation, this.configurationType.cast(target));
		}
		if (this.serviceType.isInstance(target)) {
			return invokeService(invocation, this.serviceType.cast(target));
		}
		for (Object argument : invocation.getArguments()) {
			if (this.serviceType.isInstance(argument)) {
				// A registry that shares one service keeps but the configuration
				postProcessAfterInitialization(argument, this.registryType);
			}
		}
		Object result = invocation.proceed();
		return this.serviceType.isInstance(result) ? this.registered.computeIfAbsent(result,
				(held) -> postProcessAfterInitialization(held, this.registryType)) : result;
	}

	private @Nullable Object invokeConfiguration(MethodInvocation invocation, C configuration) throws Throwable {
		String method = invocation.getMethod().getName();
		WxJavaAccount account = CONFIGURATION_METHODS.contains(method) ? find(configuration) : null;
		if (account == null) {
			return invocation.proceed();
		}
		return switch (method) {
			case "getAccessToken" -> account.getAccessToken();
			// Else WxJava would fetch one itself; the source refreshes it in time
			case "isAccessTokenExpired" -> false;
			case "getAccessTokenLock" -> account.getLock();
			case "getExpiresTime" -> account.getExpiresTime();
			case "expireAccessToken" -> {
				account.expireAccessToken();
				yield null;
			}
			default -> {
				account.updateAccessToken();
				yield null;
			}
		};
	}

	private @Nullable Object invokeService(MethodInvocation invocation, S service) throws Throwable {
		@Nullable Object[] arguments = invocation.getArguments();
		if (invocation.getMethod().getName().equals("getAccessToken")) {
			C configuration = this.configurations.apply(service);
			WxJavaAccount account = (configuration != null) ? find(configuration) : null;
			boolean forced = arguments.length == 1 && Boolean.TRUE.equals(arguments[0]);
			return (account != null && forced) ? account.refreshAccessToken() : invocation.proceed();
		}
		for (Object argument : arguments) {
			if (argument instanceof CommonUploadParam upload) {
				return RepeatableUploadData.use(upload, invocation);
			}
		}
		Arrays.setAll(arguments, (i) -> manageArgument(arguments[i]));
		Object result = invocation.proceed();
		return (result != null && arguments.length == 0) ? manageSubService(invocation, service, result) : result;
	}

	private Object manageSubService(MethodInvocation invocation, S service, Object result) {
		S proxy = this.serviceType.cast(((ProxyMethodInvocation) invocation).getProxy());
		Object managed = this.subServices.apply(proxy, result);
		if (managed == result) {
			return result;
		}
		// What an application's own method returns is what it wants
		Class<?> owner = ClassUtils.getMostSpecificMethod(invocation.getMethod(), service.getClass())
			.getDeclaringClass();
		return owner.getPackageName().equals(result.getClass().getPackageName()) ? managed : result;
	}

}
