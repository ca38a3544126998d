"""Pictures of SHAP values and of LIME's weights, drawn here: SHAP's own go through pyplot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tunesmith_explain._columns import Matrix
from tunesmith_explain._effects import Effects, Reason
from tunesmith_explain._style import BLUE, CLASSES, GREY, ORANGE, despine, label, labels

SHOWN = 20
"""Columns or hyperparameters in a picture, those with the largest effects."""
_DOTS = 400
_SHADES = colormaps["viridis"]


@dataclass(frozen=True)
class Bars:
    """A panel of a row's picture: words with a number each, largest first."""

    title: str
    bars: Sequence[Reason]


def importance(effects: Effects, what: str) -> Figure:
    """How much each column matters, and with one output also which way its values push.

    `what` is what the effects change: `accuracy`, `log-odds of benign`.
    """
    top = effects.top(SHOWN)
    unit = _unit(effects.values[:, top])
    height = 1.7 + 0.3 * max(len(top), 2)
    names = labels([effects.names[column] for column in top], 32)
    if effects.values.shape[2] > 1:
        figure = Figure(figsize=(9.5, height + 0.3), layout="constrained")
        axes = figure.subplots()
        _stacked(axes, effects, top, unit)
    else:
        figure = Figure(figsize=(9.5, height), layout="constrained")
        axes, swarm = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.7))
        axes.barh(range(len(top)), effects.importance[top] / unit, color=BLUE, height=0.62)
        _swarms(swarm, effects, top, unit)
        swarm.set(xlabel=f"effect on the {_in_units(what, unit)}")
        _scale(figure, [axes, swarm])
        despine(swarm)
    axes.set(yticks=range(len(top)), yticklabels=names, ylim=(len(top) - 0.4, -0.6))
    axes.set(xlabel=f"mean size of the effect{'' if unit == 1 else f' in units of {unit:g}'}")
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], min_n_ticks=2))
    despine(axes)
    return figure


def _stacked(axes: Axes, effects: Effects, top: Sequence[int], unit: float) -> None:
    """With several outputs, a part of the bar for each."""
    parts = np.abs(effects.values[:, top]).mean(axis=0) / unit
    order = np.argsort(-parts.sum(axis=0), kind="stable")
    most = len(CLASSES) if len(order) <= len(CLASSES) else len(CLASSES) - 1
    shown = [(effects.outputs[output], parts[:, output]) for output in order[:most]]
    if rest := list(order[most:]):
        shown.append((f"{len(rest)} others", parts[:, rest].sum(axis=1)))
    left = np.zeros(len(top))
    for colour, (name, widths) in zip((*CLASSES[:most], GREY), shown, strict=False):
        axes.barh(
            range(len(top)), widths, left=left, color=colour, height=0.62, label=label(name, 24)
        )
        left += widths
    axes.legend(loc="lower right", title="effect on")


def _swarms(axes: Axes, effects: Effects, top: Sequence[int], unit: float) -> None:
    """A dot a row, coloured by its value, apart where they would cover each other."""
    every = math.ceil(len(effects.values) / _DOTS)
    values = effects.values[::every, top, 0] / unit
    shades = effects.shades[::every][:, top]
    axes.axvline(0, color=GREY, lw=1, zorder=0.8)
    room = float(np.ptp(values)) or 1.0
    size = 15 if len(values) < 100 else 9
    for place in range(len(top)):
        xs, tints = values[:, place], shades[:, place]
        ys = place + _apart(xs, room)
        plain = np.isnan(tints)
        axes.scatter(xs[plain], ys[plain], s=size, color=GREY, linewidth=0, zorder=2)
        axes.scatter(
            xs[~plain],
            ys[~plain],
            c=tints[~plain],
            s=size,
            cmap=_SHADES,
            vmin=0,
            vmax=1,
            linewidth=0,
            zorder=2.1,
        )
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=2))
    axes.margins(x=0.04)


def _apart(xs: Matrix, room: float) -> Matrix:
    """Heights from -0.4 to 0.4: dots of one stretch of the axis above and below each other."""
    stretches = np.round(xs / room * 110).astype(np.int64)
    heights = np.zeros(len(xs))
    for stretch in np.unique(stretches):
        here = np.flatnonzero(stretches == stretch)
        side = np.where(np.arange(len(here)) % 2, 1, -1)
        heights[here] = side * ((np.arange(len(here)) + 1) // 2)
    return heights * min(0.09, 0.4 / max(float(np.abs(heights).max(initial=0)), 1.0))


def _scale(figure: Figure, panels: Sequence[Axes]) -> None:
    bar = figure.colorbar(
        ScalarMappable(cmap=_SHADES),
        ax=list(panels),
        location="top",
        anchor=(1.0, 0.0),
        fraction=0.04,
        shrink=0.3,
        aspect=40,
        pad=0.02,
    )
    bar.set_ticks([0, 0.5, 1], labels=["low", "value", "high"])
    bar.ax.tick_params(length=0, pad=2)
    bar.outline.set_visible(False)


def local(title: str, panels: Sequence[Bars]) -> Figure:
    """One row: what speaks for the answer, and what against it, a panel for each method."""
    rows = max(max((len(panel.bars) for panel in panels), default=0), 2)
    figure = Figure(figsize=(9.5, 1.4 + 0.27 * rows), layout="constrained")
    figure.suptitle(label(title, 130), fontsize=10, x=0.01, ha="left")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        numbers = np.array([reason.weight for reason in panel.bars])
        unit = _unit(numbers)
        colours = [BLUE if number > 0 else ORANGE for number in numbers]
        axes.barh(range(len(numbers)), numbers / unit, color=colours, height=0.62)
        axes.axvline(0, color=GREY, lw=1)
        names = _statements(panel.bars)
        axes.set(yticks=range(len(names)), yticklabels=names, ylim=(rows - 0.4, -0.6))
        axes.set(xlabel=_in_units(panel.title, unit))
        axes.tick_params(axis="y", labelsize=8.5)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], min_n_ticks=2))
        axes.margins(x=0.06)
        despine(axes)
    return figure


def _statements(reasons: Sequence[Reason]) -> list[str]:
    """Words in which long names are cut before the values are."""
    short = labels([reason.name for reason in reasons], 20)
    return [
        label(reason.words.replace(reason.name, name, 1), 38)
        for reason, name in zip(reasons, short, strict=True)
    ]


def _unit(values: Matrix) -> float:
    """A power of ten that keeps the axis free of long numbers."""
    size = float(np.abs(values).max(initial=0.0))
    return 1.0 if size == 0 or 1e-3 <= size < 1e5 else 10.0 ** math.floor(math.log10(size))


def _in_units(what: str, unit: float) -> str:
    return label(what, 60) + ("" if unit == 1 else f", in units of {unit:g}")
