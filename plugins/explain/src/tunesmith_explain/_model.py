"""Everything about the best model: what it goes by in general, and in single rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.errors import PluginError, told_of
from tunesmith.finished import Fitted, Table
from tunesmith_explain._answers import Answers, answers_of
from tunesmith_explain._columns import Columns, Matrix, encoded, rows_of, take
from tunesmith_explain._effects import Effects, Reason
from tunesmith_explain._lime import Lime, Nearby, neighbours
from tunesmith_explain._rows import Row, chosen
from tunesmith_explain._shap import agnostic_effects, tree_effects

_KNOWN = 2000
"""Rows of the training data that explanations compare with."""


@dataclass(frozen=True)
class Limits:
    """How much may be explained; `seed` draws the rows."""

    rows: int
    local: int
    predictions: int
    seed: int

    def near(self, columns: int) -> int:
        """Predictions that LIME asks for a row; for all rows together at most a fifth of all."""
        return min(neighbours(columns), self.predictions // (5 * max(self.local, 1)))

    def rest(self, columns: int) -> int:
        """Predictions that are left for SHAP."""
        return self.predictions - self.local * self.near(columns)


@dataclass
class Local:
    """One row by both methods: SHAP's effects in words, and LIME's linear model or why not."""

    name: str
    row: Row
    unit: str
    shap: list[Reason]
    lime: Nearby | None = None


@dataclass
class Explained:
    """What is known about the model; `notes` say what was left out or failed."""

    effects: Effects
    what: str
    rows: str
    local: list[Local] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def explain_model(fitted: Fitted, limits: Limits) -> Explained:
    """Effects of the columns and single rows.

    Raises PluginError where the model cannot be explained; a row or a method that fails is noted.
    """
    if fitted.train is None or rows_of(fitted.train.x) == 0:
        raise PluginError("the objective did not hand over the rows that the model was fitted on")
    asked = fitted.test or fitted.train
    generator = np.random.default_rng(limits.seed)
    rows = _drawn(generator, rows_of(asked.x), limits.rows)
    known = _drawn(generator, rows_of(fitted.train.x), _KNOWN)
    columns = encoded(_joined(take(asked.x, rows), take(fitted.train.x, known)))
    x = columns.decode(columns.codes[: len(rows)])
    answers = answers_of(fitted.model, columns.decode(columns.codes[:2]))
    notes: list[str] = []
    effects = _effects(fitted.model, answers, columns, len(rows), limits, notes)
    if not effects.importance.any():
        raise PluginError("the model says the same for all rows, so that no column matters")
    where = "held-out rows" if fitted.test else "training rows"
    found = Explained(
        effects,
        _what(answers, effects),
        _amount(len(effects.values), rows_of(asked.x), where),
        notes=notes,
    )
    here = slice(len(effects.values))
    y = None if asked.y is None else take(asked.y, rows[here])
    for row in chosen(answers, take(x, np.arange(len(rows))[here]), y, limits.local):
        name = _row_name(asked, int(rows[row.place]))
        found.local.append(
            Local(name, row, _unit(answers, effects, row), _shap_bars(effects, columns, row))
        )
    _add_lime(found, columns, len(rows), answers, limits)
    return found


def _drawn(generator: np.random.Generator, count: int, most: int) -> Matrix:
    """Numbers of rows; all of them where they are few enough, in any case in random order."""
    return generator.permutation(count)[:most]


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, pd.DataFrame):
        return pd.concat([first, second], ignore_index=True)
    return np.concatenate([first, second])


def _effects(
    model: Any,
    answers: Answers,
    columns: Columns,
    rows: int,
    limits: Limits,
    notes: list[str],
) -> Effects:
    try:
        found = tree_effects(model, answers, columns, rows)
    except Exception as error:  # SHAP raises anything for what it cannot read
        notes.append(
            f"SHAP could not read the trees ({told_of(error)}); the effects are estimated from the "
            "model's answers instead."
        )
        found = None
    rest = limits.rest(len(columns.names))
    return found or agnostic_effects(answers, columns, rows, rest, limits.seed)


def _what(answers: Answers, effects: Effects) -> str:
    """What the effects change: `log-odds of benign`, `prediction`."""
    if answers.classes is None:
        return effects.unit
    return f"{effects.unit} of {effects.outputs[0]}" if len(effects.outputs) == 1 else effects.unit


def _unit(answers: Answers, effects: Effects, row: Row) -> str:
    if answers.classes is None:
        return row.about
    return f"{effects.unit} of {row.about}"


def _amount(explained: int, there: int, where: str) -> str:
    if explained == there:
        return f"all {there:,} {where}"
    return f"{explained:,} of {there:,} {where}, drawn with the study's seed"


def _row_name(table: Table, number: int) -> str:
    """The row by its label in the data, where it has one."""
    return f"row {table.x.index[number] if isinstance(table.x, pd.DataFrame) else number}"


def _shap_bars(effects: Effects, columns: Columns, row: Row) -> list[Reason]:
    values = row.sign * effects.values[row.place, :, row.output]
    order = np.argsort(-np.abs(values), kind="stable")[:10]
    return [
        Reason(
            columns.names[column],
            f"{columns.names[column]} = {columns.text(column, columns.codes[row.place, column])}",
            float(values[column]),
        )
        for column in map(int, order)
        if values[column]
    ]


def _add_lime(
    found: Explained, columns: Columns, rows: int, answers: Answers, limits: Limits
) -> None:
    """LIME for each row; what fails for one is noted, and the others go on."""
    if not found.local:
        return
    lime = Lime(columns, slice(rows, None), limits.near(len(columns.names)))
    for local in found.local:
        try:
            local.lime = lime.explain(local.row, answers, (limits.seed + local.row.place) % 2**32)
        except Exception as error:  # the model may raise anything for rows that never were
            found.notes.append(f"LIME could not explain {local.name}: {told_of(error)}.")
