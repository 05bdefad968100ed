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

package cn.authing.wechat.redis;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import cn.authing.wechat.WechatMpCredentials;

/**
 * The names under which an account is known in Redis. The WeChat app secret is the key of
 * the digests in them: whoever has another secret finds nothing. The secret itself is in
 * none of them.
 *
 * @param credentials the account
 * @param id the digest that stands for the account
 * @param tokenKey where the token is
 * @param leaseKey where the lease is; in the same hash slot
 */
record RedisAccount(WechatMpCredentials credentials, String id, String tokenKey, String leaseKey) {

	private static final String HMAC = "HmacSHA256";

	private static final int DIGEST_LENGTH = 16;

	static RedisAccount of(WechatMpCredentials credentials, String keyPrefix) {
		String id = digest(credentials.appSecret(), "account", credentials.appId());
		// Redis Cluster keeps keys together by what is between the first braces
		String keys = keyPrefix + "{" + credentials.appId().replaceAll("[{}]", "_") + ":" + id + "}";
		return new RedisAccount(credentials, id, keys + ":token", keys + ":lease");
	}

	/**
	 * Return what stands for a token where the token itself is not to be seen.
	 */
	String digest(String accessToken) {
		return signature("token", accessToken);
	}

	/**
	 * Return what only those can compute who have the app secret.
	 */
	String signature(String purpose, String text) {
		return digest(this.credentials.appSecret(), purpose, text);
	}

	static boolean equal(String signature, String other) {
		return MessageDigest.isEqual(signature.getBytes(StandardCharsets.UTF_8),
				other.getBytes(StandardCharsets.UTF_8));
	}

	private static String digest(String appSecret, String purpose, String text) {
		try {
			Mac mac = Mac.getInstance(HMAC);
			mac.init(new SecretKeySpec(appSecret.getBytes(StandardCharsets.UTF_8), HMAC));
			byte[] digest = mac.doFinal((purpose + " " + text).getBytes(StandardCharsets.UTF_8));
			return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, DIGEST_LENGTH));
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException("Every Java platform has " + HMAC, ex);
		}
	}

}
