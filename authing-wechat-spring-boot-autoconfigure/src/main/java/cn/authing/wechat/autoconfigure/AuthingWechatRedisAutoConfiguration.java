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

import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

import com.github.benmanes.caffeine.cache.Caffeine;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.data.redis.connection.ReactiveRedisConnectionFactory;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.util.StringUtils;

import cn.authing.wechat.autoconfigure.AuthingWechatCacheProperties.Redis;
import cn.authing.wechat.redis.RedisTokenStoreSettings;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStore;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for a {@link WechatMpTokenStore} in
 * Redis.
 *
 * @since 1.0.0
 */
@AutoConfiguration(before = AuthingWechatAutoConfiguration.class)
@ConditionalOnClass(Caffeine.class)
@ConditionalOnMissingBean(WechatMpTokenStore.class)
@ConditionalOnBooleanProperty(name = "authing.wechat.enabled", matchIfMissing = true)
@ConditionalOnProperty(name = AuthingWechatRedisAutoConfiguration.STORE, havingValue = "redis")
@Conditional(OnReplaceableTokenServiceCondition.class)
@Import(AuthingPropertiesConfiguration.class)
public final class AuthingWechatRedisAutoConfiguration {

	static final String STORE = "authing.wechat.cache.store";

	AuthingWechatRedisAutoConfiguration() {
	}

	@Bean
	@ConditionalOnMissingClass("org.springframework.data.redis.connection.ReactiveRedisConnectionFactory")
	WechatMpTokenStore authingWechatMpTokenStore() {
		throw InvalidAuthingPropertiesException.of(STORE, "is redis, but Spring Data Redis is not on the class path",
				"Add the dependency org.springframework.boot:spring-boot-starter-data-redis, or write local.");
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(ReactiveRedisConnectionFactory.class)
	static class StoreConfiguration {

		private static final String CONNECTION_FACTORY = "authing.wechat.cache.redis.connection-factory";

		// Configured accounts are listened to besides those that the cache is bounded for
		private static final long CONFIGURED_ACCOUNTS = 1000;

		@Bean
		RedisWechatMpTokenStore authingWechatMpTokenStore(ValidatedProperties properties,
				ListableBeanFactory beanFactory) {
			AuthingWechatCacheProperties cache = properties.current().cache();
			Redis redis = cache.getRedis();
			return new RedisWechatMpTokenStore(connectionFactory(redis.getConnectionFactory(), beanFactory),
					new RedisTokenStoreSettings(redis.getKeyPrefix(), redis.getTimeout(), encryptionKeys(redis),
							cache.getMaxEntries() + CONFIGURED_ACCOUNTS, properties.current().authing().getTimeout()));
		}

		private static ReactiveRedisConnectionFactory connectionFactory(@Nullable String name,
				ListableBeanFactory beanFactory) {
			Set<String> candidates = new TreeSet<>(
					List.of(beanFactory.getBeanNamesForType(ReactiveRedisConnectionFactory.class)));
			if (StringUtils.hasText(name)) {
				if (!candidates.contains(name)) {
					throw InvalidAuthingPropertiesException.of(CONNECTION_FACTORY,
							"is '" + name + "', but there is no ReactiveRedisConnectionFactory bean of that name",
							"Write one of " + candidates + ", or remove the property if there is only one.");
				}
				return beanFactory.getBean(name, ReactiveRedisConnectionFactory.class);
			}
			ReactiveRedisConnectionFactory unique = beanFactory.getBeanProvider(ReactiveRedisConnectionFactory.class)
				.getIfUnique();
			if (unique != null) {
				return unique;
			}
			if (!candidates.isEmpty()) {
				throw InvalidAuthingPropertiesException.of(STORE,
						"is redis, but there are several beans of type ReactiveRedisConnectionFactory: " + candidates,
						"Name the one to use in " + CONNECTION_FACTORY + ", or mark it as @Primary.");
			}
			Set<String> blocking = new TreeSet<>(
					List.of(beanFactory.getBeanNamesForType(RedisConnectionFactory.class)));
			throw InvalidAuthingPropertiesException.of(STORE,
					"is redis, but there is no bean of type ReactiveRedisConnectionFactory" + (blocking.isEmpty() ? ""
							: " (" + blocking + " cannot be used: Jedis, for one, has no reactive connections)"),
					"Configure a connection with spring.data.redis and the Lettuce client, which"
							+ " spring-boot-starter-data-redis brings, or use Redisson; or write local.");
		}

		private static List<SecretKey> encryptionKeys(Redis redis) {
			return redis.getEncryptionKeys()
				.stream()
				.<SecretKey>map((key) -> new SecretKeySpec(Base64.getDecoder().decode(key), "AES"))
				.toList();
		}

	}

}
