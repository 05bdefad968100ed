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

package cn.authing.wechat.wxjava;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

import com.binarywang.spring.starter.wxjava.mp.config.WxMpAutoConfiguration;
import com.binarywang.spring.starter.wxjava.mp.service.WxMpMultiServices;
import me.chanjar.weixin.common.enums.TicketType;
import me.chanjar.weixin.common.error.WxErrorException;
import me.chanjar.weixin.common.redis.WxRedisOps;
import me.chanjar.weixin.mp.api.WxMpService;
import me.chanjar.weixin.mp.api.impl.BaseWxMpServiceImpl;
import me.chanjar.weixin.mp.api.impl.WxMpServiceImpl;
import me.chanjar.weixin.mp.config.WxMpConfigStorage;
import me.chanjar.weixin.mp.config.WxMpHostConfig;
import me.chanjar.weixin.mp.config.impl.WxMpDefaultConfigImpl;
import me.chanjar.weixin.mp.config.impl.WxMpRedisConfigImpl;
import me.chanjar.weixin.mp.util.WxMpConfigStorageHolder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.boot.test.system.CapturedOutput;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link WxJavaBeanPostProcessor} with the services of official accounts.
 */
class WxMpBeanPostProcessorTests extends AbstractWxJavaTests<WxMpService, WxMpConfigStorage> {

	@Test
	void configurationWhenStarterShouldKeepAllElse() {
		withStarter()
			.withPropertyValues("wx.mp.token=the-token", "wx.mp.aes-key=the-key",
					"wx.mp.config-storage.http-proxy-host=proxy.example", "wx.mp.config-storage.http-proxy-port=3128")
			.run((context) -> {
				WxMpConfigStorage configuration = context.getBean(WxMpService.class).getWxMpConfigStorage();
				assertThat(configuration.getToken()).isEqualTo("the-token");
				assertThat(configuration.getAesKey()).isEqualTo("the-key");
				assertThat(configuration.getSecret()).isEqualTo("wx-java-secret");
				assertThat(configuration.getHttpProxyHost()).isEqualTo("proxy.example");
				assertThat(configuration.getHttpProxyPort()).isEqualTo(3128);
				assertThat(context.getBean(WxMpDefaultConfigImpl.class)).isSameAs(configuration);
			});
	}

	@Test
	void callWhenStarterWithHttpComponentsShouldRecoverFromDeadToken() {
		withStarter().withPropertyValues("wx.mp.config-storage.http-client-type=HttpComponents")
			.run((context) -> assertThatDeadTokenIsReplaced(context.getBean(WxMpService.class)));
	}

