"""The picture of what trials reported on their way: kept ones, and where others were ended."""

import math
from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tunesmith.trial import Direction, Goal, Round, Trial, best_trial
from tunesmith_plots._scores import axis_of
from tunesmith_plots._style import BLUE, GREY, ORANGE, STATE_COLOURS, label

_MANY = 400
_MARKS = {"pruned": "X", "failed": "x"}

Curve = list[tuple[int, float]]


def curves(round: Round) -> Figure | None:
    """A panel for each goal that trials report, or for what they report most; None without any."""
    counts = Counter(
        step.metric for trial in round.trials for step in trial.steps if math.isfinite(step.value)
    )
    goals = [goal for goal in round.goals if goal.metric in counts]
    if not counts:
        return None
    # the way in which another metric is better is not known; rising is only a guess for the axis
    shown = goals or [Goal(counts.most_common(1)[0][0], Direction.MAXIMIZE)]
    figure = Figure(figsize=(9.5, 3.7 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, goal in zip(panels, shown, strict=True):
        _panel(axes, round, goal)
        if not goals:
            axes.set_ylabel(label(goal.metric, 30))
    panels[-1].set_xlabel("step")
    return figure


def course(trial: Trial, metric: str) -> Curve:
    """What the trial reported of the metric, by step; the last word on each step."""
    found = {s.step: s.value for s in trial.steps if s.metric == metric and math.isfinite(s.value)}
    return sorted(found.items())


def _panel(axes: Axes, round: Round, goal: Goal) -> None:
    groups: dict[str, list[tuple[Trial, Curve]]] = {}
    for trial in sorted(round.trials, key=lambda trial: trial.number):
        if curve := course(trial, goal.metric):
            groups.setdefault(str(trial.state), []).append((trial, curve))
    everything = [pair for group in groups.values() for pair in group]
    axis = axis_of(goal, [value for _, curve in everything for _, value in curve])
    placed = {
        state: [[(step, axis.place(value)) for step, value in curve] for _, curve in group]
        for state, group in groups.items()
    }
    many = len(everything) > _MANY
    handles = []
    for state, lines in sorted(placed.items()):  # complete ones first, below the others
        mark = _MARKS.get(state, "o" if max(map(len, lines)) == 1 else "")
        handles.append(_bundle(axes, lines, state, mark, many))
    best = best_trial(round.trials, round.goals)
    if best and (curve := course(best, goal.metric)):
        line = [(step, axis.place(value)) for step, value in curve]
        name = f"best: trial {best.number}"
        handles += axes.plot(*zip(*line, strict=True), color=ORANGE, lw=2, zorder=5, label=name)
    steps = [step for _, curve in everything for step, _ in curve]
    room = 0.02 * (max(steps) - min(steps)) or 0.5
    axes.set(xlim=(min(steps) - room, max(steps) + room), ylabel=axis.label)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    axis.dress(axes, "y", 0.07)
    axes.set_title(label(goal.metric, 48))
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 0.99), ncols=5)


def _bundle(
    axes: Axes, lines: Sequence[Sequence[tuple[int, float]]], state: str, mark: str, many: bool
) -> Line2D:
    """Curves of one state with a mark at the end of each, and their entry in the legend."""
    colour = STATE_COLOURS.get(state, BLUE if state == "complete" else GREY)
    collection = LineCollection(
        lines,
        colors=colour,
        linewidths=0.5 if many else 0.9,
        # hundreds of kept curves become a cloud that shows where most of them ran
        alpha=min(max(60 / len(lines), 0.04 if state == "complete" else 0.2), 0.6),
        rasterized=many,
        zorder=2,
    )
    axes.add_collection(collection, autolim=False)
    if mark:
        xs, ys = zip(*(line[-1] for line in lines), strict=True)
        size = 10 if many else 30
        edge = {"linewidth": 0} if mark != "x" else {"linewidth": 1.2}
        axes.scatter(xs, ys, marker=mark, s=size, color=colour, zorder=3, rasterized=many, **edge)
    kept = "kept" if state == "complete" else state
    return Line2D([], [], color=colour, marker=mark, lw=1.2, label=f"{kept} ({len(lines)})")
