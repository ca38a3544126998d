"""The picture of who worked when: trials packed into lanes, and how many ran at once."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tunesmith.trial import Round, Trial
from tunesmith_plots._style import BLUE, GREY, INK, STATE_COLOURS

_UNITS = (("seconds", 1.0, 300.0), ("minutes", 60.0, 18000.0), ("hours", 3600.0, math.inf))
_SLICES = 160
_TIMES = ("started", "finished")
_SHORTEST_PAUSE = 60.0
"""Seconds; in less, a sampler may be at work."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A trial in its lane, the times in Unix seconds."""

    trial: Trial
    lane: int
    started: float
    finished: float


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch that is left out: its length, and when it was by the clock without pauses."""

    at: float
    seconds: float


def lanes(round: Round) -> list[Bar]:
    """Each trial that has times, by its start, in the first lane that is free by then.

    An interrupted one is none: where its process died, its end is that of the pause after it.
    """
    timed = sorted(
        (trial.started, trial.number, trial.finished, trial)
        for trial in round.trials
        if trial.counts
        and trial.started is not None
        and trial.finished is not None
        and math.isfinite(trial.started)
        and math.isfinite(trial.finished)
        and trial.finished >= trial.started
    )
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    bars = []
    for started, _, finished, trial in timed:
        while busy and busy[0][0] <= started:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (finished, lane))
        bars.append(Bar(trial, lane, started, finished))
    return bars


def squeezed(bars: Sequence[Bar]) -> tuple[list[Bar], list[Pause]]:
    """The bars by a clock that stands still in pauses, and these.

    A pause is a stretch in which nothing ran, longer than the longest trial and than a minute: a
    round that was stopped, and run again later.
    """
    shortest = max(_SHORTEST_PAUSE, *(bar.finished - bar.started for bar in bars))
    end, lost = bars[0].started, 0.0
    moved, pauses = [], []
    for bar in bars:
        if (length := bar.started - end) > shortest:
            pauses.append(Pause(end - lost, length))
            lost += length
        end = max(end, bar.finished)
        moved.append(replace(bar, started=bar.started - lost, finished=bar.finished - lost))
    return moved, pauses


def left_out(pauses: Sequence[Pause]) -> str:
    """`1 pause of 23 hours left out`; nothing where there is none."""
    if not pauses:
        return ""
    total = sum(pause.seconds for pause in pauses)
    unit, seconds = _unit(total)
    count = "1 pause" if len(pauses) == 1 else f"{len(pauses)} pauses"
    return f"{count} of {total / seconds:.0f} {unit} left out"


def busy_share(bars: Sequence[Bar]) -> float:
    """The part of all lanes' time that trials filled, pauses left out."""
    bars, _ = squeezed(bars)
    begin, end, count = _extent(bars)
    work = sum(bar.finished - bar.started for bar in bars)
    return min(work / ((end - begin) * count), 1.0) if end > begin else 1.0


def _unit(length: float) -> tuple[str, float]:
    """In what to tell so many seconds, and how many seconds that is."""
    return next((name, seconds) for name, seconds, most in _UNITS if length < most)


def _extent(bars: Sequence[Bar]) -> tuple[float, float, int]:
    return (
        min(bar.started for bar in bars),
        max(bar.finished for bar in bars),
        1 + max(bar.lane for bar in bars),
    )


def timeline(bars: Sequence[Bar]) -> Figure:
    """Lanes with a bar for each trial by state, and below how many ran at once.

    Dashed lines stand for pauses, which are left out.
    """
    bars, pauses = squeezed(bars)
    begin, end, count = _extent(bars)
    unit, seconds = _unit(end - begin)
    high = min(max(0.3 * count, 0.8), 6.0)
    figure = Figure(figsize=(9.5, high + 2.1), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[high, 1.0])
    _bars(above, bars, begin, seconds)
    length = (end - begin) / seconds or 1.0
    above.set(
        ylim=(count + 0.6, 0.4),
        xlim=(-0.01 * length, 1.01 * length),
        ylabel="lane",
        title=f"{len(bars)} trials, at most {count} at once; busy {busy_share(bars):.0%}",
    )
    running = _running(bars, np.linspace(begin, end, _SLICES + 1))
    edges = np.linspace(0, length, _SLICES + 1)
    below.stairs(running, edges, fill=True, color="#b9c6d3")
    cut = f" (dashed: {left_out(pauses)})" if pauses else ""
    below.set(ylim=(0, 1.08 * count), xlabel=f"{unit} since the first trial{cut}", ylabel="running")
    for axes in (above, below):
        for pause in pauses:
            axes.axvline((pause.at - begin) / seconds, color=INK, linewidth=0.8, linestyle="--")
        axes.yaxis.set_major_locator(
            MaxNLocator(5 if axes is above else 3, integer=True, min_n_ticks=1)
        )
    return figure


def _bars(axes: Axes, bars: Sequence[Bar], begin: float, seconds: float) -> None:
    lanes_used = 1 + max(bar.lane for bar in bars)
    axes.set_facecolor("#f3f4f6")
    axes.grid(visible=False)
    groups: dict[str, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(str(bar.trial.state), []).append(bar)
    edged = len(bars) <= 60 * lanes_used and len(bars) <= 600
    for state, group in groups.items():
        shapes = [_shape(bar, begin, seconds) for bar in group]
        axes.add_collection(
            PolyCollection(
                shapes,
                facecolors=STATE_COLOURS.get(state, BLUE if state == "complete" else GREY),
                edgecolors="white" if edged else "none",
                linewidths=0.6 if edged else 0,
                rasterized=len(bars) > 600,
            ),
            autolim=False,
        )
    axes.legend(
        handles=[_entry(state, len(group)) for state, group in sorted(groups.items())],
        loc="lower right",
        bbox_to_anchor=(1, 0.99),
        ncols=4,
    )


def _entry(state: str, count: int) -> Patch:
    colour = STATE_COLOURS.get(state, BLUE if state == "complete" else GREY)
    return Patch(facecolor=colour, label=f"{state} ({count})")


def _shape(bar: Bar, begin: float, seconds: float) -> list[tuple[float, float]]:
    left, right = (bar.started - begin) / seconds, (bar.finished - begin) / seconds
    top, bottom = bar.lane + 0.58, bar.lane + 1.42
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _running(bars: Sequence[Bar], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many trials ran in each slice of time, on average."""
    if edges[-1] <= edges[0]:
        return np.full(len(edges) - 1, float(len(bars)))
    started, finished = (np.array([getattr(bar, at) for bar in bars]) for at in _TIMES)
    worked = [
        np.maximum(edge - started, 0).sum() - np.maximum(edge - finished, 0).sum() for edge in edges
    ]
    return np.diff(worked) / np.diff(edges)
