"""Pictures of the scores: trial by trial, and goal against goal."""

import math
from collections.abc import Sequence
from itertools import accumulate, combinations
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import MaxNLocator

from tunesmith.trial import Goal, Round, Trial, pareto_front
from tunesmith_plots._scores import ScoreAxis, score_axis, scored, unscored
from tunesmith_plots._style import BLUE, GREY, INK, ORANGE, STATE_COLOURS, label

STAR: dict[str, Any] = {
    "marker": "*",
    "s": 190,
    "color": ORANGE,
    "edgecolor": "white",
    "linewidth": 0.8,
    "alpha": 1,
    "zorder": 5,
}
"""How the best trial is marked in every picture."""


OFF_SCALE: dict[str, Any] = {"marker": "D", "s": 16, "color": GREY, "label": "trial off the scale"}
"""How a score that would press all others flat is marked, at the edge of the picture."""
BROKEN: dict[str, Any] = {
    "facecolors": "none",
    "edgecolors": GREY,
    "linewidth": 0.9,
    "label": "breaks a limit",
}
"""How a trial that breaks a limit is marked in every picture."""


def dots(count: int) -> dict[str, Any]:
    """Size and opacity of the dots: small and light where there are many."""
    size = min(34.0, max(8.0, 700 / math.sqrt(max(count, 1)) / 4))
    return {
        "s": size,
        "alpha": 0.75 if count < 300 else 0.4,
        "linewidth": 0,
        "label": "trial",
        "rasterized": count > 500,  # thousands of shapes in many panels would make an SVG heavy
    }


def even_out(legend: Legend) -> None:
    """Marks in the legend that can be seen, however small they are in the picture."""
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set(sizes=[max(30.0, min(handle.get_sizes()[0], 110.0))], alpha=1)


def history(round: Round) -> Figure:
    """Score by trial number with the best so far, a panel for each goal.

    Below it the trials without a score.
    """
    rest = unscored(round)
    strip = 0.5 + 0.22 * len(rest) if rest else 0.0
    heights = [3.3] * len(round.goals) + [strip] * bool(rest)
    figure = Figure(figsize=(9.5, sum(heights) + 0.4), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    panels = panels[:, 0]
    trials = scored(round)
    last = max((trial.number for trial in round.trials), default=0)
    for axes, goal in zip(panels, round.goals, strict=False):
        if trials:
            _scores(axes, goal, trials, last)
        else:
            nothing(axes, goal)
    if rest:
        _strip(panels[-1], rest)
    first = min((trial.number for trial in round.trials), default=0)
    room = max(0.5, 0.02 * (last - first))
    panels[-1].set(xlabel="trial", xlim=(first - room, last + room))
    panels[-1].xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    return figure


def nothing(axes: Axes, goal: Goal) -> None:
    """An empty panel that says why it is empty."""
    axes.set(title=f"{label(goal.metric, 48)}: {goal.direction}", yticks=[], ylim=(0, 1))
    axes.text(0.5, 0.5, "no trial has a score", transform=axes.transAxes, ha="center", color=GREY)


def _scores(axes: Axes, goal: Goal, trials: Sequence[Trial], last: int) -> None:
    axis = score_axis(goal, trials)
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        off = axis.is_beyond(trial.metrics[goal.metric])
        groups.setdefault("broken" if trial.violation else "off" if off else "other", []).append(
            trial
        )
    looks = {"broken": BROKEN, "other": {"color": BLUE}, "off": OFF_SCALE}
    for group, look in looks.items():
        if group in groups:
            ys = [axis.place(trial.metrics[goal.metric]) for trial in groups[group]]
            numbers = [trial.number for trial in groups[group]]
            axes.scatter(numbers, ys, **{**dots(len(trials)), **look})
    kept = [trial for trial in trials if not trial.violation]
    if kept:
        _course(axes, axis, kept, last)
    axis.dress(axes, "y", 0.07)
    axes.set(title=f"{label(goal.metric, 48)}: {goal.direction}", ylabel=axis.label)
    even_out(axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=5, borderaxespad=0.1))


