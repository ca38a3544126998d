"""What SHAP found, in one shape whatever the explainer: (rows, columns, outputs)."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tunesmith_explain._columns import Matrix


class Reason(NamedTuple):
    """What a column says in one row, `age = 41` or `age > 40`, and how much it weighs."""

    name: str
    words: str
    weight: float


@dataclass(frozen=True)
class Effects:
    """By how much each column moved each output in each row, from the output's average.

    `shades` of shape (rows, columns) are the values from 0 to 1, NaN where they have no order.
    """

    names: list[str]
    values: Matrix
    shades: Matrix
    outputs: tuple[str, ...]
    unit: str
    method: str

    @property
    def importance(self) -> Matrix:
        """The mean size of each column's effects, over rows, added up over outputs."""
        found: Matrix = np.abs(self.values).mean(axis=0).sum(axis=1)
        return found

    @property
    def shares(self) -> Matrix:
        """Of all effects, the part that each column has; zeros where there are none."""
        importance = self.importance
        # divided first: effects may be as large as floats can be
        part: Matrix = importance / (importance.max(initial=0.0) or 1.0)
        return part / (part.sum() or 1.0)

    def top(self, count: int) -> list[int]:
        """The columns with the largest effects, largest first."""
        return [int(column) for column in np.argsort(-self.importance, kind="stable")[:count]]


def gathered(values: Matrix, came: Matrix, count: int) -> Matrix:
    """The effects of derived columns added up for the column that each comes from, -1 for none."""
    total = np.zeros((values.shape[0], count, *values.shape[2:]))
    for derived, column in enumerate(came):
        if column >= 0:
            total[:, column] += values[:, derived]
    return total


def shap_library() -> Any:
    """The library, imported without what it warns about itself."""
    with warnings.catch_warnings():
        # its colour maps use what matplotlib will deprecate; none of them is used here
        warnings.filterwarnings("ignore", r"The set_\w+ function", PendingDeprecationWarning)
        import shap
    return shap


@contextmanager
def random_kept() -> Iterator[None]:
    """The global random states as they were: SHAP shuffles with NumPy's."""
    ours, theirs = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)
