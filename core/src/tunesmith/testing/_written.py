"""What the tracker contract writes: a study, rounds, and trials with all that gets lost easily."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tunesmith.expressions import Value
from tunesmith.study import Study
from tunesmith.testing.rounds import make_round
from tunesmith.trial import Direction, Origin, Round, Step, Trial, TrialState

START = 1_790_000_000.25

LOOKALIKES: tuple[Value, ...] = (
    *(1, 1.0, "1", "1.0", True, "True", "true", False, 0, 0.0, -0.0, "0", None, "None", "null"),
    *("", " ", "nan", "inf", "[1]", '{"a": 1}', "a\nb", "'", '"', "\\", "%s", "näïve 日本語 🙂"),
    *(2**53 + 1, -(2**63), 10**30, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1e-7),
)
"""Values that a careless tracker takes for one another."""

NUMBERS = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.7976931348623157e308, 5e-324, 0.1 + 0.2)
"""Metrics that a careless tracker changes."""

_param_names = st.from_regex(r"[A-Za-z_]\w{0,8}(\.\w{1,8}){0,2}", fullmatch=True)
_metric_names = st.text(min_size=1, max_size=20)
_times = st.none() | st.floats(1e9, 4e9)
_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=30)
)
_steps = st.builds(Step, _metric_names, st.integers(-(2**63), 2**63 - 1), st.floats())


def _trial_strategy() -> st.SearchStrategy[Trial]:
    return st.builds(
        Trial,
        number=st.integers(0, 2**31),
        round=st.just(1),
        params=st.dictionaries(_param_names, _values, max_size=5),
        state=st.sampled_from([TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED]),
        metrics=st.dictionaries(_metric_names, st.floats(), max_size=4),
        steps=st.lists(_steps, max_size=5).map(tuple),
        seed=st.integers(0, 2**64),
        error=st.none() | st.text(max_size=60),
        origin=st.sampled_from(Origin),
        started=_times,
        finished=_times,
        violation=st.just(0.0) | st.floats(0, allow_infinity=False),
    )


batches = st.lists(_trial_strategy(), max_size=5, unique_by=lambda trial: trial.number)
"""Finished trials of one round, whatever they may hold."""


def a_study(name: str = "a study") -> Study:
    """A study with the space and the goal of `make_round`."""
    return Study(
        name=name,
        goals={"accuracy": Direction.MAXIMIZE},
        space=make_round(0).space,
        objective="python",
    )


def a_round(number: int = 1, started: float = START) -> Round:
    """A round that has just begun."""
    begun = make_round(0)
    begun.number, begun.started, begun.finished, begun.reason = number, started, None, None
    return begun


def some_trials(count: int, first: int = 0, round: int = 1) -> list[Trial]:
    """Finished trials in all states, numbered from `first`."""
    return [
        replace(trial, number=first + index, round=round)
        for index, trial in enumerate(make_round(count).trials)
    ]


def ended(round: Round, trials: Sequence[Trial], seconds: float = 100.0) -> Round:
    """The round at its end, so many seconds after its start."""
    final = {"test_accuracy": 0.9, "test_loss": math.nan}
    finished = (round.started or START) + seconds
    return replace(round, trials=list(trials), finished=finished, reason="done", final=final)


def exactly(trial: Trial) -> str:
    """Everything in a trial, so that types, NaN and the sign of zero count."""
    steps = [(step.metric, step.step, step.value) for step in trial.steps]
    plain = replace(
        trial,
        params=dict(sorted(trial.params.items())),
        metrics=dict(sorted(trial.metrics.items())),
        steps=(),
    )
    return f"{plain!r} {steps!r}"


def assert_same(found: Sequence[Trial], written: Sequence[Trial]) -> None:
    """Both hold the same trials, whatever their order among equals."""
    numbers = sorted(trial.number for trial in found)
    assert numbers == sorted(trial.number for trial in written), "not the trials that were written"
    pairs = zip(sorted(map(exactly, found)), sorted(map(exactly, written)), strict=True)
    for got, wanted in pairs:
        assert got == wanted
