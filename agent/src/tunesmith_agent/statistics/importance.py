"""Fix, and tune jointly: how much of the score's variation each parameter explains."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.expressions import Value
from tunesmith.parameters import Categorical
from tunesmith.proposals import Fix, Widen
from tunesmith_agent.statistics.choices import rope
from tunesmith_agent.statistics.findings import Findings, shown
from tunesmith_agent.statistics.snapshot import Floats, Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

UNIMPORTANT, TENTHS = 0.02, 5
TOGETHER, TOGETHER_LOW = 0.05, 0.02
BRANCH, OTHER_BRANCH, BRANCH_TRIALS = 0.05, 0.01, 15
BOOTSTRAPS = 20
"""Each costs an importance evaluation; the largest of 20 is a 95% bound (order statistics)."""
_GRID = np.linspace(0.05, 0.95, 10)


def fix(snapshot: Snapshot, findings: Findings, widened: list[Widen]) -> list[Fix]:
    """Edits that stop tuning what makes no difference, globally and among the better half."""
    model = findings.surrogate
    if model is None or not findings.depends or not snapshot.enough_to_cut or model.rho < 0.3:
        return []
    leaning = {edit.parameter for edit in widened}
    columns = [column for column in snapshot.tuned if snapshot.names[column] not in leaning]
    candidates = [
        column
        for column in columns
        if sum(count > 0 for count in snapshot.coverage(column)) >= _tenths(snapshot, column)
        and snapshot.space.conditions[snapshot.names[column]] is None
        and _spread(snapshot, model, column) < rope(snapshot)
    ]
    if not candidates:
        return []
    bounds = _upper_bounds(snapshot, findings)
    return [
        _propose(snapshot, model, column, bounds[snapshot.names[column]], findings)
        for column in candidates
        if bounds[snapshot.names[column]] < UNIMPORTANT
    ]


def _tenths(snapshot: Snapshot, column: int) -> int:
    return min(TENTHS, snapshot.parameter(column).levels or TENTHS)


def _profile(snapshot: Snapshot, model: Surrogate, column: int) -> Floats:
    """Partial dependence (Friedman 2001, Ann. Stat. 29) of the score over good and other trials."""
    parameter = snapshot.parameter(column)
    grid = (
        (np.arange(parameter.levels) + 0.5) / parameter.levels
        if isinstance(parameter, Categorical)
        else _GRID
    )
    base = _background(snapshot)
    points = np.repeat(base, len(grid), axis=0)
    points[:, column] = np.tile(grid, len(base))
    return np.asarray(model.mean(points).reshape(len(base), len(grid)).mean(axis=0))


def _background(snapshot: Snapshot) -> Floats:
    even = np.linspace(0, snapshot.count - 1, min(snapshot.count, 30)).astype(int)
    return np.asarray(snapshot.x[np.union1d(even, snapshot.good[:10])])


def _spread(snapshot: Snapshot, model: Surrogate, column: int) -> float:
    return float(np.ptp(_profile(snapshot, model, column)))


def _upper_bounds(snapshot: Snapshot, findings: Findings) -> dict[str, float]:
    """For each parameter the largest importance over bootstraps, in all trials and the better half.

    PED-ANOVA (Watanabe et al. 2023, IJCAI), as Optuna computes it.
    """
    rng = findings.rng("importance")
    better = snapshot.order[: max(20, snapshot.count // 2)]
    largest = dict.fromkeys(snapshot.names, 0.0)
    for rows in (np.arange(snapshot.count), better):
        for _ in range(BOOTSTRAPS):
            found = importances(snapshot, rng.choice(rows, len(rows)))
            for name, value in found.items():
                largest[name] = max(largest[name], value)
    return largest


def importances(snapshot: Snapshot, rows: np.ndarray) -> dict[str, float]:
    """Share of each parameter in what parts the good trials among `rows` from the others.

    Optuna's PED-ANOVA on positions; what never varies has none.
    """
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(direction="maximize")
        study.add_trials([_as_optuna(snapshot, int(row)) for row in rows])
        evaluator = PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    finally:
        optuna.logging.set_verbosity(verbosity)
    return {name: float(np.nan_to_num(value)) for name, value in found.items()}


def _as_optuna(snapshot: Snapshot, row: int) -> FrozenTrial:
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial

    params: dict[str, Value] = {}
    distributions: dict[str, BaseDistribution] = {}
    for column, name in enumerate(snapshot.names):
        parameter, place = snapshot.parameter(column), float(snapshot.x[row, column])
        if np.isnan(place):
            continue
        if isinstance(parameter, Categorical):
            params[name] = int(place * parameter.levels)
            distributions[name] = CategoricalDistribution(range(parameter.levels))
        else:
            params[name], distributions[name] = place, FloatDistribution(0, 1)
    return create_trial(params=params, distributions=distributions, value=float(snapshot.z[row]))


def _propose(
    snapshot: Snapshot, model: Surrogate, column: int, bound: float, findings: Findings
) -> Fix:
    name, parameter = snapshot.names[column], snapshot.parameter(column)
    value: Value = parameter.default
    if value is None:
        value = _typical(snapshot, column)
    spread = _spread(snapshot, model, column)
    evidence = findings.add(
        "importance",
        f"{name} explains at most {bound:.1%} of what parts good trials from others, and the "
        f"predicted score hardly changes over its range",
        snapshot.count,
        [name],
        snapshot.coverage(column),
        importance_high=bound,
        spread=spread,
    )
    return Fix(
        parameter=name,
        value=value,
        why=f"{name} makes no difference to speak of; its value stays {shown(value)}",
        evidence=(evidence,),
        stability=1.0,
        effect="one parameter less to search",
    )


def _typical(snapshot: Snapshot, column: int) -> Value:
    """The good set's median, or its most frequent choice."""
    parameter = snapshot.parameter(column)
    known = snapshot.x[snapshot.good, column]
    known = known[~np.isnan(known)]
    if isinstance(parameter, Categorical):
        places, counts = np.unique(known, return_counts=True)
        return parameter.at(float(places[np.argmax(counts)]))
    value = parameter.at(float(np.median(known)))
    rounded = float(f"{value:.3g}")
    return rounded if parameter.contains(rounded) else value


