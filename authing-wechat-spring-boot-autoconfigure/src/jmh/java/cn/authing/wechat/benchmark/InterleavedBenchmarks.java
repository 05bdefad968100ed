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

package cn.authing.wechat.benchmark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs JMH benchmarks on a machine that does other work too: in rounds of one fork of
 * each, rather than all forks of one and then all of the next, so that what disturbs one
 * disturbs the others. Of all iterations the lower quartile counts. Prints a table in
 * Markdown: elapsed time, processor time and allocated bytes, and the ratios to
 * {@code floorSync}, if that is among the benchmarks.
 * <p>
 * The first argument is the number of rounds, the others are JMH's.
 */
public final class InterleavedBenchmarks {

	private static final String FLOOR = "floorSync";

	private static final String BYTES = "gc.alloc.rate.norm";

	// By the benchmark's name.
	private final Map<String, Measured> measured = new LinkedHashMap<>();

	private InterleavedBenchmarks() {
	}

	public static void main(String[] args) throws RunnerException, CommandLineOptionException {
		CommandLineOptions commandLine = new CommandLineOptions(Arrays.copyOfRange(args, 1, args.length));
		Options options = new OptionsBuilder().parent(commandLine).addProfiler(GCProfiler.class).addProfiler(CpuTimeProfiler.class).forks(1).build();
		InterleavedBenchmarks benchmarks = new InterleavedBenchmarks();
		for (int round = 0; round < Integer.parseInt(args[0]); round++) {
			new Runner(options).run().forEach(benchmarks::add);
		}
		benchmarks.print();
	}

	private void add(RunResult run) {
		Measured measured = this.measured.computeIfAbsent(name(run.getParams()), (name) -> new Measured());
		run.getBenchmarkResults()
			.stream()
			.flatMap((result) -> result.getIterationResults().stream())
			.forEach(measured::add);
	}

	private static String name(BenchmarkParams params) {
		StringBuilder name = new StringBuilder(params.getBenchmark());
		name.delete(0, name.lastIndexOf(".") + 1);
		for (String key : params.getParamsKeys()) {
			name.append(' ').append(key).append('=').append(params.getParam(key));
		}
		return name.toString();
	}

	private void print() {
		Measured floor = this.measured.getOrDefault(FLOOR, new Measured());
		double floorTime = lowerQuartile(floor.time);
		double floorCpu = lowerQuartile(floor.cpu);
		System.out.printf("%n| benchmark | ns/op | x floor | processor ns/op | x floor | B/op |%n");
		System.out.printf("| --- | --- | --- | --- | --- | --- |%n");
		this.measured.forEach((name, values) -> {
			double time = lowerQuartile(values.time);
			double cpu = lowerQuartile(values.cpu);
			System.out.printf("| `%s` | %.1f | %.2f | %.1f | %.2f | %.0f |%n", name, time, time / floorTime, cpu,
					cpu / floorCpu, lowerQuartile(values.bytes));
		});
	}

	private static double lowerQuartile(List<Double> values) {
		List<Double> sorted = values.stream().sorted().toList();
		return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 4);
	}

	private static final class Measured {

		private final List<Double> time = new ArrayList<>();

		private final List<Double> cpu = new ArrayList<>();

		private final List<Double> bytes = new ArrayList<>();

		void add(IterationResult iteration) {
			this.time.add(iteration.getPrimaryResult().getScore());
			this.cpu.add(secondary(iteration, CpuTimeProfiler.LABEL));
			this.bytes.add(secondary(iteration, BYTES));
		}

		private static double secondary(IterationResult iteration, String label) {
			Result<?> result = iteration.getSecondaryResults().get(label);
			return (result != null) ? result.getScore() : Double.NaN;
		}

	}

}
