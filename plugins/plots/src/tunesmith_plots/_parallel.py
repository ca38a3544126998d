"""The picture of all parameters at once: a line a trial, a row a parameter."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from tunesmith.parameters import Parameter
from tunesmith.trial import Goal, Round, Trial, pareto_front
from tunesmith_plots._importance import Importance
from tunesmith_plots._scales import marks, positions, spread
from tunesmith_plots._scores import ScoreAxis, score_axis, scored
from tunesmith_plots._style import GREY, ORANGE, SHADES, label

_ABSENT = -0.09
"""Where a line passes a parameter that did not apply."""
_MANY = 400
_STRONG = 60
"""So many lines, about, are drawn strongly."""
_MOST = 600
"""Lines that are drawn: more would take long, and look the same."""
_ROOM = 60
"""Letters that fit side by side below a row."""


def parallel(round: Round, goal: Goal, ranked: Sequence[Importance]) -> Figure:
    """The trials' lines through the parameters' own scales, the better the darker.

    The strongest parameters are on top, and the Pareto front, with one goal the best trial, lies
    over all others.
    """
    order = {one.name: index for index, one in enumerate(ranked)}
    names = sorted(round.space.parameters, key=lambda name: order.get(name, len(order)))
    inside = [trial for trial in scored(round) if _is_inside(round, trial)]
    figure = Figure(figsize=(9.5, 0.5 * max(len(names), 4) + 1.3), layout="constrained")
    axes = figure.subplots()
    absent = any(name not in trial.params for trial in inside for name in names)
    _rows(axes, round, names, absent)
    left_out = len(scored(round)) - len(inside)
    axes.set_title(f"{label(goal.metric, 40)}: {goal.direction}")
    notes = [f"{left_out} trials outside the space are left out"] if left_out else []
    if len(inside) > _MOST:
        notes.append(f"of {len(inside)} trials the best {_MOST // 2} and some of the others")
    axes.set_xlabel("; ".join(notes))
    if inside:
        axis = score_axis(goal, inside)
        _lines(axes, round, names, inside, axis)
        axis.key(axes)
    else:
        axes.text(0.5, 0.5, "no trial has a score", ha="center", color=GREY)
    return figure


def _is_inside(round: Round, trial: Trial) -> bool:
    return all(
        name in round.space.parameters and round.space.parameters[name].contains(value)
        for name, value in trial.params.items()
    )


def _rows(axes: Axes, round: Round, names: Sequence[str], absent: bool) -> None:
    axes.hlines(range(len(names)), 0, 1, color="#b4b9c0", lw=1, zorder=1)
    for row, name in enumerate(names):
        parameter = round.space.parameters[name]
        found = _fitting(parameter)
        axes.plot(
            [at for at, _ in found], [row] * len(found), "|", color=GREY, ms=7, zorder=4, mew=1
        )
        for at, text in found:
            axes.annotate(
                text,
                (at, row),
                (0, -4),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=7.5,
                color="#43494f",
                zorder=6,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )
    axes.set(
        yticks=range(len(names)),
        yticklabels=[label(name, 30) for name in names],
        ylim=(len(names) - 0.4, -0.3),
        xlim=(_ABSENT - 0.03 if absent else -0.03, 1.03),
        xticks=[_ABSENT] if absent else [],
        xticklabels=["does not apply"] if absent else [],
    )
    axes.grid(visible=absent, axis="x")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="both", length=0)
    axes.spines[:].set_visible(False)


def _fitting(parameter: Parameter) -> list[tuple[float, str]]:
    """The values that can stand below a row without touching."""
    for most, letters in ((10, 14), (6, 14), (4, 14), (3, 14), (2, 14)):
        found = marks(parameter, most, letters)
        widest = max(len(text) for _, text in found) + 2
        gaps = [after - before for (before, _), (after, _) in pairwise(found)]
        if not gaps or min(gaps) * _ROOM * 1.4 >= widest:
            return found
    return [found[0], found[-1]]


def _lines(
    axes: Axes, round: Round, names: Sequence[str], trials: Sequence[Trial], axis: ScoreAxis
) -> None:
    front = pareto_front(trials, round.goals)
    ordered = sorted(trials, key=lambda trial: -axis.goal.loss(trial.metrics))
    broken = _thinned([trial for trial in ordered if trial.violation])
    kept = _thinned([trial for trial in ordered if not trial.violation])
    many = len(trials) > _MANY
    looks = {"lw": 0.5 if many else 0.9, "rasterized": many}
    if broken:
        paths = _paths(round, names, broken)
        dotted = LineCollection(paths, colors=GREY, linestyles=":", zorder=1.5, **looks)
        axes.add_collection(dotted, autolim=False)
    if kept:
        shades = np.asarray(SHADES(axis.shades([t.metrics[axis.goal.metric] for t in kept])))
        # hundreds of lines would hide one another: only the best of them keep their strength
        behind = np.arange(len(kept))[::-1]
        faint = 0.04 if many else 0.3
        shades[:, 3] = faint + (0.9 - faint) * np.exp(-behind / _STRONG)
        lines = LineCollection(_paths(round, names, kept), colors=shades, zorder=2, **looks)
        axes.add_collection(lines, autolim=False)
    best = LineCollection(_paths(round, names, front), colors=ORANGE, lw=1.8, zorder=3)
    axes.add_collection(best, autolim=False)
    handles = []
    if front:
        one = f"best: trial {front[0].number}"
        name = one if len(round.goals) == 1 else f"Pareto front ({len(front)})"
        handles.append(Line2D([], [], color=ORANGE, lw=1.8, label=name))
    if broken:
        handles.append(Line2D([], [], color=GREY, ls=":", label="breaks a limit"))
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)


def _thinned(ordered: Sequence[Trial]) -> Sequence[Trial]:
    """Of many trials the last ones, which are the best, and an even choice of those before."""
    if len(ordered) <= _MOST:
        return ordered
    half = _MOST // 2
    worse = ordered[:-half]
    return [*worse[:: -(-len(worse) // half)], *ordered[-half:]]


def _paths(
    round: Round, names: Sequence[str], trials: Sequence[Trial]
) -> list[NDArray[np.float64]]:
    """The points of each trial's line, shape (parameters, 2)."""
    parameters = ((name, round.space.parameters[name]) for name in names)
    columns = [positions(name, each, trials) + spread(each, trials) for name, each in parameters]
    across = np.nan_to_num(np.array(columns).T, nan=_ABSENT)
    down = np.broadcast_to(np.arange(len(names), dtype=float), across.shape)
    return list(np.stack([across, down], axis=-1))
