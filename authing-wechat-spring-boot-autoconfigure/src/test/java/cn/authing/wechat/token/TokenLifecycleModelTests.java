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

package cn.authing.wechat.token;

import java.time.Duration;
import java.util.List;
import java.util.function.ObjIntConsumer;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.slf4j.LoggerFactory;
import reactor.core.scheduler.Schedulers;

/**
 * Runs random schedules against the real service and a simple model of it, and checks
 * what must hold after each step: see {@link TokenLifecycleModel}. A failure is reported
 * with its seed and with the shortest schedule found that still fails; the seed of the
 * fresh run is printed in any case. To repeat a run, put its seed into the annotation.
 */
class TokenLifecycleModelTests {

	private static final String PACKAGE = TokenEntry.class.getPackageName();

	private static final int[] MILLIS = { 0, 1, 100, 300, 700, 999, 1000, 2000, 5000, 10_200, 30_000, 60_000, 300_000,
			900_000, 6_900_000, 7_200_000 };

	private static final int[] LIVES = { 7200, 7200, 7200, 7200, 7200, 20_000, 3600, 600, 599, 300, 60, 60, 40, 30, 25,
			20 };

	private static final int[] OFFSETS = { 0, 5, -5, 6, -6, 30, -30, 600, -600, 3600, -3600, 86_400, -86_400, 1, -1,
			400_000_000 };

	@BeforeContainer
	static void refuseToBlock() {
		Thread thread = Thread.currentThread();
		Schedulers.registerNonBlockingThreadPredicate((candidate) -> candidate == thread);
		((Logger) LoggerFactory.getLogger(PACKAGE)).setLevel(Level.OFF);
	}

	@AfterContainer
	static void reset() {
		Schedulers.resetNonBlockingThreadPredicate();
		((Logger) LoggerFactory.getLogger(PACKAGE)).setLevel(null);
	}

	@Property(tries = 1000, seed = "1", shrinking = ShrinkingMode.FULL)
	void invariantsWhenScheduleIsOfFirstSeedShouldHold(@ForAll("schedules") List<Step> schedule) {
		check(schedule);
	}

	@Property(tries = 1000, seed = "20260101", shrinking = ShrinkingMode.FULL)
	void invariantsWhenScheduleIsOfSecondSeedShouldHold(@ForAll("schedules") List<Step> schedule) {
		check(schedule);
	}

	@Property(tries = 3000, shrinking = ShrinkingMode.FULL)
	void invariantsWhenScheduleIsNewShouldHold(@ForAll("schedules") List<Step> schedule) {
		check(schedule);
	}

	private static void check(List<Step> schedule) {
		TokenLifecycleModel model = new TokenLifecycleModel();
		for (Step step : schedule) {
			step.action.effect.accept(model, step.choice);
			model.check();
		}
		model.checkRecovery();
		model.checkShutdown();
	}

	@Provide
	Arbitrary<List<Step>> schedules() {
		Arbitrary<Action> actions = Arbitraries.frequency(Tuple.of(12, Action.ADVANCE), Tuple.of(8, Action.ASK),
				Tuple.of(4, Action.ASK_BLOCKING), Tuple.of(2, Action.ASK_AT_RUN_TIME), Tuple.of(2, Action.CANCEL),
				Tuple.of(8, Action.ANSWER_NEW), Tuple.of(4, Action.ANSWER_SAME), Tuple.of(3, Action.ANSWER_EXPIRED),
				Tuple.of(5, Action.ANSWER_FAILURE), Tuple.of(1, Action.ANSWER_EMPTY),
				Tuple.of(3, Action.MOVE_WALL_CLOCK), Tuple.of(6, Action.INVALIDATE_CURRENT),
				Tuple.of(2, Action.INVALIDATE_OLD), Tuple.of(2, Action.REFRESH), Tuple.of(1, Action.RELOAD),
				Tuple.of(1, Action.CHANGE_SECRET), Tuple.of(1, Action.KEEP_WARM), Tuple.of(2, Action.EVICT),
				Tuple.of(1, Action.STOP_AND_START));
		Arbitrary<Integer> choices = Arbitraries.integers().between(0, 15);
		return Combinators.combine(actions, choices).as(Step::new).list().ofMinSize(1).ofMaxSize(80);
	}

	record Step(Action action, int choice) {

		@Override
		public String toString() {
			return this.action + "(" + this.choice + ")";
		}

	}

	/**
	 * What may happen. Each is possible at any time, so that a schedule may be shortened
	 * anywhere.
	 */
	enum Action {

		ADVANCE((model, choice) -> model.advance(Duration.ofMillis(MILLIS[choice]))),

		ASK((model, choice) -> model.ask(false)),

		ASK_BLOCKING((model, choice) -> model.askBlocking()),

		ASK_AT_RUN_TIME((model, choice) -> model.ask(true)),

		CANCEL(TokenLifecycleModel::cancel),

		ANSWER_NEW((model, choice) -> model.answerNew(Duration.ofSeconds(LIVES[choice]))),

		ANSWER_SAME((model, choice) -> model.answerSame()),

		ANSWER_EXPIRED((model, choice) -> model.answerNew(Duration.ofSeconds(4 - choice * choice))),

		ANSWER_FAILURE(
				(model, choice) -> model.answerFailure((choice < 8) ? null : Duration.ofSeconds((choice - 8) * 6))),

		ANSWER_EMPTY((model, choice) -> model.answerEmpty()),

		MOVE_WALL_CLOCK((model, choice) -> model.moveWallClock(Duration.ofSeconds(OFFSETS[choice]))),

		INVALIDATE_CURRENT((model, choice) -> model.invalidateCurrent()),

		INVALIDATE_OLD(TokenLifecycleModel::invalidateOld),

		REFRESH((model, choice) -> model.refresh()),

		RELOAD((model, choice) -> model.reload()),

		CHANGE_SECRET((model, choice) -> model.changeSecret()),

		KEEP_WARM((model, choice) -> model.keepWarm()),

		EVICT((model, choice) -> model.evict()),

		STOP_AND_START((model, choice) -> model.stopAndStart());

		private final ObjIntConsumer<TokenLifecycleModel> effect;

		Action(ObjIntConsumer<TokenLifecycleModel> effect) {
			this.effect = effect;
		}

	}

}
