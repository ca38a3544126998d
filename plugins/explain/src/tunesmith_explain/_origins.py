"""Which input column each derived column of a pipeline comes from, found by trying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tunesmith_explain._columns import Columns, Matrix

_MOST = 3000
"""Derived columns beyond which a dense copy of them is not worth it."""


def derived(transform: Callable[[Any], Any], x: Any) -> Matrix | None:
    """What a pipeline makes of the rows before its last step; None where it is no table of numbers,
    or a very wide one.
    """
    made = transform(x)
    if len(made.shape) != 2 or made.shape[1] > _MOST:
        return None
    found: Matrix = made.toarray() if hasattr(made, "toarray") else np.asarray(made)
    return found.astype(float) if found.dtype.kind in "buifO" else None


def origins(transform: Callable[[Any], Any], columns: Columns) -> Matrix | None:
    """The input column of each derived one, -1 where it is constant; None where some are mixtures.

    For every binary digit, all input columns whose number has a 1 there are shifted by a row, then
    all that have a 0. A derived column that comes from one input column changes in exactly one of
    the two, which spells the number; one that changes in both is a mixture.
    """
    codes = columns.codes
    count = codes.shape[1]
    before = derived(transform, columns.decode(codes))
    if before is None:
        return None
    found = np.zeros(before.shape[1], dtype=np.int64)
    constant = np.zeros(before.shape[1], dtype=bool)
    for digit in range(max((count - 1).bit_length(), 1)):
        ones = (np.arange(count) >> digit & 1).astype(bool)
        with_one, with_zero = (
            _changed(transform, columns, before, which) for which in (ones, ~ones)
        )
        if (with_one & with_zero).any():
            return None
        found |= with_one.astype(np.int64) << digit
        constant |= ~with_one & ~with_zero
    found[constant] = -1
    return found


def _changed(
    transform: Callable[[Any], Any], columns: Columns, before: Matrix, which: Matrix
) -> Matrix:
    codes = columns.codes.copy()
    codes[:, which] = np.roll(codes[:, which], 1, axis=0)
    after = derived(transform, columns.decode(codes))
    assert after is not None
    same = np.isclose(before, after, equal_nan=True)
    changed: Matrix = np.logical_not(same.all(axis=0))
    return changed
