"""What every sampler must do: subclass `SamplerContract` in a test file, and pytest runs it."""

import random
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings

from tunesmith.components import Sampler
from tunesmith.errors import PluginError
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import Params, SearchSpace
from tunesmith.testing._rehearsal import (
    KINDS,
    LOSS,
    assert_inside,
    bowl,
    rehearse,
    rehearse_elsewhere,
    result,
)
from tunesmith.testing.strategies import search_spaces
from tunesmith.trial import Direction, Goal, Trial

PLAIN = SearchSpace({"x": Float(-5, 5), "clf.rate": Float(1e-4, 1, log=True)})
NARROW = SearchSpace({"x": Float(1, 5), "clf.rate": Float(1e-2, 1, log=True)})
ELSEWHERE = SearchSpace({"x": Float(6, 9), "clf.rate": Float(1e-4, 1, log=True)})
MIXED = SearchSpace(
    {
        "clf.kind": Categorical(["tree", "svm", None]),
        "clf.depth": Int(1, 32, log=True, when={"clf.kind": "tree"}),
        "clf.c": Float(1e-3, 1e3, log=True, when={"clf.kind": "svm"}),
        "clf.gamma": Float(0, 1, when="clf.c > 1"),
        "leaves": Int(2, 62, step=3),
        "share": Float(0.1, 0.75, step=0.1),
        "flag": Categorical([True, 1, "1"]),
        "size": Categorical(["s", "m", "l"], ordered=True),
    },
    constraints=["clf.depth * 2 <= leaves"],
    forbid=[{"clf.kind": "svm", "size": "l"}, "share < 0.25 and leaves > 40"],
)
CATEGORIES = SearchSpace(
    {"kind": Categorical(["a", "b", "c"]), "flag": Categorical([True, False, None])}
)
SINGLE = SearchSpace({"x": Float(2, 2), "n": Int(3, 3), "kind": Categorical(["only"])})
FINITE = SearchSpace(
    {"kind": Categorical(["a", "b"]), "n": Int(1, 2)}, forbid=[{"kind": "b", "n": 2}]
)
SPACES = {"plain": PLAIN, "mixed": MIXED, "single": SINGLE, "finite": FINITE}
TWO_GOALS = (*LOSS, Goal("size", Direction.MAXIMIZE))


