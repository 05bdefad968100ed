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

import java.util.stream.Stream;

import org.springframework.core.env.Environment;

/**
 * The properties below {@code authing}, which are valid or this bean does not exist. What
 * is made of properties asks this bean for them.
 */
class ValidatedProperties {

	private final Environment environment;

	private final BoundProperties initial;

	private volatile BoundProperties current;

	ValidatedProperties(Environment environment, BoundProperties properties) {
		this.environment = environment;
		this.initial = validate(properties);
		this.current = this.initial;
	}

	/**
	 * Return the properties as they were bound last.
	 */
	BoundProperties current() {
		return this.current;
	}

	/**
	 * Bind the properties again, since their sources may have changed.
	 * @throws InvalidAuthingPropertiesException if they are no longer valid; then those
	 * that were bound before remain the current ones
	 */
	BoundProperties rebind() {
		this.current = validate(BoundProperties.from(this.environment));
		return this.current;
	}

	/**
	 * Return the properties as they were at start-up and as they are since then, whose
	 * secrets may be others.
	 */
	Stream<BoundProperties> all() {
		return Stream.of(this.initial, this.current).distinct();
	}

	private static BoundProperties validate(BoundProperties properties) {
		new AuthingPropertiesValidator(properties).validate();
		return properties;
	}

}
