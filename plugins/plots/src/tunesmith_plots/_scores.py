"""Puts scores on an axis: the part of the range that is shown, its scale and its unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import (
    Formatter,
    FuncFormatter,
    Locator,
    LogLocator,
    MaxNLocator,
    NullLocator,
    ScalarFormatter,
)
from numpy.typing import NDArray

from tunesmith.trial import Direction, Goal, Round, Trial, is_scored
from tunesmith_plots._style import SHADES, label

Shades = NDArray[np.float64]

_WIDE = 1000
"""Positive scores that span this factor are drawn on a logarithmic axis."""
_FAR = 20
"""A score this many times farther from the best than nine of ten is cut off."""


@dataclass(frozen=True, slots=True)
class ScoreAxis:
    """How one goal's scores are drawn. `low` and `high` are scores, the ends of what is shown."""

    goal: Goal
    low: float
    high: float
    log: bool
    unit: float

    def place(self, score: float) -> float:
        """Where a score is drawn: in units, those beyond the ends on the end."""
        return min(max(score, self.low), self.high) / self.unit

    def is_beyond(self, score: float) -> bool:
        return not self.low <= score <= self.high

    @property
    def label(self) -> str:
        unit = "" if self.unit == 1 else f" in units of {self.unit:g}"
        better = "higher" if self.goal.direction is Direction.MAXIMIZE else "lower"
        return f"{label(self.goal.metric, 26)}{unit}\n({better} is better)"

    def limits(self, below: float) -> tuple[float, float]:
        """The axis' ends in units, with room around the scores; `below`, as a share, under them."""
        low, high = self.low / self.unit, self.high / self.unit
        if self.log:
            bottom, top = math.log10(low), math.log10(high)
            room = top - bottom
            return 10 ** max(bottom - below * room, -307), 10 ** min(top + 0.07 * room, 307)
        # a span that floats can still tell apart
        span = max(high - low, 1e-9 * abs(high)) if high > low else abs(high) or 1.0
        return low - below * span, high + 0.07 * span

    def dress(self, axes: Axes, which: Literal["x", "y"], below: float) -> None:
        """Scale, limits, ticks and number format for matplotlib's axis."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        axes.set(
            **{f"{which}scale": "log" if self.log else "linear", f"{which}lim": self.limits(below)}
        )
        locator, formatter = self._ticks()
        axis.set_major_locator(locator)
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(formatter)

    def _ticks(self) -> tuple[Locator, Formatter]:
        if self.log:
            return LogLocator(numticks=6), FuncFormatter(lambda value, _: f"{value:g}")
        formatter = ScalarFormatter(useOffset=False, useMathText=False)
        formatter.set_scientific(False)
        return MaxNLocator(5), formatter

    @property
    def _norm(self) -> Normalize:
        low, high = self.limits(0.07)
        return LogNorm(low, high) if self.log else Normalize(low, high)

    def shades(self, scores: Sequence[float]) -> Shades:
        """Where scores lie in `SHADES`, from 0 to 1: the better, the darker."""
        found = self._norm(np.array([self.place(score) for score in scores]))
        up = self.goal.direction is Direction.MAXIMIZE
        return np.asarray(found if up else 1 - found, dtype=np.float64)

    def key(self, axes: Axes) -> None:
        """A bar beside the axes that tells what the shades mean."""
        up = self.goal.direction is Direction.MAXIMIZE
        colours = ScalarMappable(self._norm, SHADES if up else SHADES.reversed())
        locator, formatter = self._ticks()
        figure = axes.get_figure()
        assert isinstance(figure, Figure)
        bar = figure.colorbar(
            colours, ax=axes, ticks=locator, format=formatter, aspect=30, pad=0.02
        )
        bar.minorticks_off()
        bar.set_label(self.label)
        bar.outline.set_visible(False)


def score_axis(goal: Goal, trials: Sequence[Trial]) -> ScoreAxis:
    """The axis for the scored trials, at least one.

    The best score is always shown; a tenth at the other end may be cut off where it would press
    all others flat.
    """
    return axis_of(goal, [trial.metrics[goal.metric] for trial in trials])


def axis_of(goal: Goal, scores: Sequence[float]) -> ScoreAxis:
    """The axis for finite scores, at least one; see `score_axis`."""
    losses = sorted(goal.loss({goal.metric: score}) for score in scores)
    best, worst, most = losses[0], losses[-1], losses[(len(losses) - 1) * 9 // 10]
    spread = most - best
    if spread and worst > best + _FAR * spread:
        worst = best + 3 * spread
    low, high = sorted(
        -loss if goal.direction is Direction.MAXIMIZE else loss for loss in (best, worst)
    )
    log = low > 0 and high > _WIDE * low
    size = max(abs(low), abs(high))
    plain = log or size == 0 or 1e-3 <= size < 1e6
    return ScoreAxis(goal, low, high, log, 1.0 if plain else 10.0 ** math.floor(math.log10(size)))


def scored(round: Round) -> list[Trial]:
    """The trials that have a score, by number."""
    found = [trial for trial in round.trials if is_scored(trial, round.goals)]
    return sorted(found, key=lambda trial: trial.number)


def unscored(round: Round) -> dict[str, list[Trial]]:
    """The other trials, by what became of them."""
    found: dict[str, list[Trial]] = {}
    for trial in round.trials:
        if not is_scored(trial, round.goals):
            found.setdefault(fate(trial), []).append(trial)
    return dict(sorted(found.items()))


def fate(trial: Trial) -> str:
    """The state of a trial without score; `no score` where it is complete all the same."""
    return "no score" if trial.state == "complete" else str(trial.state)


def good(goal: Goal, trials: Sequence[Trial], share: float = 0.15) -> set[int]:
    """Numbers of the best trials, that share of all; none where all are equal."""
    losses = sorted(goal.loss(trial.metrics) for trial in trials)
    if not losses or losses[0] == losses[-1]:
        return set()
    threshold = losses[math.ceil(share * len(losses)) - 1]
    return {trial.number for trial in trials if goal.loss(trial.metrics) <= threshold}
