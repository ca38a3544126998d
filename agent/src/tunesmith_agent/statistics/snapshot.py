"""The trials as arrays, on the scales of the present space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tunesmith.history import History
from tunesmith.parameters import Parameter
from tunesmith.space import SearchSpace
from tunesmith.trial import Trial, TrialState

Floats = NDArray[np.float64]

GOOD_SHARE, GOOD_LEAST = 0.2, 5
"""The good set is the best fifth of the trials, at least five (tuned on the development tasks)."""
ENOUGH = 12
"""Scored trials below which nothing is said about scores."""


@dataclass(frozen=True)
class Snapshot:
    """The comparable trials that lie in a space.

    `x` of shape (trials, parameters) has positions in [0, 1], NaN where a parameter does not
    apply; `failed` the same for failed trials. `z` are the scores as normal quantiles of their
    ranks, best highest.
    """

    history: History
    space: SearchSpace
    trials: tuple[Trial, ...]
    failures: tuple[Trial, ...]
    z: Floats

    @staticmethod
    def of(history: History, space: SearchSpace | None = None) -> Snapshot:
        """The trials of a history in its space, or in another one."""
        space = space or history.space
        ranks = {trial.number: rank for rank, trial in enumerate(history.ranked)}
        inside = [trial for trial in history.scored if space.contains(trial.params)]
        losses = _dense(history, ranks, inside)
        failures = tuple(
            trial
            for trial in history.trials
            if trial.state is TrialState.FAILED and space.contains(trial.params)
        )
        return Snapshot(history, space, tuple(inside), failures, _normal_scores(losses))

    @property
    def count(self) -> int:
        """Scored trials inside."""
        return len(self.trials)

    @cached_property
    def names(self) -> list[str]:
        """The parameters, in the order of the columns."""
        return list(self.space.parameters)

    @cached_property
    def x(self) -> Floats:
        """Positions of the scored trials."""
        return self._positions(self.trials)

    @cached_property
    def failed(self) -> Floats:
        """Positions of the failed trials."""
        return self._positions(self.failures)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Indices of the trials, best first."""
        return np.argsort(-self.z, kind="stable")

    @cached_property
    def good(self) -> NDArray[np.intp]:
        """Indices of the good set, best first."""
        return self.order[: self.good_count]

    @property
    def good_count(self) -> int:
        """Size of the good set."""
        return min(self.count, max(GOOD_LEAST, math.ceil(GOOD_SHARE * self.count)))

    @property
    def enough_to_cut(self) -> bool:
        """Whether there are the max(30, 5 d) trials that destructive edits need."""
        return self.count >= max(30, 5 * len(self.tuned))

    @cached_property
    def tuned(self) -> list[int]:
        """Columns of the parameters with more than one value that are not locked."""
        return [
            column
            for column, parameter in enumerate(self.space.parameters.values())
            if parameter.levels != 1 and not parameter.locked
        ]

    def parameter(self, column: int) -> Parameter:
        """The parameter of a column."""
        return self.space.parameters[self.names[column]]

    def numeric(self) -> list[int]:
        """Tuned columns with numbers."""
        return [column for column in self.tuned if self.parameter(column).type != "categorical"]

    def coverage(self, column: int) -> tuple[int, ...]:
        """Scored trials in each tenth of the parameter's range."""
        known = self.x[:, column]
        counts, _ = np.histogram(known[~np.isnan(known)], bins=10, range=(0, 1))
        return tuple(counts.tolist())

    def _positions(self, trials: tuple[Trial, ...]) -> Floats:
        found = np.full((len(trials), len(self.names)), np.nan)
        for row, trial in enumerate(trials):
            for column, name in enumerate(self.names):
                if name in trial.params:
                    found[row, column] = self.space.parameters[name].position(trial.params[name])
        return found


def _dense(history: History, ranks: dict[int, int], inside: list[Trial]) -> Floats:
    """Losses whose order is that of the ranking; with one goal equal metrics stay equal."""
    if len(history.goals) == 1:
        goal = history.goals[0]
        keys = [(trial.violation, goal.loss(trial.metrics)) for trial in inside]
        places = {key: place for place, key in enumerate(sorted(set(keys)))}
        return np.array([places[key] for key in keys], dtype=float)
    return np.array([ranks[trial.number] for trial in inside], dtype=float)


def _normal_scores(losses: Floats) -> Floats:
    """Φ⁻¹((rank − ½)/n), best highest (Blom 1958, Statistical Estimates and Transformed
    Beta-Variables; with ½ as in Hazen's formula). Ties share their rank.
    """
    if not len(losses):
        return losses
    ranks = stats.rankdata(-losses)
    return np.asarray(stats.norm.ppf((ranks - 0.5) / len(losses)), dtype=float)
