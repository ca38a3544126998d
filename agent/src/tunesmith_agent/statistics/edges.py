"""Widen: does the score still rise where a range ends?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import Tier, Widen
from tunesmith_agent.statistics.findings import DRAWS, Findings, shown
from tunesmith_agent.statistics.snapshot import ENOUGH, Floats, Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate
from tunesmith_agent.words import chance

Side = Literal["low", "high"]

RISING, LEVEL, TESTING = 0.7, 0.35, 0.6
"""Chance of a rise that is enough by itself, beside a good set that leans, and for a test."""
LEANING, AT_THE_EDGE = 0.7, 0.9
"""Positions towards the edge of the good set's median, and of the incumbent."""
CHANCE = 0.5
"""p-value of as many good trials near the edge, above which the crowd of trials explains them."""
LOOKED = 3
"""Trials near the edge below which nobody has looked there."""
STABLE, UNSTABLE = 0.5, 0.1
"""Stability from which an edit is recommended, and below which it is not mentioned."""
_STEP = 0.2
_BASE = 30
"""Good trials that the model is followed to the edge from, at most."""
_OUTER = 0.25
_WALL = 0.05


@dataclass(frozen=True)
class Edge:
    """What the trials say about one end of a range; positions count towards it."""

    column: int
    side: Side
    rising: float
    """Probability that the score rises over the last fifth of the range."""
    median: float
    incumbent: float
    tried: int
    """Trials in the quarter of the range next to the edge."""
    enrichment: float
    """p-value of as many good trials there, given how many were tried (hypergeometric)."""

    @property
    def leaning(self) -> bool:
        """Whether the good trials lie towards the edge, more than the crowd of trials explains."""
        near = self.median > LEANING or self.incumbent > AT_THE_EDGE
        return near and self.enrichment < CHANCE

    @property
    def recommended(self) -> bool:
        """Whether it is time to look further out."""
        enough = self.rising > RISING or (self.rising > LEVEL and self.leaning)
        return self.tried >= LOOKED and enough

    @property
    def testable(self) -> bool:
        """Whether a few trials further out may tell."""
        return self.tried >= LOOKED and self.rising > TESTING

    @property
    def steps(self) -> int:
        """Steps to widen by, more where the evidence is stronger (tuned: 2 to 4)."""
        if self.rising > 0.95 or self.median > 0.85:
            return 4
        return 3 if self.rising > 0.8 or self.median > 0.75 else 2


def widen(snapshot: Snapshot, findings: Findings) -> list[Widen]:
    """Edits that move bounds outwards, where the good trials or the model lean on them."""
    surrogate = findings.surrogate
    if surrogate is None or not findings.depends:
        return []
    scores = surrogate.resampled(DRAWS, findings.rng("edges"))
    edits = []
    for column in snapshot.numeric():
        for side in ("low", "high"):
            edge = _edge(snapshot, surrogate, column, side)
            if edge is None or not (edge.recommended or edge.testable):
                continue
            edit = _propose(snapshot, surrogate, scores, edge, findings)
            if edit:
                edits.append(edit)
    return edits


def _edge(snapshot: Snapshot, surrogate: Surrogate, column: int, side: Side) -> Edge | None:
    good = snapshot.x[snapshot.good]
    base = good[~np.isnan(good[:, column])]
    if len(base) < 2 or (~np.isnan(snapshot.x[:, column])).sum() < ENOUGH:
        return None
    towards = base[:, column] if side == "high" else 1 - base[:, column]
    median, incumbent = float(np.median(towards)), float(towards[0])
    base = base[:_BASE]
    weights = _contrast(surrogate, base, column, side)
    _, covariance = surrogate.posterior(_ends(base, column, side))
    signs = np.repeat([1.0, -1.0], len(base)) / len(base)
    spread = math.sqrt(max(float(signs @ covariance @ signs), 1e-12))
    return Edge(
        column,
        side,
        rising=float(stats.norm.cdf(float(weights @ surrogate.z) / spread)),
        median=median,
        incumbent=incumbent,
        tried=int(_outer(snapshot.x[:, column], side).sum()),
        enrichment=_enrichment(snapshot.x[:, column], side, snapshot.good[None, :])[0],
    )


