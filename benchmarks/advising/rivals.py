"""What people do without an advisor, and what nobody can do: spaces for the next round by hand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from advising.problems import Problem, around
from tunesmith.history import History
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.space import SearchSpace
from tunesmith_agent.statistics.edges import Side, beyond

ByHand = Callable[[History], SearchSpace]


def leaning(task: Problem) -> ByHand:
    """Widens by one step where the median of the best fifth lies in the outer fifth."""

    def revise(history: History) -> SearchSpace:
        changed = dict(history.space.parameters)
        for name, each, places in _numbers(history, share=5):
            middle = float(np.median(places))
            side: Side | None = "high" if middle > 0.8 else "low" if middle < 0.2 else None
            if side:
                changed[name] = _widened(task, name, each, side)
        return SearchSpace(changed)

    return revise


def box(task: Problem) -> ByHand:
    """Shrinks to the box of the best tenth and a tenth of the width around it."""

    def revise(history: History) -> SearchSpace:
        changed = dict(history.space.parameters)
        for name, each, places in _numbers(history, share=10):
            low, high = each.at(max(min(places) - 0.1, 0)), each.at(min(max(places) + 0.1, 1))
            default = None if each.default is None else min(max(each.default, low), high)
            changed[name] = replace(each, low=low, high=high, default=default)  # type: ignore[arg-type]
        return SearchSpace(changed)

    return revise


def anything(task: Problem) -> ByHand:
    """Widens edges drawn at random."""

    def revise(history: History) -> SearchSpace:
        random = Random(f"{history.seed}/{len(history.trials)}")
        changed = dict(history.space.parameters)
        for name, each in history.space.parameters.items():
            if not isinstance(each, Categorical) and random.random() < 0.3:
                side: Side = random.choice(("low", "high"))
                changed[name] = _widened(task, name, each, side)
        return SearchSpace(changed)

    return revise


def oracle(task: Problem, best: Mapping[str, Any]) -> ByHand:
    """The box of half the full width around the best point known."""
    return lambda history: around(task.limits, best)


def _numbers(history: History, share: int) -> list[tuple[str, Float | Int, list[float]]]:
    """Each number with the positions of the best trials, one in `share` of them."""
    good = history.ranked[: max(5, len(history.ranked) // share)]
    found = []
    for name, each in history.space.parameters.items():
        places = [each.position(trial.params[name]) for trial in good if name in trial.params]
        if not isinstance(each, Categorical) and len(places) >= 3:
            found.append((name, each, places))
    return found


def _widened(task: Problem, name: str, each: Float | Int, side: Side) -> Parameter:
    limit = task.limits.parameters[name]
    assert not isinstance(limit, Categorical)
    bound = beyond(each, side, 1)
    if side == "low":
        return replace(each, low=min(max(bound, limit.low), each.low))  # type: ignore[arg-type]
    return replace(each, high=max(min(bound, limit.high), each.high))  # type: ignore[arg-type]
