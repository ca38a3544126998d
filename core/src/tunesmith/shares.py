"""How much of a parameter, and of a space, a change leaves."""

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from tunesmith.parameters import Categorical, Int, Parameter
from tunesmith.space import Params, SearchSpace

_DRAWS = 10_000
_GRID = 1_000
_CELLS = 20


def loses(before: Parameter, after: Parameter) -> bool:
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


def destructive(before: SearchSpace, after: SearchSpace) -> bool:
    """Whether the change takes away anything: a value, a combination, where a parameter exists."""
    if set(after.forbid) - set(before.forbid):
        return True
    return any(
        loses(old, new) or (old.when != new.when and new.when is not None)
        for old, new in ((old, after.parameters[name]) for name, old in before.parameters.items())
    )


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


def _counted(before: Parameter, after: Parameter) -> float:
    values = before.grid(_GRID)
    return sum(after.contains(value) for value in values) / len(values)


def as_if(original: Parameter, now: Parameter, lows: Sequence[float]) -> Parameter:
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


def points(space: SearchSpace, count: int = 1_000) -> list[Params]:
    """The same configurations at every call, spread over the space.

    Fewer than `count` where constraints exclude almost everything.
    """
    random = Random(0)
    found: list[Params] = []
    for _ in range(_DRAWS):
        params = space.at({name: random.random() for name in space.conditions})
        if space.violation(params) is None:
            found.append(params)
        if len(found) == count:
            break
    return found


def reached(parameter: Parameter, name: str, points: Sequence[tuple[Params, bool]]) -> float:
    """The share of a parameter's range in which some of the points are left.

    Each point comes with whether it is left. The range is looked at in twentieths, or values.
    """
    cells = min(parameter.levels or _CELLS, _CELLS)
    there: set[int] = set()
    alive: set[int] = set()
    for params, left in points:
        if name in params:
            cell = min(int(parameter.position(params[name]) * cells), cells - 1)
            there.add(cell)
            alive |= {cell} if left else set()
    return len(alive) / len(there) if there else 1.0
