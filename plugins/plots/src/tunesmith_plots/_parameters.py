"""The picture of the parameters: each on its own scale against the score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Goal, Round, Trial, best_trial
from tunesmith_plots._history import BROKEN, OFF_SCALE, STAR, dots, even_out
from tunesmith_plots._scales import Positions, dress, positions, spread
from tunesmith_plots._scores import ScoreAxis, good, score_axis, scored, unscored
from tunesmith_plots._style import BLUE, GREY, ORANGE, STATE_COLOURS, label

_BINS = 6
_ENOUGH_FOR_A_BOX = 5
_ENOUGH_FOR_A_BAND = 10
_BAND = "#5d646d"


def parameters(round: Round, goal: Goal) -> Figure:
    """A panel for each parameter: where trials lie on its scale, and what they scored.

    A trial in which the parameter did not apply is left out of its panel.
    """
    names = list(round.space.parameters)
    columns = min(4, len(names))
    rows = math.ceil(len(names) / columns)
    wide = {1: 6.5, 2: 4.6, 3: 3.4, 4: 2.8}[columns]
    figure = Figure(figsize=(wide * columns + 0.6, 2.7 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    trials, others = scored(round), unscored(round)
    scores = _scores(goal, trials) if trials else None
    if scores:
        scores.axis.dress(grid[0, 0], "y", 0.16)  # and with it all that share its axis
    else:
        grid[0, 0].set(yticks=[], ylim=(0, 1))
    panels = list(zip(grid.flat, names, strict=False))
    for axes, name in panels:
        parameter = round.space.parameters[name]
        dress(axes, parameter)
        if scores:
            _panel(axes, name, parameter, scores)
        _unscored(axes, name, parameter, others)
        axes.set_title(_title(name, trials))
    for axes in list(grid.flat)[len(names) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel(scores.axis.label if scores else "no trial has a score")
    _headline(figure, goal, [axes for axes, _ in panels])
    return figure


@dataclass(frozen=True)
class _Scores:
    """What all panels share: where each trial's score is drawn, and which trials are marked how."""

    axis: ScoreAxis
    trials: Sequence[Trial]
    heights: NDArray[np.float64]
    groups: dict[str, NDArray[np.bool]]
    best: Trial | None


def _scores(goal: Goal, trials: Sequence[Trial]) -> _Scores:
    kept = [trial for trial in trials if not trial.violation]
    axis, best, fine = score_axis(goal, trials), best_trial(kept, [goal]), good(goal, kept)
    scores = [trial.metrics[goal.metric] for trial in trials]
    broken = np.array([trial.violation > 0 for trial in trials])
    off = np.array([axis.is_beyond(score) for score in scores]) & ~broken
    strong = np.array([trial.number in fine for trial in trials]) & ~off
    groups = {
        "broken": broken,
        "other": ~(broken | off | strong),
        "off": off,
        "good": strong,
        "best": np.array([trial is best for trial in trials]),
    }
    return _Scores(axis, trials, np.array([axis.place(score) for score in scores]), groups, best)


def _title(name: str, trials: Sequence[Trial]) -> str:
    count = sum(name in trial.params for trial in trials)
    return label(name, 30) + (
        f"\nin {count} of {len(trials)} trials" if count < len(trials) else ""
    )


def _headline(figure: Figure, goal: Goal, panels: Sequence[Axes]) -> None:
    handles: dict[str, Artist] = {}
    for axes in panels:
        found, names = axes.get_legend_handles_labels()
        handles.update(zip(names, found, strict=True))
    figure.text(0.01, 0.995, f"{label(goal.metric, 40)}: {goal.direction}", va="top", fontsize=11)
    if handles:
        marks, names = list(handles.values()), list(handles)
        even_out(figure.legend(marks, names, loc="outside upper right", ncols=len(names)))
    else:
        figure.suptitle(" ")  # keeps the room that a legend would


def _panel(axes: Axes, name: str, parameter: Parameter, scores: _Scores) -> None:
    at = positions(name, parameter, scores.trials)
    here = ~np.isnan(at)
    if isinstance(parameter, Categorical):
        _boxes(axes, parameter, at[here], scores.heights[here])
    else:
        _band(axes, parameter, at[here], scores.heights[here])
    best = scores.best
    looks: dict[str, dict[str, Any]] = {
        "broken": BROKEN,
        "other": {"color": BLUE},
        "off": OFF_SCALE,
        "good": {"color": ORANGE, "alpha": 0.9, "label": "best 15%", "zorder": 3},
        "best": {**STAR, "label": f"best: trial {best.number if best else ''}"},
    }
    across = at + spread(parameter, scores.trials)
    for group, look in looks.items():
        chosen = scores.groups[group] & here
        if chosen.any():
            look = {**dots(len(scores.trials)), **look}
            axes.scatter(across[chosen], scores.heights[chosen], **look)


def _boxes(axes: Axes, parameter: Categorical, at: Positions, heights: NDArray[np.float64]) -> None:
    """Quartiles of each choice that has been tried often enough."""
    found = {float(choice): heights[at == choice] for choice in np.unique(at)}
    often = {choice: few for choice, few in found.items() if len(few) >= _ENOUGH_FOR_A_BOX}
    if not often:
        return
    line = {"color": GREY, "linewidth": 0.8}
    axes.boxplot(
        list(often.values()),
        positions=list(often),
        widths=0.7 / parameter.levels,
        manage_ticks=False,
        showfliers=False,
        showcaps=False,
        patch_artist=True,
        boxprops={"facecolor": "#eceef1", "edgecolor": GREY, "linewidth": 0.8},
        medianprops=line,
        whiskerprops=line,
        zorder=0.8,
    )


def _band(axes: Axes, parameter: Parameter, at: Positions, heights: NDArray[np.float64]) -> None:
    """Median and quartiles along the scale, bin by bin."""
    bins = min(_BINS, parameter.levels or _BINS)
    if len(at) < _ENOUGH_FOR_A_BAND * bins or bins < 3:
        return
    which = (np.minimum(at, 0.999) * bins).astype(int)
    filled = np.unique(which)
    low, middle, high = np.transpose(
        [np.quantile(heights[which == place], [0.25, 0.5, 0.75]) for place in filled]
    )
    across = (filled + 0.5) / bins
    axes.fill_between(across, low, high, color=_BAND, alpha=0.18, linewidth=0, zorder=0.8)
    axes.plot(across, middle, color=_BAND, linewidth=1, zorder=2.5)


def _unscored(axes: Axes, name: str, parameter: Parameter, rest: dict[str, list[Trial]]) -> None:
    """Marks along the bottom for trials without a score."""
    for row, (state, trials) in enumerate(rest.items()):
        across = positions(name, parameter, trials) + spread(parameter, trials)
        across = across[~np.isnan(across)]
        axes.scatter(
            across,
            np.full(len(across), 0.03 + 0.035 * row),
            transform=axes.get_xaxis_transform(),
            marker="x" if state == "failed" else "|",
            s=16,
            linewidth=1.0,
            color=STATE_COLOURS[state],
            label=state,
        )
