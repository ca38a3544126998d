"""Puts values on a parameter's own scale: the edges of its range are 0 and 1 in every picture."""

import math
from collections.abc import Iterable
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Trial
from tunesmith_plots._style import GREY, label, text_of

_FEW = 20
"""Up to so many levels, trials of one level are spread within its cell."""
_LABELS = 10


def within(name: str, parameter: Parameter, trials: Iterable[Trial]) -> list[Trial]:
    """The trials in which the parameter applied, with a value of its range."""
    return [
        trial for trial in trials if name in trial.params and parameter.contains(trial.params[name])
    ]


def place(parameter: Parameter, trial: Trial, name: str) -> float:
    """Where a trial within the range lies, from 0 to 1; those of one level side by side."""
    levels = parameter.levels
    # neighbours in time lie apart: multiples of the golden ratio fill an interval evenly
    jitter = (trial.number * 0.618034) % 1 - 0.5 if levels and levels <= _FEW else 0.0
    return parameter.position(trial.params[name]) + 0.5 * jitter / (levels or 1)


def marks(parameter: Parameter, most: int = _LABELS, letters: int = 14) -> list[tuple[float, str]]:
    """Values to write at the scale, by their positions: both ends, and some between."""
    if isinstance(parameter, Categorical):
        every = math.ceil(parameter.levels / most)
        shown = range(0, parameter.levels, every)
        return [
            ((index + 0.5) / parameter.levels, label(text_of(parameter.choices[index]), letters))
            for index in shown
        ]
    return [(parameter.position(value), number(value)) for value in _ticks(parameter)]


def dress(axes: Axes, parameter: Parameter, which: Literal["x", "y"] = "x") -> None:
    """The parameter's own scale: its edges as lines, values as labels."""
    found = marks(parameter)
    names = [text for _, text in found]
    axes.set(
        **{
            f"{which}ticks": [position for position, _ in found],
            f"{which}ticklabels": names,
            f"{which}lim": (-0.06, 1.06),
        }
    )
    if isinstance(parameter, Categorical):
        if which == "x" and sum(map(len, names)) > 24:
            axes.tick_params(axis="x", rotation=35)
            for text in axes.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor")
        return
    line = axes.axvline if which == "x" else axes.axhline
    for edge in (0, 1):
        line(edge, color=GREY, lw=1, zorder=0.5)


def number(value: float) -> str:
    return str(value) if isinstance(value, int) and abs(value) < 10**6 else f"{value:.4g}"


def _ticks(parameter: Parameter) -> list[float]:
    """Both ends of the range, and round values between that keep their distance."""
    assert not isinstance(parameter, Categorical)
    low, high = parameter.low, parameter.high
    if low == high:
        return [low]
    locator = LogLocator(numticks=4) if parameter.log else MaxNLocator(2, steps=[1, 2, 2.5, 5, 10])
    kept = [low, high]
    for value in map(float, locator.tick_values(low, high)):
        value = int(value) if isinstance(low, int) and value.is_integer() else value
        if parameter.contains(value) and all(
            abs(parameter.position(value) - parameter.position(other)) > 0.22 for other in kept
        ):
            kept.append(value)
    return sorted(kept)
