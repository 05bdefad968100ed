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

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What was counted in each of the last 300 seconds.
 */
final class History {

	private static final int MAX_POINTS = 300;

	private final Deque<Point> points = new ArrayDeque<>();

	private @Nullable Totals latest;

	synchronized void add(long time, Totals totals) {
		Totals before = this.latest;
		this.latest = totals;
		if (before == null) {
			return;
		}
		this.points.addLast(new Point(time, totals.served - before.served, totals.upstream - before.upstream,
				totals.wechat - before.wechat, totals.failed - before.failed));
		if (this.points.size() > MAX_POINTS) {
			this.points.removeFirst();
		}
	}

	/**
	 * Return the points that are newer.
	 * @param time the time of the latest known point; 0 for none
	 * @return the points, in the order of time
	 */
	synchronized List<Point> since(long time) {
		return this.points.stream().filter((point) -> point.time() > time).toList();
	}

	/**
	 * What was counted since the start.
	 *
	 * @param served calls that were answered with a token
	 * @param failed calls that were not
	 * @param upstream requests to Authing
	 * @param wechat calls of WeChat
	 */
	record Totals(long served, long failed, long upstream, long wechat) {
	}

	/**
	 * What was counted within a second.
	 *
	 * @param time the end of the second, in epoch milliseconds
	 * @param served calls that were answered with a token
	 * @param upstream requests to Authing
	 * @param wechat calls of WeChat
	 * @param failed calls that were not answered with a token
	 */
	record Point(long time, long served, long upstream, long wechat, long failed) {
	}

}
