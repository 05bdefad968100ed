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

import org.springframework.web.reactive.function.client.WebClient;

/**
 * A bean of this type customizes the {@link WebClient} that talks to Authing, and no
 * other. (Spring Boot's own {@code WebClientCustomizer}s apply to all but this one.)
 * Several are applied in their order, after all that the properties say.
 * <p>
 * Requests to Authing carry the WeChat app secret and answers carry tokens: a filter must
 * log neither.
 *
 * @since 1.0.0
 */
@FunctionalInterface
public interface AuthingWebClientCustomizer {

	/**
	 * Customize the client. Its base URL comes from {@code authing.app-host} whatever is
	 * set here. A {@linkplain WebClient.Builder#clientConnector client connector} set
	 * here takes the place of the one with this starter's timeouts and SSL bundle, whose
	 * connections are used once; it must not follow redirects nor reuse connections.
	 * @param builder the builder of the client
	 */
	void customize(WebClient.Builder builder);

}
