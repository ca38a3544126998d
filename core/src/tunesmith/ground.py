"""What edits are judged against: the trials to keep, and how much of the space is left."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any

from tunesmith.carryover import into
from tunesmith.errors import SpaceError
from tunesmith.exploration import places
from tunesmith.expressions import Expression
from tunesmith.history import History
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Trial, TrialState

_TOP = 0.1
_FAILURES, _FAILING = 15, 0.8
_GRID = 1_000


class Ground:
    """A history, and what follows from it for any edits, worked out once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.space = history.space

    @cached_property
    def points(self) -> list[Params]:
        """Configurations all over the present space."""
        return spread(self.space)

    @cached_property
    def best(self) -> list[tuple[Trial, Params]]:
        """The best trials that lie in the present space, with their params in it.

        Those among the best tenth, and in any case one where there is one.
        """
        spaces = {round.number: round.space for round in self.history.rounds}
        ranked = self.history.ranked
        top = math.ceil(len(ranked) * _TOP)
        found: list[tuple[Trial, Params]] = []
        for index, trial in enumerate(ranked):
            if index >= top and found:
                break
            try:
                found.append((trial, into(trial.params, spaces[trial.round], self.space)[0]))
            except SpaceError:
                continue
        return found

    def fails(self, rule: Expression) -> bool:
        """Whether trials have shown that what the rule describes fails."""
        hit = [trial for trial in self._inside if holds(rule, trial.params)]
        failed = sum(trial.state is TrialState.FAILED for trial in hit)
        return failed >= max(_FAILURES, _FAILING * len(hit))

    @cached_property
    def _inside(self) -> list[Trial]:
        return [trial for trial in self.history.trials if self.space.contains(trial.params)]

    def share(self, left: Callable[[Params], bool]) -> float:
        """The share of the present space that is left, by whether a point of it is."""
        return sum(map(left, self.points)) / max(len(self.points), 1)

    def original(self, name: str, now: Parameter) -> Parameter:
        """The parameter's first form, on the scale of now; now where it was of another type."""
        first = self.history.original.parameters.get(name, now)
        spaces = [self.space, *(round.space for round in self.history.rounds)]
        forms = [space.parameters.get(name) for space in spaces]
        lows = [form.low for form in forms if isinstance(form, Float | Int)]
        return _as_if(first, now, lows) if first.type == now.type else now


def spread(space: SearchSpace, count: int = 1_000) -> list[Params]:
    """The same configurations at every call, all over the space.

    Fewer than `count` where constraints exclude almost everything.
    """
    some = map(space.at, islice(places(space.conditions, Random(0)), 10 * count))
    return list(islice((params for params in some if not space.violation(params)), count))


def holds(rule: Expression, params: Params) -> bool:
    """Whether the params are what the rule describes; not where a parameter of it is missing."""
    return rule.names <= params.keys() and rule(params)


def taken(before: SearchSpace, after: SearchSpace) -> list[str]:
    """The parameters that lose values, or exist in fewer places."""
    changes = [(name, old, after.parameters[name]) for name, old in before.parameters.items()]
    return [
        name
        for name, old, new in changes
        if _loses(old, new) or (old.when != new.when and new.when is not None)
    ]


def destructive(before: SearchSpace, after: SearchSpace) -> bool:
    """Whether a parameter is given less room; a floor that a log scale needs does not count."""
    return any(
        not _repaired(before.parameters[name], after.parameters[name])
        for name in taken(before, after)
    )


def _repaired(old: Parameter, new: Parameter) -> bool:
    if isinstance(old, Categorical) or isinstance(new, Categorical) or old.when != new.when:
        return False
    return old.low <= 0 and new.log and new.high >= old.high


def _loses(before: Parameter, after: Parameter) -> bool:
    """Whether a value of `before` is not one of `after`'s."""
    if isinstance(before, Categorical):
        return not all(after.contains(choice) for choice in before.choices)
    last = before.high if before.step is None else before.at(1)
    if not (after.contains(before.low) and after.contains(last)):
        return True
    if before.levels == 1 or isinstance(after, Categorical) or after.step is None:
        return False
    # of even steps both ends and the second value stand for all
    step = before.step or (1 if isinstance(before, Int) else None)
    return step is None or not after.contains(before.low + step)


def kept(before: Parameter, after: Parameter) -> float:
    """The share of `before` that `after` has too, measured on the scale of `before`."""
    if isinstance(before, Categorical) or isinstance(after, Categorical) or before.levels == 1:
        return _counted(before, after)
    if before.step is not None or after.step is not None:
        return _counted(before, after)
    low, high = max(before.low, after.low), min(before.high, after.high)
    if low > high:
        return 0.0
    half = 0.5 if isinstance(before, Int) else 0.0
    ends = [low - half, high + half, before.low - half, before.high + half]
    a, b, c, d = [math.log(end) for end in ends] if before.log else ends
    # neighbours may have the same logarithm
    return (b - a) / (d - c) if d > c else _counted(before, after)


def width(before: Parameter, after: Parameter) -> float:
    """The width of `after` in widths of `before`, wherever the two lie; of choices, their number.

    Both are on one scale.
    """
    if isinstance(before, Categorical) or isinstance(after, Categorical):
        return (after.levels or 1) / (before.levels or 1)
    low, high = min(before.low, after.low), max(before.high, after.high)
    bounds: dict[str, Any] = {"low": low, "high": high, "hard_low": None, "hard_high": None}
    both = replace(before, default=None, **bounds)
    share = kept(both, before)
    return kept(both, after) / share if share else math.inf


def _counted(before: Parameter, after: Parameter) -> float:
    values = before.grid(_GRID)
    return sum(after.contains(value) for value in values) / len(values)


def _as_if(original: Parameter, now: Parameter, lows: Sequence[float]) -> Parameter:
    """The original range on the scale of now, to compare the two.

    Where it begins at 0 and the scale is logarithmic, at the smallest positive one of `lows`.
    """
    if isinstance(original, Categorical) or isinstance(now, Categorical):
        return original
    if original.log == now.log:
        return original
    low = original.low
    if now.log and low <= 0:
        low = min((other for other in lows if other > 0), default=now.low)
    step = None if now.log else original.step
    options: dict[str, Any] = {"low": low, "high": max(original.high, low), "step": step}
    return replace(original, log=now.log, default=None, **options)
