"""Every test of the sampler contract catches the sampler that it is there for."""

import random as shared
import time
from collections.abc import Sequence
from random import Random as Generator
from typing import Any

import pytest

from tunesmith.components import Sampler
from tunesmith.samplers import Grid, Random
from tunesmith.space import Params
from tunesmith.testing import SamplerContract
from tunesmith.trial import Trial, TrialState, best_trial, is_scored


class Learner(Random):
    """A sampler as it should be: tries the neighbourhood of the best trial that it was told."""

    def start(self, space: Any, goals: Any, seed: int) -> None:
        super().start(space, goals, seed)
        self._goals, self._told = goals, []

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        best = best_trial(self._told, self._goals)
        return [self._near(best.params if best else None, number) for number in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        self._told += [
            trial
            for trial in trials
            if is_scored(trial, self._goals) and self._space.contains(trial.params)
        ]

    def _near(self, center: Params | None, number: int) -> Params:
        generator = Generator(f"{self._seed}/{number}")
        drawn = [self._space.sample(generator) for _ in range(20)]
        if center is None:
            return drawn[0]

        def distance(params: Params) -> float:
            return sum(
                abs(self._place(name, params[name]) - self._place(name, value))
                for name, value in center.items()
                if name in params
            )

        return min(drawn, key=distance)

    def _place(self, name: str, value: Any) -> float:
        return self._space.parameters[name].position(value)


class IgnoresBounds(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [
            {
                name: value * 1e6 if isinstance(value, float) else value
                for name, value in params.items()
            }
            for params in super().ask(numbers) or []
        ]


class IgnoresConditions(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        drawn = Generator(f"{self._seed}/{numbers[0]}")
        return [
            {
                name: dimension.at(drawn.random())
                for name, dimension in self._space.parameters.items()
            }
            for _ in numbers
        ]


class IgnoresConstraints(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        drawn = Generator(f"{self._seed}/{numbers[0]}")
        return [
            self._space.at({name: drawn.random() for name in self._space.parameters})
            for _ in numbers
        ]


class IgnoresSeed(Learner):
    def start(self, space: Any, goals: Any, seed: int) -> None:
        super().start(space, goals, 0)


class DrawsFromTheSharedGenerator(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self._space.sample(shared) for _ in numbers]  # type: ignore[arg-type]


class DependsOnHashes(Learner):
    def start(self, space: Any, goals: Any, seed: int) -> None:
        super().start(space, goals, hash(f"{seed}"))


class CrashesOnFailure(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            trial.metrics["loss"] + 1
        super().tell(trials)


class NeedsABestTrial(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        assert best_trial(self._told, self._goals)


class BelievesFailures(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        self._told += [
            Trial(t.number, t.round, t.params, TrialState.COMPLETE, t.metrics) for t in trials
        ]


class IgnoresWhatItDidNotAskFor(Learner):
    def start(self, space: Any, goals: Any, seed: int) -> None:
        super().start(space, goals, seed)
        self._asked: set[int] = set()

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        self._asked.update(numbers)
        return super().ask(numbers)

    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell([trial for trial in trials if trial.number in self._asked])


class LearnsTheWrongWay(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(
            [
                Trial(t.number, t.round, t.params, t.state, {k: -v for k, v in t.metrics.items()})
                for t in trials
            ]
        )


class BelievesTrialsOutside(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        self._told += [trial for trial in trials if is_scored(trial, self._goals)]


class StartsAgain(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        self._count = getattr(self, "_count", 0)
        generator = Generator(self._seed)
        drawn = [self._space.sample(generator) for _ in range(self._count + len(numbers))]
        self._count = len(drawn)
        return drawn[-len(numbers) :]


class RepeatsItself(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [(super(RepeatsItself, self).ask(numbers[:1]) or [])[0] for _ in numbers]


class NeedsOrder(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            assert trial.number == len(self._told), "out of order"
            self._told.append(trial)


class Hangs(Grid):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        asked = super().ask(numbers)
        if asked is None:
            time.sleep(3)
        return asked


class GridThatRepeats(Grid):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [params for number in numbers for params in super(Grid, self).ask([number]) or []]


class GivesNothing(Learner):
    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return []


class OneGoal(Learner):
    def tell(self, trials: Sequence[Trial]) -> None:
        assert len(self._goals) == 1, "one goal only"
        super().tell(trials)


class TestLearner(SamplerContract):
    make = staticmethod(lambda: Learner())


BROKEN: list[tuple[type[Sampler], str, tuple[str, ...]]] = [
    (IgnoresBounds, "test_params_lie_in_the_space", ("plain",)),
    (IgnoresBounds, "test_params_lie_in_generated_spaces", ()),
    (IgnoresConditions, "test_params_lie_in_the_space", ("mixed",)),
    (IgnoresConditions, "test_params_lie_in_generated_spaces", ()),
    (IgnoresConstraints, "test_params_lie_in_the_space", ("mixed",)),
    (IgnoresConstraints, "test_params_lie_in_the_space", ("finite",)),
    (IgnoresConstraints, "test_params_lie_in_generated_spaces", ()),
    (GivesNothing, "test_params_lie_in_the_space", ("plain",)),
    (GivesNothing, "test_params_lie_in_a_space_of_categories", ()),
    (IgnoresSeed, "test_different_seeds_give_different_params", ()),
    (DrawsFromTheSharedGenerator, "test_equal_seeds_give_equal_params", ()),
    (DrawsFromTheSharedGenerator, "test_global_random_state_stays_as_it_was", ()),
    (DependsOnHashes, "test_equal_seeds_give_equal_params_in_another_process", ()),
    (CrashesOnFailure, "test_survives_when_every_trial_ends_badly", ("pruned",)),
    (NeedsABestTrial, "test_copes_with_trials_that_break_limits", (False,)),
    (BelievesFailures, "test_is_not_drawn_to_where_trials_fail", ()),
    (IgnoresWhatItDidNotAskFor, "test_learns_from_trials_that_it_did_not_ask_for", ()),
    (IgnoresWhatItDidNotAskFor, "test_learns_in_a_narrowed_space_from_the_trials_inside", ()),
    (IgnoresWhatItDidNotAskFor, "test_learns_in_a_widened_space", ()),
    (LearnsTheWrongWay, "test_learns_from_trials_that_it_did_not_ask_for", ()),
    (BelievesTrialsOutside, "test_trials_outside_the_space_change_nothing", ()),
    (StartsAgain, "test_does_not_start_again_after_an_interruption", ()),
    (RepeatsItself, "test_asks_for_several_trials_before_any_result", ()),
    (NeedsOrder, "test_takes_results_in_any_order", ()),
    (OneGoal, "test_several_goals", ()),
]


@pytest.mark.usefixtures("first_counterexample")
@pytest.mark.parametrize(
    ("broken", "test", "arguments"),
    BROKEN,
    ids=lambda value: getattr(value, "__name__", None),
)
def test_contract_catches(broken: type[Sampler], test: str, arguments: tuple[str, ...]) -> None:
    class Contract(SamplerContract):
        make = staticmethod(broken)
        examples = 100

    with pytest.raises((AssertionError, KeyError)):
        getattr(Contract(), test)(*arguments)


def test_contract_catches_a_grid_that_repeats_itself() -> None:
    class Contract(SamplerContract):
        make = staticmethod(GridThatRepeats)
        exhausts = True

    with pytest.raises(AssertionError):
        Contract().test_finite_space_ends_or_goes_on()


def test_contract_catches_a_sampler_that_hangs() -> None:
    class Contract(SamplerContract):
        make = staticmethod(Hangs)
        exhausts = True
        seconds = 0.5

    with pytest.raises(AssertionError, match="no answer within"):
        Contract().test_finite_space_ends_or_goes_on()


def test_contract_catches_a_sampler_that_takes_what_it_declares_unsupported() -> None:
    class Contract(SamplerContract):
        make = staticmethod(Learner)
        several_goals = False
        categories_only = False

    for test in ("test_several_goals", "test_params_lie_in_a_space_of_categories"):
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            getattr(Contract(), test)()


def test_contract_covers_every_test_with_a_broken_sampler() -> None:
    caught = {test for _, test, _ in BROKEN} | {"test_finite_space_ends_or_goes_on"}
    assert caught == {name for name in dir(SamplerContract) if name.startswith("test_")}
