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
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import com.github.benmanes.caffeine.cache.Cache;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.TypeReference;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.javapoet.ClassName;
import org.springframework.test.util.ReflectionTestUtils;

import cn.authing.wechat.actuate.AuthingWechatEndpoint;
import cn.authing.wechat.redis.RedisTokenStoreSettings;
import cn.authing.wechat.redis.RedisWechatMpTokenStore;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the hints of an application that is processed ahead of time with all features
 * on.
 */
class RuntimeHintsTests {

	private static RuntimeHints hints;

	@BeforeAll
	static void processAheadOfTime() {
		try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
			TestPropertyValues
				.of("authing.app-id=app", "authing.app-secret=secret", "authing.app-host=https://example.authing.cn",
						"management.endpoints.web.exposure.include=authingwechat")
				.applyTo(context);
			context.register(Application.class);
			DefaultGenerationContext generation = new DefaultGenerationContext(
					new ClassNameGenerator(ClassName.get("com.example", "Test")), new InMemoryGeneratedFiles());
			new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
			hints = generation.getRuntimeHints();
		}
	}

	@Test
	void propertiesShouldBeBindable() {
		List<Class<?>> types = Stream
			.of(AuthingProperties.class, AuthingWechatProperties.class, AuthingWechatCacheProperties.class,
					AuthingWechatApiProperties.class)
			.flatMap(RuntimeHintsTests::withNested)
			.toList();
		assertThat(types).contains(AuthingWechatProperties.Account.class, AuthingWechatCacheProperties.Redis.class);
		for (Class<?> type : types) {
			assertThat(RuntimeHintsPredicates.reflection().onConstructorInvocation(type.getDeclaredConstructors()[0]))
				.as(type.getName())
				.accepts(hints);
			for (Method method : type.getDeclaredMethods()) {
				if (method.getName().startsWith("set")) {
					assertThat(RuntimeHintsPredicates.reflection().onMethodInvocation(method)).as(method.toString())
						.accepts(hints);
				}
			}
		}
	}

	@Test
	void failureAnalyzerShouldBeCreatable() {
		assertThat(RuntimeHintsPredicates.reflection()
			.onConstructorInvocation(AuthingFailureAnalyzer.class.getDeclaredConstructors()[0])).accepts(hints);
	}

	@Test
	void endpointShouldBeCallableAndItsAnswersBeWritable() {
		for (Method method : AuthingWechatEndpoint.class.getDeclaredMethods()) {
			if (Modifier.isPublic(method.getModifiers())) {
				assertThat(RuntimeHintsPredicates.reflection().onMethodInvocation(method)).as(method.toString())
					.accepts(hints);
			}
		}
		for (Class<?> type : AuthingWechatEndpoint.class.getDeclaredClasses()) {
			assertThat(RuntimeHintsPredicates.reflection()
				.onType(type)
				.withMemberCategory(MemberCategory.INVOKE_DECLARED_CONSTRUCTORS)).as(type.getName()).accepts(hints);
		}
	}

	@Test
	void cacheShouldFindItsClasses() {
		// LoadedClassesTests holds that these are all, but for those of the Redis store
		for (String name : List.of("SSMS", "PSMS")) {
			assertCreatable(TypeReference.of("com.github.benmanes.caffeine.cache." + name));
		}
	}

	@Test
	void cachesOfTheRedisStoreShouldFindTheirClasses() {
		RedisWechatMpTokenStore store = new RedisWechatMpTokenStore(new LettuceConnectionFactory(),
				new RedisTokenStoreSettings("test:", Duration.ofSeconds(1), List.of(), 10, Duration.ofSeconds(1)));
		for (String field : List.of("accounts", "outstanding")) {
			Map<?, ?> cache = ((Cache<?, ?>) Objects.requireNonNull(ReflectionTestUtils.getField(store, field)))
				.asMap();
			assertCreatable(TypeReference.of(cache.getClass()));
			// A factory of Caffeine's nodes is a node itself
			assertCreatable(TypeReference
				.of(Objects.requireNonNull(ReflectionTestUtils.getField(cache, "nodeFactory")).getClass()));
		}
	}

	private static void assertCreatable(TypeReference type) {
		assertThat(RuntimeHintsPredicates.reflection()
			.onType(type)
			.withMemberCategory(MemberCategory.INVOKE_DECLARED_CONSTRUCTORS)).as(type.getName()).accepts(hints);
	}

	private static Stream<Class<?>> withNested(Class<?> type) {
		return Stream.concat(Stream.of(type),
				Arrays.stream(type.getDeclaredClasses())
					.filter((nested) -> !nested.isEnum())
					.flatMap(RuntimeHintsTests::withNested));
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(excludeName = { "com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
			"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
	static class Application {

	}

}
