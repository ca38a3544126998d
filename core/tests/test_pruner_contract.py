"""Every test of the pruner contract catches the pruner that it is there for."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tunesmith.components import Pruner
from tunesmith.pruners import Asha, Hyperband, Median, Patient, Threshold
from tunesmith.testing import PrunerContract
from tunesmith.trial import Step, Trial, TrialState


class TestAsha(PrunerContract):
    make = staticmethod(lambda: Asha())


class TestHyperband(PrunerContract):
    make = staticmethod(lambda: Hyperband(max_step=27))


class TestMedian(PrunerContract):
    make = staticmethod(lambda: Median(startup_trials=3, warmup=2))


class TestPatient(PrunerContract):
    make = staticmethod(lambda: Patient(patience=5, min_delta=0.01))


class TestThreshold(PrunerContract):
    make = staticmethod(lambda: Threshold(high=50.0))
    mirrored = False


class Rules(Median):
    """A pruner as it should be, whose rules are wrapped by those below."""

    def rule(self, number: int) -> Any:
        return self.wrap(super().rule(number), number)

    def wrap(self, rule: Any, number: int) -> Any:
        return rule


class TestRules(PrunerContract):
    make = staticmethod(lambda: Rules())


class NeedsReports(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: rule(steps) if steps[0] else None


class ReadsAnyMetric(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: rule([Step("loss", each.step, each.value) for each in steps])


class LetsAllGoOn(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: None


class SaysTwoLines(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: (rule(steps) or "").replace("; ", "\n") or None


class SaysNothing(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: " " if rule(steps) else None


class NeedsNumbers(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: rule(steps) if [int(each.value) for each in steps] else None


class NeedsOrder(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        def judge(steps: Sequence[Step]) -> Any:
            assert [each.step for each in steps] == sorted(each.step for each in steps)
            return rule(steps)

        return judge


class LearnsOnlyNumbers(Rules):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        self._whole = [int(step.value) for trial in trials for step in trial.steps]


class SortsReports(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        def judge(steps: list[Step]) -> Any:
            steps.sort(key=lambda step: step.step)
            return rule(steps)

        return judge


class NeedsMetrics(Rules):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        assert all(trial.metrics["loss"] > 0 for trial in trials)


class NeedsSteps(Rules):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        assert all(trial.steps[0] for trial in trials if trial.state is TrialState.COMPLETE)


class RemembersTheLastTell(Rules):
    def tell(self, trials: Sequence[Trial]) -> None:
        self._bests.clear()
        super().tell(trials)


class EndsSomeByTheSharedGenerator(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        lucky = random.random() < 0.5
        return lambda steps: None if lucky else rule(steps)


class EndsSomeByHash(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        lucky = hash(f"{number}") % 2
        return lambda steps: None if lucky else rule(steps)


class Stays(Rules):
    """Its rules cannot be sent."""

    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: rule(steps)


@dataclass
class Worse:
    """A rule that remembers, and forgets when it travels."""

    rule: Any
    known: dict[str, int] = field(default_factory=dict)

    def __call__(self, steps: Sequence[Step]) -> str | None:
        return self.rule(steps) if self.known.get("here") else None

    def __getstate__(self) -> Any:
        return {"rule": self.rule, "known": {}}


class Forgets(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return Worse(rule, {"here": 1})


class CountsRules(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        self._made = getattr(self, "_made", 0) + 1
        spared = self._made <= 5
        return lambda steps: None if spared else rule(steps)


class CountsCalls(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        calls: list[int] = []

        def judge(steps: Sequence[Step]) -> Any:
            calls.append(1)
            return rule(steps) if len(calls) % 2 else None

        return judge


class LooksAgain(Rules):
    def wrap(self, rule: Any, number: int) -> Any:
        return lambda steps: Median.rule(self, number)(steps)


class AlwaysMinimises(Rules):
    def start(self, goal: Any, seed: int) -> None:
        super().start(type(goal)(goal.metric, type(goal.direction)("minimize")), seed)


@dataclass
class Heavy:
    """A rule with all that was ever told."""

    rule: Any
    trials: list[Trial]

    def __call__(self, steps: Sequence[Step]) -> str | None:
        return self.rule(steps)


class SendsTrials(Rules):
    def tell(self, trials: Sequence[Trial]) -> None:
        self._all = [*getattr(self, "_all", []), *trials]
        super().tell(trials)

    def wrap(self, rule: Any, number: int) -> Any:
        return Heavy(rule, getattr(self, "_all", []))


EQUAL = "test_equal_seeds_and_tells_give_equal_rules"
BROKEN: list[tuple[type[Pruner], str, tuple[str, ...]]] = [
    (NeedsReports, "test_a_trial_without_reports_goes_on", ()),
    (ReadsAnyMetric, "test_reports_of_other_metrics_end_nothing", ()),
    (LetsAllGoOn, "test_ends_a_trial_that_is_far_worse_than_others", ()),
    (SaysTwoLines, "test_the_reason_is_one_line", ()),
    (SaysNothing, "test_the_reason_is_one_line", ()),
    (NeedsNumbers, "test_takes_any_reports", ()),
    (NeedsOrder, "test_takes_any_reports", ()),
    (LearnsOnlyNumbers, "test_learns_from_any_reports", ()),
    (SortsReports, "test_leaves_the_reports_as_they_are", ()),
    (NeedsMetrics, "test_takes_trials_that_ended_in_any_way", ("pruned",)),
    (NeedsMetrics, "test_takes_trials_that_ended_in_any_way", ("failed",)),
    (NeedsSteps, "test_takes_trials_that_ended_in_any_way", ("no steps",)),
    (RemembersTheLastTell, "test_trials_may_be_told_at_once_or_one_by_one", ()),
    (EndsSomeByTheSharedGenerator, EQUAL, ()),
    (EndsSomeByHash, f"{EQUAL}_in_another_process", ()),
    (Stays, "test_a_rule_judges_alike_in_another_process", ()),
    (Forgets, "test_a_rule_judges_alike_in_another_process", ()),
    (CountsRules, "test_rules_made_beside_it_change_nothing", ()),
    (CountsCalls, "test_rules_made_beside_it_change_nothing", ()),
    (LooksAgain, "test_a_rule_stays_as_it_was_when_more_is_told", ()),
    (AlwaysMinimises, "test_both_directions_are_mirrored", ()),
    (SendsTrials, "test_a_rule_is_small_enough_to_travel_with_each_trial", ()),
]


def contract_of(broken: Callable[[], Pruner]) -> PrunerContract:
    return type("Contract", (PrunerContract,), {"make": staticmethod(broken)})()


@pytest.mark.usefixtures("first_counterexample")
@pytest.mark.parametrize(
    ("broken", "test", "arguments"), BROKEN, ids=lambda value: getattr(value, "__name__", None)
)
def test_contract_catches(broken: type[Pruner], test: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises((ArithmeticError, AssertionError, AttributeError, LookupError, ValueError)):
        getattr(contract_of(broken), test)(*arguments)


def test_contract_covers_every_test_with_a_broken_pruner() -> None:
    caught = {test for _, test, _ in BROKEN}
    assert caught == {name for name in dir(PrunerContract) if name.startswith("test_")}