class SamplerContract:
    """The tests that a sampler passes. Say in the subclass what yours does not do:

        class TestMine(SamplerContract):
            make = staticmethod(lambda: Mine(option=1))
            several_goals = False

    What is declared unsupported must be refused at `start` with a PluginError.
    """

    learns: ClassVar[bool] = True
    """Results change what it asks."""
    random: ClassVar[bool] = True
    """Another seed gives other params."""
    exhausts: ClassVar[bool] = False
    """Ends (`ask` gives None) once every configuration of a finite space was tried."""
    several_goals: ClassVar[bool] = True
    """Takes more than one goal."""
    categories_only: ClassVar[bool] = True
    """Takes spaces without any number."""
    lesson: ClassVar[int] = 60
    """Trials that it needs to be told to have learned something."""
    trials: ClassVar[int] = 30
    """Trials in a played round: more than it takes until results count."""
    examples: ClassVar[int] = 25
    """Generated spaces to try."""
    seconds: ClassVar[float] = 60
    """Time that it may take for some ten trials before it counts as hanging."""

    @staticmethod
    def make() -> Sampler:
        """A new sampler, its options plain data."""
        raise NotImplementedError

    @pytest.mark.parametrize("name", SPACES)
    def test_params_lie_in_the_space(self, name: str) -> None:
        if name == "single" and not self.categories_only:
            pytest.skip("needs a number in the space")
        space = SPACES[name]
        seen = _in_time(lambda: rehearse(self.make(), space, 1, self.trials), self.seconds)
        assert seen, "nothing was left before the first trial"

    def test_params_lie_in_a_space_of_categories(self) -> None:
        if not self.categories_only:
            self._assert_refused(CATEGORIES, LOSS)
            return
        rehearse(self.make(), CATEGORIES, 1, self.trials)

    def test_params_lie_in_generated_spaces(self) -> None:
        @settings(
            max_examples=self.examples,
            derandomize=True,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
        )
        @given(search_spaces())
        def check(space: SearchSpace) -> None:
            if self.categories_only or _has_numbers(space):
                rehearse(self.make(), space, 2, min(self.trials, 14))

        check()

    def test_equal_seeds_give_equal_params(self) -> None:
        first = rehearse(self.make(), MIXED, 3, self.trials)
        state = random.getstate()
        random.seed(99)
        try:
            assert rehearse(self.make(), MIXED, 3, self.trials) == first
        finally:
            random.setstate(state)

    def test_equal_seeds_give_equal_params_in_another_process(self) -> None:
        here = rehearse(self.make(), MIXED, 3, self.trials)
        assert rehearse_elsewhere(self.make(), MIXED, 3, self.trials) == here

    def test_different_seeds_give_different_params(self) -> None:
        if not self.random:
            pytest.skip("declares random = False")
        assert rehearse(self.make(), PLAIN, 4, 10) != rehearse(self.make(), PLAIN, 5, 10)

    def test_global_random_state_stays_as_it_was(self) -> None:
        before = _global_random_state()
        rehearse(self.make(), PLAIN, 6, self.trials)
        assert _global_random_state() == before

    @pytest.mark.parametrize("kind", sorted(set(KINDS) - {"complete"}))
    def test_survives_when_every_trial_ends_badly(self, kind: str) -> None:
        rehearse(self.make(), PLAIN, 7, self.trials, kinds=[kind])

    def test_is_not_drawn_to_where_trials_fail(self) -> None:
        """Failures carry the best losses here, if anything looked at them."""
        if not self.learns:
            pytest.skip("declares learns = False")
        good = _lesson(PLAIN, self.lesson)
        params = PLAIN.at({"x": 0.05, "clf.rate": 0.05})
        bad = [
            result(trial.number + 1000, params, -1e9, kind)
            for trial in good
            for kind in ("failed", "nan")
        ]
        assert self._distance(PLAIN, good + bad) < 0.85 * self._distance(PLAIN, [])

    def test_learns_from_trials_that_it_did_not_ask_for(self) -> None:
        self._assert_learns(PLAIN, PLAIN)

    def test_learns_in_a_narrowed_space_from_the_trials_inside(self) -> None:
        self._assert_learns(PLAIN, NARROW)

    def test_learns_in_a_widened_space(self) -> None:
        self._assert_learns(NARROW, PLAIN)

    def test_trials_outside_the_space_change_nothing(self) -> None:
        untold, told = self._start(PLAIN, 8), self._start(PLAIN, 8)
        told.tell(_lesson(ELSEWHERE, self.lesson))
        told.tell([result(900, {"gone": 1, "x": 2.0}, 0.1), result(901, {}, 0.1)])
        numbers = range(1000, 1006)
        assert [_ask(told, PLAIN, [n]) for n in numbers] == [
            _ask(untold, PLAIN, [n]) for n in numbers
        ]

    def test_does_not_start_again_after_an_interruption(self) -> None:
        before = self._start(PLAIN, 9)
        first = [params for number in range(5) for params in _ask(before, PLAIN, [number])]
        after = self._start(PLAIN, 9)
        after.tell([result(n, params, bowl(PLAIN, params)) for n, params in enumerate(first)])
        for number in range(5, 10):
            for params in _ask(after, PLAIN, [number]):
                assert params not in first, f"asked for {params} again"

    def test_asks_for_several_trials_before_any_result(self) -> None:
        sampler = self._start(PLAIN, 10)
        sampler.tell(_lesson(PLAIN, self.lesson))
        asked = _ask(sampler, PLAIN, range(1000, 1008))
        assert len({tuple(params.values()) for params in asked}) == len(asked)

    def test_takes_results_in_any_order(self) -> None:
        sampler = self._start(MIXED, 11)
        asked = dict(enumerate(_ask(sampler, MIXED, range(6))))
        for number in sorted(asked, key=lambda number: (number * 5) % 6):
            sampler.tell([result(number, asked[number], bowl(MIXED, asked[number]))])
        _ask(sampler, MIXED, range(6, 12))

    def test_finite_space_ends_or_goes_on(self) -> None:
        seen = _in_time(lambda: rehearse(self.make(), FINITE, 12, 12), self.seconds)
        if self.exhausts:
            assert len(seen) == 3, "there are 3 configurations"
            assert all(seen.count(params) == 1 for params in seen)
        else:
            assert len(seen) == 12

    @pytest.mark.parametrize("kept", [True, False])
    def test_copes_with_trials_that_break_limits(self, kept: bool) -> None:
        sampler, lesson = self._start(PLAIN, 14), _lesson(PLAIN, self.lesson)
        sampler.tell([replace(each, violation=each.number % 3 + 1.0 - kept) for each in lesson])
        for number in range(1000, 1012):
            kind = "complete" if kept and number % 4 else "broken"
            for params in _ask(sampler, PLAIN, [number]):
                sampler.tell([result(number, params, bowl(PLAIN, params), kind)])

    def test_several_goals(self) -> None:
        if not self.several_goals:
            self._assert_refused(PLAIN, TWO_GOALS)
            return
        sampler = self.make()
        sampler.start(PLAIN, TWO_GOALS, 13)
        sampler.tell(_lesson(PLAIN, self.lesson))
        for number in range(1000, 1020):
            kind = KINDS[number % len(KINDS)]
            for params in _ask(sampler, PLAIN, [number]):
                sampler.tell([result(number, params, bowl(PLAIN, params), kind)])

    def _start(self, space: SearchSpace, seed: int) -> Sampler:
        sampler = self.make()
        sampler.start(space, LOSS, seed)
        return sampler

    def _assert_refused(self, space: SearchSpace, goals: Sequence[Goal]) -> None:
        with pytest.raises(PluginError):
            self.make().start(space, goals, 0)

    def _assert_learns(self, old: SearchSpace, new: SearchSpace) -> None:
        if not self.learns:
            pytest.skip("declares learns = False")
        told = self._distance(new, _lesson(old, self.lesson))
        untold = self._distance(new, [])
        assert told < 0.85 * untold, (
            f"told it asks at {told:.2f} of the best point, untold {untold:.2f}"
        )

    def _distance(self, space: SearchSpace, lesson: Sequence[Trial]) -> float:
        """How far from the bottom of PLAIN's bowl it asks next, on average over seeds."""
        losses: list[float] = []
        for seed in range(3):
            sampler = self._start(space, seed)
            sampler.tell(lesson)
            for number in range(1000, 1008):
                for params in _ask(sampler, space, [number]):
                    losses.append(bowl(PLAIN, params) ** 0.5)
                    sampler.tell([result(number, params, bowl(PLAIN, params))])
        return sum(losses) / len(losses)


