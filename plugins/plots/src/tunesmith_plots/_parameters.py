"""The picture of the parameters: each on its own scale against the score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import seaborn
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Goal, Round, Trial, best_trial
from tunesmith_plots._history import BROKEN, OFF_SCALE, STAR, dots, even_out
from tunesmith_plots._scales import dress, place, within
from tunesmith_plots._scores import ScoreAxis, good, score_axis, scored, unscored
from tunesmith_plots._style import BLUE, GREY, ORANGE, STATE_COLOURS, despine, label

_BINS = 6
_ENOUGH_FOR_A_BOX = 5
_ENOUGH_FOR_A_BAND = 10


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
    marked = _marked(goal, trials) if trials else None
    panels = list(zip(grid.flat, names, strict=False))
    for axes, name in panels:
        parameter = round.space.parameters[name]
        dress(axes, parameter)
        if marked:
            _scores(axes, name, parameter, trials, marked)
        else:
            axes.set(yticks=[], ylim=(0, 1))
        _unscored(axes, name, parameter, others)
        axes.set_title(_title(name, trials))
        despine(axes)
    for axes in list(grid.flat)[len(names) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel(marked.axis.label if marked else "no trial has a score")
    _headline(figure, goal, [axes for axes, _ in panels])
    return figure


@dataclass(frozen=True)
class _Marked:
    """Which trials stand out, of those that keep the limits, and where scores are."""

    axis: ScoreAxis
    good: set[int]
    best: Trial | None


def _marked(goal: Goal, trials: Sequence[Trial]) -> _Marked:
    kept = [trial for trial in trials if not trial.violation]
    return _Marked(score_axis(goal, trials), good(goal, kept), best_trial(kept, [goal]))


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


def _scores(
    axes: Axes, name: str, parameter: Parameter, trials: Sequence[Trial], marked: _Marked
) -> None:
    axis, best, metric = marked.axis, marked.best, marked.axis.goal.metric
    axis.dress(axes, "y", 0.16)
    here = within(name, parameter, trials)
    if isinstance(parameter, Categorical):
        _boxes(axes, name, parameter, here, axis)
    else:
        _band(axes, name, parameter, here, axis)
    groups: dict[str, list[Trial]] = {}
    for trial in here:
        off, fine = axis.is_beyond(trial.metrics[metric]), trial.number in marked.good
        group = "broken" if trial.violation else "off" if off else "good" if fine else "other"
        groups.setdefault(group, []).append(trial)
    if best in here:
        groups["best"] = [trial for trial in here if trial is best]
    looks: dict[str, dict[str, Any]] = {
        "broken": BROKEN,
        "other": {"color": BLUE},
        "off": OFF_SCALE,
        "good": {"color": ORANGE, "alpha": 0.9, "label": "best 15%", "zorder": 3},
        "best": {**STAR, "label": f"best: trial {best.number if best else ''}"},
    }
    for group, look in looks.items():
        if group in groups:
            xs = [place(parameter, trial, name) for trial in groups[group]]
            ys = [axis.place(trial.metrics[metric]) for trial in groups[group]]
            axes.scatter(xs, ys, **{**dots(len(trials)), **look})


def _boxes(
    axes: Axes, name: str, parameter: Categorical, here: Sequence[Trial], axis: ScoreAxis
) -> None:
    """Quartiles of each choice that has been tried often enough."""
    found: dict[int, list[float]] = {}
    for trial in here:
        index = int(parameter.position(trial.params[name]) * parameter.levels)
        found.setdefault(index, []).append(axis.place(trial.metrics[axis.goal.metric]))
    often = {index: scores for index, scores in found.items() if len(scores) >= _ENOUGH_FOR_A_BOX}
    if not often:
        return
    line = {"color": GREY, "linewidth": 0.8}
    axes.boxplot(
        list(often.values()),
        positions=[(index + 0.5) / parameter.levels for index in often],
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


def _band(
    axes: Axes, name: str, parameter: Parameter, here: Sequence[Trial], axis: ScoreAxis
) -> None:
    """Median and quartiles along the scale, bin by bin."""
    bins = min(_BINS, parameter.levels or _BINS)
    if len(here) < _ENOUGH_FOR_A_BAND * bins or bins < 3:
        return
    seaborn.lineplot(
        x=[(int(min(parameter.position(t.params[name]), 0.999) * bins) + 0.5) / bins for t in here],
        y=[axis.place(trial.metrics[axis.goal.metric]) for trial in here],
        estimator="median",
        errorbar=("pi", 50),
        ax=axes,
        color="#5d646d",
        linewidth=1,
        err_kws={"alpha": 0.18, "linewidth": 0, "zorder": 0.8},
        zorder=2.5,
    )
    axes.set(xlabel="", ylabel="")


def _unscored(axes: Axes, name: str, parameter: Parameter, rest: dict[str, list[Trial]]) -> None:
    """Marks along the bottom for trials without a score."""
    for row, (state, trials) in enumerate(rest.items()):
        here = within(name, parameter, trials)
        axes.scatter(
            [place(parameter, trial, name) for trial in here],
            [0.03 + 0.035 * row] * len(here),
            transform=axes.get_xaxis_transform(),
            marker="x" if state == "failed" else "|",
            s=16,
            linewidth=1.0,
            color=STATE_COLOURS[state],
            label=state,
        )
