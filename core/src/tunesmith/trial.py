"""What a study produces: trials, the rounds they belong to, and which of them is best."""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tunesmith.space import Params, SearchSpace


class TrialState(StrEnum):
    """How a trial stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


class Origin(StrEnum):
    """Who chose a trial's params."""

    DEFAULT = "default"
    SAMPLER = "sampler"
    RETRY = "retry"
    USER = "user"
    EXPLORATION = "exploration"
    """Drawn from the spaces before and after a proposal: it may lie outside the round's space."""


class Direction(StrEnum):
    """Which way a metric is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


INTERRUPTED = "interrupted"
"""Error of a trial that was in flight when its round was cancelled or its process died; it does not
count.
"""


@dataclass(frozen=True, slots=True)
class Goal:
    """A metric and the direction in which it is better."""

    metric: str
    direction: Direction

    def loss(self, metrics: Mapping[str, float]) -> float:
        """The metric as something to minimise."""
        value = metrics[self.metric]
        return -value if self.direction is Direction.MAXIMIZE else value


@dataclass(frozen=True, slots=True)
class Step:
    """A metric's value in the middle of a trial."""

    metric: str
    step: int
    value: float


Rule = Callable[[Sequence[Step]], str | None]
"""Given all that a trial has reported so far: why it is not worth finishing, or None."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluation.

    `started` and `finished` are Unix seconds; numbers count through the whole study. `violation`
    is by how much a complete trial breaks the limits of its round, 0 where it keeps them.
    """

    number: int
    round: int
    params: Params
    state: TrialState
    metrics: dict[str, float] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    seed: int = 0
    error: str | None = None
    origin: Origin = Origin.SAMPLER
    started: float | None = None
    finished: float | None = None
    violation: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether the trial uses up budget: finished, and not merely interrupted."""
        return self.state is not TrialState.RUNNING and self.error != INTERRUPTED

    @property
    def seconds(self) -> float | None:
        """How long it ran; None before its end."""
        return (
            None if self.started is None or self.finished is None else self.finished - self.started
        )


@dataclass(slots=True)
class Round:
    """One run of a study over one space version with one sampler and one budget.

    `trials` are the finished ones so far; `reason` says why the round ended, None while it runs.
    `proposal` is the one whose approval led to its space, or to its exploration. `dataset` is the
    data's fingerprint, and `dataset_version` what was known at its start of where the data is from.
    """

    number: int
    space_version: int
    space: SearchSpace
    sampler: dict[str, Any]
    objective: dict[str, Any]
    goals: tuple[Goal, ...]
    seed: int
    budget: dict[str, Any]
    dataset: str | None = None
    commit: str | None = None
    started: float | None = None
    finished: float | None = None
    reason: str | None = None
    final: dict[str, float] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    proposal: int | None = None
    limits: tuple[str, ...] = ()
    dataset_version: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """What anybody logged about one evaluation, params as text; tunesmith need not have made it.

    `dataset` is a digest of the data, where it was logged, `parent` the id of the run that this one
    is part of. Times are Unix seconds.
    """

    id: str
    params: dict[str, str]
    metrics: dict[str, float]
    state: TrialState
    error: str | None = None
    started: float | None = None
    finished: float | None = None
    dataset: str | None = None
    parent: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


def is_scored(trial: Trial, goals: Sequence[Goal]) -> bool:
    """Whether the trial is complete with a finite value for every goal."""
    return trial.state is TrialState.COMPLETE and all(
        math.isfinite(trial.metrics.get(goal.metric, math.nan)) for goal in goals
    )


def pareto_front(trials: Iterable[Trial], goals: Sequence[Goal]) -> list[Trial]:
    """The scored trials that no other one dominates, the best in the first goal first.

    Those that break limits are left out. One trial dominates another if it is better in a goal and
    worse in none. With one goal the front is the best trial and those that tie with it.
    """
    scored = sorted(
        (
            (tuple(goal.loss(trial.metrics) for goal in goals), trial)
            for trial in trials
            if is_scored(trial, goals) and not trial.violation
        ),
        key=lambda pair: (pair[0], pair[1].number),
    )
    front: list[tuple[tuple[float, ...], Trial]] = []
    for losses, trial in scored:
        if not any(_dominates(other, losses) for other, _ in front):
            front.append((losses, trial))
    return [trial for _, trial in front]


def ranking(trials: Iterable[Trial], goals: Sequence[Goal]) -> list[Trial]:
    """The scored trials, best first; with several goals one Pareto front after the other.

    Behind them those that break limits, by how much (as in Deb 2000).
    """
    scored, found = [trial for trial in trials if is_scored(trial, goals)], []
    left = [trial for trial in scored if not trial.violation]
    broken = [trial for trial in scored if trial.violation]
    broken.sort(key=lambda trial: (trial.violation, trial.number))
    if len(goals) == 1:
        left.sort(key=lambda trial: (goals[0].loss(trial.metrics), trial.number))
        return left + broken
    while left:
        front = pareto_front(left, goals)
        taken = {trial.number for trial in front}
        found += front
        left = [trial for trial in left if trial.number not in taken]
    return found + broken


def _dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def best_trial(trials: Iterable[Trial], goals: Sequence[Goal]) -> Trial | None:
    """The first of the Pareto front: with one goal the best trial, the earliest of equals.

    None before any is scored and keeps the limits.
    """
    front = pareto_front(trials, goals)
    return front[0] if front else None


def trial_seed(seed: int, number: int) -> int:
    """A trial's seed, 31 bits, from the study's seed and the trial's number alone."""
    digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
