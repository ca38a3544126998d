"""One logged param over all runs: what it holds, and whether it can be tuned at all."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from tunesmith.errors import SpaceError
from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.space import describe
from tunesmith.trial import LoggedRun
from tunesmith_agent.foreign.distributions import parameter_of
from tunesmith_agent.foreign.texts import distinct, is_number, listed, shown, value_of

_FEW = 8
"""Up to so many different numbers may stand beside null or texts as choices."""
_MANY = 10
"""Runs with numbers from which on a single text is not a choice but a slip."""
_CHOICES = 10
_LONGEST = 200
_SEED = re.compile(r"(.*[_.])?(random_state|seed|random_seed)", re.IGNORECASE)
_CLOCKS = ((1e9, 4e9), (1e12, 4e12))
"""Unix time in seconds and in milliseconds, 2001 to 2096."""


@dataclass(frozen=True)
class Column:
    """A param by run id; runs that lack it are not there. `given` is what Optuna said about it."""

    name: str
    values: dict[str, Value]
    given: Parameter | None = None
    note: str = ""

    @cached_property
    def numeric(self) -> bool:
        """Whether it is a range; else it is a set of choices."""
        if self.given:
            return not isinstance(self.given, Categorical)
        return all(is_number(value) for value in self.values.values())

    def among(self, runs: Sequence[LoggedRun]) -> list[Value]:
        """The values in these runs, in their order."""
        return [self.values[run.id] for run in runs if run.id in self.values]


def column(name: str, scored: Sequence[LoggedRun], others: Sequence[LoggedRun]) -> Column:
    """The param as the scored runs have it, with the values of other runs that are of its kind."""
    found = _given(name, scored) or _plain(name, scored)
    added = {run.id: value_of(run.params[name]) for run in others if name in run.params}
    if found.given:
        texts = _texts(found.given)
        added = {run: texts.get(str(value), value) for run, value in added.items()}
        added = {run: value for run, value in added.items() if found.given.contains(value)}
    elif found.numeric:
        added = {run: value for run, value in added.items() if is_number(value)}
    return replace(found, values=found.values | added)


def _given(name: str, runs: Sequence[LoggedRun]) -> Column | None:
    """The param as Optuna's tags describe it, where all values agree with them."""
    key = f"{name}_distribution"
    given = parameter_of([run.tags[key] for run in runs if key in run.tags])
    if given is None:
        return None
    texts = _texts(given)
    having = {run.id: run.params[name] for run in runs if name in run.params}
    values = {run: texts.get(text, value_of(text)) for run, text in having.items()}
    fits = all(given.contains(value) for value in values.values())
    return Column(name, values, given) if fits else None


def _texts(given: Parameter) -> dict[str, Value]:
    return {str(choice): choice for choice in getattr(given, "choices", ())}


def _plain(name: str, runs: Sequence[LoggedRun]) -> Column:
    """The param by its texts; runs with null or a text among many numbers have no value of it."""
    values = {run.id: value_of(run.params[name]) for run in runs if name in run.params}
    numbers = {run: value for run, value in values.items() if is_number(value)}
    odd = [value for run, value in values.items() if run not in numbers]
    stray = len(odd) == 1 and odd[0] is not None and len(numbers) >= _MANY
    if not odd or len(odd) >= len(numbers) or not (stray or len(set(numbers.values())) > _FEW):
        return Column(name, values)
    names = listed([_quoted(value) for value in distinct(odd)], 4)
    return Column(name, numbers, note=f"{names} among its numbers is taken as no value")


def _quoted(value: Value) -> str:
    return (
        "null" if value is None else f"'{shown(value)}'" if isinstance(value, str) else str(value)
    )


def constant(found: Column, runs: Sequence[LoggedRun]) -> str | None:
    """`name = value` where the runs have one value at most."""
    if found.given and found.given.levels != 1:
        return None
    values = distinct(found.among(runs))
    if len(values) > 1:
        return None
    return f"{shown(found.name)} = {_quoted(values[0])}" if values else shown(found.name)


def why_not_tuned(found: Column, runs: Sequence[LoggedRun]) -> str | None:
    """Why a param that varies is nothing to tune: a seed, a time, an id or a path."""
    if found.given:
        return None
    values = found.among(runs)
    different = distinct(values)
    if _SEED.fullmatch(found.name):
        return "is a seed"
    if found.numeric:
        return "is a time" if _is_clock(values) else None
    if len(different) == len(values) and len(values) > 4:
        return "is different in every run"
    if len(different) > max(_CHOICES, len(values) / 3):
        return f"has {len(different)} different values"
    if any(isinstance(value, str) and len(value) > _LONGEST for value in different):
        return f"has texts of more than {_LONGEST} characters"
    return None


def _is_clock(values: Sequence[Value]) -> bool:
    numbers = [float(value) for value in values if is_number(value)]  # type: ignore[arg-type]
    return any(all(low < number < high for number in numbers) for low, high in _CLOCKS)


def why_no_dimension(found: Column, runs: Sequence[LoggedRun]) -> str | None:
    """What is wrong with the values, where they fit no dimension."""
    try:
        parameter(found, runs)
    except SpaceError as error:
        return f"fits no range: {error}"
    return None


def parameter(found: Column, runs: Sequence[LoggedRun]) -> tuple[Parameter, str]:
    """The param's dimension over the runs, and in words what it was taken from.

    Raises SpaceError where the values fit no dimension.
    """
    values = distinct(found.among(runs))
    if found.given:
        made, why = found.given, "as Optuna's distribution says"
    elif not found.numeric:
        made, why = Categorical(values), "the values that were logged"
    else:
        made, why = _range(found.among(runs))
    reasons = "; ".join(reason for reason in (why, found.note) if reason)
    return made, describe(made) + (f": {reasons}" if reasons else "")


def _range(values: Sequence[Value]) -> tuple[Parameter, str]:
    from tunesmith_agent.foreign._scales import is_log

    numbers: list[float] = [value for value in values if is_number(value)]  # type: ignore[misc]
    low, high = min(numbers), max(numbers)
    kind = Int if all(isinstance(number, int) for number in numbers) else Float
    kind(low, high)  # type: ignore[arg-type]  # refuses what is too wide for any arithmetic
    log, why = is_log(numbers)
    if kind is Float:
        return Float(_outwards(low, math.floor), _outwards(high, math.ceil), log=log), why
    whole = sorted({int(number) for number in numbers})
    step = None if log else _step(whole)
    if step:
        why = f"all values are {step} apart, or a multiple of that"
    elif log and len(whole) <= _FEW:
        why += "; those between are taken as possible too"
    return Int(int(low), int(high), log=log, step=step), why


def _outwards(bound: float, whole: Callable[[float], int]) -> float:
    """The bound in three digits, rounded by `whole`; as it is where 1 would be reached by it."""
    if bound == 0 or float(f"{bound:.3g}") == bound:
        return bound
    digits = 2 - math.floor(math.log10(abs(bound)))
    try:
        found = float(f"{whole(bound * 10.0**digits)}e{-digits}")
    except OverflowError:
        return bound
    return found if math.isfinite(found) and abs(found) != 1 else bound


def _step(values: Sequence[int]) -> int | None:
    """What lies between neighbours, where that is hardly an accident."""
    gaps = [after - before for before, after in pairwise(values)]
    step = math.gcd(*gaps)
    return step if step > 1 and len(gaps) * math.log(step) > math.log(100) else None
