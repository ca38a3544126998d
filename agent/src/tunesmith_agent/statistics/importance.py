"""Fix, and tune jointly: how much of the score's variation each parameter explains."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tunesmith.expressions import Value
from tunesmith.parameters import Categorical
from tunesmith.proposals import Fix, Widen
from tunesmith_agent.statistics.equivalence import rope
from tunesmith_agent.statistics.findings import DRAWS, Findings, shown
from tunesmith_agent.statistics.snapshot import GOOD_SHARE, Floats, Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate

UNIMPORTANT, TENTHS, SURE = 0.02, 5, 0.9
"""Importance below which nothing is lost, in `SURE` of the bootstraps; tenths to have tried."""
TOGETHER, TOGETHER_OF_ALL = 0.1, 0.02
"""Share of a pair's effect, and of all effects, from which two parameters belong together."""
BRANCH, OTHER_BRANCH, BRANCH_TRIALS = 0.05, 0.03, 15
"""Importance under one choice at least, under another at most, at 95%; trials of each."""
_GRID = np.linspace(0.05, 0.95, 7)
_CELLS, _BACKGROUND, _FEW = 20, 16, 300


def fix(snapshot: Snapshot, findings: Findings, widened: list[Widen]) -> list[Fix]:
    """Edits that stop tuning what makes no difference, globally and among the better half.

    An equivalence test: no two values differ by more than the ROPE, at 95% by the model, and the
    importance is below 2% in nine of ten bootstraps.
    """
    model = findings.surrogate
    if model is None or not findings.depends or not snapshot.enough_to_cut or model.rho < 0.3:
        return []
    leaning = {edit.parameter for edit in widened}
    below, upper = _importance(snapshot, findings)
    equivalent = rope(snapshot)
    edits = []
    for column in snapshot.tuned:
        name = snapshot.names[column]
        tenths = sum(count > 0 for count in snapshot.coverage(column))
        if (
            name in leaning
            or snapshot.space.conditions[name] is not None
            or tenths < min(TENTHS, snapshot.parameter(column).levels or TENTHS)
            or below[column] < SURE
        ):
            continue
        difference = largest_difference(snapshot, model, column)
        if difference < equivalent:
            numbers = {"importance_high": upper[column], "difference_high": difference}
            numbers |= {"rope": equivalent, "stability": below[column]}
            edits.append(_propose(snapshot, column, numbers, findings))
    return edits