def _course(axes: Axes, axis: ScoreAxis, trials: Sequence[Trial], last: int) -> None:
    """The best so far, up to the number of the last trial, and the best of all."""
    goal = axis.goal
    so_far = list(accumulate(trials, lambda best, trial: _better(goal, best, trial)))
    best = so_far[-1]
    heights = [axis.place(trial.metrics[goal.metric]) for trial in so_far]
    numbers = [trial.number for trial in trials]
    axes.step(
        [*numbers, max(last, numbers[-1])],
        [*heights, heights[-1]],
        where="post",
        color=INK,
        lw=1.4,
        label="best so far",
    )
    axes.scatter(
        [best.number],
        [heights[-1]],
        **STAR,
        label=f"best: {best.metrics[goal.metric]:.5g} in trial {best.number}",
    )


def _better(goal: Goal, one: Trial, other: Trial) -> Trial:
    return other if goal.loss(other.metrics) < goal.loss(one.metrics) else one


def _strip(axes: Axes, rest: dict[str, list[Trial]]) -> None:
    for row, (state, trials) in enumerate(rest.items()):
        axes.scatter(
            [trial.number for trial in trials],
            [row] * len(trials),
            marker="x" if state == "failed" else "|",
            s=26,
            linewidth=1.3,
            color=STATE_COLOURS[state],
        )
    names = [f"{state} ({len(trials)})" for state, trials in rest.items()]
    axes.set(yticks=range(len(rest)), yticklabels=names, ylim=(len(rest) - 0.4, -0.6))
    axes.grid(visible=False)


def pareto(round: Round) -> Figure:
    """Each pair of goals against each other; the trials that no other beats stand out."""
    trials, pairs = scored(round), list(combinations(round.goals, 2))
    columns = min(3, len(pairs))
    rows = math.ceil(len(pairs) / columns)
    wide = 6.5 if columns == 1 else 4.4
    figure = Figure(figsize=(wide * columns, 4.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes, pair in zip(panels, pairs, strict=False):
        if trials:
            _pair(axes, pair, trials, pareto_front(trials, round.goals), len(round.goals) == 2)
        else:
            nothing(axes, pair[0])
    for axes in list(panels)[len(pairs) :]:
        axes.remove()
    return figure


def _pair(
    axes: Axes,
    pair: tuple[Goal, Goal],
    trials: Sequence[Trial],
    front: Sequence[Trial],
    joined: bool,
) -> None:
    across, up = (score_axis(goal, trials) for goal in pair)
    inferior = {trial.number for trial in trials} - {trial.number for trial in front}
    others = [trial for trial in trials if trial.number in inferior]
    for broken, look in ((True, BROKEN), (False, {"color": BLUE})):
        group = [trial for trial in others if (trial.violation > 0) is broken]
        if group:
            axes.scatter(*_places(group, across, up), **{**dots(len(trials)), **look})
    ordered = sorted(front, key=lambda trial: trial.metrics[across.goal.metric])
    xs, ys = _places(ordered, across, up)
    if joined:
        axes.plot(xs, ys, color=ORANGE, lw=1.0, alpha=0.7)
    axes.scatter(
        xs,
        ys,
        s=46,
        color=ORANGE,
        edgecolor="white",
        linewidth=0.8,
        zorder=4,
        label=f"Pareto front ({len(front)})",
    )
    for trial, x, y in zip(ordered, xs, ys, strict=True):
        if len(front) <= 12:
            axes.annotate(str(trial.number), (x, y), (5, 5), textcoords="offset points", fontsize=8)
    across.dress(axes, "x", 0.07)
    up.dress(axes, "y", 0.07)
    axes.set(xlabel=across.label, ylabel=up.label)
    axes.grid(visible=True, axis="both")
    even_out(axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.1))


def _places(
    trials: Sequence[Trial], across: ScoreAxis, up: ScoreAxis
) -> tuple[list[float], list[float]]:
    return (
        [across.place(trial.metrics[across.goal.metric]) for trial in trials],
        [up.place(trial.metrics[up.goal.metric]) for trial in trials],
    )
