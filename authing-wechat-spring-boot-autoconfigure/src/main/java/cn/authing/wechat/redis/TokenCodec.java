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
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

import org.jspecify.annotations.Nullable;

import org.springframework.util.StringUtils;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * A token as it is written in Redis, in one line:
 * {@code 1 FETCHED EXPIRES DIGEST END SIGNATURE TOKEN}.
 * <p>
 * {@code 1} is the version of the format. {@code FETCHED} and {@code EXPIRES} are
 * milliseconds since the epoch by Authing's clock, for the scripts to compare.
 * {@code DIGEST} is the {@linkplain RedisAccount#digest keyed digest} of the token, by
 * which the scripts know it again. {@code END} is the expiry by Redis's clock, which is
 * the same for all instances: a value that is stored again with a longer time to live
 * lives no longer for that. {@code SIGNATURE} tells that it was all written by someone
 * who has the app secret, for this key. {@code TOKEN} is {@code =} and the token or
 * {@code ~} and the token encrypted with AES-GCM, bound to key and header.
 */
final class TokenCodec {

	/**
	 * The longest life of a token at WeChat.
	 */
	static final Duration MAX_LIFE = Duration.ofHours(2);

	private static final Pattern FORMAT = Pattern
		.compile("(1 (\\d{1,15}) (\\d{1,15}) [\\w-]{22} (\\d{1,15})) ([\\w-]{22}) ([=~])(\\S+)");

	private static final long MAX_TIME = 999_999_999_999_999L;

	// Clocks differ a little, and an answer travels a while.
	static final Duration TOLERANCE = Duration.ofMinutes(1);

	private static final String TRANSFORMATION = "AES/GCM/NoPadding";

	private static final int NONCE_LENGTH = 12;

	private static final int TAG_BITS = 128;

	private final SecureRandom random = new SecureRandom();

	private final List<SecretKey> encryptionKeys;

	TokenCodec(List<SecretKey> encryptionKeys) {
		this.encryptionKeys = encryptionKeys;
	}

	/**
	 * Write a value.
	 * @param account the account
	 * @param stored the token
	 * @param end its expiry by Redis's clock, in milliseconds
	 */
	String encode(RedisAccount account, StoredToken stored, long end) {
		String accessToken = stored.token().accessToken();
		String header = "1 " + millis(stored.fetchedAt()) + " " + millis(stored.token().expiresAt()) + " "
				+ account.digest(accessToken) + " " + end;
		String signed = header + " " + sign(account, header, accessToken);
		return signed + (this.encryptionKeys.isEmpty() ? " =" + accessToken
				: " ~" + encrypt(accessToken, associatedData(account, header)));
	}

	/**
	 * Read a value.
	 * @param account the account
	 * @param reply the value, its time to live and Redis's time
	 * @return the token, or {@code null} if it cannot be read or believed
	 */
	@Nullable StoredToken decode(RedisAccount account, RedisReply reply) {
		Matcher matcher = FORMAT.matcher(String.valueOf(reply.value()));
		if (!matcher.matches() || reply.life() < 0) {
			return null;
		}
		String header = matcher.group(1);
		String accessToken = matcher.group(7);
		if (matcher.group(6).equals("~")) {
			accessToken = decrypt(accessToken, associatedData(account, header));
		}
		if (!StringUtils.hasText(accessToken)
				|| !RedisAccount.equal(sign(account, header, accessToken), matcher.group(5))) {
			return null;
		}
		Instant fetchedAt = instant(matcher.group(2));
		Instant expiresAt = instant(matcher.group(3));
		long left = Long.parseLong(matcher.group(4)) - reply.time();
		if (!isPossible(Duration.between(fetchedAt, expiresAt), Duration.ofMillis(left))) {
			return null;
		}
		long life = Math.min(reply.life(), Math.max(left, 0));
		return new StoredToken(new WechatMpAccessToken(accessToken, expiresAt), Duration.ofMillis(life), fetchedAt);
	}

	/**
	 * Return whether the times can be those of a token of WeChat. One that has more left
	 * than its whole life was fetched in the future. Only Redis's clock tells, as
	 * Authing's may be any time ahead of the local one.
	 */
	private static boolean isPossible(Duration whole, Duration left) {
		return whole.compareTo(MAX_LIFE.plus(TOLERANCE)) <= 0 && left.compareTo(whole.plus(TOLERANCE)) <= 0;
	}

	private static String sign(RedisAccount account, String header, String accessToken) {
		return account.signature("value", associatedData(account, header) + " " + accessToken);
	}

	private String encrypt(String text, String associatedData) {
		byte[] nonce = new byte[NONCE_LENGTH];
		this.random.nextBytes(nonce);
		try {
			byte[] encrypted = cipher(Cipher.ENCRYPT_MODE, this.encryptionKeys.get(0), nonce, associatedData)
				.doFinal(text.getBytes(StandardCharsets.UTF_8));
			Base64.Encoder encoder = Base64.getEncoder();
			// The nonce needs no padding
			return encoder.encodeToString(nonce) + encoder.encodeToString(encrypted);
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException("Every Java platform has " + TRANSFORMATION, ex);
		}
	}

	private @Nullable String decrypt(String text, String associatedData) {
		byte[] encrypted;
		try {
			encrypted = Base64.getDecoder().decode(text);
		}
		catch (IllegalArgumentException ex) {
			return null;
		}
		if (encrypted.length < NONCE_LENGTH) {
			return null;
		}
		for (SecretKey key : this.encryptionKeys) {
			try {
				byte[] plain = cipher(Cipher.DECRYPT_MODE, key, encrypted, associatedData).doFinal(encrypted,
						NONCE_LENGTH, encrypted.length - NONCE_LENGTH);
				return new String(plain, StandardCharsets.UTF_8);
			}
			catch (GeneralSecurityException ex) {
				// Not with this key.
			}
		}
		return null;
	}

	private static Cipher cipher(int mode, SecretKey key, byte[] nonce, String associatedData)
			throws GeneralSecurityException {
		Cipher cipher = Cipher.getInstance(TRANSFORMATION);
		cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce, 0, NONCE_LENGTH));
		cipher.updateAAD(associatedData.getBytes(StandardCharsets.UTF_8));
		return cipher;
	}

	private static String associatedData(RedisAccount account, String header) {
		return account.tokenKey() + " " + header;
	}

	private static long millis(Instant time) {
		return Math.max(0, Math.min(time.getEpochSecond(), MAX_TIME / 1000) * 1000 + time.getNano() / 1_000_000);
	}

	private static Instant instant(String millis) {
		return Instant.ofEpochMilli(Long.parseLong(millis));
	}

}
