"""Narrow: a part of a range that was looked at, and holds nothing good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from tunesmith.parameters import Categorical
from tunesmith.proposals import Narrow, Tier
from tunesmith_agent.statistics.findings import DRAWS, Findings, holm, shown
from tunesmith_agent.statistics.snapshot import Floats, Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate
from tunesmith_agent.words import chance

MARGIN = 0.15
"""Width left around the good set, as a share of the range."""
TESTED, KNOWN = 14, 29
"""Trials spread over a part, none good, that leave at most 20% or 10% of it good at 95%."""
CHANCE, STABLE = 0.05, 0.8
_LEAST_CUT = 0.1
_CELLS = 20
_POINTS = 64


@dataclass(frozen=True)
class Cut:
    """A part of a range to cut off: from position `at` to the end on `side`."""

    column: int
    side: Literal["low", "high"]
    at: float
    effective: float
    chance: float

    def holds(self, positions: Floats) -> np.ndarray:
        """Which positions lie in the part that is cut off."""
        with np.errstate(invalid="ignore"):
            off = positions > self.at if self.side == "high" else positions < self.at
        return np.asarray(off)


def narrow(snapshot: Snapshot, findings: Findings) -> list[Narrow]:
    """Edits that move bounds inwards, past parts that were tried evenly and held nothing good."""
    model = findings.surrogate
    if model is None or not findings.depends or not snapshot.enough_to_cut or model.rho < 0.3:
        return []
    cuts = {
        f"{column}/{side}": cut
        for column in snapshot.numeric()
        if _untouched(snapshot, column)
        for side in ("low", "high")
        if (cut := _cut(snapshot, model, column, side, findings)) is not None
    }
    p_values = {key: _p_value(snapshot, cut) for key, cut in cuts.items()}
    sure = holm(p_values)
    edits = []
    for key, cut in cuts.items():
        edit = _propose(snapshot, model, cut, findings, p_values[key], key in sure)
        if edit:
            edits.append(edit)
    return edits


def _untouched(snapshot: Snapshot, column: int) -> bool:
    """Whether no edit before this one changes the parameter."""
    name = snapshot.names[column]
    return snapshot.space.parameters[name] == snapshot.history.space.parameters[name]


def _cut(
    snapshot: Snapshot,
    model: Surrogate,
    column: int,
    side: Literal["low", "high"],
    findings: Findings,
) -> Cut | None:
    """The part beyond the good set and its margin, where the rules for cutting hold."""
    positions = snapshot.x[:, column]
    good = positions[snapshot.good]
    good = good[~np.isnan(good)]
    if len(good) < snapshot.good_count / 2:
        return None
    stays = [*good.tolist(), *_protected(snapshot, column)]
    at = float(max(stays) + MARGIN if side == "high" else min(stays) - MARGIN)
    at = max(at, 0.5) if side == "high" else min(at, 0.5)
    if (1 - at if side == "high" else at) < _LEAST_CUT:
        return None
    cut = Cut(column, side, at, 0.0, 1.0)
    inside = positions[cut.holds(positions)]
    effective = _effective(inside, cut)
    if effective < TESTED or not _holds_later(snapshot, cut):
        if len(inside) and effective < TESTED:
            _too_few(snapshot, cut, effective, findings)
        return None
    chance = _chance(snapshot, model, cut, findings)
    return Cut(column, side, at, effective, chance) if chance <= CHANCE else None


def _protected(snapshot: Snapshot, column: int) -> list[float]:
    """The position of the default, which no edit may cut off."""
    parameter = snapshot.parameter(column)
    return [] if parameter.default is None else [parameter.position(parameter.default)]


def _effective(inside: Floats, cut: Cut) -> float:
    """Trials in the part, those crowded in a cell counted as no more than their even share.

    Cells are twentieths of the range.
    """
    low, high = (cut.at, 1.0) if cut.side == "high" else (0.0, cut.at)
    cells = max(2, round((high - low) * _CELLS))
    counts, _ = np.histogram(inside, bins=cells, range=(low, high))
    return float(np.minimum(counts, max(1.0, len(inside) / cells * 1.5)).sum())


def _holds_later(snapshot: Snapshot, cut: Cut) -> bool:
    """Whether the good set of the first 70% of trials leads to a cut that keeps the best later."""
    early = int(0.7 * snapshot.count)
    first = np.argsort(-snapshot.z[:early])[: max(5, snapshot.good_count)]
    known = snapshot.x[first, cut.column]
    known = known[~np.isnan(known)]
    if not len(known):
        return False
    at = known.max() + MARGIN if cut.side == "high" else known.min() - MARGIN
    best = early + int(np.argmax(snapshot.z[early:]))
    place = snapshot.x[best, cut.column]
    return bool(np.isnan(place) or (place <= at if cut.side == "high" else place >= at))


def _chance(snapshot: Snapshot, model: Surrogate, cut: Cut, findings: Findings) -> float:
    """Probability that a point in the part is better than the best trial, by the model.

    Joint draws at points whose other coordinates are those of good trials and of random ones.
    """
    rng = findings.rng(f"narrow {cut.column} {cut.side}")
    half = _POINTS // 2
    near = snapshot.x[rng.choice(snapshot.good, half)]
    far = snapshot.x[rng.choice(snapshot.count, _POINTS - half)]
    points = np.vstack([near, far])
    low, high = (cut.at, 1.0) if cut.side == "high" else (0.0, cut.at)
    points[:, cut.column] = rng.uniform(low, high, _POINTS)
    mean, covariance = model.posterior(points)
    draws = rng.multivariate_normal(mean, covariance, size=400, method="eigh", check_valid="ignore")
    return float(np.mean(draws.max(axis=1) > snapshot.z.max()))


def _p_value(snapshot: Snapshot, cut: Cut) -> float:
    """How likely the part holds no good trial by chance, given how many were tried there."""
    tried = int(cut.effective)
    return float(stats.hypergeom.pmf(0, snapshot.count, snapshot.good_count, tried))


def _too_few(snapshot: Snapshot, cut: Cut, effective: float, findings: Findings) -> None:
    name, parameter = snapshot.names[cut.column], snapshot.parameter(cut.column)
    bound = parameter.at(cut.at)
    missing = int(np.ceil(TESTED - effective))
    findings.note(
        "not enough evidence",
        f"{name} {'above' if cut.side == 'high' else 'below'} {shown(bound)} holds no good trial, "
        f"but only about {effective:.0f} were tried there, evenly spread: too few to cut it off",
        trials=missing,
    )


def _propose(
    snapshot: Snapshot,
    model: Surrogate,
    cut: Cut,
    findings: Findings,
    p_value: float,
    sure: bool,
) -> Narrow | None:
    name, parameter = snapshot.names[cut.column], snapshot.parameter(cut.column)
    assert not isinstance(parameter, Categorical)
    bound = parameter.at(cut.at)
    if parameter.type == "float" and parameter.step is None:
        bound = float(f"{bound:.3g}")
    if bound in (parameter.low, parameter.high):
        return None
    where = f"{'above' if cut.side == 'high' else 'below'} {shown(bound)}"
    evidence = _evidence(snapshot, cut, findings, where, p_value)
    stability = _stability(snapshot, model, cut, findings)
    certain = sure and cut.effective >= KNOWN and stability >= STABLE
    return Narrow(
        parameter=name,
        **{cut.side: bound},
        why=f"nothing good lies {where}, and enough was tried there",
        evidence=(evidence,),
        tier=Tier.RECOMMENDED if certain else Tier.WORTH_TESTING,
        stability=round(stability, 3),
        effect="trials are spent where the good ones lie"
        if certain
        else "the exploration arm looks there once more before it is cut off",
    )


def _evidence(snapshot: Snapshot, cut: Cut, findings: Findings, where: str, p_value: float) -> str:
    name = snapshot.names[cut.column]
    return findings.add(
        "emptiness",
        f"{name} {where}: none of the best {snapshot.good_count} trials, about "
        f"{cut.effective:.0f} tried there, evenly spread; the chance of anything better is "
        f"{chance(cut.chance)}",
        int(cut.holds(snapshot.x[:, cut.column]).sum()),
        [name],
        snapshot.coverage(cut.column),
        effective=cut.effective,
        better=cut.chance,
        p_value=p_value,
    )


def _stability(snapshot: Snapshot, model: Surrogate, cut: Cut, findings: Findings) -> float:
    """Share of resampled histories whose good set stays out of the part."""
    scores = model.resampled(DRAWS, findings.rng(f"stability {cut.column} {cut.side}"))
    size = max(1, round(len(model.z) * snapshot.good_count / snapshot.count))
    best = np.argsort(-scores, axis=1)[:, :size]
    off = cut.holds(model.rows[:, cut.column])
    return float(np.mean(off[best].mean(axis=1) <= 0.05))
