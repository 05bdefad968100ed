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

import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

import com.github.benmanes.caffeine.cache.Caffeine;

import org.springframework.beans.factory.ObjectProvider;
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
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;

import cn.authing.wechat.redis.RedisTokenStoreSettings;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;
import cn.authing.wechat.token.WechatMpTokenStore;

/**
 * {@link EnableAutoConfiguration Auto-configuration} for a {@link WechatMpTokenStore} in
 * Redis.
 *
 * @since 1.0.0
 */
@AutoConfiguration(before = AuthingWechatAutoConfiguration.class,
		afterName = "org.springframework.boot.data.redis.autoconfigure.DataRedisReactiveAutoConfiguration")
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

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(ReactiveStringRedisTemplate.class)
	static class StoreConfiguration {

		// Configured accounts are listened to besides those that the cache is bounded for
		private static final long CONFIGURED_ACCOUNTS = 1000;

		// A fetch ends with the timeout; what it has brought is published after that
		private static final long LEASED_TIMEOUTS = 2;

		@Bean
		RedisWechatMpTokenStore redisWechatMpTokenStore(ValidatedProperties properties,
				ObjectProvider<ReactiveStringRedisTemplate> templates) {
			ReactiveStringRedisTemplate template = templates.getIfUnique();
			if (template == null) {
				throw InvalidAuthingPropertiesException.of(STORE,
						(templates.stream().findAny().isEmpty())
								? "is redis, but there is no ReactiveStringRedisTemplate"
								: "is redis, but there are several beans of type ReactiveStringRedisTemplate",
						"Configure one connection with spring.data.redis and the Lettuce client, which"
								+ " spring-boot-starter-data-redis brings, or mark one of the beans as @Primary;"
								+ " or write local.");
			}
			AuthingWechatCacheProperties cache = properties.current().cache();
			return new RedisWechatMpTokenStore(template,
					new RedisTokenStoreSettings(cache.getRedis().getKeyPrefix(), cache.getRedis().getTimeout(),
							encryptionKeys(cache.getRedis()), cache.getMaxEntries() + CONFIGURED_ACCOUNTS,
							properties.current().authing().getTimeout().multipliedBy(LEASED_TIMEOUTS)));
		}

		private static List<SecretKey> encryptionKeys(AuthingWechatCacheProperties.Redis redis) {
			return redis.getEncryptionKeys()
				.stream()
				.<SecretKey>map((key) -> new SecretKeySpec(Base64.getDecoder().decode(key), "AES"))
				.toList();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnMissingClass("org.springframework.data.redis.core.ReactiveStringRedisTemplate")
	static class MissingLibraryConfiguration {

		@Bean
		WechatMpTokenStore redisWechatMpTokenStore() {
			throw InvalidAuthingPropertiesException.of(STORE,
					"is redis, but Spring Data Redis is not on the class path",
					"Add the dependency org.springframework.boot:spring-boot-starter-data-redis, or write local.");
		}

	}

}
