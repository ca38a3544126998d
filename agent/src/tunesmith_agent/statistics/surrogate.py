"""A model of the scores, cross-validated in closed form; the test whether they depend on anything.

A Gaussian process on positions (Rasmussen & Williams 2006, Gaussian Processes for Machine
Learning, ch. 2 and 5.4.2). Half of its kernel is additive, one term a parameter, half is joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

from tunesmith_agent.statistics.snapshot import Floats, Snapshot

LARGEST, TUNED = 500, 150
"""Trials that the model is fitted to at most: a fifth of them the best, the others evenly in time;
trials that its scale and noise are chosen on.
"""
SCALES, NOISES = (0.2, 0.4, 0.8), (0.05, 0.3, 1.0)
_ADDITIVE = 0.3
_CHOICE = 0.7
"""Distance of two choices from their middle, where the range of a number is 1."""
PERMUTATIONS = 999
DEPENDS = 0.01
"""p-value below which scores depend on the parameters."""


@dataclass(frozen=True)
class Surrogate:
    """What the trials say of the score at any point.

    `rho` is the rank correlation of scores with their leave-one-out predictions. Predictions are
    in normal scores, higher is better.
    """

    snapshot: Snapshot
    rows: Floats
    u: Floats
    z: Floats
    scale: float
    inverse: Floats
    predicted: Floats

    @staticmethod
    def fit(snapshot: Snapshot) -> Surrogate:
        """Fit to the snapshot's trials, at most 500 of them.

        Length scale and noise are those of the highest leave-one-out predictive density
        (Rasmussen & Williams, eq. 5.10-5.12), chosen on at most 150 trials.
        """
        rows = _thinned(snapshot, LARGEST)
        return Surrogate.of(snapshot, snapshot.x[rows], snapshot.z[rows])

    @staticmethod
    def of(snapshot: Snapshot, x: Floats, z: Floats) -> Surrogate:
        """Fit to these positions and scores."""
        u = encode(snapshot, x)
        few = np.unique(np.linspace(0, len(z) - 1, TUNED).astype(int))
        scale, noise = _tuned(u[few], z[few])
        inverse = _inverse(kernel(u, u, scale), noise)
        predicted = z - (inverse @ z) / np.diag(inverse)
        return Surrogate(snapshot, x, u, z, scale, inverse, predicted)

    @property
    def rho(self) -> float:
        """Rank correlation of the scores with leave-one-out predictions; 0 where one is flat."""
        if np.ptp(self.predicted) < 1e-12 or np.ptp(self.z) < 1e-12:
            return 0.0
        return float(stats.spearmanr(self.predicted, self.z).statistic)

    def mean(self, x: Floats) -> Floats:
        """Expected scores at positions of shape (points, parameters)."""
        near = kernel(encode(self.snapshot, x), self.u, self.scale)
        return np.asarray(near @ (self.inverse @ self.z))

    def posterior(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and covariance of the scores at positions, without the noise of a trial."""
        u = encode(self.snapshot, x)
        near = kernel(u, self.u, self.scale)
        covariance = kernel(u, u, self.scale) - near @ self.inverse @ near.T
        return np.asarray(near @ (self.inverse @ self.z)), np.asarray(covariance)

    def weights(self, x: Floats) -> Floats:
        """How much each trial's score counts for the prediction at each point."""
        return np.asarray(kernel(encode(self.snapshot, x), self.u, self.scale) @ self.inverse)

    def resampled(self, draws: int, rng: np.random.Generator) -> Floats:
        """Scores of shape (draws, trials) as other histories might have them.

        Predictions with resampled leave-one-out residuals (Efron & Tibshirani 1993, An
        Introduction to the Bootstrap, ch. 9).
        """
        residuals = self.z - self.predicted
        drawn: Floats = self.predicted + rng.choice(residuals, size=(draws, len(residuals)))
        return drawn


def dependence(snapshot: Snapshot, rng: np.random.Generator) -> float:
    """p-value of the scores having nothing to do with the parameters.

    Leave-one-out error of the model against that under permuted scores, exact whatever the sampler
    did (Good 2005, Permutation, Parametric and Bootstrap Tests of Hypotheses).
    """
    rows = _thinned(snapshot, LARGEST)
    u, z = encode(snapshot, snapshot.x[rows]), snapshot.z[rows]
    if np.ptp(z) < 1e-12:
        return 1.0
    every = np.column_stack([z, *(rng.permutation(z) for _ in range(PERMUTATIONS))])
    errors = np.full(every.shape[1], np.inf)
    for noise in NOISES[:2]:
        inverse = _inverse(kernel(u, u, SCALES[1]), noise)
        residuals = (inverse @ every) / np.diag(inverse)[:, None]
        errors = np.minimum(errors, (residuals**2).sum(axis=0))
    return float(np.mean(errors <= errors[0] * (1 + 1e-12)))


def encode(snapshot: Snapshot, x: Floats) -> Floats:
    """Model inputs of positions: numbers as they are, a column a choice, the middle for absent."""
    columns = []
    for column in range(x.shape[1]):
        parameter, values = snapshot.parameter(column), x[:, column]
        if parameter.type == "categorical" and not parameter.ordered:
            middles = (np.arange(parameter.levels) + 0.5) / parameter.levels
            columns += [_CHOICE * (np.abs(values - middle) < 1e-6) for middle in middles]
        else:
            columns.append(np.nan_to_num(values, nan=0.5))
    return np.column_stack(columns).astype(float)


def kernel(a: Floats, b: Floats, scale: float) -> Floats:
    """Covariance of the scores at two sets of points, 1 at no distance."""
    total, additive = np.zeros((len(a), len(b))), np.zeros((len(a), len(b)))
    for column in range(a.shape[1]):
        distance = (a[:, column, None] - b[None, :, column]) ** 2
        total += distance
        additive += np.exp(-distance / (2 * _ADDITIVE**2))
    joint = np.exp(-total / (2 * scale**2 * a.shape[1]))
    return np.asarray(0.5 * joint + 0.5 * additive / a.shape[1])


def _inverse(covariance: Floats, noise: float) -> Floats:
    factor = linalg.cho_factor(covariance + noise * np.eye(len(covariance)), lower=True)
    return np.asarray(linalg.cho_solve(factor, np.eye(len(covariance))))


def _tuned(u: Floats, z: Floats) -> tuple[float, float]:
    best = (-np.inf, SCALES[1], NOISES[1])
    for scale in SCALES:
        covariance = kernel(u, u, scale)
        for noise in NOISES:
            inverse = _inverse(covariance, noise)
            precision = np.diag(inverse)
            residuals = (inverse @ z) / precision
            density = float((0.5 * np.log(precision) - 0.5 * residuals**2 * precision).sum())
            best = max(best, (density, scale, noise))
    return best[1], best[2]


def _thinned(snapshot: Snapshot, largest: int) -> np.ndarray:
    """At most so many rows, in order of time: the best fifth of that number and others evenly."""
    if snapshot.count <= largest:
        return np.arange(snapshot.count)
    best = snapshot.order[: largest // 5]
    others = np.setdiff1d(np.arange(snapshot.count), best)
    even = others[np.linspace(0, len(others) - 1, largest - len(best)).astype(int)]
    return np.sort(np.concatenate([best, even]))
