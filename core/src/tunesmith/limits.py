"""Limits on metrics, which a trial must keep to be the best: `latency_ms <= 20`."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tunesmith.errors import ConfigError, SpaceError, did_you_mean
from tunesmith.expressions import parse
from tunesmith.trial import Goal, Trial, TrialState, ranking

_LEAST, _MOST = sys.float_info.min, sys.float_info.max


def canonical(limit: str) -> str:
    """The limit with spaces and numbers as everywhere.

    Raises SpaceError where it is not one comparison of arithmetic over metrics.
    """
    formula = parse(limit)
    if not formula.sides or not formula.names:
        raise SpaceError(
            f"the limit '{limit}' is not one comparison of a metric by <, <=, > or >=; "
            "write something like latency_ms <= 20"
        )
    return formula.text


def violation(limits: Sequence[str], metrics: Mapping[str, float]) -> float:
    """By how much the metrics break limits; 0 where they keep them all.

    The sum over broken limits of the excess as a share of the right side, or as it is where that
    is 0; always finite. Raises ConfigError where it cannot be judged.
    """
    return min(sum((_excess(limit, metrics) for limit in limits), 0.0), _MOST)


def _excess(limit: str, metrics: Mapping[str, float]) -> float:
    formula = parse(limit)
    missing = sorted(formula.names - metrics.keys())
    if missing:
        hint = did_you_mean(missing[0], metrics)
        raise ConfigError(f"the limit '{limit}' has no metric '{missing[0]}' to look at{hint}")
    try:
        a, b = (float(side(metrics)) for side in formula.sides)
    except ArithmeticError:
        a = b = math.nan
    if not all(map(math.isfinite, [a, b, *(metrics[name] for name in formula.names)])):
        raise ConfigError(f"the limit '{limit}' cannot be judged by {_shown(limit, metrics)}")
    if formula(metrics):
        return 0.0
    return min(max(abs(a - b) / (abs(b) or 1.0), _LEAST), _MOST)


def _shown(limit: str, metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {metrics[name]:.4g}" for name in sorted(parse(limit).names))


def judged(trial: Trial, limits: Sequence[str]) -> tuple[Trial, str | None]:
    """A trial by these limits, which may not be those of its round; only complete ones are judged.

    Where they cannot be judged it is infinitely far from them, and the second says why.
    """
    if trial.state is not TrialState.COMPLETE or not (limits or trial.violation):
        return trial, None
    try:
        return replace(trial, violation=violation(limits, trial.metrics)), None
    except ConfigError as error:
        return replace(trial, violation=math.inf), str(error)


def all_judged(trials: Iterable[Trial], limits: Sequence[str]) -> list[Trial]:
    """The trials by these limits: see `judged`."""
    return [judged(trial, limits)[0] for trial in trials]


def nearest(trials: Iterable[Trial], goals: Sequence[Goal], limits: Sequence[str]) -> str | None:
    """Which trial came nearest to limits that none keeps, in a sentence; None where some does.

    None also where no trial is scored.
    """
    first = next(iter(ranking(trials, goals)), None)
    if first is None or not first.violation:
        return None
    wrong = judged(first, limits)[1]
    if wrong:
        return f"no trial keeps the limits: {wrong}"
    broken = [limit for limit in limits if violation([limit], first.metrics)]
    told = " and ".join(f"'{limit}' with {_shown(limit, first.metrics)}" for limit in broken)
    return f"no trial keeps all limits; trial {first.number} comes nearest, but breaks {told}"
