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
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.SecretKey;

import org.jspecify.annotations.Nullable;

import org.springframework.util.StringUtils;

import cn.authing.wechat.WechatMpAccessToken;
import cn.authing.wechat.token.WechatMpTokenStore.StoredToken;

/**
 * A token as it is written in Redis, in one line: {@code 1 FETCHED EXPIRES DIGEST TOKEN}.
 * <p>
 * {@code 1} is the version of the format. {@code FETCHED} and {@code EXPIRES} are
 * milliseconds since the epoch by Authing's clock, for the scripts to compare.
 * {@code DIGEST} is the {@linkplain RedisAccount#digest keyed digest} of the token, by
 * which the scripts know it again; it also tells that nobody without the app secret has
 * written the token. {@code TOKEN} is {@code =} and the token or {@code ~} and the
 * encrypted token. How long the token still lives is told by the key's time to live only.
 */
final class TokenCodec {

	private static final Pattern FORMAT = Pattern.compile("(1 (\\d{1,15}) (\\d{1,15}) ([\\w-]{22})) ([=~])(\\S+)");

	private static final long MAX_TIME = 999_999_999_999_999L;

	private final @Nullable TokenCipher cipher;

	TokenCodec(List<SecretKey> encryptionKeys) {
		this.cipher = encryptionKeys.isEmpty() ? null : new TokenCipher(encryptionKeys);
	}

	String encode(RedisAccount account, StoredToken stored) {
		String accessToken = stored.token().accessToken();
		String header = "1 " + millis(stored.fetchedAt()) + " " + millis(stored.token().expiresAt()) + " "
				+ account.digest(accessToken);
		return (this.cipher != null) ? header + " ~" + this.cipher.encrypt(accessToken, place(account, header))
				: header + " =" + accessToken;
	}

	/**
	 * Read a value.
	 * @param account the account
	 * @param value the value
	 * @param life the key's time to live
	 * @return the token, or {@code null} if it cannot be read
	 */
	@Nullable StoredToken decode(RedisAccount account, String value, Duration life) {
		Matcher matcher = FORMAT.matcher(value);
		if (!matcher.matches() || life.isNegative()) {
			return null;
		}
		String accessToken = matcher.group(6);
		if (matcher.group(5).equals("~")) {
			accessToken = (this.cipher != null) ? this.cipher.decrypt(accessToken, place(account, matcher.group(1)))
					: null;
		}
		if (!StringUtils.hasText(accessToken) || !equal(account.digest(accessToken), matcher.group(4))) {
			return null;
		}
		return new StoredToken(new WechatMpAccessToken(accessToken, instant(matcher.group(3))), life,
				instant(matcher.group(2)));
	}

	private static String place(RedisAccount account, String header) {
		return account.tokenKey() + " " + header;
	}

	static boolean equal(String digest, String other) {
		return MessageDigest.isEqual(digest.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
	}

	private static long millis(Instant time) {
		return Math.max(0, Math.min(time.getEpochSecond(), MAX_TIME / 1000) * 1000 + time.getNano() / 1_000_000);
	}

	private static Instant instant(String millis) {
		return Instant.ofEpochMilli(Long.parseLong(millis));
	}

}
