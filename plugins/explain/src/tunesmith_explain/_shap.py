"""SHAP values of a model's answers in the columns of its input."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunesmith.errors import PluginError
from tunesmith_explain._answers import Answers, Kind
from tunesmith_explain._columns import Columns, Matrix
from tunesmith_explain._effects import Effects, gathered, shap_library
from tunesmith_explain._origins import derived, origins

_BACKGROUND = 25
"""Rows that stand for "the column is not known", where the predictions suffice."""
_CELLS = 5_000_000
"""Numbers that SHAP may hold at once for a row."""
_WIDEST = 2000
"""Columns beyond which the model-agnostic explainer would take more memory than it is worth."""


def tree_effects(model: Any, answers: Answers, columns: Columns, rows: int) -> Effects | None:
    """Exact values from the trees of the model or of a pipeline's last step.

    Of the sample the first `rows` are explained. None where there are no trees that SHAP can read;
    raises PluginError where it reads them, but what it finds does not add up.
    """
    model = getattr(model, "best_estimator_", model)
    *before, last = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    shap = shap_library()
    try:
        explainer = shap.TreeExplainer(last, feature_perturbation="tree_path_dependent")
    except shap.utils._exceptions.InvalidModelError:
        return None
    transform = model[:-1].transform if before else np.asarray
    came = origins(transform, columns) if before else np.arange(len(columns.names))
    if came is None:  # mixtures, of a PCA say
        return None
    x = columns.decode(columns.codes[:rows])
    table = derived(transform, x)
    if table is None:
        raise PluginError("the trees' input is no table of numbers")
    found = explainer(table, check_additivity=False)  # `_unit` checks it, in the end
    values, base = _shaped(found.values, found.base_values, len(answers.outputs))
    unit = _unit(answers, base + values.sum(axis=1), answers.ask(x))
    return Effects(
        columns.names,
        _traced(values, came, len(columns.names)),
        columns.shades(slice(rows)),
        answers.outputs,
        unit,
        "tree explainer",
    )


def _shaped(values: Matrix, base: Matrix, outputs: int) -> tuple[Matrix, Matrix]:
    """SHAP gives (rows, columns) or (rows, columns, classes), and two classes either way."""
    if values.ndim == 2:
        values, base = values[:, :, None], np.reshape(base, (-1, 1))
    if values.shape[2] == 2 and outputs == 1:
        values, base = values[:, :, 1:], base[:, 1:]
    if values.shape[2] != outputs:
        raise PluginError(f"SHAP explains {values.shape[2]} outputs, the model has {outputs}")
    return values, base


def _unit(answers: Answers, sums: Matrix, said: Matrix) -> str:
    """What the values add up to. Raises PluginError where it is nothing that the model says."""
    size = float(said.std()) or 1.0
    if np.abs(sums - said).mean() <= 0.01 * size:
        return str(answers.kind)
    if answers.kind is Kind.PROBABILITY:
        with np.errstate(over="ignore"):
            if sums.shape[1] == 1:
                shares = 1 / (1 + np.exp(-sums))
            else:
                powers = np.exp(sums - sums.max(axis=1, keepdims=True))
                shares = powers / powers.sum(axis=1, keepdims=True)
        if np.abs(shares - said).mean() <= 0.01 * size:
            return "log-odds"
    raise PluginError("the tree explainer's values do not add up to what the model says")


def _traced(values: Matrix, came: Matrix, count: int) -> Matrix:
    """The effects of what a pipeline makes, given to the input columns that it was made of."""
    lost = np.abs(values[:, came < 0]).sum()
    if lost > 0.01 * np.abs(values).sum():
        raise PluginError("columns that the pipeline makes could not be traced to its input")
    return gathered(values, came, count)


def agnostic_effects(
    answers: Answers, columns: Columns, rows: int, predictions: int, seed: int
) -> Effects:
    """Values estimated from the model's answers alone, from at most about that many predictions.

    The sample's first `rows` are explained, or fewer of them; the rest is the background.
    """
    count = len(columns.names)
    if count > _WIDEST:
        raise PluginError(
            f"the model has {count} columns; without trees that SHAP can read at most {_WIDEST} "
            "can be explained"
        )
    asked = 2 * count + 1
    most = min(predictions // (20 * asked), _CELLS // (asked * count))
    background = columns.codes[rows:][: min(max(most, 2), _BACKGROUND)].astype(float)
    rows = min(rows, max(predictions // (asked * len(background)), 1))
    shap = shap_library()
    explainer = shap.explainers.PermutationExplainer(
        lambda codes: answers.ask(columns.decode(codes)),
        shap.maskers.Independent(background, max_samples=len(background)),
        seed=seed,
    )
    # one by one: from a call's second row on SHAP asks for main effects, too, half as much again
    found = [
        explainer(row, max_evals=asked, silent=True).values
        for row in columns.codes[:rows, None].astype(float)
    ]
    return Effects(
        columns.names,
        np.concatenate(found).reshape(rows, count, -1),
        columns.shades(slice(rows)),
        answers.outputs,
        str(answers.kind),
        "permutation explainer",
    )