def _lesson(space: SearchSpace, count: int) -> list[Trial]:
    """Trials of a random search in PLAIN's bowl."""
    drawn = [space.sample(random.Random(number)) for number in range(count)]
    return [result(number, params, bowl(PLAIN, params)) for number, params in enumerate(drawn)]


def _ask(sampler: Sampler, space: SearchSpace, numbers: Sequence[int]) -> list[Params]:
    """What it asks for, checked; nothing where nothing is left or it waits for results."""
    asked = sampler.ask(numbers) or []
    assert len(asked) <= len(numbers), f"asked for {len(numbers)}, it gave {len(asked)}"
    assert_inside(space, asked)
    return asked


def _has_numbers(space: SearchSpace) -> bool:
    return any(
        parameter.type != "categorical" and parameter.levels != 1
        for parameter in space.parameters.values()
    )


def _global_random_state() -> list[Any]:
    numpy = sys.modules.get("numpy")
    return [random.getstate(), str(numpy.random.get_state()) if numpy else None]


def _in_time(work: Callable[[], list[Params]], seconds: float) -> list[Params]:
    """The result of `work`; an AssertionError where it has not come in time."""
    future: Future[list[Params]] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    finished, _ = wait([future], seconds)
    assert finished, f"no answer within {seconds:g} s"
    return future.result()
