"""Which rows are worth explaining one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from tunesmith_explain._answers import Answers
from tunesmith_explain._columns import Matrix, text_of


@dataclass(frozen=True)
class Row:
    """A row of those that SHAP explains, and what is special about it."""

    place: int
    why: str
    said: str
    output: int
    about: str
    """The class that it says, or the target."""
    sign: float
    """-1 where that is the first of two classes, for which the output speaks by its opposite."""


def chosen(answers: Answers, x: Any, y: Any, count: int) -> list[Row]:
    """The rows that tell most, a kind after the other: certain and right, certain and wrong,
    uncertain; of numbers the largest errors and a typical one.
    """
    given, labels = answers.ask(x), answers.label(x)
    truth = None if y is None or np.ndim(y) != 1 else np.asarray(y)
    kinds = (
        _numbers(given[:, 0], truth)
        if answers.classes is None
        else _classes(labels, truth, answers.certainty(given))
    )
    lines = [[(why, int(place)) for place in places] for why, places in kinds]
    rows: dict[int, str] = {}
    for pair in chain.from_iterable(zip_longest(*lines)):
        if pair is not None and len(rows) < count:
            rows.setdefault(pair[1], pair[0])
    return [
        Row(
            place,
            why,
            _said(answers, given[place], labels[place], truth, place),
            answers.output_of(labels[place]),
            answers.outputs[0] if answers.classes is None else text_of(labels[place]),
            -1.0 if _is_first_of_two(answers, labels[place]) else 1.0,
        )
        for place, why in rows.items()
    ]


def _is_first_of_two(answers: Answers, label: Any) -> bool:
    known = answers.classes
    return known is not None and len(answers.outputs) == 1 and label == known[0]


def _classes(
    labels: Matrix, truth: Matrix | None, certainty: Matrix | None
) -> Iterator[tuple[str, Matrix]]:
    order = np.arange(len(labels)) if certainty is None else np.argsort(-certainty, kind="stable")
    how = "a" if certainty is None else "the most certain"
    if truth is None:
        yield f"{how} answer", order
    else:
        right = labels[order] == truth[order]
        yield f"{how} right answer", order[right]
        yield f"{how} wrong answer", order[~right]
    if certainty is not None:
        yield "the least certain answer", order[::-1]


def _numbers(given: Matrix, truth: Matrix | None) -> Iterator[tuple[str, Matrix]]:
    if truth is not None:
        order = np.argsort(-np.abs(given - truth.astype(float)), kind="stable")
        yield "the largest error", order
        yield "a typical row", _typical(given)
    else:
        yield "the highest prediction", np.argsort(-given, kind="stable")
        yield "a typical row", _typical(given)
        yield "the lowest prediction", np.argsort(given, kind="stable")


def _typical(given: Matrix) -> Matrix:
    """Those whose prediction is nearest to the middle first."""
    return np.argsort(np.abs(given - np.median(given)), kind="stable")


def _said(answers: Answers, given: Matrix, label: Any, truth: Matrix | None, place: int) -> str:
    """`says benign (probability 0.98), which is right`."""
    output = answers.output_of(label)
    words = f"says {text_of(label)}"
    if answers.classes is not None and answers.kind != "vote":
        number = float(given[output])
        if _is_first_of_two(answers, label):
            number = 1 - number if answers.kind == "probability" else -number
        words += f" ({answers.kind} {number:.3g})"
    if truth is None:
        return words
    if answers.classes is None:
        return f"{words}, true is {text_of(truth[place])}"
    return f"{words}, " + (
        "which is right" if label == truth[place] else f"true is {text_of(truth[place])}"
    )
