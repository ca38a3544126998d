"""Params that only some runs have: what decides that, and which runs or params to do without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith.errors import SpaceError
from tunesmith.expressions import Value, from_clause, parse
from tunesmith.trial import LoggedRun
from tunesmith_agent.foreign.columns import Column
from tunesmith_agent.foreign.texts import distinct

_PER_VALUE = 3
"""Runs per value of a param from which on it may be what decides about another one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The param whose value decides, and the formula."""

    decider: str
    formula: str


def conditions(
    columns: Mapping[str, Column], runs: Sequence[LoggedRun], names: Mapping[str, str]
) -> dict[str, Condition]:
    """For each param that some runs lack: what its presence follows from in all of them.

    `names` are the params' names in the space. Params without an entry are always there, or lack a
    reason.
    """
    everywhere = {run.id for run in runs}
    found = {}
    for name, column in columns.items():
        if everywhere <= column.values.keys():
            continue
        options = [
            (len(other.values), -len(set(map(repr, other.among(runs)))), condition)
            for other in columns.values()
            if other is not column and _is_word(names[other.name])
            if (condition := _condition(column, other, everywhere, names[other.name]))
        ]
        if options:
            found[name] = max(options, key=lambda option: option[:2])[2]
    return found


def _is_word(name: str) -> bool:
    """Whether formulas can hold the name: `lambda` they cannot."""
    try:
        return parse(name).names == {name}
    except SpaceError:
        return False


def _condition(column: Column, other: Column, runs: set[str], name: str) -> Condition | None:
    """The condition on the other param, where it alone decides whether this one is there."""
    present = runs & column.values.keys()
    around = runs & other.values.keys()
    absent = around - present
    if not present <= around or len(present) < 2 or len(absent) < 2:
        return None
    yes = distinct([other.values[run] for run in present])
    no = distinct([other.values[run] for run in absent])
    if other.numeric:
        formula = _threshold(name, yes, no)
        return Condition(other.name, formula) if formula else None
    if set(map(repr, yes)) & set(map(repr, no)):
        return None
    if len(around) < _PER_VALUE * (len(yes) + len(no)):
        return None
    clause: Value | list[Value] = yes[0] if len(yes) == 1 else yes
    return Condition(other.name, parse(from_clause({name: clause})).text)


def _threshold(name: str, yes: list[Value], no: list[Value]) -> str | None:
    if not all(isinstance(value, int) for value in (*yes, *no)):
        return None
    # sorted, each of them
    if no[-1] < yes[0]:  # type: ignore[operator]
        return f"{name} >= {yes[0]}"
    return f"{name} <= {yes[-1]}" if yes[-1] < no[0] else None  # type: ignore[operator]


def complete(
    columns: Mapping[str, Column],
    found: Mapping[str, Condition],
    runs: Sequence[LoggedRun],
) -> list[LoggedRun]:
    """The runs that have all params but those that a condition explains."""
    needed = [column.values for name, column in columns.items() if name not in found]
    return [run for run in runs if all(run.id in values for values in needed)]


def to_drop(
    columns: Mapping[str, Column],
    found: Mapping[str, Condition],
    runs: Sequence[LoggedRun],
) -> str | None:
    """The param without which most values are left, runs times params; None: keep them all."""
    kept = len(complete(columns, found, runs)) * len(columns)
    best, worst = kept, None
    for name, column in columns.items():
        if name in found or all(run.id in column.values for run in runs):
            continue
        others = {other: columns[other] for other in columns if other != name}
        left = len(complete(others, found, runs)) * len(others)
        if left > best:
            best, worst = left, name
    return worst
