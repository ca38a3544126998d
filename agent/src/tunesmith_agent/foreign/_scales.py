"""Whether values were chosen on a logarithmic scale or on a linear one."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

_Array = npt.NDArray[np.float64]
_WIDE = 100
"""Reach from which on a scale is taken as logarithmic, unless the values say otherwise."""
_MANY = 10
"""From so many different values on, their distribution tells; below, their gaps."""


def is_log(values: Sequence[float]) -> tuple[bool, str]:
    """Whether the scale is logarithmic, and why; no reason where linear goes without saying.

    Many values: whichever scale they are uniform on (Kolmogorov and Smirnov's test), if only one.
    A few, as of a grid: the scale on which their gaps are alike. Else by their reach.
    """
    found = np.unique(np.asarray(values, dtype=float))
    low, high = float(found[0]), float(found[-1])
    if low <= 0 or len(found) < 2:
        return False, ""
    with np.errstate(over="ignore"):
        reach = high / low
    look = _by_distribution if len(found) >= _MANY else _by_gaps
    log = look(np.asarray(values, dtype=float), reach)
    if log is not None:
        how = "evenly on a logarithmic scale" if log else "evenly on a linear scale"
        return log, f"its values lie {how}" if log or reach > _WIDE else ""
    if reach > _WIDE:
        return True, f"its highest value is {reach:.3g} times its lowest"
    return False, ""


def _by_distribution(values: _Array, reach: float) -> bool | None:
    spread = _spread(values)
    linear, log = _uniform(spread), _uniform(np.log(spread))
    if log >= 0.05 > linear and log > 10 * linear:
        return True
    if linear >= 0.05 > log and linear > 10 * log:
        return False
    skew, skew_of_log = stats.skew(values), stats.skew(np.log(values))
    if _WIDE >= reach >= 10 and skew > 1 and abs(skew_of_log) < skew / 2:
        return True
    return None


def _spread(values: _Array) -> _Array:
    """Whole numbers spread over their cells, where ties look like crowds; others once each."""
    found, counts = np.unique(values, return_counts=True)
    if not np.all(found == np.floor(found)) or found[-1] > 2**52:
        return found
    within = [(np.arange(count) + 0.5) / count - 0.5 for count in counts]
    spread: _Array = np.repeat(found, counts) + np.concatenate(within)
    return spread


def _uniform(values: _Array) -> float:
    """P-value of the values being uniform between the lowest and the highest."""
    low, high = values.min(), values.max()
    if not high > low:
        return 0.0
    return float(stats.kstest((values - low) / (high - low), "uniform").pvalue)


def _by_gaps(values: _Array, reach: float) -> bool | None:
    found = np.unique(values)
    if len(found) < 3:
        return None
    linear, log = _unevenness(found), _unevenness(np.log(found))
    if reach >= 4 and log < 1.5 and (log < 1.05 < linear or log < linear / 2):
        return True
    if linear < 1.05 or linear < log / 2:
        return False
    return None


def _unevenness(values: _Array) -> float:
    """The widest gap in narrowest ones."""
    gaps = np.diff(values)
    return float(gaps.max() / gaps.min()) if gaps.min() > 0 else math.inf
