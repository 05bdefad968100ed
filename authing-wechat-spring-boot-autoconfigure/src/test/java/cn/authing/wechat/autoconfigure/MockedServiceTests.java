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

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.restclient.test.autoconfigure.RestClientTest;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webflux.test.autoconfigure.WebFluxTest;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.context.ApplicationContext;
import org.springframework.test.context.bean.override.mockito.MockitoBean;
import org.springframework.test.context.bean.override.mockito.MockitoSpyBean;

import cn.authing.wechat.WechatMpTokenService;
import cn.authing.wechat.token.WechatMpAccountRegistry;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for an application's tests that replace the {@link WechatMpTokenService}.
 */
class MockedServiceTests {

	@Nested
	@SpringBootTest(properties = { "authing.app-id=app", "authing.app-secret=the-app-secret",
			"authing.app-host=https://localhost:1", "authing.wechat.fail-fast=true",
			"management.endpoints.web.exposure.include=*" })
	class MockWithProperties {

		@MockitoBean
		private WechatMpTokenService service;

		@Test
		void shouldBeUsed(@Autowired ApplicationContext context) {
			assertThat(Mockito.mockingDetails(this.service).isMock()).isTrue();
			assertThat(context.getBean(WechatMpTokenService.class)).isSameAs(this.service);
			assertThat(context.getBeanProvider(WechatMpAccountRegistry.class).stream()).hasSize(1);
		}

	}

	@Nested
	@SpringBootTest(properties = "management.endpoints.web.exposure.include=*")
	class MockWithoutProperties {

		@MockitoBean
		private WechatMpTokenService service;

		@Test
		void shouldBeUsed(@Autowired ApplicationContext context) {
			assertThat(context.getBean(WechatMpTokenService.class)).isSameAs(this.service);
			assertThat(context.getBeanProvider(WechatMpAccountRegistry.class).stream()).isEmpty();
		}

	}

	@Nested
	@SpringBootTest(properties = { "authing.app-id=app", "authing.app-secret=the-app-secret",
			"authing.app-host=https://localhost:1" })
	class Spy {

		@MockitoSpyBean
		private WechatMpTokenService service;

		@Test
		void shouldBeUsed() {
			assertThat(Mockito.mockingDetails(this.service).isSpy()).isTrue();
			assertThat(this.service.accountNames()).containsExactly("default");
		}

	}

	@Nested
	@WebMvcTest
	class WebMvcSlice {

		@MockitoBean
		private WechatMpTokenService service;

		@Test
		void shouldStart() {
			assertThat(Mockito.mockingDetails(this.service).isMock()).isTrue();
		}

	}

	@Nested
	@WebFluxTest
	class WebFluxSlice {

		@MockitoBean
		private WechatMpTokenService service;

		@Test
		void shouldStart() {
			assertThat(Mockito.mockingDetails(this.service).isMock()).isTrue();
		}

	}

	@Nested
	@RestClientTest
	class RestClientSlice {

		@MockitoBean
		private WechatMpTokenService service;

		@Test
		void shouldStart() {
			assertThat(Mockito.mockingDetails(this.service).isMock()).isTrue();
		}

	}

	@SpringBootConfiguration
	@EnableAutoConfiguration(excludeName = { "com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration",
			"com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration" })
	static class Application {

	}

}
