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

package cn.authing.wechat.sample.page;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

import cn.authing.wechat.sample.demo.Demo;
import cn.authing.wechat.sample.page.EventLog.Entry;
import cn.authing.wechat.sample.page.History.Point;
import cn.authing.wechat.sample.page.History.Totals;
import cn.authing.wechat.token.WechatMpAccountRegistry;
import cn.authing.wechat.token.WechatMpAccountStatus;
import cn.authing.wechat.token.WechatMpTokenOrigin;
import cn.authing.wechat.token.WechatMpTokenState;
import cn.authing.wechat.token.WechatMpTokenStoreStatus;

/**
 * Collects what the page shows. It holds no token and no secret.
 */
@Component
class PageState {

	private final String instance = UUID.randomUUID().toString();

	private final WechatMpAccountRegistry registry;

	private final Activity activity;

	private final Traffic traffic;

	private final ObjectProvider<Demo> demo;

	PageState(WechatMpAccountRegistry registry, Activity activity, Traffic traffic, ObjectProvider<Demo> demo) {
		this.registry = registry;
		this.activity = activity;
		this.traffic = traffic;
		this.demo = demo;
	}

	/**
	 * Return what is to be shown now.
	 * @param shown what was shown before, to be told only what is new; {@code null} for
	 * all
	 * @return the update
	 */
	Update update(@Nullable Update shown) {
		Totals totals = this.activity.totals();
		WechatMpTokenStoreStatus store = this.registry.storeStatus();
		Demo demo = this.demo.getIfAvailable();
		List<Point> points = this.activity.history().since((shown != null) ? shown.latestPoint() : 0);
		List<Entry> log = this.activity.log().since((shown != null) ? shown.logVersion() : 0);
		return new Update(this.instance, System.currentTimeMillis(), totals.served(), totals.failed(),
				totals.upstream(), this.registry.status().stream().map(this::account).toList(),
				(store != null) ? store.isAvailable() : null, (demo != null) ? controls(demo) : null, points, log,
				points.isEmpty() ? ((shown != null) ? shown.latestPoint() : 0) : points.get(points.size() - 1).time(),
				log.isEmpty() ? ((shown != null) ? shown.logVersion() : 0) : log.get(0).version());
	}

	private AccountView account(WechatMpAccountStatus status) {
		return new AccountView(status.account(), status.appId(), status.state(), millis(status.receivedAt()),
				millis(status.softExpiry()), millis(status.hardExpiry()), millis(status.expiresAt()), status.origin(),
				status.failures(), this.activity.replacedAt(status.account()));
	}

	private static @Nullable Long millis(@Nullable Instant instant) {
		return (instant != null) ? instant.toEpochMilli() : null;
	}

	private Controls controls(Demo demo) {
		return new Controls(this.traffic.isStreaming(), demo.authingMode().id(), demo.redisUp());
	}

	/**
	 * What the page is sent.
	 *
	 * @param instance tells a new start of the application from this one
	 * @param now when, in epoch milliseconds
	 * @param served calls that were answered with a token
	 * @param failed calls that were not, and those that WeChat refused all the same
	 * @param upstream requests to Authing
	 * @param accounts the configured accounts
	 * @param storeAvailable whether tokens are being shared with other instances;
	 * {@code null} if they are not to be
	 * @param controls what the demo is doing; {@code null} if this is not the demo
	 * @param points new points of the chart
	 * @param log new and changed entries of the event log, the latest first
	 * @param latestPoint the time of the latest point
	 * @param logVersion the version of the log
	 */
	record Update(String instance, long now, long served, long failed, long upstream, List<AccountView> accounts,
			@Nullable Boolean storeAvailable, @Nullable Controls controls, List<Point> points, List<Entry> log,
			long latestPoint, long logVersion) {
	}

	/**
	 * An account. Times are in epoch milliseconds.
	 *
	 * @param name the account's name
	 * @param appId the WeChat app id
	 * @param state the state of its token
	 * @param receivedAt when the token was received
	 * @param softExpiry from when on it is refreshed in the background
	 * @param hardExpiry from when on a caller waits for a fetch
	 * @param expiresAt when it expires
	 * @param origin where it came from
	 * @param failures how many fetches in a row have failed
	 * @param replacedAt at which part of its life, from 0 to 1, the token before was
	 * replaced
	 */
	record AccountView(String name, String appId, WechatMpTokenState state, @Nullable Long receivedAt,
			@Nullable Long softExpiry, @Nullable Long hardExpiry, @Nullable Long expiresAt,
			@Nullable WechatMpTokenOrigin origin, int failures, @Nullable Double replacedAt) {
	}

	/**
	 * What the demo is doing.
	 *
	 * @param stream whether there is a steady stream of calls
	 * @param authing how Authing behaves
	 * @param redis whether the demo's Redis runs; {@code null} if it has none
	 */
	record Controls(boolean stream, String authing, @Nullable Boolean redis) {
	}

}