def _importance(snapshot: Snapshot, findings: Findings) -> tuple[Floats, Floats]:
    """For each column the share of bootstraps below 2%, and the 90% bound; the worse of all
    trials and the better half.

    Basic bootstrap intervals (Davison & Hinkley 1997, Bootstrap Methods, sec. 5.2), for chance
    alone gives everything some importance, and resampling as much again.
    """
    rng = findings.rng("importance")
    below, upper = np.ones(len(snapshot.names)), np.zeros(len(snapshot.names))
    for rows in (snapshot.order, snapshot.order[: max(20, snapshot.count // 2)]):
        even = np.full(len(rows), 1 / len(rows))
        drawn = importances(snapshot, rows, rng.multinomial(len(rows), even, size=DRAWS))
        found = 2 * importances(snapshot, rows, np.ones((1, len(rows)))) - drawn
        below = np.minimum(below, (found < UNIMPORTANT).mean(axis=0))
        upper = np.maximum(upper, np.quantile(found, SURE, axis=0))
    return below, upper


def importances(snapshot: Snapshot, rows: np.ndarray, counts: np.ndarray) -> Floats:
    """Share of each column in what parts the best fifth of `rows`, best first, from all of them.

    Of shape (draws, columns) for counts of each row of shape (draws, rows). PED-ANOVA (Watanabe
    et al. 2023, IJCAI, eq. 16): the Pearson divergence of the two densities.
    """
    size = GOOD_SHARE * counts.sum(axis=1, keepdims=True)
    best = np.clip(size - (counts.cumsum(axis=1) - counts), 0, counts)
    found = np.zeros((len(counts), len(snapshot.names)))
    for column in snapshot.tuned:
        cells = _smoothed(snapshot, column, snapshot.x[rows, column])
        every, good = (_densities(weights, cells) for weights in (counts, best))
        found[:, column] = (every * (good / every - 1) ** 2).sum(axis=1)
    return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12))


def _smoothed(snapshot: Snapshot, column: int, places: Floats) -> Floats:
    """What each trial adds to the density in each cell; nothing where the parameter is absent.

    Gaussian kernels with Scott's bandwidth for numbers (Scott 1992, Multivariate Density
    Estimation).
    """
    parameter = snapshot.parameter(column)
    size = parameter.levels or _CELLS
    known = ~np.isnan(places)
    if not isinstance(parameter, Categorical):
        size = min(size, _CELLS)
    found = np.zeros((len(places), size))
    cells = np.minimum((places[known] * size).astype(int), size - 1)
    if isinstance(parameter, Categorical) or not known.any():
        found[known, cells] = 1.0
        return found
    width = max(1.06 * float(np.std(cells)) * max(known.sum() * GOOD_SHARE, 1) ** -0.2, 0.5)
    steps = np.arange(size)
    spread = np.exp(-((steps[:, None] - steps) ** 2) / (2 * width**2))
    found[known] = (spread / spread.sum(axis=1, keepdims=True))[cells]
    return found


def _densities(weights: np.ndarray, cells: Floats) -> Floats:
    """The density of weighted trials, with one trial spread evenly so that no cell is empty."""
    mass = weights @ cells + 1 / cells.shape[1]
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def largest_difference(snapshot: Snapshot, model: Surrogate, column: int) -> float:
    """95% upper bound of what the parameter changes, from any of its values to any other."""
    mean, joint = _dependence(snapshot, model, column, _background(snapshot))
    own = np.diag(joint)
    spread = np.sqrt(np.maximum(own[:, None] + own - 2 * joint, 0))
    return float((np.abs(mean[:, None] - mean) + 1.645 * spread).max())


def _dependence(
    snapshot: Snapshot, model: Surrogate, column: int, base: Floats
) -> tuple[Floats, Floats]:
    """Mean and covariance of the score at some values of the parameter, averaged over the base.

    Partial dependence: Friedman 2001, Greedy function approximation, Ann. Stat. 29.
    """
    points, count = _points(snapshot, column, base)
    mean, covariance = model.posterior(points)
    joint = covariance.reshape(len(base), count, len(base), count).mean(axis=(0, 2))
    return mean.reshape(len(base), count).mean(axis=0), joint


def _points(snapshot: Snapshot, column: int, base: Floats) -> tuple[Floats, int]:
    """Trials, each with every one of some values of the parameter; and how many values."""
    parameter = snapshot.parameter(column)
    grid = _GRID
    if isinstance(parameter, Categorical):
        grid = (np.arange(parameter.levels) + 0.5) / parameter.levels
    points = np.repeat(base, len(grid), axis=0)
    points[:, column] = np.tile(grid, len(base))
    return points, len(grid)


def _background(snapshot: Snapshot) -> Floats:
    """Trials to average over: some evenly in time, and some of the best."""
    half = _BACKGROUND // 2
    even = np.linspace(0, snapshot.count - 1, min(snapshot.count, half)).astype(int)
    return np.asarray(snapshot.x[np.union1d(even, snapshot.good[:half])])


def _propose(snapshot: Snapshot, column: int, numbers: dict[str, float], findings: Findings) -> Fix:
    name, parameter = snapshot.names[column], snapshot.parameter(column)
    value: Value = parameter.default
    if value is None:
        value = _typical(snapshot, column)
    evidence = findings.add(
        "importance",
        f"{name} explains at most {numbers['importance_high']:.1%} of what parts good trials from "
        f"others, and no two of its values differ by more than {numbers['difference_high']:.2g} "
        f"standard deviations of the score",
        snapshot.count,
        [name],
        snapshot.coverage(column),
        **numbers,
    )
    return Fix(
        parameter=name,
        value=value,
        why=f"{name} makes no difference to speak of; its value stays {shown(value)}",
        evidence=(evidence,),
        stability=round(numbers["stability"], 3),
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
    """Notes on parameters whose best values, or whose importance, depend on another one."""
    model = findings.surrogate
    if model is None or not findings.depends or snapshot.count < 50 or model.rho < 0.3:
        return
    few = np.unique(np.linspace(0, len(model.z) - 1, _FEW).astype(int))
    model = Surrogate.of(snapshot, model.rows[few], model.z[few])
    base, spreads = _background(snapshot), {}
    for column in snapshot.numeric():
        points, count = _points(snapshot, column, base)
        spreads[column] = float(np.ptp(model.mean(points).reshape(-1, count).mean(axis=0)))
    strongest = sorted(spreads, key=lambda column: -spreads[column])[:4]
    for a, b in combinations(sorted(strongest), 2):
        _pair(snapshot, model, a, b, findings)
    for branch in (each for each in snapshot.tuned if each not in spreads):
        for column in strongest:
            _branches(snapshot, model, branch, column, findings)


def _pair(snapshot: Snapshot, model: Surrogate, a: int, b: int, findings: Findings) -> None:
    """A note on two parameters of whose joint effect their single effects leave much over.

    Friedman & Popescu 2008, Predictive learning via rule ensembles, Ann. Appl. Stat. 2, eq. 44.
    """
    base, size = _background(snapshot), len(_GRID)
    points = np.repeat(base, size * size, axis=0)
    points[:, a] = np.tile(np.repeat(_GRID, size), len(base))
    points[:, b] = np.tile(np.tile(_GRID, size), len(base))
    joint = model.mean(points).reshape(len(base), size, size).mean(axis=0)
    joint -= joint.mean()
    left = joint - joint.mean(axis=1, keepdims=True) - joint.mean(axis=0, keepdims=True)
    share = float(np.var(left) / max(np.var(joint), 1e-12))
    whole = float(np.var(left) / max(np.var(model.predicted), 1e-12))
    if share < TOGETHER or whole < TOGETHER_OF_ALL:
        return
    pair = [snapshot.names[a], snapshot.names[b]]
    evidence = findings.add(
        "interaction",
        f"{share:.0%} of the joint effect of {pair[0]} and {pair[1]} is more than the sum of both",
        snapshot.count,
        pair,
        share=share,
        share_of_all=whole,
    )
    findings.note(
        "tune jointly",
        f"{pair[0]} and {pair[1]} depend on one another: change them together, and narrow neither "
        "alone",
        evidence,
    )


def _branches(
    snapshot: Snapshot, model: Surrogate, branch: int, column: int, findings: Findings
) -> None:
    """A note on a parameter that matters under one choice, and hardly under another."""
    parameter, name = snapshot.parameter(branch), snapshot.names[column]
    assert isinstance(parameter, Categorical)
    shares: dict[int, tuple[float, float]] = {}
    for index in range(parameter.levels):
        place = (index + 0.5) / parameter.levels
        base = snapshot.x[np.abs(snapshot.x[:, branch] - place) < 1e-6]
        if len(base) >= BRANCH_TRIALS and not np.isnan(base[:, column]).any():
            rng = findings.rng(f"branch {branch} {index} {column}")
            shares[index] = _share(snapshot, model, column, base[: _BACKGROUND // 2], rng)
    if len(shares) < 2:
        return
    most = max(shares, key=lambda index: shares[index][0])
    least = min(shares, key=lambda index: shares[index][1])
    if shares[most][0] < BRANCH or shares[least][1] > OTHER_BRANCH:
        return
    where = [f"{snapshot.names[branch]} = {shown(parameter.choices[i])}" for i in (most, least)]
    evidence = findings.add(
        "interaction",
        f"{name} explains at least {shares[most][0]:.0%} of the predicted scores where {where[0]}, "
        f"and at most {shares[least][1]:.1%} where {where[1]}",
        snapshot.count,
        [name, snapshot.names[branch]],
        share_low=shares[most][0],
        other_share_high=shares[least][1],
    )
    findings.note(
        "tune jointly",
        f"{name} matters where {where[0]} and hardly where {where[1]}: a condition (`when`) would "
        "tune it only where it counts",
        evidence,
    )


def _share(
    snapshot: Snapshot, model: Surrogate, column: int, base: Floats, rng: np.random.Generator
) -> tuple[float, float]:
    """90% interval of the share of the scores' variance that a parameter explains at the base."""
    mean, joint = _dependence(snapshot, model, column, base)
    drawn = rng.multivariate_normal(mean, joint, DRAWS, method="eigh", check_valid="ignore")
    low, high = np.quantile(drawn.var(axis=1) / max(np.var(model.predicted), 1e-12), [0.05, 0.95])
    return float(low), float(high)
