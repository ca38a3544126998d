"""Drop a choice: tried often, and never good."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tunesmith.parameters import Categorical
from tunesmith.proposals import DropChoice, Tier
from tunesmith_agent.statistics.equivalence import rope
from tunesmith_agent.statistics.findings import DRAWS, Findings, holm, shown
from tunesmith_agent.statistics.snapshot import Snapshot

LEAST = 14
"""Trials without a good one that leave at most a fifth of them good: ln 0.05 / ln 0.8."""
STABLE = 0.8


def drop_choice(snapshot: Snapshot, findings: Findings) -> list[DropChoice]:
    """Edits that take away choices none of whose trials come near the best one."""
    if not _reliable(snapshot, findings):
        return []
    p_values = {
        f"{column}/{index}": p
        for column in snapshot.tuned
        if snapshot.parameter(column).type == "categorical"
        for index in range(snapshot.parameter(column).levels or 0)
        if (p := _p_value(snapshot, column, index, findings)) is not None
    }
    gone: dict[int, list[int]] = {}
    for key in sorted(holm(p_values), key=lambda key: p_values[key]):
        column, index = map(int, key.split("/"))
        gone.setdefault(column, []).append(index)
    edits = []
    for column, indices in gone.items():
        edit = _propose(snapshot, findings, column, indices, p_values)
        if edit:
            edits.append(edit)
    return edits


def _reliable(snapshot: Snapshot, findings: Findings) -> bool:
    model = findings.surrogate
    return snapshot.enough_to_cut and findings.depends and model is not None and model.rho >= 0.3


def _rows(snapshot: Snapshot, column: int, index: int) -> np.ndarray:
    levels = snapshot.parameter(column).levels or 1
    return np.flatnonzero(np.abs(snapshot.x[:, column] - (index + 0.5) / levels) < 1e-6)


def _p_value(snapshot: Snapshot, column: int, index: int, findings: Findings) -> float | None:
    """How likely no trial of the choice is good by chance; None where it must stay."""
    rows = _rows(snapshot, column, index)
    parameter = snapshot.parameter(column)
    assert isinstance(parameter, Categorical)
    default = parameter.default is not None and parameter.choices[index] == parameter.default
    if len(rows) < LEAST or np.isin(rows, snapshot.good).any() or default:
        return None
    if not _clearly_worse(snapshot, rows, f"{column} {index}", findings):
        return None
    active = int((~np.isnan(snapshot.x[:, column])).sum())
    good = int((~np.isnan(snapshot.x[snapshot.good, column])).sum())
    return float(stats.hypergeom.pmf(0, active, good, len(rows)))


def _clearly_worse(snapshot: Snapshot, rows: np.ndarray, key: str, findings: Findings) -> bool:
    """Whether the choice's best tenth is worse than the best trial by more than the ROPE, at 95%.

    The best tenth and not the mean: what counts is how good it gets.
    """
    scores = snapshot.z[rows]
    drawn = findings.rng(f"choice {key}").choice(scores, size=(DRAWS, len(scores)))
    best = np.quantile(np.quantile(drawn, 0.9, axis=1), 0.95)
    return bool(best < snapshot.z.max() - rope(snapshot))


def _propose(
    snapshot: Snapshot,
    findings: Findings,
    column: int,
    indices: list[int],
    p_values: dict[str, float],
) -> DropChoice | None:
    name, parameter = snapshot.names[column], snapshot.parameter(column)
    assert isinstance(parameter, Categorical)
    # half of the choices stay, and two at least
    room = parameter.levels - max(2, -(-parameter.levels // 2))
    if room <= 0:
        return None
    indices = indices[:room]
    ids = []
    for index in indices:
        tried = len(_rows(snapshot, column, index))
        ids.append(
            findings.add(
                "choice",
                f"{name} = {shown(parameter.choices[index])}: {tried} trials, none of them among "
                f"the best {snapshot.good_count}, and even its best tenth stays clearly behind",
                tried,
                [name],
                p_value=p_values[f"{column}/{index}"],
            )
        )
    stability = _stability(snapshot, column, indices, findings)
    return DropChoice(
        parameter=name,
        choices=tuple(parameter.choices[index] for index in indices),
        why="it was tried often enough, and never came near the best",
        evidence=tuple(ids),
        tier=Tier.RECOMMENDED if stability >= STABLE else Tier.WORTH_TESTING,
        stability=round(stability, 3),
        effect="no more trials are spent on it",
    )


def _stability(snapshot: Snapshot, column: int, indices: list[int], findings: Findings) -> float:
    """Share of resampled histories in which the best fifth still has none of these choices."""
    model = findings.surrogate
    assert model is not None
    levels = snapshot.parameter(column).levels or 1
    places = (np.array(indices) + 0.5) / levels
    distances = np.abs(model.rows[:, [column]] - places)
    hit = np.asarray((distances < 1e-6).any(axis=1))
    scores = model.resampled(DRAWS, findings.rng("choices"))
    size = max(1, round(len(model.z) * snapshot.good_count / snapshot.count))
    best = np.argsort(-scores, axis=1)[:, :size]
    # resampled residuals may lift one trial by chance: one in twenty of the best is let pass
    return float(np.mean(hit[best].mean(axis=1) <= 0.05))
