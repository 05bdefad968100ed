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

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import cn.binarywang.wx.miniapp.api.WxMaMediaService;
import cn.binarywang.wx.miniapp.api.WxMaService;
import cn.binarywang.wx.miniapp.api.impl.WxMaMediaServiceImpl;
import cn.binarywang.wx.miniapp.api.impl.WxMaServiceImpl;
import cn.binarywang.wx.miniapp.config.WxMaConfig;
import cn.binarywang.wx.miniapp.config.impl.WxMaDefaultConfigImpl;
import cn.binarywang.wx.miniapp.util.WxMaConfigHolder;
import com.binarywang.spring.starter.wxjava.miniapp.config.WxMaAutoConfiguration;
import com.binarywang.spring.starter.wxjava.miniapp.service.WxMaMultiServices;
import me.chanjar.weixin.common.error.WxErrorException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import org.springframework.util.function.ThrowingFunction;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link WxJavaBeanPostProcessor} with the services of mini programs.
 */
class WxMaBeanPostProcessorTests extends AbstractWxJavaTests<WxMaService, WxMaConfig> {

	@Test
	void configurationWhenStarterShouldKeepAllElse() {
		withStarter()
			.withPropertyValues("wx.miniapp.token=the-token", "wx.miniapp.aes-key=the-key",
					"wx.miniapp.config-storage.http-proxy-host=proxy.example",
					"wx.miniapp.config-storage.http-proxy-port=3128")
			.run((context) -> {
				WxMaConfig configuration = context.getBean(WxMaService.class).getWxMaConfig();
				assertThat(configuration.getToken()).isEqualTo("the-token");
				assertThat(configuration.getAesKey()).isEqualTo("the-key");
				assertThat(configuration.getSecret()).isEqualTo("wx-java-secret");
				assertThat(configuration.getHttpProxyHost()).isEqualTo("proxy.example");
				assertThat(configuration.getHttpProxyPort()).isEqualTo(3128);
				assertThat(configuration).isInstanceOf(WxMaDefaultConfigImpl.class);
			});
	}

	@Test
	void callWhenStarterHasNoAppIdShouldNotBeFed() {
		this.contextRunner.withConfiguration(AutoConfigurations.of(starter())).run((context) -> {
			assertThat(context.getBean(WxMaService.class).getWxMaConfig().getAppid()).isNull();
			assertThat(this.accounts.tokens().fetches()).isZero();
		});
	}

	@Test
	void uploadWhenSubServiceAndTokenIsDeadShouldBeRepeatedWithTheSameContent(@TempDir Path directory)
			throws IOException {
		this.wechat.json("/cgi-bin/miniapp/complaint/upload", "{\"media_id\":\"the-media-id\"}");
		File file = Files.writeString(directory.resolve("a.txt"), "the-content").toFile();
		List<ThrowingFunction<WxMaService, String>> uploads = List.of(
				(service) -> service.getMediaService().uploadMedia("file", file).getMediaId(),
				(service) -> service.getMediaService()
					.uploadMedia("file", "txt", new FileInputStream(file))
					.getMediaId(),
				(service) -> service.getComplaintService().uploadResponseImage(file),
				(service) -> service.getComplaintService().uploadResponseImage(new FileInputStream(file), "txt"));
		for (WxMaService service : List.of(newService(), newFinalService())) {
			service.setWxMaConfig(newConfiguration("wx1"));
			this.contextRunner.withBean(WxMaService.class, () -> service).run((context) -> {
				int before = this.wechat.requests().size();
				for (ThrowingFunction<WxMaService, String> upload : uploads) {
					this.wechat.reject(context.getBean(WxMaService.class).getAccessToken());
					assertThat(upload.apply(context.getBean(WxMaService.class))).isEqualTo("the-media-id");
				}
				assertThat(this.wechat.requests()).hasSize(before + 8)
					.allMatch((request) -> request.text().contains("the-content"));
			});
		}
	}

	@Test
	void getMediaServiceWhenUserServiceHasItsOwnShouldReturnIt() {
		WxMaMediaService media = new WxMaMediaServiceImpl(serviceOf("wx2"));
		this.contextRunner.withBean(WxMaService.class, () -> new MediaService(media))
			.run((context) -> assertThat(context.getBean(WxMaService.class).getMediaService()).isSameAs(media));
	}

	@Test
	void uploadersOfWxJavaShouldBeThoseThatAreKnown() throws IOException {
		List<@Nullable String> uploaders = new ArrayList<>();
		for (String path : List.of("me/chanjar/weixin/mp", "cn/binarywang/wx/miniapp")) {
			for (Resource type : new PathMatchingResourcePatternResolver()
				.getResources("classpath*:" + path + "/**/*.class")) {
				if (type.getContentAsString(StandardCharsets.ISO_8859_1).contains("bean/CommonUploadParam")) {
					uploaders.add(type.getFilename());
				}
			}
		}
		assertThat(uploaders).containsExactlyInAnyOrder("BaseWxMpServiceImpl.class", "BaseWxMaServiceImpl.class",
				"WxMaMediaServiceImpl.class", "WxMaComplaintServiceImpl.class");
	}

