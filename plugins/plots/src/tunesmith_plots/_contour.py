"""The picture of the two strongest parameters together: a surface of scores, and the trials."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tunesmith.parameters import Categorical, Parameter
from tunesmith.trial import Goal, Round, Trial, best_trial
from tunesmith_plots._history import BROKEN, STAR, dots, even_out
from tunesmith_plots._importance import LEAST, Importance
from tunesmith_plots._scales import Positions, dress, positions, spread, within
from tunesmith_plots._scores import score_axis, scored
from tunesmith_plots._style import INK, SHADES, label

_CELLS = 60
_THIN = 0.4
"""Where trials nearby weigh less than this together, the surface would be a guess."""

Grid = NDArray[np.float64]


def strongest_pair(round: Round, ranked: Sequence[Importance]) -> tuple[str, str] | None:
    """The two most important parameters that applied together in enough trials."""
    trials, parameters = scored(round), round.space.parameters
    names = [one.name for one in ranked]
    # pairs by the sum of their ranks, the strongest first among equals
    places = sorted(combinations(range(len(names)), 2), key=lambda pair: (sum(pair), pair))
    for a, b in places:
        first = within(names[a], parameters[names[a]], trials)
        if len(within(names[b], parameters[names[b]], first)) >= LEAST:
            return names[a], names[b]
    return None


def contour(round: Round, found: Mapping[str, Sequence[Importance]]) -> Figure | None:
    """For each goal the scores over its strongest pair, by metric; None where there is none."""
    pairs = [
        (goal, pair) for goal in round.goals if (pair := strongest_pair(round, found[goal.metric]))
    ]
    if not pairs:
        return None
    figure = Figure(figsize=(9.5, 4.8 * len(pairs)), layout="constrained")
    for axes, (goal, pair) in zip(
        figure.subplots(len(pairs), 1, squeeze=False)[:, 0], pairs, strict=True
    ):
        _panel(axes, round, goal, pair)
    return figure


def _panel(axes: Axes, round: Round, goal: Goal, pair: tuple[str, str]) -> None:
    across, up = (round.space.parameters[name] for name in pair)
    trials = within(pair[1], up, within(pair[0], across, scored(round)))
    axis = score_axis(goal, trials)
    shades = axis.shades([trial.metrics[goal.metric] for trial in trials])
    at, height = positions(pair[0], across, trials), positions(pair[1], up, trials)
    _draw(axes, _surface((across, at), (up, height), shades))
    dress(axes, across, "x")
    dress(axes, up, "y")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _trials(axes, goal, trials, at + spread(across, trials), height + spread(up, trials))
    axes.grid(visible=False)
    axes.set(title=label(goal.metric, 40), xlabel=label(pair[0], 40), ylabel=label(pair[1], 30))
    even_out(axes.legend(loc="lower right", bbox_to_anchor=(1, 0.99), ncols=3))
    axis.key(axes)


def _trials(
    axes: Axes, goal: Goal, trials: Sequence[Trial], across: Positions, up: Positions
) -> None:
    broken = np.array([trial.violation > 0 for trial in trials])
    hollow = {**BROKEN, "edgecolors": "#c3c8cf"}  # the usual grey is lost on the surface
    filled = {"color": INK, "edgecolor": "white"}
    for chosen, how in ((broken, hollow), (~broken, filled)):
        if chosen.any():
            look = {**dots(len(trials)), "alpha": 1, "linewidth": 0.5, **how}
            axes.scatter(across[chosen], up[chosen], **look)
    if best := best_trial(trials, [goal]):
        index = trials.index(best)
        axes.scatter(across[[index]], up[[index]], **STAR, label=f"best: trial {best.number}")


def _surface(
    across: tuple[Parameter, Positions], up: tuple[Parameter, Positions], shades: Grid
) -> Grid:
    """Mean shade of the trials nearby (Nadaraya-Watson), rows upward; NaN where there are none.

    Nearby is a Gaussian kernel along a number's scale and the same cell along choices.
    """
    weights_x, weights_y = _weights(*across), _weights(*up)
    weight = weights_y @ weights_x.T
    mean = (weights_y * shades) @ weights_x.T / np.maximum(weight, 1e-12)
    return np.where(weight >= _THIN, mean, np.nan)


def _weights(parameter: Parameter, at: Positions) -> Grid:
    """Of each trial for each cell of the axis."""
    categorical = isinstance(parameter, Categorical)
    count = parameter.levels if isinstance(parameter, Categorical) else _CELLS
    middles = (np.arange(count) + 0.5) / count
    off = np.subtract.outer(middles, at)
    if categorical:
        return np.asarray(np.abs(off) <= 0.5 / count, dtype=np.float64)
    width = 0.3 * len(at) ** (-1 / 6)
    return np.asarray(np.exp(-0.5 * (off / width) ** 2), dtype=np.float64)


def _draw(axes: Axes, surface: Grid) -> None:
    rows, columns = surface.shape
    colours = np.asarray(SHADES(surface))
    colours[..., 3] = ~np.isnan(surface)
    axes.imshow(colours, origin="lower", extent=(0, 1, 0, 1), aspect="auto", zorder=0.1)
    low, high = np.nanmin(surface), np.nanmax(surface)
    if rows == columns == _CELLS and high - low > 1e-3:
        middles = (np.arange(_CELLS) + 0.5) / _CELLS
        levels = np.linspace(low, high, 9)[1:-1]
        axes.contour(middles, middles, surface, levels, colors="white", linewidths=0.7, zorder=0.2)
