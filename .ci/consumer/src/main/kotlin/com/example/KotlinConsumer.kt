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
package com.example

import cn.authing.wechat.WechatMpTokenService
import cn.authing.wechat.WechatMpTokenSource
import kotlinx.coroutines.reactor.awaitSingle
import kotlinx.coroutines.runBlocking
import org.springframework.boot.autoconfigure.EnableAutoConfiguration

/**
 * An application in Kotlin: null-safety as the library declares it, and coroutines.
 */
@EnableAutoConfiguration
class KotlinConsumer

fun main(args: Array<String>) {
	Loopback().use { authing ->
		authing.run(KotlinConsumer::class.java, *args).use { context ->
			val tokens = context.getBean(WechatMpTokenService::class.java)
			val shop: WechatMpTokenSource = tokens.account("shop")
			val token: String = runBlocking { tokens.accessToken.awaitSingle().accessToken }
			check(token == "wx1-token-1") { token }
			// Not null, which a compiler that reads JSpecify knows
			val length: Int = shop.accessTokenSync.accessToken.length
			check(length == "wx2-token-2".length) { length }
		}
	}
	Loopback.succeed(KotlinConsumer::class.java)
}
