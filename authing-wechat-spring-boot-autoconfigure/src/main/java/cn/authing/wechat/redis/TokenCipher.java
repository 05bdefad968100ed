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
import java.util.Base64;
import java.util.List;

import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

import org.jspecify.annotations.Nullable;

/**
 * Encrypts tokens with AES-GCM. Each is bound to its associated data and cannot be read
 * with other ones.
 */
final class TokenCipher {

	private static final String TRANSFORMATION = "AES/GCM/NoPadding";

	private static final int NONCE_LENGTH = 12;

	private static final int TAG_BITS = 128;

	private final SecureRandom random = new SecureRandom();

	private final List<SecretKey> keys;

	/**
	 * Create a new cipher.
	 * @param keys the first one encrypts, any of them decrypts
	 */
	TokenCipher(List<SecretKey> keys) {
		this.keys = keys;
	}

	String encrypt(String text, String associatedData) {
		byte[] nonce = new byte[NONCE_LENGTH];
		this.random.nextBytes(nonce);
		try {
			Cipher cipher = cipher(Cipher.ENCRYPT_MODE, this.keys.get(0), nonce, 0, associatedData);
			byte[] plain = text.getBytes(StandardCharsets.UTF_8);
			byte[] encrypted = new byte[NONCE_LENGTH + cipher.getOutputSize(plain.length)];
			System.arraycopy(nonce, 0, encrypted, 0, NONCE_LENGTH);
			cipher.doFinal(plain, 0, plain.length, encrypted, NONCE_LENGTH);
			return Base64.getEncoder().withoutPadding().encodeToString(encrypted);
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException("Every Java platform has " + TRANSFORMATION, ex);
		}
	}

	/**
	 * Decrypt a text.
	 * @return the text, or {@code null} if it was encrypted with another key, with other
	 * associated data, or not at all
	 */
	@Nullable String decrypt(String text, String associatedData) {
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
		for (SecretKey key : this.keys) {
			try {
				byte[] plain = cipher(Cipher.DECRYPT_MODE, key, encrypted, 0, associatedData).doFinal(encrypted,
						NONCE_LENGTH, encrypted.length - NONCE_LENGTH);
				return new String(plain, StandardCharsets.UTF_8);
			}
			catch (GeneralSecurityException ex) {
				// Not with this key.
			}
		}
		return null;
	}

	private static Cipher cipher(int mode, SecretKey key, byte[] nonce, int offset, String associatedData)
			throws GeneralSecurityException {
		Cipher cipher = Cipher.getInstance(TRANSFORMATION);
		cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce, offset, NONCE_LENGTH));
		cipher.updateAAD(associatedData.getBytes(StandardCharsets.UTF_8));
		return cipher;
	}

}
