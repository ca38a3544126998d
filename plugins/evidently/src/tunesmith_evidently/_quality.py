"""Whether the model is worse on new rows than on the held-out ones, beyond chance."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from tunesmith_evidently._model import classifies
from tunesmith_evidently._rows import Rows

_RESAMPLES = 300
_ANSWERS = ("predict", "predict_proba", "decision_function", "predict_log_proba")


@dataclass(frozen=True)
class Quality:
    """The score on held-out rows and on new ones; greater is better.

    `low` and `high` are the 95% interval of the change, from a bootstrap: both sets of rows are
    drawn anew 300 times, within each class where there are classes, and scored. `degraded` where
    the whole interval is below 0: then so large a loss is hardly the luck of the draw.
    """

    scorer: str
    held_out: float
    now: float
    low: float
    high: float

    @property
    def degraded(self) -> bool:
        return self.high < 0


def quality_of(model: Any, metric: str, held_out: Rows, new: Rows, seed: int) -> Quality:
    """Judge by scikit-learn's scorer of that name, else by accuracy or R2.

    Raises ValueError where the scorer cannot judge these rows, such as those of a single class.
    """
    classes = classifies(model, held_out.y)
    name = metric if metric in get_scorer_names() else "accuracy" if classes else "r2"
    scorer, generator = get_scorer(name), np.random.default_rng(seed)
    drawn, scores = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an undefined score is NaN, which is told below
        for rows in (held_out, new):
            score = _scored(model, scorer, rows, classes)
            groups = _groups(rows.y) if classes else [np.arange(len(rows))]
            scores.append(score(np.arange(len(rows))))
            drawn.append(
                [
                    score(np.concatenate([generator.choice(each, len(each)) for each in groups]))
                    for _ in range(_RESAMPLES)
                ]
            )
    changes = np.asarray(drawn[1]) - np.asarray(drawn[0])
    if not np.isfinite([*scores, *changes]).all():
        raise ValueError(f"'{name}' is not defined on so few rows, or on rows of a single class")
    low, high = (float(value) for value in np.percentile(changes, [2.5, 97.5]))
    return Quality(name, scores[0], scores[1], low, high)


def _groups(y: Any) -> list[Any]:
    labels = np.asarray(y).astype(str)
    return [np.flatnonzero(labels == each) for each in np.unique(labels)]


def _scored(model: Any, scorer: Any, rows: Rows, classes: bool) -> Callable[[Any], float]:
    """The score of any rows by their places; the model is asked about each row once."""
    answers = {
        name: np.asarray(getattr(model, name)(rows.x)) for name in _ANSWERS if hasattr(model, name)
    }
    kind = ClassifierMixin if classes else RegressorMixin
    recalled = type("Recalled", (kind, _Recalled), {})(answers, getattr(model, "classes_", None))
    y = np.asarray(rows.y)
    return lambda places: float(scorer(recalled, places, y[places]))


class _Recalled(BaseEstimator):  # type: ignore[misc]
    """A model that remembers its answers, and is asked for them by the rows' places."""

    def __init__(self, answers: dict[str, Any], classes: Any) -> None:
        self.answers = answers
        self.classes_ = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        answers = self.__dict__.get("answers", {})
        if name not in answers:
            raise AttributeError(name)

        def answer(places: Any) -> Any:
            return answers[name][places]

        answer.__name__ = name  # scikit-learn asks a method for its name
        return answer


def judged(new: Rows, held_out: Rows) -> Rows:
    """The new rows that have a target, which gets the type of the held-out rows' target."""
    y = pd.Series(new.y).reset_index(drop=True)
    places = np.flatnonzero(y.notna())
    x = new.x.iloc[places] if hasattr(new.x, "iloc") else new.x[places]
    frame = new.frame.iloc[places].reset_index(drop=True)
    return Rows(x, _typed(y.iloc[places], pd.Series(held_out.y).dtype), frame, new.total)


def _typed(y: Any, dtype: Any) -> Any:
    """The values in this type, as they are where it would change one.

    A single gap made floats of whole numbers, and 1.0 is no name of the class 1.
    """
    try:
        typed = y.astype(dtype)
    except (OverflowError, TypeError, ValueError):
        return y
    return typed if (typed.astype(object) == y.astype(object)).all() else y