	@Override
	Class<WxMaService> serviceType() {
		return WxMaService.class;
	}

	@Override
	Class<WxMaConfig> configurationType() {
		return WxMaConfig.class;
	}

	@Override
	Class<?> starter() {
		return WxMaAutoConfiguration.class;
	}

	@Override
	String[] starterProperties(String appId) {
		return new String[] { "wx.miniapp.appid=" + appId, "wx.miniapp.secret=wx-java-secret",
				"wx.miniapp.api-host-url=" + this.wechat.url() };
	}

	@Override
	WxMaConfig newConfiguration(String appId) {
		WxMaDefaultConfigImpl configuration = new WxMaDefaultConfigImpl();
		configuration.setAppid(appId);
		configuration.setSecret("wx-java-secret");
		setApiUrl(configuration);
		return configuration;
	}

	@Override
	void setApiUrl(WxMaConfig configuration) {
		configuration.setApiHostUrl(this.wechat.url());
	}

	@Override
	void useStableAccessToken(WxMaConfig configuration) {
		configuration.useStableAccessToken(true);
	}

	@Override
	WxMaService newService() {
		return new WxMaServiceImpl();
	}

	@Override
	WxMaService newFinalService() {
		return new FinalService();
	}

	@Override
	WxMaService newOverridingService() {
		return new OverridingService();
	}

	@Override
	String configurationGetter() {
		return "getWxMaConfig";
	}

	@Override
	Object newRegistry(WxMaService service) {
		return (WxMaMultiServices) (tenantId) -> service;
	}

	@Override
	Object newSharedRegistry(WxMaService service) {
		return new SharedRegistry(service);
	}

	@Override
	void addToRegistry(Object registry, String tenantId, WxMaService service) {
		((SharedRegistry) registry).addWxMaService(tenantId, service);
	}

	@Override
	WxMaService fromRegistry(Object registry, String tenantId) {
		return ((WxMaMultiServices) registry).getWxMaService(tenantId);
	}

	@Override
	void setConfigurations(WxMaService service, Map<String, WxMaConfig> configurations) {
		service.setMultiConfigs(configurations);
	}

	@Override
	void addConfiguration(WxMaService service, String id, WxMaConfig configuration) {
		service.addConfig(id, configuration);
	}

	@Override
	boolean switchover(WxMaService service, String id) {
		return service.switchover(id);
	}

	@Override
	WxMaService switchoverTo(WxMaService service, String id, Function<String, @Nullable WxMaConfig> factory) {
		return service.switchoverTo(id, factory);
	}

	@Override
	WxMaConfig configuration(WxMaService service) {
		return service.getWxMaConfig();
	}

	@Override
	String accessToken(WxMaConfig configuration) {
		return configuration.getAccessToken();
	}

	@Override
	boolean isAccessTokenExpired(WxMaConfig configuration) {
		return configuration.isAccessTokenExpired();
	}

	@Override
	void expireAccessToken(WxMaConfig configuration) {
		configuration.expireAccessToken();
	}

	@Override
	long expiresTime(WxMaConfig configuration) {
		return configuration.getExpiresTime();
	}

	@Override
	void updateAccessToken(WxMaConfig configuration, String accessToken) {
		configuration.updateAccessTokenProcessor(accessToken, 7200);
	}

	@Override
	String accessToken(WxMaService service, boolean forceRefresh) throws WxErrorException {
		return forceRefresh ? service.getAccessToken(true) : service.getAccessToken();
	}

	@Override
	void call(WxMaService service) throws WxErrorException {
		assertThat(service.get("https://api.weixin.qq.com/cgi-bin/getcallbackip", null)).contains("127.0.0.1");
	}

	@Override
	String ticket(WxMaService service) throws WxErrorException {
		return service.getJsapiService().getJsapiTicket();
	}

	@Override
	String loggerName() {
		// By name: the class refers to annotations that are not on the class path.
		return "cn.binarywang.wx.miniapp.api.impl.BaseWxMaServiceImpl";
	}

	@Override
	void clearThread() {
		WxMaConfigHolder.remove();
	}

	/**
	 * As in the starter's shared mode: one service with the configurations of all.
	 */
	static class SharedRegistry implements WxMaMultiServices {

		private final WxMaService service;

		SharedRegistry(WxMaService service) {
			this.service = service;
		}

		@Override
		public WxMaService getWxMaService(String tenantId) {
			assertThat(this.service.switchover(tenantId)).isTrue();
			return this.service;
		}

		public void addWxMaService(String tenantId, WxMaService service) {
			this.service.addConfig(tenantId, service.getWxMaConfig());
		}

	}

	static final class FinalService extends WxMaServiceImpl {

	}

	static class MediaService extends WxMaServiceImpl {

		private final WxMaMediaService media;

		MediaService(WxMaMediaService media) {
			this.media = media;
		}

		@Override
		public WxMaMediaService getMediaService() {
			return this.media;
		}

	}

	static class OverridingService extends WxMaServiceImpl {

		@Override
		public String getAccessToken(boolean forceRefresh) {
			return "acme";
		}

	}

}
