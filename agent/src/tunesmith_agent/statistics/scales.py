"""Scale: does the score follow the logarithm of a parameter rather than its value?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tunesmith.errors import SpaceError
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import SetScale
from tunesmith_agent.statistics.findings import Findings, shown
from tunesmith_agent.statistics.snapshot import Floats, Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate

WIDE, TO_LOG, TO_LINEAR = 100, 2.0, 4.0
"""high/low from which a linear scale looks wrong; standard errors that a scale must win by."""


def set_scale(snapshot: Snapshot, findings: Findings) -> list[SetScale]:
    """Edits to the scale that the model predicts left-out trials better on."""
    if findings.surrogate is None or not findings.depends:
        return []
    edits = []
    for column in snapshot.numeric():
        parameter = snapshot.parameter(column)
        assert not isinstance(parameter, Categorical)
        other = _other(snapshot, column)
        if other is None:
            continue
        gain, error = _gain(snapshot, column, other)
        needed = TO_LOG if other.log else TO_LINEAR
        ratio = gain / error if error else 0.0
        if ratio > needed or (_wide(parameter, other) and ratio > -1):
            edits.append(_propose(snapshot, findings, column, other, ratio))
    return edits


def _wide(parameter: Float | Int, other: Float | Int) -> bool:
    """Whether the other scale is the logarithm of a range that spans more than a factor of 100."""
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
    """The smallest positive value tried, rounded down to a digit; None where a good trial has 0."""
    name = snapshot.names[column]
    values = [float(trial.params.get(name) or 0) for trial in snapshot.trials]
    positive = [value for value in values if value > 0]
    if not positive or any(values[index] == 0 for index in snapshot.good):
        return None
    least = min(positive)
    digit = 10.0 ** np.floor(np.log10(least))
    floor = float(np.floor(least / digit) * digit)
    return floor if floor >= 1 or snapshot.parameter(column).type == "float" else 1.0


def _gain(snapshot: Snapshot, column: int, other: Float | Int) -> tuple[float, float]:
    """How much smaller the squared leave-one-out error is on the other scale, and its error."""
    x = snapshot.x.copy()
    name = snapshot.names[column]
    kept = np.ones(snapshot.count, dtype=bool)
    for row, trial in enumerate(snapshot.trials):
        if name in trial.params:
            value = trial.params[name]
            kept[row] = other.contains(value)
            x[row, column] = other.position(value) if kept[row] else np.nan
    if kept.sum() < 12:
        return 0.0, 0.0
    kept &= np.arange(snapshot.count) % -(-snapshot.count // 400) == 0
    before = _errors(snapshot, snapshot.x[kept], snapshot.z[kept])
    after = _errors(snapshot, x[kept], snapshot.z[kept])
    differences = before - after
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))


def _errors(snapshot: Snapshot, x: Floats, z: Floats) -> Floats:
    model = Surrogate.of(snapshot, x, z)
    return np.asarray((model.z - model.predicted) ** 2)


def _propose(
    snapshot: Snapshot, findings: Findings, column: int, other: Float | Int, ratio: float
) -> SetScale:
    parameter, name = snapshot.parameter(column), snapshot.names[column]
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
        effect="the sampler spreads its trials where they tell more",
    )
