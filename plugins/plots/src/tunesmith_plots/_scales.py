"""Puts values on a parameter's own scale: the edges of its range are 0 and 1 in every picture."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Trial
from tunesmith_plots._style import GREY, label, text_of

Positions = NDArray[np.float64]

_FEW = 20
"""Up to so many levels, trials of one level are spread within its cell."""
_LABELS = 10


def within(name: str, parameter: Parameter, trials: Iterable[Trial]) -> list[Trial]:
    """The trials in which the parameter applied, with a value of its range."""
    return [trial for trial in trials if _applies(name, parameter, trial)]


def _applies(name: str, parameter: Parameter, trial: Trial) -> bool:
    return name in trial.params and parameter.contains(trial.params[name])


def positions(name: str, parameter: Parameter, trials: Iterable[Trial]) -> Positions:
    """Where each trial lies from 0 to 1; NaN for those that are not `within`."""
    return np.array(
        [
            parameter.position(trial.params[name]) if _applies(name, parameter, trial) else np.nan
            for trial in trials
        ],
        dtype=np.float64,
    )


def spread(parameter: Parameter, trials: Sequence[Trial]) -> Positions:
    """What to add to `positions` to draw trials of one level side by side, where levels are few."""
    levels = parameter.levels
    if not levels or levels > _FEW:
        return np.zeros(len(trials))
    numbers = np.array([trial.number for trial in trials])
    # neighbours in time lie apart: multiples of the golden ratio fill an interval evenly
    return 0.5 * ((numbers * 0.618034) % 1 - 0.5) / levels


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
