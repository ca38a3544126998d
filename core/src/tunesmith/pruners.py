"""When a trial is not worth finishing: asha, hyperband, median, patient, threshold.

A rule is made of what is known when a trial begins and travels with it to its worker, so that no
worker has to ask back, wherever it runs. It knows nothing of trials that run beside it.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median_low
from typing import TYPE_CHECKING

from tunesmith.components import Pruner
from tunesmith.errors import PluginError

if TYPE_CHECKING:
    from tunesmith.trial import Goal, Rule, Step, Trial


@dataclass(frozen=True, slots=True)
class Limits:
    """Prunes a trial that is worse than the limit of its step, which is a loss.

    A limit holds from its step to the next one; with `once` it is looked at where a trial first
    gets there. `among` says whose limit it is.
    """

    goal: Goal
    limits: Mapping[int, float]
    among: str
    once: bool = False

    def __call__(self, steps: Sequence[Step]) -> str | None:
        own = [step for step in steps if step.metric == self.goal.metric]
        marks = sorted(self.limits)
        place = bisect_right(marks, own[-1].step) - 1 if own else -1
        if place < 0:
            return None
        mark = marks[place]
        if self.once and any(step.step >= mark for step in own[:-1]):
            return None
        loss = own[-1:] if self.once else own
        best = min(_loss(self.goal, step) for step in loss)
        if best <= self.limits[mark]:
            return None
        limit = self.goal.loss({self.goal.metric: self.limits[mark]})
        return f"{_value(own[-1])}; {self.among} {limit:.6g} or better"


@dataclass(frozen=True, slots=True)
class Standstill:
    """Prunes a trial that has not become better by `least` in its last `patience` reports."""

    goal: Goal
    patience: int
    least: float

    def __call__(self, steps: Sequence[Step]) -> str | None:
        losses = [_loss(self.goal, step) for step in steps if step.metric == self.goal.metric]
        before, since = losses[: -self.patience], losses[-self.patience :]
        if not before or min(since) < min(before) - self.least:
            return None
        return f"no better {self.goal.metric} in {self.patience} reports"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Prunes a trial whose metric leaves a range, or is no number."""

    goal: Goal
    low: float
    high: float
    warmup: int

    def __call__(self, steps: Sequence[Step]) -> str | None:
        last = steps[-1] if steps else None
        if last is None or last.metric != self.goal.metric or last.step < self.warmup:
            return None
        inside = self.low <= last.value <= self.high
        return None if inside else f"{_value(last)} is outside {self.low:g} to {self.high:g}"


