"""What Deepchecks is asked: rows with the model's answers, and no model."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.inspection import permutation_importance

from tunesmith.errors import PluginError
from tunesmith.finished import Fitted, Table
from tunesmith_deepchecks import Deepchecks

_SHUFFLED = 500
"""Rows on which columns are shuffled to see how much the model needs them."""
_MOST_CATEGORIES = 50
"""Text with more values than this is free text where more than half of the rows have their own."""


@dataclass(frozen=True)
class Asked:
    """A question as JSON, and what it leaves out, in sentences."""

    question: dict[str, Any]
    left_out: list[str]


def asked_of(options: Deepchecks, fitted: Fitted, seed: int) -> Asked:
    """Raises PluginError where the data is no table, or the model's answers are of no use here."""
    whole = _rows(fitted.train, "training"), _rows(fitted.test, "held-out")
    train, test = (table.sampled(options.max_rows, seed) for table in whole)
    frames = [_frame(table.x) for table in (train, test)]
    importance = _importance(fitted.model, test, list(frames[0].columns), seed)
    names = sorted(frames[0].columns, key=lambda name: -importance.get(name, 0.0))
    kept = names[: options.max_columns]
    total = sum(importance.get(name, 0.0) for name in kept)
    texts = [name for name in kept if not _is_number(frames[0][name])]
    model = _Answers(fitted.model, train, test)
    question: dict[str, Any] = {
        "task": model.task,
        "target": _target(train.y, kept),
        "classes": model.classes,
        "texts": texts,
        "categories": [name for name in texts if not _is_free_text(frames[0][name])],
        "importance": {name: importance[name] / total for name in kept} if total else None,
        "max_rows": options.max_rows,
        "seed": seed,
    }
    for side, frame, table in zip(("train", "test"), frames, (train, test), strict=True):
        columns = {name: _values(frame[name], name not in texts) for name in kept}
        question[side] = {"columns": columns, **model.answers(table)}
    return Asked(question, _left_out(options, whole, len(names)))


def _left_out(options: Deepchecks, whole: Sequence[Table], columns: int) -> list[str]:
    said = [
        f"Of {table.x.shape[0]:,} {name} rows {options.max_rows:,} were looked at, chosen by the "
        "seed."
        for name, table in zip(("training", "held-out"), whole, strict=True)
        if table.x.shape[0] > options.max_rows
    ]
    if columns > options.max_columns:
        said.append(
            f"Of {columns} columns the {options.max_columns} were looked at that the model needs "
            "most."
        )
    return said


class _Answers:
    """A model's answers as Deepchecks takes them: classes are text, in alphabetical order."""

    def __init__(self, model: Any, train: Table, test: Table) -> None:
        self.model = model
        if not callable(getattr(model, "predict", None)):
            raise PluginError(f"a model of type '{type(model).__name__}' has no method 'predict'")
        self.own = getattr(model, "classes_", None)
        self.classes: list[str] | None = None
        self.task = "regression"
        if self.own is not None or _classifies(model, train.y):
            known = [train.y, test.y, [] if self.own is None else self.own]
            self.classes = sorted({str(label) for labels in known for label in labels})
            if len(self.classes) < 2:
                raise PluginError(
                    f"all rows are of the class '{self.classes[0]}'; there is nothing to check"
                )
            self.task = "binary" if len(self.classes) == 2 else "multiclass"

    def answers(self, table: Table) -> dict[str, Any]:
        """The target, what the model says of each row, and with which probabilities."""
        said = np.asarray(self.model.predict(table.x))
        if self.classes is None:
            given, target = said.astype(float), np.asarray(table.y, dtype=float)
            if not np.isfinite(given).all():
                raise PluginError("the model predicts numbers that are not finite")
            return {"target": target.tolist(), "predicted": given.tolist(), "probabilities": None}
        return {
            "target": [str(label) for label in table.y],
            "predicted": [str(label) for label in said],
            "probabilities": self._probabilities(table.x),
        }

    def _probabilities(self, x: Any) -> list[list[float]] | None:
        """A column for each class that is known; None where the model gives no probabilities."""
        if not hasattr(self.model, "predict_proba") or self.own is None or self.classes is None:
            return None
        given = np.asarray(self.model.predict_proba(x))
        places = [self.classes.index(str(label)) for label in self.own]
        found = np.zeros((len(given), len(self.classes)))
        found[:, places] = given
        rows: list[list[float]] = found.tolist()
        return rows


def _classifies(model: Any, y: Any) -> bool:
    try:
        return bool(is_classifier(model))
    except (AttributeError, TypeError):  # not scikit-learn's kind of model
        return not pd.api.types.is_float_dtype(np.asarray(y))


def _rows(table: Table | None, name: str) -> Table:
    if table is None:
        raise PluginError(
            f"the model comes without {name} rows to compare; have the objective hold some out, "
            "for example by 'test_share: 0.2'"
        )
    shape: tuple[int, ...] = getattr(table.x, "shape", ())
    if len(shape) != 2 or 0 in shape:
        raise PluginError(
            f"the data is no table with rows and columns, but of type '{type(table.x).__name__}'"
        )
    if np.ndim(table.y) != 1:
        raise PluginError("the target has more than one column")
    return table if hasattr(table.x, "iloc") else Table(_dense(table.x), table.y)


def _dense(x: Any) -> Any:
    return x.toarray() if hasattr(x, "toarray") else x


def _frame(x: Any) -> Any:
    """The rows with a name of its own for each column."""
    frame = pd.DataFrame(x).reset_index(drop=True)
    names = [str(name) for name in frame.columns]
    frame.columns = [
        f"{name} ({place})" if names.index(name) < place else name
        for place, name in enumerate(names)
    ]
    return frame


def _importance(model: Any, table: Table, names: list[str], seed: int) -> dict[str, float]:
    """How much worse the model's own score gets when a column is shuffled; empty without one."""
    few = table.sampled(_SHUFFLED, seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an undefined score on few rows is told as none
            found = permutation_importance(model, few.x, few.y, n_repeats=2, random_state=seed)
    except (AttributeError, TypeError, ValueError):  # no scikit-learn model, or it cannot score
        return {}
    lost = np.nan_to_num(found.importances_mean).clip(0)
    return dict(zip(names, lost.tolist(), strict=True))


def _is_number(values: Any) -> bool:
    if pd.api.types.is_bool_dtype(values):
        return False
    kind = values.dtype.kind
    return bool(pd.api.types.is_numeric_dtype(values)) or kind in "mM" or _is_date(values)


def _is_free_text(values: Any) -> bool:
    return bool(values.astype(str).nunique() > max(_MOST_CATEGORIES, len(values) / 2))


def _is_date(values: Any) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values))


def _values(values: Any, number: bool) -> list[Any]:
    """Numbers, of dates days; else text. None where a value is missing or not finite."""
    if not number:
        return [
            None if missing else str(value)
            for value, missing in zip(values, values.isna(), strict=True)
        ]
    if _is_date(values):
        values = (values - pd.Timestamp(0, tz=getattr(values.dtype, "tz", None))) / pd.Timedelta(
            days=1
        )
    elif values.dtype.kind == "m":
        values = values / pd.Timedelta(days=1)
    given = values.astype(float).to_numpy()
    return [value if np.isfinite(value) else None for value in given.tolist()]


def _target(y: Any, names: list[str]) -> str:
    """The target's name, unless a column has it."""
    name = str(getattr(y, "name", None) or "target")
    while name in names:
        name += " (target)"
    return name
