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

import cn.binarywang.wx.miniapp.api.WxMaService;
import me.chanjar.weixin.mp.api.WxMpService;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;

import static com.example.Loopback.check;

/**
 * An application with WxJava, with and without WxJava's own starters, whose services use
 * the tokens of Authing.
 */
@EnableAutoConfiguration
public class WxJavaConsumer {

	public static void main(String[] args) throws Exception {
		try (Loopback authing = new Loopback();
				ConfigurableApplicationContext context = authing.run(WxJavaConsumer.class, args)) {
			String mp = context.getBean(WxMpService.class).getAccessToken();
			check("official account", mp.equals("wx1-token-1"), mp);
			WxMaService miniProgram = context.getBean(WxMaService.class);
			String ma = miniProgram.getAccessToken();
			check("mini program", ma.equals(mp), ma);
			check("requests", authing.requests() == 1, authing.requests());
		}
		Loopback.succeed(WxJavaConsumer.class);
	}

}
