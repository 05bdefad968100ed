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

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A private certificate authority and the certificates that it issued, made anew for each
 * run.
 */
final class TestCertificates {

	static final String PASSWORD = "changeit";

	/**
	 * A host name of which only the proxy knows where it is.
	 */
	static final String INTERNAL_HOST = "authing.internal";

	private static final String ROOT = "root";

	private static final char[] PASSWORD_CHARS = PASSWORD.toCharArray();

	private final Path directory;

	private final KeyStore all;

	TestCertificates(Path directory) {
		this.directory = directory;
		try {
			Path file = directory.resolve("all.p12");
			generate(file, ROOT, "-ext", "bc:c");
			generate(file, "server", "-signer", ROOT, "-ext", "san=dns:localhost,dns:" + INTERNAL_HOST);
			generate(file, "stranger", "-signer", ROOT, "-ext", "san=dns:stranger.example");
			generate(file, "client", "-signer", ROOT);
			this.all = KeyStore.getInstance("PKCS12");
			try (InputStream in = Files.newInputStream(file)) {
				this.all.load(in, PASSWORD_CHARS);
			}
		}
		catch (IOException | GeneralSecurityException | InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	// The JDK has no public API to make a certificate with
	private static void generate(Path keyStore, String alias, String... options)
			throws IOException, InterruptedException {
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias",
						alias, "-keyalg", "EC", "-dname", "CN=" + alias, "-validity", "1", "-storetype", "PKCS12",
						"-keystore", keyStore.toString(), "-storepass", PASSWORD));
		command.addAll(List.of(options));
		Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
		String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		if (keytool.waitFor() != 0) {
			throw new IllegalStateException("keytool failed: " + output);
		}
	}

	/**
	 * Return what a server needs that shows a certificate and trusts those of the
	 * authority.
	 * @param alias the certificate
	 * @return the context
	 */
	SSLContext sslContext(String alias) throws GeneralSecurityException, IOException {
		KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
		keyManagers.init(keyStore("PKCS12", alias), PASSWORD_CHARS);
		TrustManagerFactory trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		trustManagers.init(trustStore("PKCS12"));
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
		return context;
	}

	String[] pemTrustProperties(String bundle) {
		return new String[] {
				"spring.ssl.bundle.pem." + bundle + ".truststore.certificate=" + certificateFile(ROOT).toUri() };
	}

	String[] pemClientProperties(String bundle) throws GeneralSecurityException {
		String prefix = "spring.ssl.bundle.pem." + bundle + ".keystore.";
		return new String[] { pemTrustProperties(bundle)[0],
				prefix + "certificate=" + certificateFile("client").toUri(),
				prefix + "private-key=" + keyFile("client").toUri() };
	}

	/**
	 * Write a certificate and those that vouch for it as PEM.
	 * @param alias the certificate
	 * @return the file
	 */
	Path certificateFile(String alias) {
		return write(alias + ".pem", pem("CERTIFICATE", chain(alias)));
	}

	/**
	 * Write the key of a certificate as PEM.
	 * @param alias the certificate
	 * @return the file
	 */
	Path keyFile(String alias) throws GeneralSecurityException {
		return write(alias + ".key", pem("PRIVATE KEY", List.of(this.all.getKey(alias, PASSWORD_CHARS).getEncoded())));
	}

	String[] jksTrustProperties(String bundle) throws GeneralSecurityException, IOException {
		return storeProperties(bundle, "truststore", trustStore("JKS"));
	}

	String[] jksClientProperties(String bundle) throws GeneralSecurityException, IOException {
		List<String> properties = new ArrayList<>(List.of(jksTrustProperties(bundle)));
		properties.addAll(List.of(storeProperties(bundle, "keystore", keyStore("JKS", "client"))));
		return properties.toArray(String[]::new);
	}

	private String[] storeProperties(String bundle, String kind, KeyStore keyStore)
			throws GeneralSecurityException, IOException {
		Path file = this.directory.resolve(kind + ".jks");
		try (OutputStream out = Files.newOutputStream(file)) {
			keyStore.store(out, PASSWORD_CHARS);
		}
		String prefix = "spring.ssl.bundle.jks." + bundle + "." + kind;
		return new String[] { prefix + ".location=" + file.toUri(), prefix + ".type=JKS",
				prefix + ".password=" + PASSWORD };
	}

	private KeyStore trustStore(String type) throws GeneralSecurityException, IOException {
		KeyStore keyStore = KeyStore.getInstance(type);
		keyStore.load(null, null);
		keyStore.setCertificateEntry(ROOT, this.all.getCertificate(ROOT));
		return keyStore;
	}

	private KeyStore keyStore(String type, String alias) throws GeneralSecurityException, IOException {
		KeyStore keyStore = KeyStore.getInstance(type);
		keyStore.load(null, null);
		keyStore.setKeyEntry(alias, this.all.getKey(alias, PASSWORD_CHARS), PASSWORD_CHARS,
				this.all.getCertificateChain(alias));
		return keyStore;
	}

	private List<byte[]> chain(String alias) {
		try {
			List<byte[]> chain = new ArrayList<>();
			for (Certificate certificate : this.all.getCertificateChain(alias)) {
				chain.add(certificate.getEncoded());
			}
			return chain;
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private Path write(String name, String text) {
		try {
			return Files.writeString(this.directory.resolve(name), text);
		}
		catch (IOException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static String pem(String label, List<byte[]> contents) {
		StringBuilder pem = new StringBuilder();
		for (byte[] content : contents) {
			pem.append("-----BEGIN ").append(label).append("-----\n");
			pem.append(Base64.getMimeEncoder().encodeToString(content));
			pem.append("\n-----END ").append(label).append("-----\n");
		}
		return pem.toString();
	}

}
