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

package cn.authing.wechat.actuate;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.jmx.annotation.EndpointJmxExtension;

import cn.authing.wechat.actuate.AuthingWechatEndpoint.AccountDescriptor;

/**
 * {@link EndpointJmxExtension @EndpointJmxExtension} for the
 * {@link AuthingWechatEndpoint}: operations that take the name of an account.
 *
 * @since 1.0.0
 */
@EndpointJmxExtension(endpoint = AuthingWechatEndpoint.class)
public class AuthingWechatEndpointJmxExtension {

	private final AuthingWechatEndpoint endpoint;

	/**
	 * Create a new extension.
	 * @param endpoint the endpoint
	 */
	public AuthingWechatEndpointJmxExtension(AuthingWechatEndpoint endpoint) {
		this.endpoint = endpoint;
	}

	@ReadOperation
	AccountDescriptor account(@Selector String account) {
		return this.endpoint.account(account);
	}

	@WriteOperation
	Mono<AccountDescriptor> operate(@Selector String account, @Nullable String operation) {
		return this.endpoint.operate(account, operation);
	}

	@DeleteOperation
	AccountDescriptor invalidate(@Selector String account) {
		return this.endpoint.invalidate(account);
	}

}
