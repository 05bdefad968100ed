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

package cn.authing.wechat.token;

import java.time.Instant;

/**
 * The two clocks that a cache needs. A token's life is taken from the wall clock once,
 * when it arrives, and from then on measured on the monotonic one, so that nothing that
 * is done to the wall clock later can make a token live longer or shorter.
 */
interface TokenClock {

	TokenClock SYSTEM = new SystemClock();

	/**
	 * A time before all others.
	 */
	long LONG_AGO = Long.MIN_VALUE;

	/**
	 * Return a monotonic time in nanoseconds. Starts near zero, so that readings can be
	 * compared with {@code <} and far past and future have a value.
	 */
	long nanoTime();

	/**
	 * Return the wall-clock time.
	 */
	Instant instant();

	final class SystemClock implements TokenClock {

		private static final long ORIGIN = System.nanoTime();

		@Override
		public long nanoTime() {
			return System.nanoTime() - ORIGIN;
		}

		@Override
		public Instant instant() {
			return Instant.now();
		}

	}

}
