"""All that is asked of Evidently itself. Import it inside `settled`."""

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import StatTest, register_stattest
from evidently.legacy.core import ColumnType
from evidently.legacy.utils.data_drift_utils import calculate_text_drift_score
from evidently.presets import DataDriftPreset

from tunesmith_evidently._columns import Kind
from tunesmith_evidently._drift import LEAST, Drift, Moved, shift_of

_SHIFT = "tunesmith_shift"
_TEXT = "abs_text_content_drift"
Metric = dict[str, Any]
"""One of Evidently's own results: what was measured, and its value."""


def _shift(reference: Any, current: Any, kind: Any, threshold: float) -> tuple[float, bool]:
    found = Kind.NUMBER if ColumnType(kind) is ColumnType.Numerical else Kind.CATEGORY
    shift = shift_of(reference, current, found)
    return shift, shift > threshold


register_stattest(
    StatTest(
        name=_SHIFT,
        display_name="share of rows that moved",
        allowed_feature_types=[ColumnType.Numerical, ColumnType.Categorical],
        default_threshold=LEAST,
    ),
    _shift,
)


def told_apart(reference: Any, current: Any) -> float:
    """How well a classifier tells texts of one from texts of the other, as ROC AUC.

    NaN where they have no words to go by, or too few rows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one class, where there is hardly a row
        try:
            return float(calculate_text_drift_score(reference, current, bootstrap=False)[0])
        except ValueError:
            return math.nan


def drift_page(drift: Drift, most: int) -> tuple[str, list[Metric]]:
    """Evidently's page about the columns that moved most, and what it measured."""
    shown = drift.moved[:most]
    names = [moved.pair.name for moved in shown]
    preset = DataDriftPreset(
        columns=names,
        # "detected" from one column on; rounded, for it is printed
        drift_share=max(1000 // len(names), 1) / 1000,
        cat_method=_SHIFT,
        num_method=_SHIFT,
        text_method=_TEXT,
        per_column_threshold={moved.pair.name: moved.threshold for moved in shown},
    )
    definition = DataDefinition(
        numerical_columns=_of_kind(shown, Kind.NUMBER),
        categorical_columns=_of_kind(shown, Kind.CATEGORY),
        text_columns=_of_kind(shown, Kind.TEXT),
        datetime_columns=[],
        unknown_columns=[],
        list_columns=[],
    )
    reference = pd.DataFrame({moved.pair.name: moved.pair.reference for moved in shown})
    current = pd.DataFrame({moved.pair.name: moved.pair.current for moved in shown})
    return page([preset], definition, reference, current)


def _of_kind(shown: Sequence[Moved], kind: Kind) -> list[str]:
    return [moved.pair.name for moved in shown if moved.pair.kind is kind]


def page(
    metrics: Sequence[Any], definition: DataDefinition, reference: Any, current: Any
) -> tuple[str, list[Metric]]:
    """The page, complete in itself, and what was measured, as plain data."""
    with warnings.catch_warnings():
        # of NumPy, SciPy and scikit-learn about columns or bins with hardly a value
        warnings.simplefilter("ignore")
        snapshot = Report(list(metrics)).run(
            Dataset.from_pandas(current, definition), Dataset.from_pandas(reference, definition)
        )
        html: str = snapshot.get_html_str(as_iframe=False)
        found = json.loads(snapshot.json(), parse_constant=lambda _: None)["metrics"]
    return html, [{"measured": each["metric_name"], "value": each["value"]} for each in found]
