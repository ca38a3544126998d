"""The exploration arm of a round: points spread over the spaces before and after a proposal."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from random import Random

from tunesmith.edits import apply
from tunesmith.expressions import Value
from tunesmith.history import Reviewed
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.proposals import Tier
from tunesmith.space import Params, SearchSpace

_MISSES = 1000
"""Points in a row that may lie in none of the spaces before one is drawn from the first."""


def spaces_of(reviewed: Reviewed, versions: Mapping[int, SearchSpace]) -> list[SearchSpace]:
    """What an applied proposal has explored: the new space, the old one, and one a test.

    `versions` are the spaces of the lineage by number.
    """
    assert reviewed.version is not None
    old = versions[reviewed.proposal.space_version]
    tests = [edit for edit in reviewed.approved if edit.tier is Tier.WORTH_TESTING]
    return [versions[reviewed.version], old, *(apply(old, [edit]) for edit in tests)]


def points(spaces: Sequence[SearchSpace], seed: int) -> Iterator[Params]:
    """Points spread evenly over the union of the spaces, on its scales, and without end.

    Equal seeds give equal points. Those in none of the spaces are passed over.
    """
    forms: dict[str, list[Parameter]] = {}
    for space in spaces:
        for name, parameter in space.parameters.items():
            forms.setdefault(name, []).append(parameter)
    scales = {name: _scale(found) for name, found in forms.items()}
    random = Random(seed)
    misses = 0
    for place in places(scales, random):
        values = {name: scales[name](position) for name, position in place.items()}
        inside = (params for space in spaces if (params := _within(space, values)) is not None)
        found = next(inside, None)
        misses = misses + 1 if found is None else 0
        if misses == _MISSES:
            found, misses = spaces[0].sample(random), 0
        if found is not None:
            yield found


def places(names: Collection[str], random: Random) -> Iterator[dict[str, float]]:
    """Positions in [0, 1) by name, spread evenly and without end from a start drawn at random.

    They follow the additive recurrence R_d (M. Roberts, "The Unreasonable Effectiveness of
    Quasirandom Sequences", 2018): steps are powers of 1/g, where g is the positive root of
    x^(d+1) = x + 1, irrational and as far from fractions and from one another as can be.
    """
    root = 1.0
    for _ in range(64):
        root = math.pow(1 + root, 1 / (len(names) + 1))
    starts = [random.random() for _ in names]
    for index in count(1):
        yield {
            name: (start + index * root**-power) % 1
            for power, (name, start) in enumerate(zip(names, starts, strict=True), 1)
        }


def _scale(forms: Sequence[Parameter]) -> Callable[[float], Value]:
    """From [0, 1) onto all values that a parameter has in one of its forms."""
    choices = [form.choices for form in forms if isinstance(form, Categorical)]
    if choices:
        union = {repr(choice): choice for some in choices for choice in some}
        return Categorical(list(union.values())).at
    hull = _hull([form for form in forms if not isinstance(form, Categorical)])
    if hull:
        return hull.at
    # nothing spans them: each has an equal part
    return lambda position: forms[int(position * len(forms))].at(position * len(forms) % 1)


def _hull(forms: Sequence[Float | Int]) -> Float | Int | None:
    """The range that spans the ranges, on a log scale if one of them is; None for mixed steps."""
    first, log = forms[0], any(form.log for form in forms)
    if any(form.step != first.step for form in forms) or (log and first.step):
        return None
    # a range that begins at 0 or below has no end on a log scale: the others' low will do
    lows = [form.low for form in forms if form.low > 0 or not log]
    high = max(form.high for form in forms)
    if isinstance(first, Int):
        hull: Float | Int = Int(int(min(lows)), int(high), log=log, step=first.step)
    else:
        hull = Float(min(lows), high, log=log, step=first.step)
    return hull if all(hull.contains(form.low) for form in forms if form.low in lows) else None


def _within(space: SearchSpace, values: Mapping[str, Value]) -> Params | None:
    """Those of the values that apply in this space; None where they are outside."""
    params: Params = {}
    for name in space.conditions:
        if space.is_active(name, params):
            if not space.parameters[name].contains(values[name]):
                return None
            params[name] = values[name]
    return params if space.violation(params) is None else None
