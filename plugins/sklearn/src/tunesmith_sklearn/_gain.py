"""Two models on the same rows: how much better is one, beyond chance?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import get_scorer

from tunesmith.finished import Gain, Table

_DRAWS = 200


def gain(model: Any, other: Any, rows: Table, metric: str, seed: int) -> Gain:
    """Score of the model less that of the other on these rows, with a 95% interval.

    The rows are drawn again 200 times, those of each class apart, and both models are scored on
    the same draw: the paired percentile bootstrap (Efron & Tibshirani 1993, chapter 13). Each model
    predicts once.
    """
    scorer, y = get_scorer(metric), np.asarray(rows.y)
    ours, theirs = _Known(model, rows.x), _Known(other, rows.x)
    whole = np.arange(len(y))
    found = scorer(ours, whole, y) - scorer(theirs, whole, y)
    draws = [
        scorer(ours, picked, y[picked]) - scorer(theirs, picked, y[picked])
        for picked in _draws(y, is_classifier(model), seed)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Gain(float(found), float(low), float(high))


def _draws(y: Any, by_class: bool, seed: int) -> Any:
    """Numbers of rows, drawn with replacement."""
    generator = np.random.default_rng(seed)
    groups = (
        pd.Series(np.arange(len(y))).groupby(y).indices.values() if by_class else [range(len(y))]
    )
    groups = [np.asarray(group) for group in groups]
    for _ in range(_DRAWS):
        yield np.concatenate([generator.choice(group, len(group)) for group in groups])


class _Known(BaseEstimator):  # type: ignore[misc]
    """A model whose answers for all rows are known; asked for rows by their numbers."""

    def __init__(self, model: Any, x: Any) -> None:
        self.model = model
        for name in ("predict", "predict_proba", "decision_function"):
            if hasattr(model, name):
                setattr(self, name, _recalling(name, np.asarray(getattr(model, name)(x))))
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_

    def __sklearn_tags__(self) -> Any:
        return self.model.__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _recalling(name: str, answers: Any) -> Callable[[Any], Any]:
    def answer(rows: Any) -> Any:
        return answers[rows]

    answer.__name__ = name  # scikit-learn asks a method for its name
    return answer
