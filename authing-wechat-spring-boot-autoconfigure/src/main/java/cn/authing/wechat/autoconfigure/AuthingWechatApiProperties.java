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

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.NestedConfigurationProperty;

/**
 * Configuration properties of the calls of WeChat that carry an access token.
 *
 * @since 1.0.0
 */
@ConfigurationProperties("authing.wechat.api")
public class AuthingWechatApiProperties {

	/**
	 * Comma-separated list of the hosts that may receive access tokens. No other host
	 * ever does. A reverse proxy that has a path prefix, or that is called over http, is
	 * written in full, such as https://proxy.example.com/wechat.
	 */
	private List<String> hosts = List.of("api.weixin.qq.com", "api2.weixin.qq.com", "sh.api.weixin.qq.com",
			"sz.api.weixin.qq.com", "hk.api.weixin.qq.com");

	/**
	 * Account of each HTTP service group (ImportHttpServices) that calls WeChat, by the
	 * name of the group.
	 */
	private Map<String, String> serviceGroups = new LinkedHashMap<>();

	// What is said of its attempts in the IDE is in the additional metadata
	@NestedConfigurationProperty
	private final AuthingProperties.Retry retryBusy = new AuthingProperties.Retry();

	public AuthingWechatApiProperties() {
		this.retryBusy.setMaxAttempts(1);
	}

	public List<String> getHosts() {
		return this.hosts;
	}

	public void setHosts(List<String> hosts) {
		this.hosts = hosts;
	}

	public Map<String, String> getServiceGroups() {
		return this.serviceGroups;
	}

	public void setServiceGroups(Map<String, String> serviceGroups) {
		this.serviceGroups = serviceGroups;
	}

	public AuthingProperties.Retry getRetryBusy() {
		return this.retryBusy;
	}

}
