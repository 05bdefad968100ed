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

package cn.authing.wechat.redis.fleet;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import cn.authing.wechat.redis.RedisServer;
import cn.authing.wechat.test.FakeAuthing;

/**
 * Starts the processes, lets them run, does them harm and adds up what they tell.
 */
final class Fleet implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofMinutes(2);

	private final RedisServer redis = RedisServer.up();

	private final FleetTokens tokens = new FleetTokens();

	private final FakeAuthing authing = FakeAuthing.start(this.tokens);

	private final Map<String, Instance> instances = new ConcurrentHashMap<>();

	private final AtomicInteger started = new AtomicInteger();

	private final Semaphore starting = new Semaphore(Runtime.getRuntime().availableProcessors());

	private final int redisTimeout;

	private volatile Counts dead = Counts.NONE;

	Fleet(int redisTimeout) {
		this.redisTimeout = redisTimeout;
	}

	/**
	 * Run the long version and print its figures.
	 * @param args the number of instances, the number of periods in each part and the
	 * time-out for Redis in milliseconds
	 * @throws Exception if it cannot be run
	 */
	public static void main(String[] args) throws Exception {
		int size = Integer.parseInt(args[0]);
		int periods = Integer.parseInt(args[1]);
		for (boolean harm : new boolean[] { false, true }) {
			try (Fleet fleet = new Fleet(Integer.parseInt(args[2]))) {
				fleet.start(size);
				fleet.run(periods, harm ? new Random() : null);
				System.out.println((harm ? "With harm: " : "Without harm: ") + fleet.report());
			}
		}
		System.exit(0);
	}

	FleetTokens tokens() {
		return this.tokens;
	}

	/**
	 * Start instances and, when all are up, have them all ask at once.
	 */
	void start(int size) {
		List<Instance> all = new ArrayList<>();
		// As many at a time as there are processors, or they keep each other from it
		int atATime = Runtime.getRuntime().availableProcessors();
		while (all.size() < size) {
			List<Instance> some = Stream.generate(Instance::new).limit(Math.min(atATime, size - all.size())).toList();
			some.forEach(Instance::awaitReady);
			all.addAll(some);
		}
		all.forEach(Instance::begin);
		all.forEach(Instance::awaitCounts);
	}

	/**
	 * Let the instances run for some periods of the tokens.
	 * @param random what decides about the harm done to them: instances are killed, in
	 * the middle of a fetch, too, and Redis is away for a quarter of the time; if
	 * {@code null}, none is done
	 */
	void run(int periods, @Nullable Random random) throws InterruptedException {
		long quarter = FleetTokens.PERIOD.toMillis() / 4;
		if (random != null) {
			this.tokens.whileFetching((name) -> {
				if (random.nextInt(4) == 0) {
					replace(name);
				}
			});
		}
		for (int period = 0; period < periods; period++) {
			if (random == null) {
				TimeUnit.MILLISECONDS.sleep(4 * quarter);
				continue;
			}
			TimeUnit.MILLISECONDS.sleep(random.nextInt((int) (3 * quarter)));
			boolean kill = random.nextBoolean();
			if (kill) {
				this.redis.kill();
			}
			else {
				this.redis.suspend();
			}
			TimeUnit.MILLISECONDS.sleep(quarter);
			if (kill) {
				this.redis.start();
			}
			else {
				this.redis.resume();
			}
			List<String> names = List.copyOf(this.instances.keySet());
			replace(names.get(random.nextInt(names.size())));
			TimeUnit.MILLISECONDS.sleep(2 * quarter);
		}
	}

	/**
	 * Kill an instance and start another one in its place, unless as many as can be
	 * started at a time are coming up already.
	 */
	private void replace(String name) {
		if (!this.starting.tryAcquire()) {
			return;
		}
		Instance victim = this.instances.remove(name);
		if (victim == null) {
			this.starting.release();
			return;
		}
		victim.kill();
		Instance successor = new Instance();
		new Thread(() -> {
			try {
				successor.awaitReady();
				successor.begin();
			}
			finally {
				this.starting.release();
			}
		}).start();
	}

	Counts counts() {
		return this.instances.values().stream().map((instance) -> instance.counts).reduce(this.dead, Counts::plus);
	}

	int started() {
		return this.started.get();
	}

	String report() {
		return "%d processes started, %s, fetches by token %s, at most %d by one process".formatted(started(), counts(),
				new TreeMap<>(this.tokens.fetchesByToken()),
				this.tokens.fetchesByInstance().values().stream().mapToInt(Integer::intValue).max().orElse(0));
	}

	@Override
	public void close() {
		this.instances.values().forEach(Instance::kill);
		this.authing.close();
		this.redis.close();
	}

	/**
	 * What callers have seen.
	 */
	record Counts(long calls, long errors, long expired, long longestWait, long redisFailures) {

		static final Counts NONE = new Counts(0, 0, 0, 0, 0);

		static Counts parse(String line) {
			String[] parts = line.split(" ");
			return new Counts(Long.parseLong(parts[1]), Long.parseLong(parts[2]), Long.parseLong(parts[3]),
					Long.parseLong(parts[4]), Long.parseLong(parts[5]));
		}

		Counts plus(Counts other) {
			return new Counts(this.calls + other.calls, this.errors + other.errors, this.expired + other.expired,
					Math.max(this.longestWait, other.longestWait), this.redisFailures + other.redisFailures);
		}

	}

	private final class Instance {

		private final String name = "instance-" + Fleet.this.started.incrementAndGet();

		private final CountDownLatch ready = new CountDownLatch(1);

		private final CountDownLatch counted = new CountDownLatch(1);

		private final Process process;

		private volatile Counts counts = Counts.NONE;

		Instance() {
			String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
			String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
			try {
				this.process = new ProcessBuilder(java, "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
						classPath, FleetInstance.class.getName(), this.name, String.valueOf(Fleet.this.authing.port()),
						String.valueOf(Fleet.this.redis.port()), String.valueOf(Fleet.this.redisTimeout))
					.redirectErrorStream(true)
					.start();
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
			Fleet.this.instances.put(this.name, this);
			Thread reader = new Thread(this::read, this.name);
			reader.setDaemon(true);
			reader.start();
		}

		private void read() {
			try (BufferedReader in = this.process.inputReader(StandardCharsets.UTF_8)) {
				for (String line = in.readLine(); line != null; line = in.readLine()) {
					if (line.equals("ready")) {
						this.ready.countDown();
					}
					else if (line.startsWith("counts ")) {
						this.counts = Counts.parse(line);
						if (this.counts.calls() > 0) {
							this.counted.countDown();
						}
					}
					else {
						System.err.println(this.name + ": " + line);
					}
				}
			}
			catch (IOException ex) {
				// Killed
			}
		}

		void awaitReady() {
			await(this.ready);
		}

		void awaitCounts() {
			await(this.counted);
		}

		private void await(CountDownLatch latch) {
			try {
				if (!latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
					throw new IllegalStateException(this.name + " does not come up");
				}
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new IllegalStateException(ex);
			}
		}

		void begin() {
			new PrintStream(this.process.getOutputStream(), true, StandardCharsets.UTF_8).println("go");
		}

		void kill() {
			this.process.destroyForcibly();
			// Nobody need wait for it any more
			this.ready.countDown();
			synchronized (Fleet.this.authing) {
				Fleet.this.dead = Fleet.this.dead.plus(this.counts);
			}
		}

	}

}
