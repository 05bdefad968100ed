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

import org.springframework.data.redis.core.script.RedisScript;

/**
 * What is done in Redis. Each script runs as a whole and on the keys of one hash slot;
 * all answer in the form that {@link RedisReply} reads, beginning with the time by
 * Redis's clock. Times are by that clock and in milliseconds. They need Redis 5 or later.
 */
final class RedisScripts {

	// A value of another type, or one that is too long to be ours, is told as empty.
	private static final String COMMON = """
			local time = redis.call('TIME')
			local now = time[1] * 1000 + math.floor(time[2] / 1000)
			local function value(key)
				local kind = redis.call('TYPE', key).ok
				if kind == 'none' then return nil end
				if kind ~= 'string' or redis.call('STRLEN', key) > 65536 then return '' end
				return redis.call('GET', key)
			end
			local function reply(outcome, key)
				local found = key and value(key)
				local told = string.format('%.0f ', now) .. outcome
				if not found then return told end
				return told .. ' ' .. redis.call('PTTL', key) .. ' ' .. found
			end
			""";

	/**
	 * Read the token. Keys: token.
	 */
	static final RedisScript<String> READ = script("""
			return reply('done', KEYS[1])
			""");

	/**
	 * Take the lease, and read the token. One without an end, or with more time left than
	 * any of ours has, is taken over. Keys: token, lease. Arguments: until when it may be
	 * executed, owner, life of the lease in milliseconds.
	 */
	static final RedisScript<String> LEASE = script("""
			if now > tonumber(ARGV[1]) then return reply('late') end
			local left = redis.call('PTTL', KEYS[2])
			if left >= 0 and left <= tonumber(ARGV[3]) then return reply('held') end
			redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
			return reply('done', KEYS[1])
			""");

	/**
	 * Hold the lease for longer. Keys: lease. Arguments: owner, life in milliseconds.
	 */
	static final RedisScript<String> RENEW = script("""
			if value(KEYS[1]) ~= ARGV[1] then return reply('lost') end
			redis.call('PEXPIRE', KEYS[1], ARGV[2])
			return reply('done')
			""");

	/**
	 * Give the lease back. Keys: lease. Arguments: owner.
	 */
	static final RedisScript<String> RELEASE = script("""
			if value(KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
			return reply('done')
			""");

	/**
	 * Write a token, unless a newer one is there, and tell of it if it is another one. A
	 * value without an end, or not in our format, is overwritten. Keys: token. Arguments:
	 * until when it may be executed, value, when it ends, channel, message, a value to
	 * overwrite in any case.
	 */
	static final RedisScript<String> PUBLISH = script("""
			local life = ARGV[3] - now
			if now > tonumber(ARGV[1]) or life < 1 then return reply('late') end
			local format = '^1 (%d+) (%d+ %S+) '
			local fetched, known = string.match(ARGV[2], format)
			local current = value(KEYS[1])
			local currentFetched, currentKnown = string.match(current or '', format)
			if currentFetched and current ~= ARGV[6] and redis.call('PTTL', KEYS[1]) >= 0 then
				local older = tonumber(fetched) - tonumber(currentFetched)
				local shorter = tonumber(string.match(known, '%d+')) - tonumber(string.match(currentKnown, '%d+'))
				if older < 0 or (older == 0 and shorter < 0) then return reply('newer', KEYS[1]) end
			end
			redis.call('SET', KEYS[1], ARGV[2], 'PX', string.format('%.0f', life))
			if known ~= currentKnown then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
			return reply('done')
			""");

	/**
	 * Delete a token and tell of it, if it is the one that was rejected. Keys: token.
	 * Arguments: digest of the token, channel, message.
	 */
	static final RedisScript<String> DROP = script("""
			if string.match(value(KEYS[1]) or '', '^1 %d+ %d+ (%S+) ') == ARGV[1] then
				redis.call('DEL', KEYS[1])
				redis.call('PUBLISH', ARGV[2], ARGV[3])
			end
			return reply('done')
			""");

	/**
	 * Find out whether Redis can be written to. Keys: probe.
	 */
	static final RedisScript<String> PROBE = script("""
			redis.call('SET', KEYS[1], '', 'PX', 1000)
			return reply('done')
			""");

	private RedisScripts() {
	}

	private static RedisScript<String> script(String script) {
		return RedisScript.of(COMMON + script, String.class);
	}

}