class Asha(Pruner):
    """Successive halving without waiting: only the best share of trials goes on at each rung.

    Rungs are at `min_step`, `min_step * factor`, … A trial that reaches one goes on if it is among
    the best 1 / `factor` of those that reached it before (Li et al., MLSys 2020).
    """

    min_step: int = 1
    """The step of the first rung; before it no trial is ended."""
    factor: int = 3
    """Of so many trials at a rung one goes on; rungs are as many times further apart."""

    def start(self, goal: Goal, seed: int) -> None:
        _check(self.min_step >= 1, f"min_step {self.min_step} is below 1")
        _check(self.factor >= 2, f"factor {self.factor} keeps all trials; take 2 or more")
        self._goal = goal
        self._rungs: dict[int, list[float]] = defaultdict(list)

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._climb(self._rungs, trial, self.min_step)

    def rule(self, number: int) -> Rule:
        return self._limits(self._rungs)

    def _climb(self, rungs: dict[int, list[float]], trial: Trial, rung: int) -> None:
        for step in _steps(trial, self._goal):
            while step.step >= rung:
                insort(rungs[rung], _loss(self._goal, step))
                rung *= self.factor

    def _limits(self, rungs: Mapping[int, list[float]]) -> Limits:
        found = {
            rung: losses[len(losses) // self.factor - 1]
            for rung, losses in rungs.items()
            if len(losses) >= self.factor
        }
        return Limits(self._goal, found, f"the best 1/{self.factor} had", True)


class Hyperband(Asha):
    """Several successive halvings side by side, some of which leave slow starters more time.

    Trials are dealt to brackets; the first bracket has its first rung at `min_step`, each other one
    `factor` times later (Li et al., JMLR 2018).
    """

    max_step: int = 81
    """The last step that trials report."""

    def start(self, goal: Goal, seed: int) -> None:
        super().start(goal, seed)
        _check(self.max_step > self.min_step, f"max_step {self.max_step} is below min_step")
        self._seed = seed
        self._brackets: list[dict[int, list[float]]] = [
            defaultdict(list)
            for _ in range(int(math.log(self.max_step / self.min_step, self.factor) + 1e-9) + 1)
        ]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            bracket = self._bracket(trial.number)
            self._climb(self._brackets[bracket], trial, self.min_step * self.factor**bracket)

    def rule(self, number: int) -> Rule:
        return self._limits(self._brackets[self._bracket(number)])

    def _bracket(self, number: int) -> int:
        """The bracket of a trial, the same whenever it is asked for; early rungs have more."""
        count = len(self._brackets)
        weights = [self.factor ** (count - 1 - index) / (count - index) for index in range(count)]
        return Random(f"{self._seed}/{number}").choices(range(count), weights)[0]


class Median(Pruner):
    """Ends a trial whose best value so far is worse than the median of the others' at that step."""

    startup_trials: int = 5
    """Trials that have to be there before one is compared with them."""
    warmup: int = 0
    """Steps in which no trial is ended."""

    def start(self, goal: Goal, seed: int) -> None:
        _check(self.startup_trials >= 1, f"startup_trials {self.startup_trials} is below 1")
        self._goal = goal
        self._bests: dict[int, list[float]] = defaultdict(list)

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            best = math.inf
            for step in _steps(trial, self._goal):
                best = min(best, _loss(self._goal, step))
                insort(self._bests[step.step], best)

    def rule(self, number: int) -> Rule:
        found = {
            step: median_low(bests)
            for step, bests in self._bests.items()
            if len(bests) >= self.startup_trials and step >= self.warmup
        }
        return Limits(self._goal, found, "half of the other trials had")


class Patient(Pruner):
    """Ends a trial that has stopped getting better, whatever others do. It counts as pruned."""

    patience: int = 10
    """Reports without a better value."""
    min_delta: float = 0.0
    """How much better a value has to be to count."""

    def start(self, goal: Goal, seed: int) -> None:
        _check(self.patience >= 1, f"patience {self.patience} is below 1")
        self._goal = goal

    def rule(self, number: int) -> Rule:
        return Standstill(self._goal, self.patience, self.min_delta)


class Threshold(Pruner):
    """Ends a trial whose metric leaves a range or is no number: one that diverges."""

    low: float | None = None
    """Smallest value that is still worth going on."""
    high: float | None = None
    """Largest value that is still worth going on."""
    warmup: int = 0
    """Steps in which no trial is ended."""

    def start(self, goal: Goal, seed: int) -> None:
        self._low = -math.inf if self.low is None else self.low
        self._high = math.inf if self.high is None else self.high
        _check(self._low < self._high, f"low {self.low} is not below high {self.high}")
        self._goal = goal

    def rule(self, number: int) -> Rule:
        return Bounds(self._goal, self._low, self._high, self.warmup)


def _check(right: bool, wrong: str) -> None:
    if not right:
        raise PluginError(f"the pruner's {wrong}")


def _steps(trial: Trial, goal: Goal) -> list[Step]:
    """What a finished trial reported of the goal; failed trials say nothing."""
    if trial.state not in ("complete", "pruned"):
        return []
    return [step for step in trial.steps if step.metric == goal.metric]


def _loss(goal: Goal, step: Step) -> float:
    value = goal.loss({goal.metric: step.value})
    return math.inf if math.isnan(value) else value


def _value(step: Step) -> str:
    return f"{step.metric} {step.value:.6g} at step {step.step}"
