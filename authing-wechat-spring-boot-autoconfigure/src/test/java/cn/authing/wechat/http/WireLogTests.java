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

package cn.authing.wechat.http;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.ReactorClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

import cn.authing.wechat.test.FakeTokenSource;
import cn.authing.wechat.test.FakeWechat;
import cn.authing.wechat.test.ForkedJvm;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Which loggers of the HTTP clients write the token of a call of WeChat, all loggers
 * being at their finest level: those that the documentation names, and no others.
 */
class WireLogTests {

	private static final String TOKEN = "SENSITIVE";

	@Test
	void reactorNettyWritesTokenAtDebug() {
		Set<String> expected = Set.of("DEBUG reactor.netty.http.client.HttpClientConnect");
		assertThat(webClient(ReactorClientHttpConnector::new)).isEqualTo(expected);
		assertThat(restClient(ReactorClientHttpRequestFactory::new)).isEqualTo(expected);
	}

	@Test
	void httpComponentsWriteTokenAtDebug() {
		assertThat(restClient(HttpComponentsClientHttpRequestFactory::new)).isNotEmpty()
			.allMatch((logger) -> logger.startsWith("DEBUG org.apache.hc.client5.http."));
	}

	@Test
	void clientOfTheJdkWritesTokenAtFine(@TempDir Path directory) {
		// Newer JDKs decide once whether they ask the logger at all
		String output = new ForkedJvm(directory).withOption("-Djdk.internal.httpclient.debug=log")
			.run(WireLogTests.class);
		assertThat(output).contains("WebClient: [FINE jdk.internal.httpclient.debug]",
				"RestClient: [FINE jdk.internal.httpclient.debug]");
	}

	public static void main(String[] args) {
		System.out.println("WebClient: " + webClient(JdkClientHttpConnector::new));
		System.out.println("RestClient: " + restClient(JdkClientHttpRequestFactory::new));
	}

	@Test
	void connectionOfTheJdkWritesTokenAtFine() {
		assertThat(restClient(SimpleClientHttpRequestFactory::new)).isNotEmpty()
			.allMatch((logger) -> logger.endsWith(" sun.net.www.protocol.http.HttpURLConnection"));
	}

	private static Set<String> webClient(Supplier<ClientHttpConnector> connector) {
		return loggersWithToken((wechat) -> WebClient.builder()
			.clientConnector(connector.get())
			.filter(WechatMpTokenExchangeFilterFunction.of(FakeTokenSource.of(TOKEN)).withHosts(wechat.host()))
			.build()
			.get()
			.uri(wechat.url() + "/cgi-bin/getcallbackip")
			.retrieve()
			.bodyToMono(String.class)
			.block(Duration.ofSeconds(20)));
	}

	private static Set<String> restClient(Supplier<ClientHttpRequestFactory> requestFactory) {
		return loggersWithToken((wechat) -> RestClient.builder()
			.requestFactory(requestFactory.get())
			.requestInterceptor(
					WechatMpTokenClientHttpRequestInterceptor.of(FakeTokenSource.of(TOKEN)).withHosts(wechat.host()))
			.build()
			.get()
			.uri(wechat.url() + "/cgi-bin/getcallbackip")
			.retrieve()
			.body(String.class));
	}

	private static Set<String> loggersWithToken(Consumer<FakeWechat> call) {
		Logger root = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("ROOT");
		Level level = root.getLevel();
		ListAppender<ILoggingEvent> appender = new ListAppender<>();
		Set<String> result = new TreeSet<>();
		java.util.logging.Logger jdkRoot = LogManager.getLogManager().getLogger("");
		java.util.logging.Level jdkLevel = jdkRoot.getLevel();
		Handler handler = new RecordingHandler(result);
		try (FakeWechat wechat = FakeWechat.start()) {
			wechat.acceptOnly(TOKEN);
			appender.start();
			root.addAppender(appender);
			root.setLevel(Level.TRACE);
			jdkRoot.setLevel(java.util.logging.Level.ALL);
			jdkRoot.addHandler(handler);
			call.accept(wechat);
			assertThat(wechat.sentTokens()).containsExactly(TOKEN);
		}
		finally {
			jdkRoot.removeHandler(handler);
			jdkRoot.setLevel(jdkLevel);
			root.setLevel(level);
			root.detachAppender(appender);
		}
		List.copyOf(appender.list)
			.stream()
			.filter((event) -> event.getFormattedMessage().contains(TOKEN))
			// What the fake writes as a server is not the client's
			.filter((event) -> !event.getLoggerName().startsWith("reactor.netty.http.server"))
			.forEach((event) -> result.add(event.getLevel() + " " + event.getLoggerName()));
		return result;
	}

	private static final class RecordingHandler extends Handler {

		private final Set<String> result;

		RecordingHandler(Set<String> result) {
			this.result = result;
			setLevel(java.util.logging.Level.ALL);
		}

		@Override
		public void publish(LogRecord record) {
			if (String.valueOf(record.getMessage()).contains(TOKEN)) {
				this.result.add(record.getLevel() + " " + record.getLoggerName());
			}
		}

		@Override
		public void flush() {
			// Nothing is held
		}

		@Override
		public void close() {
			// Nothing is open
		}

	}

}
