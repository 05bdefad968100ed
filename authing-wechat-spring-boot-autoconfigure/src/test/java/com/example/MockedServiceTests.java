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

package com.example;

import java.time.Instant;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.WechatMpTokenService;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.given;

@SpringBootTest(properties = { "authing.app-id=test", "authing.app-secret=test",
		"authing.app-host=https://example.authing.cn" })
class MockedServiceTests {

	@MockitoBean
	WechatMpTokenService tokens;

	@Test
	void controllerUsesTheMock(@Autowired ExpiryController controller) {
		given(this.tokens.getAccessTokenSync()).willReturn(new WechatMpAccessToken("test-token", Instant.EPOCH));
		assertThat(controller.expiry()).isEqualTo("1970-01-01T00:00:00Z");
	}

}