def _ends(base: Floats, column: int, side: Side) -> Floats:
    """The good trials moved to the edge, and below them the same a fifth of the range inside."""
    edge, inner = base.copy(), base.copy()
    edge[:, column], inner[:, column] = (1, 1 - _STEP) if side == "high" else (0, _STEP)
    return np.vstack([edge, inner])


def _contrast(surrogate: Surrogate, base: Floats, column: int, side: Side) -> Floats:
    """What each trial's score adds to the rise of the model over the last fifth of the range."""
    weights = surrogate.weights(_ends(base, column, side))
    return np.asarray((weights[: len(base)] - weights[len(base) :]).mean(axis=0))


def _stability(snapshot: Snapshot, surrogate: Surrogate, scores: Floats, edge: Edge) -> float:
    """Share of resampled histories in which the edge would be recommended again."""
    base = snapshot.x[snapshot.good]
    base = base[~np.isnan(base[:, edge.column])][:_BASE]
    contrast = _contrast(surrogate, base, edge.column, edge.side)
    actual = float(contrast @ surrogate.z)
    # the spread does not depend on the scores, so a probability is a threshold on the rise
    spread = abs(actual) / max(abs(float(stats.norm.ppf(edge.rising))), 1e-9)
    rises = np.asarray(stats.norm.cdf(scores @ contrast / max(spread, 1e-12)))
    best = np.argsort(-scores, axis=1)[:, : min(len(surrogate.z), snapshot.good_count)]
    positions = surrogate.rows[:, edge.column]
    found = (positions if edge.side == "high" else 1 - positions)[best]
    medians = np.nanmedian(np.where(np.isnan(found), 0.5, found), axis=1)
    firsts = np.nan_to_num(found[:, 0])
    p_values = _enrichment(positions, edge.side, best)
    again = [
        replace(edge, rising=rise, median=median, incumbent=first, enrichment=p).recommended
        for rise, median, first, p in zip(rises, medians, firsts, p_values, strict=True)
    ]
    return float(np.mean(again))


def _outer(positions: Floats, side: Side) -> np.ndarray:
    """Which positions lie in the quarter of the range next to the edge."""
    towards = positions if side == "high" else 1 - positions
    return np.asarray(np.nan_to_num(towards, nan=0.0) >= 1 - _OUTER)


def _enrichment(positions: Floats, side: Side, good: np.ndarray) -> Floats:
    """For each row of indices, how likely as many of them lie near the edge by chance."""
    outer = _outer(positions, side)
    hits = outer[good].sum(axis=1)
    p_values = stats.hypergeom.sf(hits - 1, len(positions), outer.sum(), good.shape[1])
    return np.asarray(p_values, dtype=float)


def _propose(
    snapshot: Snapshot, surrogate: Surrogate, scores: Floats, edge: Edge, findings: Findings
) -> Widen | None:
    name, parameter = snapshot.names[edge.column], snapshot.parameter(edge.column)
    assert not isinstance(parameter, Categorical)
    bound = getattr(parameter, edge.side)
    failing = _wall(snapshot, edge)
    evidence = _evidence(snapshot, edge, findings, failing)
    if failing < _WALL:
        findings.note(
            "left alone",
            f"{name}: the good trials lean on {shown(bound)}, but trials fail more often there "
            f"than elsewhere (p = {failing:.2g}): the edge of what works, not of the range",
            evidence,
        )
        return None
    target = beyond(parameter, edge.side, edge.steps)
    if target == bound:
        findings.note("left alone", f"{name}: {_stuck(parameter, edge.side, bound)}", evidence)
        return None
    stability = _stability(snapshot, surrogate, scores, edge)
    if stability < UNSTABLE:
        return None
    certain = edge.recommended and stability >= STABLE
    return Widen(
        parameter=name,
        **{edge.side: target},
        why=f"{'the good trials lean on' if edge.leaning else 'the model still rises at'} "
        f"{shown(bound)}: {_direction(edge.side)} it may be better",
        evidence=(evidence,),
        tier=Tier.RECOMMENDED if certain else Tier.WORTH_TESTING,
        stability=round(stability, 3),
        effect=f"chance of {chance(edge.rising)} that the score still rises at {shown(bound)}",
    )