	@Test
	void getTicketWhenRedisStorageShouldShareTicketsButNotTokensAndWarn(CapturedOutput output) {
		MapRedisOps redis = new MapRedisOps();
		this.contextRunner.withBean(WxMpConfigStorage.class, () -> {
			WxMpRedisConfigImpl configuration = new WxMpRedisConfigImpl(redis, "wx");
			configuration.setAppId("wx1");
			configuration.setSecret("wx-java-secret");
			setApiUrl(configuration);
			return configuration;
		}).run((context) -> {
			assertThat(ticket(context.getBean(WxMpService.class))).isEqualTo("the-ticket");
			assertThat(redis.values.values()).containsExactly("the-ticket");
			assertThat(output)
				.containsOnlyOnce("WxJava stores what it knows of WeChat app 'wx1' (account 'default') in "
						+ "Redis (WxMpRedisConfigImpl)");
			assertThat(this.wechat.sentTokens()).containsExactly("authing-default-1");
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Test
	void switchoverToWhenServiceHasFactoryShouldManageWhatItCreates() {
		this.accounts.add("shop", "wx2");
		this.contextRunner.withBean(WxMpService.class, () -> {
			WxMpServiceImpl service = new WxMpServiceImpl();
			service.setWxMpConfigStorage(newConfiguration("wx1"));
			service.setConfigStorageFunction((id) -> id.equals("tenant") ? newConfiguration("wx2") : null);
			return service;
		}).run((context) -> {
			WxMpService service = context.getBean(WxMpService.class);
			call(service.switchoverTo("tenant"));
			assertThat(service.switchover("unknown")).isFalse();
			assertThat(this.wechat.sentTokens()).containsExactly("authing-shop-1");
			assertThat(this.wechat.tokenRequests()).isEmpty();
		});
	}

	@Override
	Class<WxMpService> serviceType() {
		return WxMpService.class;
	}

	@Override
	Class<WxMpConfigStorage> configurationType() {
		return WxMpConfigStorage.class;
	}

	@Override
	Class<?> starter() {
		return WxMpAutoConfiguration.class;
	}

	@Override
	String[] starterProperties(String appId) {
		return new String[] { "wx.mp.app-id=" + appId, "wx.mp.secret=wx-java-secret",
				"wx.mp.hosts.api-host=" + this.wechat.url() };
	}

	@Override
	WxMpConfigStorage newConfiguration(String appId) {
		WxMpDefaultConfigImpl configuration = new WxMpDefaultConfigImpl();
		configuration.setAppId(appId);
		configuration.setSecret("wx-java-secret");
		setApiUrl(configuration);
		return configuration;
	}

	@Override
	void setApiUrl(WxMpConfigStorage configuration) {
		WxMpHostConfig hosts = new WxMpHostConfig();
		hosts.setApiHost(this.wechat.url());
		configuration.setHostConfig(hosts);
	}

	@Override
	void useStableAccessToken(WxMpConfigStorage configuration) {
		configuration.useStableAccessToken(true);
	}

	@Override
	WxMpService newService() {
		return new WxMpServiceImpl();
	}

	@Override
	WxMpService newFinalService() {
		return new FinalService();
	}

	@Override
	WxMpService newOverridingService() {
		return new OverridingService();
	}

	@Override
	String configurationGetter() {
		return "getWxMpConfigStorage";
	}

	@Override
	Object newRegistry(WxMpService service) {
		return (WxMpMultiServices) (tenantId) -> service;
	}

	@Override
	Object newSharedRegistry(WxMpService service) {
		return new SharedRegistry(service);
	}

	@Override
	void addToRegistry(Object registry, String tenantId, WxMpService service) {
		((SharedRegistry) registry).addWxMpService(tenantId, service);
	}

	@Override
	WxMpService fromRegistry(Object registry, String tenantId) {
		return ((WxMpMultiServices) registry).getWxMpService(tenantId);
	}

	@Override
	void setConfigurations(WxMpService service, Map<String, WxMpConfigStorage> configurations) {
		service.setMultiConfigStorages(configurations);
	}

	@Override
	void addConfiguration(WxMpService service, String id, WxMpConfigStorage configuration) {
		service.addConfigStorage(id, configuration);
	}

	@Override
	boolean switchover(WxMpService service, String id) {
		return service.switchover(id);
	}

	@Override
	WxMpService switchoverTo(WxMpService service, String id, Function<String, @Nullable WxMpConfigStorage> factory) {
		return service.switchoverTo(id, factory);
	}

	@Override
	WxMpConfigStorage configuration(WxMpService service) {
		return service.getWxMpConfigStorage();
	}

	@Override
	String accessToken(WxMpConfigStorage configuration) {
		return configuration.getAccessToken();
	}

	@Override
	boolean isAccessTokenExpired(WxMpConfigStorage configuration) {
		return configuration.isAccessTokenExpired();
	}

	@Override
	void expireAccessToken(WxMpConfigStorage configuration) {
		configuration.expireAccessToken();
	}

	@Override
	long expiresTime(WxMpConfigStorage configuration) {
		return configuration.getExpiresTime();
	}

	@Override
	void updateAccessToken(WxMpConfigStorage configuration, String accessToken) {
		configuration.updateAccessToken(accessToken, 7200);
	}

	@Override
	String accessToken(WxMpService service, boolean forceRefresh) throws WxErrorException {
		return forceRefresh ? service.getAccessToken(true) : service.getAccessToken();
	}

	@Override
	void call(WxMpService service) throws WxErrorException {
		assertThat(service.getCallbackIP()).containsExactly("127.0.0.1", "127.0.0.2");
	}

	@Override
	String ticket(WxMpService service) throws WxErrorException {
		return service.getTicket(TicketType.JSAPI);
	}

	@Override
	String loggerName() {
		return BaseWxMpServiceImpl.class.getName();
	}

	@Override
	void clearThread() {
		WxMpConfigStorageHolder.remove();
	}

	/**
	 * As in the starter's shared mode: one service with the configurations of all.
	 */
	static class SharedRegistry implements WxMpMultiServices {

		private final WxMpService service;

		SharedRegistry(WxMpService service) {
			this.service = service;
		}

		@Override
		public WxMpService getWxMpService(String tenantId) {
			assertThat(this.service.switchover(tenantId)).isTrue();
			return this.service;
		}

		public void addWxMpService(String tenantId, WxMpService service) {
			this.service.addConfigStorage(tenantId, service.getWxMpConfigStorage());
		}

	}

	static final class FinalService extends WxMpServiceImpl {

	}

	static class OverridingService extends WxMpServiceImpl {

		@Override
		public String getAccessToken(boolean forceRefresh) {
			return "acme";
		}

	}

	private static final class MapRedisOps implements WxRedisOps {

		private final Map<String, String> values = new ConcurrentHashMap<>();

		@Override
		public @Nullable String getValue(String key) {
			return this.values.get(key);
		}

		@Override
		public void setValue(String key, String value, int expire, TimeUnit timeUnit) {
			this.values.put(key, value);
		}

		@Override
		public Long getExpire(String key) {
			return this.values.containsKey(key) ? 7000L : -2L;
		}

		@Override
		public void expire(String key, int expire, TimeUnit timeUnit) {
			this.values.remove(key);
		}

		@Override
		public Lock getLock(String key) {
			return new ReentrantLock();
		}

	}

}
