"""Scale: does the score follow the logarithm of a parameter rather than its value?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tunesmith.errors import SpaceError
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.proposals import SetScale
from tunesmith_agent.statistics.findings import DRAWS, Findings, shown
from tunesmith_agent.statistics.snapshot import Floats, Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate

WIDE, TO_LOG, TO_LINEAR, NOT_WORSE = 100, 2.0, 4.0, -1.0
"""high/low from which a linear scale looks wrong; standard errors that a scale must win by."""
_LEAST, _MOST = 12, 300
"""Trials that a comparison of scales takes, at least and about at most."""


def set_scale(snapshot: Snapshot, findings: Findings) -> list[SetScale]:
    """Edits to the scale that the model predicts left-out trials better on.

    By 2 standard errors for a logarithm; by 4 for a linear scale, or where a range that begins at
    0 gets a floor, which cuts it. A range over more than a factor of 100 only must not be worse.
    """
    if findings.surrogate is None or not findings.depends:
        return []
    rows = np.arange(0, snapshot.count, -(-snapshot.count // _MOST))
    errors = _errors(snapshot, snapshot.x[rows], snapshot.z[rows])
    edits = []
    for column in snapshot.numeric():
        other = _other(snapshot, column)
        if other is None:
            continue
        gains = _gains(snapshot, rows, column, other, errors)
        if gains is not None and _ratio(gains) > _needed(snapshot, column, other):
            edits.append(_propose(snapshot, findings, column, other, gains))
    return edits


def _needed(snapshot: Snapshot, column: int, other: Float | Int) -> float:
    """Standard errors that the other scale must win by."""
    parameter = snapshot.parameter(column)
    assert not isinstance(parameter, Categorical)
    if _wide(parameter, other):
        return NOT_WORSE
    return TO_LOG if other.log and other.low == parameter.low else TO_LINEAR


def _ratio(gains: Floats) -> float:
    """The mean gain in standard errors."""
    error = float(gains.std(ddof=1)) / np.sqrt(len(gains))
    return float(gains.mean() / error) if error else 0.0


def _wide(parameter: Parameter, other: Float | Int) -> bool:
    """Whether the other scale is the logarithm of a range that spans more than a factor of 100."""
    assert not isinstance(parameter, Categorical)
    return other.log and parameter.low > 0 and parameter.high / parameter.low > WIDE


def _other(snapshot: Snapshot, column: int) -> Float | Int | None:
    """The parameter on the other scale; None where there is none that its default survives."""
    parameter = snapshot.parameter(column)
    assert not isinstance(parameter, Categorical)
    if parameter.step is not None:
        return None
    try:
        if parameter.log or parameter.low > 0:
            return replace(parameter, log=not parameter.log)
        floor = _floor(snapshot, column) if parameter.low == 0 else None
        if floor is None:
            return None
        if isinstance(parameter, Int):
            return replace(parameter, log=True, low=int(floor))
        return replace(parameter, log=True, low=floor)
    except SpaceError:  # the default would lie outside
        return None


def _floor(snapshot: Snapshot, column: int) -> float | None:
    """Half the smallest positive value tried, in one digit; None where a good trial has 0."""
    name = snapshot.names[column]
    values = [float(trial.params.get(name) or 0) for trial in snapshot.trials]
    good = [snapshot.trials[index].params.get(name) for index in snapshot.good]
    positive = [value for value in values if value > 0]
    if not positive or 0 in good:
        return None
    if snapshot.parameter(column).type == "int":
        return 1.0
    return float(f"{min(positive) / 2:.0e}") or None


def _gains(
    snapshot: Snapshot, rows: np.ndarray, column: int, other: Float | Int, errors: Floats
) -> Floats | None:
    """How much smaller each row's squared leave-one-out error is on the other scale.

    Of the rows that lie on it; None where they are too few. Smaller than without the parameter,
    where that wins by less: a scale that pushes all trials together only leaves it out.
    """
    x, name = snapshot.x[rows], snapshot.names[column]
    kept = np.ones(len(rows), dtype=bool)
    for index, row in enumerate(rows):
        value = snapshot.trials[row].params.get(name)
        if value is not None:
            kept[index] = other.contains(value)
            x[index, column] = other.position(value) if kept[index] else np.nan
    if kept.sum() < _LEAST:
        return None
    left, z = x[kept], snapshot.z[rows][kept]
    after = _errors(snapshot, left, z)
    gains = errors[kept] - after
    if _wide(snapshot.parameter(column), other) or _ratio(gains) <= 0:
        return gains
    left[:, column] = 0.5
    without = _errors(snapshot, left, z) - after
    return min(gains, without, key=_ratio)


def _errors(snapshot: Snapshot, x: Floats, z: Floats) -> Floats:
    model = Surrogate.of(snapshot, x, z)
    return np.asarray((model.z - model.predicted) ** 2)


def _stability(gains: Floats, least: float, rng: np.random.Generator) -> float:
    """Share of resampled trials on which the other scale still wins, or is not worse by `least`."""
    drawn = rng.choice(gains, size=(DRAWS, len(gains)))
    errors = drawn.std(axis=1, ddof=1) / np.sqrt(len(gains))
    return float(np.mean(drawn.mean(axis=1) > min(least, 0.0) * errors))


def _propose(
    snapshot: Snapshot, findings: Findings, column: int, other: Float | Int, gains: Floats
) -> SetScale:
    parameter, name, ratio = snapshot.parameter(column), snapshot.names[column], _ratio(gains)
    assert not isinstance(parameter, Categorical)
    scale = "logarithm" if other.log else "value itself"
    reach = (
        f", and its range spans a factor of {parameter.high / parameter.low:.0f}"
        if _wide(parameter, other)
        else ""
    )
    evidence = findings.add(
        "scale",
        f"{name}: from its {scale}, left-out scores are predicted "
        f"{'better' if ratio > 0 else 'worse'} by {abs(ratio):.1f} standard errors"
        f"{reach}",
        snapshot.count,
        [name],
        snapshot.coverage(column),
        standard_errors=ratio,
    )
    return SetScale(
        parameter=name,
        log=other.log,
        low=other.low if other.low != parameter.low else None,
        why=f"{name} matters by its {scale}"
        + (f"; values below {shown(other.low)} are left out" if other.low != parameter.low else ""),
        evidence=(evidence,),
        stability=round(
            _stability(gains, _needed(snapshot, column, other), findings.rng(f"scale {column}")), 3
        ),
        effect="the sampler spreads its trials where they tell more",
    )