def _evidence(snapshot: Snapshot, edge: Edge, findings: Findings, failing: float) -> str:
    name, parameter = snapshot.names[edge.column], snapshot.parameter(edge.column)
    good = int(_outer(snapshot.x[snapshot.good, edge.column], edge.side).sum())
    bound = getattr(parameter, edge.side)
    return findings.add(
        "edge",
        f"{name}: {good} of the best {snapshot.good_count} trials lie in the quarter of the range "
        f"next to {shown(bound)}, where {edge.tried} of {snapshot.count} were tried; the score "
        f"rises towards that end with a chance of {chance(edge.rising)}",
        snapshot.count,
        [name],
        snapshot.coverage(edge.column),
        rising=edge.rising,
        enrichment_p=edge.enrichment,
        good_median=edge.median,
        incumbent=edge.incumbent,
        failure_p=failing,
    )


def _wall(snapshot: Snapshot, edge: Edge) -> float:
    """p-value that trials fail no more often near the edge (Fisher's exact test, one-sided)."""
    if not snapshot.failures:
        return 1.0
    bad, fine = (
        int(_outer(x[:, edge.column], edge.side).sum()) for x in (snapshot.failed, snapshot.x)
    )
    table = [[bad, len(snapshot.failures) - bad], [fine, snapshot.count - fine]]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def beyond(parameter: Float | Int, side: Side, steps: int) -> float:
    """The bound moved outwards by steps of 10^½ on a log scale, of half the width on a linear one.

    Stops at a hard bound, does not cross 0 from above, and leaves what looks like a share in 0..1.
    """
    low, high = parameter.low, parameter.high
    if parameter.log:
        target = low / 10 ** (steps / 2) if side == "low" else high * 10 ** (steps / 2)
        target = float(f"{target:.3g}")
    else:
        reach = (high - low) * steps / 2
        target = low - reach if side == "low" else high + reach
        if low >= 0:
            target = max(target, 0.0)
        if low >= 0 and high <= 1 and parameter.type == "float":
            target = min(target, 1.0)
        target = float(f"{target:.4g}")
    return _legal(parameter, side, target)


def _legal(parameter: Float | Int, side: Side, target: float) -> float:
    """The target on whole numbers or steps, inside hard bounds, and never inside the range."""
    low, high = parameter.low, parameter.high
    if parameter.type == "int":
        least = 1 if low >= 1 else -math.inf
        target = max(math.floor(target), least) if side == "low" else math.ceil(target)
    if side == "low" and parameter.hard_low is not None:
        target = max(target, parameter.hard_low)
    if side == "high" and parameter.hard_high is not None:
        target = min(target, parameter.hard_high)
    if parameter.step is not None:
        steps = (low - target if side == "low" else target - high) / parameter.step
        moved = math.floor(steps + 1e-9) * parameter.step
        target = low - moved if side == "low" else high + moved
    return min(target, low) if side == "low" else max(target, high)


def _stuck(parameter: Float | Int, side: Side, bound: float) -> str:
    hard = parameter.hard_low if side == "low" else parameter.hard_high
    if hard is not None and hard == bound:
        return f"the good trials lean on {shown(bound)}, which is a hard bound"
    return (
        f"the good trials lean on {shown(bound)}, which looks like a natural limit; "
        "widen it by hand if it is none"
    )


def _direction(side: Side) -> str:
    return "above" if side == "high" else "below"
