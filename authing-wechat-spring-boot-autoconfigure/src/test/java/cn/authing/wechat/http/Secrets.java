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

package cn.authing.wechat.http;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

import org.springframework.http.HttpRequest;
import org.springframework.util.ReflectionUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Looks for a secret in all that an exception tells: its text, what its getters return,
 * and the same of its causes and of those that it suppressed.
 */
final class Secrets {

	private Secrets() {
	}

	static void assertAbsent(Throwable ex, String secret) {
		Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
		Deque<Throwable> queue = new ArrayDeque<>(List.of(ex));
		while (!queue.isEmpty()) {
			Throwable next = queue.remove();
			if (seen.add(next)) {
				assertThat(next.toString()).doesNotContain(secret);
				assertGettersAbsent(next, secret);
				queue.addAll(List.of(next.getSuppressed()));
				if (next.getCause() != null) {
					queue.add(next.getCause());
				}
			}
		}
	}

	private static void assertGettersAbsent(Throwable ex, String secret) {
		for (Method method : ex.getClass().getMethods()) {
			boolean accessible = Modifier.isPublic(method.getDeclaringClass().getModifiers());
			if (accessible && method.getParameterCount() == 0 && method.getName().startsWith("get")) {
				Object value = ReflectionUtils.invokeMethod(method, ex);
				assertThat(String.valueOf(value)).as(method.getName()).doesNotContain(secret);
				if (value instanceof HttpRequest request) {
					assertThat(request.getURI().toString()).as("URI of the request").doesNotContain(secret);
				}
			}
		}
	}

}
