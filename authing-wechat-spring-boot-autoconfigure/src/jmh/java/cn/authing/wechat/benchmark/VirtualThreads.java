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

package cn.authing.wechat.benchmark;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Optional;

/**
 * Virtual threads, which the oldest JDK that this is compiled for does not have.
 */
final class VirtualThreads {

	private static final Optional<Method> START = Arrays.stream(Thread.class.getMethods())
		.filter((method) -> method.getName().equals("startVirtualThread"))
		.findAny();

	private VirtualThreads() {
	}

	static boolean exist() {
		return START.isPresent();
	}

	static Thread start(Runnable task) {
		try {
			return (Thread) START.orElseThrow().invoke(null, task);
		}
		catch (IllegalAccessException | InvocationTargetException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
