"""What is in each column of two frames, made comparable."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

FEW = 10
"""Numbers with no more distinct values than this are compared as categories."""
_MOST_CATEGORIES = 50
_OTHER = "(any other)"


class Kind(StrEnum):
    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    DATE = "date"


@dataclass(frozen=True)
class Pair:
    """One column in both frames, without a value where one is missing.

    `column` is the one that it stands for; whether values are missing is a pair of its own.
    """

    name: str
    column: str
    kind: Kind
    reference: Any
    current: Any


@dataclass(frozen=True)
class Pairs:
    """What can be compared, and why other columns cannot."""

    compared: list[Pair]
    left_out: dict[str, str]


def pairs_of(reference: Any, current: Any) -> Pairs:
    """Two frames with the same columns, column by column."""
    compared: list[Pair] = []
    left_out: dict[str, str] = {}
    for name in reference.columns:
        one, two = _cleaned(reference[name]), _cleaned(current[name])
        absent = _missing(name, set(reference.columns), one, two)
        compared += absent
        kind = kind_of(one, two)
        if kind is Kind.DATE:
            left_out[name] = "dates move on with time"
        elif one.notna().any() and two.notna().any():
            compared.append(_pair(name, kind, one, two))
        elif not absent:
            left_out[name] = "it is empty"
    return Pairs(compared, left_out)


def plain_kind(values: Any) -> Kind:
    """The kind that the type of a column says, whatever its values: number, date or text."""
    if pd.api.types.is_datetime64_any_dtype(values) or values.dtype.kind == "m":
        return Kind.DATE
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return Kind.NUMBER
    return Kind.TEXT


def kind_of(one: Any, two: Any) -> Kind:
    kinds = {plain_kind(values) for values in (one, two) if values.notna().any()}
    if Kind.DATE in kinds:
        return Kind.DATE
    if kinds == {Kind.NUMBER}:
        values = np.union1d(one.dropna().to_numpy(float), two.dropna().to_numpy(float))
        return Kind.NUMBER if len(values) > FEW else Kind.CATEGORY
    both = pd.concat([one.dropna().astype(object), two.dropna().astype(object)]).astype(str)
    unique = both.nunique()
    written = both.str.contains(r"\w\w", regex=True).mean() > 0.5
    if unique > max(_MOST_CATEGORIES, len(both) / 2) and written:
        return Kind.TEXT
    return Kind.CATEGORY


def _cleaned(values: Any) -> Any:
    if plain_kind(values) is Kind.NUMBER:
        return values.astype(float).replace([np.inf, -np.inf], np.nan)
    return values


def _pair(name: str, kind: Kind, one: Any, two: Any) -> Pair:
    if kind is Kind.NUMBER:
        return Pair(name, name, kind, one, two)
    one, two = _words(one), _words(two)
    if kind is Kind.CATEGORY:
        known = pd.concat([one, two]).value_counts().index
        if len(known) > _MOST_CATEGORIES:
            kept = set(known[: _MOST_CATEGORIES - 1])
            one, two = (
                values.where(values.isna() | values.isin(kept), _OTHER) for values in (one, two)
            )
    return Pair(name, name, kind, one, two)


def _words(values: Any) -> Any:
    return values.astype(object).where(values.isna(), values.astype(str)).astype(object)


def _missing(name: str, names: set[str], one: Any, two: Any) -> list[Pair]:
    gaps = [values.isna().map({True: "missing", False: "there"}) for values in (one, two)]
    if all(values.notna().all() for values in (one, two)):
        return []
    title = f"{name}: missing or there"
    while title in names:
        title += "?"
    return [Pair(title, name, Kind.CATEGORY, gaps[0].astype(object), gaps[1].astype(object))]