def couplings(snapshot: Snapshot, findings: Findings) -> None:
    """Notes on pairs of parameters whose best values depend on one another.

    Share of a pair's joint effect that its single effects leave over: Friedman & Popescu 2008,
    Predictive learning via rule ensembles, Ann. Appl. Stat. 2, eq. 44.
    """
    model = findings.surrogate
    if model is None or not findings.depends or snapshot.count < 50 or model.rho < 0.3:
        return
    spreads = {column: _spread(snapshot, model, column) for column in snapshot.numeric()}
    strongest = sorted(spreads, key=lambda column: -spreads[column])[:4]
    for a, b in combinations(sorted(strongest), 2):
        share = _pair_share(snapshot, model, a, b)
        if share > 2 * TOGETHER:
            evidence = findings.add(
                "interaction",
                f"{share:.0%} of the joint effect of {snapshot.names[a]} and {snapshot.names[b]} "
                "is more than the sum of both",
                snapshot.count,
                [snapshot.names[a], snapshot.names[b]],
                share=share,
            )
            findings.note(
                "tune jointly",
                f"{snapshot.names[a]} and {snapshot.names[b]} depend on one another: change them "
                "together, and narrow neither alone",
                evidence,
            )


def _pair_share(snapshot: Snapshot, model: Surrogate, a: int, b: int) -> float:
    base, grid = _background(snapshot)[:20], _GRID[::2]
    size = len(grid)
    points = np.repeat(base, size * size, axis=0)
    points[:, a] = np.tile(np.repeat(grid, size), len(base))
    points[:, b] = np.tile(np.tile(grid, size), len(base))
    joint = model.mean(points).reshape(len(base), size, size).mean(axis=0)
    joint -= joint.mean()
    left = joint - joint.mean(axis=1, keepdims=True) - joint.mean(axis=0, keepdims=True)
    return float((left**2).sum() / max((joint**2).sum(), 1e-12))
