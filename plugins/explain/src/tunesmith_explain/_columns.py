"""A sample of the model's input as whole numbers, and back: what explainers can shuffle.

Explainers want a matrix of numbers. A column of text, dates or gaps has none, so that every column
becomes codes of the values that it has in the sample, and the model is only ever asked about values
that occur.
"""

from __future__ import annotations

import numbers
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from tunesmith.errors import PluginError

Matrix = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Columns:
    """A sample of shape (rows, columns). `codes` of a column with an order rise with its value."""

    names: list[str]
    codes: Matrix
    missing: Matrix
    """Where a value is missing; such a code is the column's greatest."""
    ordered: Matrix
    """Which columns have an order: numbers, dates, ordered categories."""
    firsts: list[Matrix]
    """For each column and code, the row of the sample that has this value."""
    sample: pd.DataFrame
    array: Matrix | None
    """The sample where the model takes an array, and no frame."""

    def decode(self, codes: Matrix) -> Any:
        """Rows of codes as the model takes them, of the types that the sample has."""
        codes = codes.astype(np.int64)
        rows = np.column_stack(
            [first[codes[:, column]] for column, first in enumerate(self.firsts)]
        )
        across = np.arange(rows.shape[1])
        if self.array is not None:
            return self.array[rows, across]
        kinds = set(self.sample.dtypes)
        if len(kinds) == 1 and isinstance(next(iter(kinds)), np.dtype):
            values = self.sample.to_numpy()[rows, across]
            return pd.DataFrame(values, columns=self.sample.columns)
        made = {
            column: self.sample.iloc[:, column].array.take(rows[:, column])
            for column in range(rows.shape[1])
        }
        frame = pd.DataFrame(made)
        frame.columns = self.sample.columns
        return frame

    def shades(self, rows: slice | Matrix) -> Matrix:
        """Each value's place among its column's, from 0 to 1; NaN where there is no order."""
        most = np.array([max(len(first) - 1, 1) for first in self.firsts])
        shades: Matrix = self.codes[rows] / most
        shades[self.missing[rows]] = np.nan
        shades[:, ~self.ordered] = np.nan
        return shades

    def text(self, column: int, code: int) -> str:
        """The value as people read it."""
        return text_of(self.sample.iloc[self.firsts[column][code], column])


def encoded(x: Any) -> Columns:
    """The sample's columns as codes. Raises PluginError where it is no table."""
    array = None if isinstance(x, pd.DataFrame) else _table(x)
    sample = x.reset_index(drop=True) if array is None else pd.DataFrame(array)
    found = [_codes(sample.iloc[:, column]) for column in range(sample.shape[1])]
    labels = [_name(name) if array is None else f"column {name}" for name in sample.columns]
    return Columns(
        names=_distinct(labels),
        codes=np.column_stack([codes for codes, _, _ in found]),
        missing=sample.isna().to_numpy(),
        ordered=np.array([ordered for _, _, ordered in found]),
        firsts=[first for _, first, _ in found],
        sample=sample,
        array=array,
    )


def _table(x: Any) -> Matrix:
    values = np.asarray(x)
    if values.ndim != 2:
        raise PluginError(
            f"the model's input, of shape {values.shape}, is no table of rows and columns"
        )
    return values


def take(x: Any, rows: Matrix) -> Any:
    """These rows of a frame, an array, a list or a sparse matrix; the last two as an array."""
    if isinstance(x, pd.DataFrame | pd.Series):
        return x.iloc[rows]
    if hasattr(x, "toarray"):
        return x.tocsr()[rows].toarray()
    return np.asarray(x)[rows]


def rows_of(x: Any) -> int:
    return int(x.shape[0]) if hasattr(x, "shape") else len(x)


def _codes(column: pd.Series[Any]) -> tuple[Matrix, Matrix, bool]:
    """Codes, the first row of each, and whether they have an order."""
    try:
        codes = pd.factorize(column, use_na_sentinel=False)[0]
    except TypeError:  # lists and the like: every row has a value of its own
        codes = np.arange(len(column))
    first = np.unique(codes, return_index=True)[1]
    dtype = column.dtype
    ordered = (
        types.is_numeric_dtype(dtype)
        or types.is_datetime64_any_dtype(dtype)
        or types.is_timedelta64_dtype(dtype)
        or (isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered))
    )
    if ordered:
        place = column.iloc[first].rank(method="first", na_option="bottom")
        ranks = place.to_numpy().astype(np.int64) - 1
        codes, first = ranks[codes], first[np.argsort(ranks)]
    return codes, first, ordered


def _name(name: object) -> str:
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _distinct(labels: list[str]) -> list[str]:
    """The labels, those that occur again with their count behind."""
    seen: Counter[str] = Counter()
    found = []
    for label in labels:
        seen[label] += 1
        found.append(f"{label} ({seen[label]})" if seen[label] > 1 else label)
    return found


def text_of(value: Any) -> str:
    """A value of a table in short words: four digits, days without an hour, text in one line."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return "missing" if np.isnan(float(value)) else f"{value:.4g}"
    if not isinstance(value, str) and np.ndim(value) == 0 and pd.isna(value):
        return "missing"
    if isinstance(value, pd.Timestamp | np.datetime64):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return " ".join(str(value).split()) or '""'
