"""Which columns have drifted: by how many rows moved, and by what chance would move."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from tunesmith_evidently._columns import Kind, Pair, Pairs

LEAST = 0.1
"""Share of rows that has to move before a column counts as drifted, however sure it is."""
LEAST_TOLD_APART = 0.6
"""How well a classifier has to tell old texts from new ones (ROC AUC; 0.5 is guessing)."""
_ERROR = 0.05


@dataclass(frozen=True)
class Moved:
    """How far a column moved, and how far it may.

    `shift` is the share of rows that would have to change for the two to look alike: the largest
    distance of the distributions of numbers (Kolmogorov-Smirnov), half the sum of the differences
    of categories' shares. Of texts it is the ROC AUC of a classifier that tells old from new.
    `threshold` is 10% (0.6 for texts), or what chance alone reaches where that is more: over all
    columns together it is passed without any drift in 5% of the comparisons at most.
    """

    pair: Pair
    shift: float
    threshold: float

    @property
    def drifted(self) -> bool:
        return self.shift > self.threshold


@dataclass(frozen=True)
class Drift:
    """Every comparison, those that moved furthest beyond what they may first."""

    moved: Sequence[Moved]
    left_out: Mapping[str, str]

    @property
    def columns(self) -> list[str]:
        """Those compared, by their values or by what is missing."""
        return list(dict.fromkeys(moved.pair.column for moved in self.moved))

    @property
    def drifted(self) -> list[str]:
        return list(dict.fromkeys(moved.pair.column for moved in self.moved if moved.drifted))

    @property
    def share(self) -> float:
        return len(self.drifted) / len(self.columns) if self.columns else 0.0


def drift_of(pairs: Pairs) -> Drift:
    """Compare every pair; texts without words to compare are left out."""
    left_out = dict(pairs.left_out)
    error = _ERROR / max(len(pairs.compared), 1)
    moved = []
    for pair in pairs.compared:
        one, two = pair.reference.dropna(), pair.current.dropna()
        if pair.kind is Kind.TEXT:
            from tunesmith_evidently._evidently import told_apart

            shift = told_apart(one, two)
            if math.isnan(shift):
                left_out[pair.name] = "its texts have too few words, or too few rows, to compare"
                continue
        else:
            shift = shift_of(one, two, pair.kind)
        moved.append(Moved(pair, shift, _threshold(pair.kind, one, two, error)))
    return Drift(sorted(moved, key=lambda item: item.threshold - item.shift), left_out)


def shift_of(one: Any, two: Any, kind: Kind) -> float:
    """The share of rows that moved."""
    if kind is Kind.NUMBER:
        return float(ks_2samp(one, two, method="asymp").statistic)
    shares = [values.value_counts(normalize=True) for values in (one, two)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def _threshold(kind: Kind, one: Any, two: Any, error: float) -> float:
    """The least shift that counts: what matters, or what chance reaches where that is more."""
    spread = 1 / len(one) + 1 / len(two)
    if kind is Kind.NUMBER:
        return max(LEAST, math.sqrt(-math.log(error / 2) / 2 * spread))
    z = NormalDist().inv_cdf(1 - error / 2)
    if kind is Kind.TEXT:
        # the classifier is judged on half of the rows; the ROC AUC of a guess as Mann and Whitney
        n, m = len(one) / 2, len(two) / 2
        return max(LEAST_TOLD_APART, 0.5 + z * math.sqrt((n + m + 1) / (12 * n * m)))
    p = pd.concat([one, two]).value_counts(normalize=True).to_numpy()
    sd = np.sqrt(p * (1 - p) * spread)
    if len(p) <= 2:
        return max(LEAST, float(z * sd.max()))
    # mean of the distance without drift, and McDiarmid's bound on how far it strays from that
    mean = float(sd.sum() / 2 * math.sqrt(2 / math.pi))
    return max(LEAST, mean + math.sqrt(math.log(1 / error) / 2 * spread))
