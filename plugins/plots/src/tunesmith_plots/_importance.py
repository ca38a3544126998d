"""How much each parameter alone decides whether a trial is among the best, with intervals."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Goal, Round, Trial, TrialState
from tunesmith_plots._scales import Positions, positions
from tunesmith_plots._scores import scored
from tunesmith_plots._style import BLUE, GREY, INK, label

BEST = 0.25
"""The share of the trials that counts as the best."""
LEAST = 20
"""Below so many trials with a score an estimate would be noise."""
_CELLS = 8
_RARE = 3
_RESAMPLES = 300
_BARS = 30

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Importance:
    """A parameter's share, 0 where it decides nothing and 1 where it decides alone.

    `low` and `high` are the ends of the 90% interval, `trials` those in which it applied.
    """

    name: str
    share: float
    low: float
    high: float
    trials: int

    @property
    def sure(self) -> bool:
        """Whether even the low end is more than 0%, as it is written."""
        return self.low > 0.005


def importances(round: Round, goal: Goal) -> list[Importance]:
    """Of each parameter for which the trials suffice, the most important first.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv 2304.10255): the Pearson divergence between
    a parameter's density in the best trials and in all. It is the variance that the parameter
    alone explains of whether a trial is among the best, here as a share of all that variance, from
    histograms, less what chance explains (as in an adjusted R²). A parameter with a condition is
    judged among the trials in which it applied. Pruned trials are not among the best, and those
    that break limits come last.
    """
    trials = scored(round) + [trial for trial in round.trials if trial.state is TrialState.PRUNED]
    trials.sort(key=lambda trial: trial.number)
    ranks, resamples = _ranks(trials, goal), cache(_resamples)
    found = (
        _importance(name, parameter, positions(name, parameter, trials), ranks, resamples)
        for name, parameter in round.space.parameters.items()
    )
    return sorted(
        (importance for importance in found if importance),
        key=lambda importance: -importance.share,
    )


def _resamples(count: int) -> Weights:
    """How often each of so many trials is drawn, a row a resample."""
    random = np.random.default_rng(0)
    drawn = random.multinomial(count, np.full(count, 1 / count), _RESAMPLES)
    return drawn.astype(np.float32)


def _ranks(trials: Sequence[Trial], goal: Goal) -> Weights:
    """The lower the better, equal for equal scores; infinite for pruned trials."""
    worth = [
        None if trial.state is TrialState.PRUNED else (trial.violation, goal.loss(trial.metrics))
        for trial in trials
    ]
    order = {each: rank for rank, each in enumerate(sorted({each for each in worth if each}))}
    return np.array([order[each] if each else np.inf for each in worth], np.float32)


def _importance(
    name: str,
    parameter: Parameter,
    at: Positions,
    ranks: Weights,
    resamples: Callable[[int], Weights],
) -> Importance | None:
    here = ~np.isnan(at)
    at, ranks = at[here], ranks[here]
    scores = np.sort(ranks[np.isfinite(ranks)])
    if len(scores) < LEAST:
        return None
    cells = _cells(parameter, at)
    threshold = scores[math.ceil(BEST * len(scores)) - 1]
    if cells.max() == 0 or threshold == scores[-1]:
        return None
    top = ranks <= threshold
    share = float(_shares(cells, top, np.ones((1, len(at)), np.float32))[0])
    again = _shares(cells, top, resamples(len(at)))
    # a resample's share is too large once more by what chance explains
    low, high = np.nanquantile(again, [0.05, 0.95]) - np.nanmean(again) + share
    low, share, high = (min(max(float(value), 0.0), 1.0) for value in (low, share, high))
    return Importance(name, share, low, high, len(at))


def _cells(parameter: Parameter, at: Positions) -> NDArray[np.intp]:
    """Each trial's cell: its choice, rare ones together, or a stretch with as many as others."""
    if isinstance(parameter, Categorical):
        _, cells, sizes = np.unique(at, return_inverse=True, return_counts=True)
        return np.unique(np.where(sizes[cells] < _RARE, -1, cells), return_inverse=True)[1]
    count = min(max(len(at) // 10, 3), _CELLS)
    edges = np.quantile(at, np.linspace(0, 1, count + 1)[1:-1])
    cells = np.searchsorted(edges, at, side="right")
    return np.unique(cells, return_inverse=True)[1]


def _shares(
    cells: NDArray[np.intp], top: NDArray[np.bool], weights: Weights
) -> NDArray[np.float64]:
    """The adjusted share for each row of weights; NaN where a resample has nothing to tell."""
    member = np.eye(cells.max() + 1, dtype=np.float32)[cells]
    sizes = (weights @ member).astype(np.float64)
    hits = (weights[:, top] @ member[top]).astype(np.float64)
    count, best = sizes.sum(axis=1), hits.sum(axis=1)
    explained = (hits**2 / np.maximum(sizes, 1)).sum(axis=1) - best**2 / count
    variance = best * (1 - best / count)
    free = count - (sizes > 0).sum(axis=1)
    told = (variance > 1e-9) & (free > 0)
    left = 1 - explained / np.where(told, variance, 1)
    return np.where(told, 1 - left * (count - 1) / np.where(told, free, 1), np.nan)


def importance(round: Round, found: Mapping[str, Sequence[Importance]]) -> Figure:
    """A panel for each goal with a bar for each parameter and its interval, by metric."""
    most = max(map(len, found.values()))
    rows = min(max(most, 2), _BARS)
    figure = Figure(figsize=(9.5, (0.27 * rows + 1.0) * len(found)), layout="constrained")
    panels = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for axes, goal in zip(panels, round.goals, strict=True):
        _bars(axes, round, found[goal.metric])
        count = min(len(found[goal.metric]), _BARS)
        left = len(round.space.parameters) - count
        more = f" ({left} not shown: less, or too few trials)" if count and left else ""
        axes.set_title(f"{label(goal.metric, 48)}: {goal.direction}{more}")
    panels[-1].set_xlabel(f"share of being among the best {BEST:.0%} that it alone explains")
    return figure


def _bars(axes: Axes, round: Round, found: Sequence[Importance]) -> None:
    axes.set(xlim=(0, 1), yticks=[])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if value < 1.001 else "")
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    if not found:
        why = _why_nothing(round)
        axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=GREY)
        return
    shown = found[:_BARS]
    total = len(scored(round)) + sum(t.state is TrialState.PRUNED for t in round.trials)
    sure = [BLUE if one.sure else "#c9ced6" for one in shown]
    rows = range(len(shown))
    axes.barh(rows, [one.share for one in shown], height=0.62, color=sure)
    axes.hlines(rows, [one.low for one in shown], [one.high for one in shown], color=INK, lw=1.3)
    for row, one in enumerate(shown):
        axes.annotate(
            f"{one.share:.0%}  ({one.low:.0%} to {one.high:.0%})"
            + (f", in {one.trials} of {total} trials" if one.trials < total else ""),
            (one.high, row),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color="#5d646d",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    reach = max(one.high for one in shown)
    axes.set(
        yticks=rows,
        yticklabels=[label(one.name, 30) for one in shown],
        ylim=(len(shown) - 0.4, -0.6),
        xlim=(0, min(1.5, max(0.3, 1.5 * reach))),
    )


def _why_nothing(round: Round) -> str:
    count = len(scored(round))
    if count < LEAST:
        return f"{count} trials with a score: too few to tell influence from noise ({LEAST} needed)"
    return "no parameter can be judged: scores are equal, or values appear in too few trials"
