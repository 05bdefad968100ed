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

package cn.authing.wechat.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;

import javax.net.ssl.SSLException;

/**
 * A failure of an HTTP exchange without what the far end sent: HTTP clients quote header
 * lines and status lines in their exceptions, and a far end can echo the request. Only
 * the type of the failure and where it happened are kept.
 */
final class ExchangeException extends IOException {

	private static final long serialVersionUID = 1L;

	// Constants, so that no text of the far end is told
	private static final List<String> KNOWN = List.of("connection reset", "broken pipe", "prematurely closed",
			"timed out", "status: 407", "closed");

	ExchangeException(String message) {
		super(message);
	}

	/**
	 * Return what may be told of a failure. Failures to connect, of TLS too, come before
	 * the request was sent and name what was to be reached, so they are kept.
	 * @param failure a failure of an HTTP client
	 * @return the failure to tell
	 */
	static IOException withoutWire(Throwable failure) {
		Throwable root = failure;
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof ExchangeException known) {
				return known;
			}
			if (cause instanceof IOException connecting && isFromConnecting(connecting)) {
				return connecting;
			}
			root = cause;
		}
		ExchangeException result = new ExchangeException(describe(root));
		result.setStackTrace(root.getStackTrace());
		return result;
	}

	static boolean isConnectFailure(Throwable failure) {
		// Jetty has no class of its own for the time-out
		return failure instanceof ConnectException || failure.getClass().getSimpleName().contains("ConnectTimeout")
				|| "Connect Timeout".equals(failure.getMessage());
	}

	private static boolean isFromConnecting(IOException failure) {
		// A proxy's answer is quoted
		return !failure.getClass().getSimpleName().contains("Proxy") && (isConnectFailure(failure)
				|| failure instanceof UnknownHostException || failure instanceof SSLException);
	}

	private static String describe(Throwable failure) {
		String name = failure.getClass().getSimpleName();
		String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
		return KNOWN.stream().filter(message::contains).findFirst().map((phrase) -> name + ": " + phrase).orElse(name);
	}

}
