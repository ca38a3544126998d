"""How small a difference of scores is no difference at all."""

from __future__ import annotations

import numpy as np
from scipy import spatial

from tunesmith_agent.statistics.snapshot import ENOUGH, Floats, Snapshot
from tunesmith_agent.statistics.surrogate import encode

MOST = 0.25
NEAR = 0.05
"""Distance of neighbours: root mean square over the parameters, as a share of their ranges."""
FOLDS = 5
"""Folds or repeats that a logged standard deviation is taken to be of; their number is not logged.
"""
_LOOKED_AT = 1200


def rope(snapshot: Snapshot) -> float:
    """Region of practical equivalence in normal scores: max(2 σ, 1% of the median-to-best gap).

    σ is the standard error of a score: from `<metric>_std` where at least 12 trials log it, else
    from neighbours. It is 0 where neither says anything, so sparse trials make nothing equivalent;
    and noise nothing that is a quarter of the scores' spread apart.
    """
    sigma = _logged(snapshot)
    if sigma is None:
        sigma = _between_neighbours(snapshot)
    return float(max(min(2 * sigma, MOST), 0.01 * (snapshot.z.max() - np.median(snapshot.z))))


def _logged(snapshot: Snapshot) -> float | None:
    """By how much the score of the median trial moves when its metric moves by a standard error."""
    goals = snapshot.history.goals
    if len(goals) != 1:
        return None
    # what breaks limits is not ranked by its metric
    kept = [index for index, trial in enumerate(snapshot.trials) if not trial.violation]
    z, trials = snapshot.z[kept], [snapshot.trials[index] for index in kept]
    losses = np.array([goals[0].loss(trial.metrics) for trial in trials])
    name = f"{goals[0].metric}_std"
    spreads = np.array([trial.metrics.get(name, np.nan) for trial in trials])
    known = np.isfinite(spreads) & (spreads >= 0)
    if known.sum() < ENOUGH:
        return None
    order = np.argsort(losses, kind="stable")
    errors = spreads[known] / np.sqrt(FOLDS)
    with np.errstate(over="ignore"):  # an infinite loss is the worst one
        ends = losses[known] - errors, losses[known] + errors
    better, worse = (np.interp(end, losses[order], z[order]) for end in ends)
    return float(np.median(better - worse) / 2)


def _between_neighbours(snapshot: Snapshot) -> float:
    """Median difference of nearest neighbours' scores, as a standard deviation; 0 for too few.

    Twelve trials at least have one near enough. Normal noise: |Δz| = 0.6745 · √2 σ in the middle.
    """
    few = np.unique(np.linspace(0, snapshot.count - 1, _LOOKED_AT).astype(int))
    u, z = encode(snapshot, snapshot.x[few]), snapshot.z[few]
    squares = spatial.distance.cdist(u, u, "sqeuclidean")
    np.fill_diagonal(squares, np.inf)
    nearest = squares.argmin(axis=1)
    rows = np.arange(len(nearest))
    near = squares[rows, nearest] <= NEAR**2 * len(snapshot.tuned)
    if near.sum() < ENOUGH:
        return 0.0
    differences: Floats = np.abs(z[near] - z[nearest[near]])
    return float(np.median(differences) / (0.6745 * np.sqrt(2)))
