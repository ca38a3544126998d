"""What a model says, as one matrix of numbers whatever methods it has."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from tunesmith.errors import PluginError
from tunesmith_explain._columns import Matrix, text_of


class Kind(StrEnum):
    """What the numbers are."""

    PROBABILITY = "probability"
    SCORE = "decision score"
    VOTE = "vote"
    """The model names a class and no more."""
    VALUE = "prediction"


@dataclass(frozen=True)
class Answers:
    """A model's answers, of shape (rows, outputs).

    An output a class, with two classes one for the second of them; else an output a target.
    """

    kind: Kind
    outputs: tuple[str, ...]
    classes: Matrix | None
    ask: Callable[[Any], Matrix]
    label: Callable[[Any], Matrix]
    """The model's plain prediction."""

    def certainty(self, given: Matrix) -> Matrix | None:
        """How far each answer is from the next best one; None where that is not known."""
        if self.kind not in (Kind.PROBABILITY, Kind.SCORE):
            return None
        if len(self.outputs) == 1:
            middle = 0.5 if self.kind is Kind.PROBABILITY else 0.0
            return np.abs(given[:, 0] - middle)
        ranked = np.sort(given, axis=1)
        certain: Matrix = ranked[:, -1] - ranked[:, -2]
        return certain

    def output_of(self, label: Any) -> int:
        """The output that is about this class."""
        if self.classes is None or len(self.outputs) == 1:
            return 0
        return int(np.flatnonzero(self.classes == label)[0])


def answers_of(model: Any, some: Any) -> Answers:
    """How to ask the model; `some` are a few rows to try it with.

    Raises PluginError where there is nothing that an explanation could be about.
    """
    if not callable(getattr(model, "predict", None)):
        raise PluginError(f"the model, a {type(model).__name__}, has no 'predict'")
    label = _quiet(model.predict)
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list):
        raise PluginError("the model predicts several targets with classes, which is not explained")
    if classes is None and not hasattr(model, "predict_proba"):
        return _values(label, some)
    for kind, name in ((Kind.PROBABILITY, "predict_proba"), (Kind.SCORE, "decision_function")):
        if not hasattr(model, name):
            continue
        ask = _quiet(getattr(model, name))
        width = 1 if (shape := np.shape(ask(some)))[1:] == () else shape[1]
        known = np.arange(max(width, 2)) if classes is None else np.asarray(classes)
        _at_least_two(known)
        if width in (1, len(known)):
            return _classes(kind, known, lambda x, ask=ask: _second(ask(x)), label)
    known = np.asarray(classes)
    _at_least_two(known)
    votes = _classes(Kind.VOTE, known, label, label)
    return _classes(
        Kind.VOTE,
        known,
        lambda x: _second((label(x)[:, None] == known[None, :]).astype(float)),
        votes.label,
    )


def _classes(kind: Kind, known: Matrix, ask: Any, label: Any) -> Answers:
    names = [text_of(name) for name in known]
    return Answers(kind, tuple(names[1:] if len(names) == 2 else names), known, ask, label)


def _values(label: Callable[[Any], Matrix], some: Any) -> Answers:
    found = label(some)
    if not np.issubdtype(found.dtype, np.number) or found.ndim > 2:
        raise PluginError(
            f"the model predicts {found.dtype} of shape {found.shape}, and names no classes"
        )
    width = 1 if found.ndim == 1 else found.shape[1]
    outputs = ("prediction",) if width == 1 else tuple(f"target {n}" for n in range(width))
    return Answers(
        Kind.VALUE, outputs, None, lambda x: label(x).reshape(-1, width).astype(float), label
    )


def _second(given: Matrix) -> Matrix:
    """With two classes the column of the second, which says it all."""
    if given.ndim == 1:
        return given[:, None]
    return given[:, 1:] if given.shape[1] == 2 else given


def _at_least_two(known: Matrix) -> None:
    if len(known) < 2:
        only = text_of(known[0]) if len(known) else "none"
        raise PluginError(
            f"the model knows one class only ({only}), so that no column makes a difference"
        )


def _quiet(method: Callable[[Any], Any]) -> Callable[[Any], Matrix]:
    def ask(x: Any) -> Matrix:
        with warnings.catch_warnings():
            # rows that never were may well be odd; what the real ones warn of was told in the trial
            warnings.simplefilter("ignore")
            return np.asarray(method(x))

    return ask
