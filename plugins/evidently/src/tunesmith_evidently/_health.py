"""How good the model is on two sets of rows, as Evidently shows it. Import it inside `settled`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression
from evidently.metrics import Accuracy, F1Score, Precision, Recall
from evidently.presets import ClassificationPreset, RegressionPreset
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score

from tunesmith_evidently._evidently import Metric, page
from tunesmith_evidently._model import classifies
from tunesmith_evidently._rows import Rows

_TRUE, _SAID = "true value", "the model's answer"
_Two = tuple[Any, Any]
"""Of the reference, and of the current rows."""
_MOST_CLASSES = 50
"""Classes for which a page still has a matrix and a line each."""


@dataclass(frozen=True)
class Health:
    """Scores by name on the reference and on the current rows, and Evidently's page on them.

    `html` is None where Evidently cannot draw one; the remarks say why, and what is left out.
    """

    reference: Mapping[str, float]
    current: Mapping[str, float]
    html: str | None
    measured: Sequence[Metric]
    remarks: Sequence[str] = ()

    @property
    def leading(self) -> str:
        """The score to look at first."""
        return "accuracy" if "accuracy" in self.current else "r2"


def health_of(model: Any, reference: Rows, current: Rows) -> Health:
    """Ask the model about both sets of rows, and compare its answers with the targets."""
    one, two = (np.asarray(model.predict(rows.x)).reshape(-1) for rows in (reference, current))
    true = np.asarray(reference.y), np.asarray(current.y)
    if not classifies(model, reference.y):
        return _regression(true, (one, two))
    frames = _labelled(true, (one, two))
    chances = None
    if callable(getattr(model, "predict_proba", None)):
        chances = (
            np.asarray(model.predict_proba(reference.x)),
            np.asarray(model.predict_proba(current.x)),
        )
    return _classification(model, frames, chances)


def _regression(true: _Two, said: _Two) -> Health:
    one, two = (
        pd.DataFrame({_TRUE: values.astype(float), _SAID: answers.astype(float)})
        for values, answers in zip(true, said, strict=True)
    )
    if any((frame[_TRUE] == 0).all() for frame in (one, two)):
        remark = "Evidently cannot draw a regression whose true values are all 0."
        return Health(_errors(one), _errors(two), None, [], [remark])
    definition = DataDefinition(
        regression=[Regression(target=_TRUE, prediction=_SAID)],
        numerical_columns=[_TRUE, _SAID],
        categorical_columns=[],
    )
    html, measured = page([RegressionPreset()], definition, one, two)
    return Health(_errors(one), _errors(two), html, measured)


def _errors(frame: Any) -> dict[str, float]:
    found = {"mae": float(mean_absolute_error(frame[_TRUE], frame[_SAID]))}
    if len(frame) > 1:
        found["r2"] = float(r2_score(frame[_TRUE], frame[_SAID]))
    return found


def _hits(frame: Any) -> dict[str, float]:
    return {
        "accuracy": float(accuracy_score(frame[_TRUE], frame[_SAID])),
        "f1": float(f1_score(frame[_TRUE], frame[_SAID], average="macro", zero_division=0)),
    }


def _labelled(true: _Two, said: _Two) -> _Two:
    """Targets and answers as text: 1 and 1.0 are one class."""
    found = []
    for values, answers in zip(true, said, strict=True):
        common = np.asarray(answers).astype(values.dtype) if values.dtype.kind in "iuf" else answers
        found.append(pd.DataFrame({_TRUE: values.astype(str), _SAID: np.asarray(common, str)}))
    return found[0], found[1]


def _classification(model: Any, frames: _Two, chances: _Two | None) -> Health:
    scores = _hits(frames[0]), _hits(frames[1])
    classes = [str(each) for each in getattr(model, "classes_", ())]
    seen = tuple(set(frame.to_numpy().flat) for frame in frames)
    labels = sorted(seen[0] | seen[1])
    if len(labels) == 1:
        remark = f"All rows and answers are of the class '{labels[0]}': there is nothing to draw."
        return Health(*scores, None, [], [remark])
    remarks = []
    if chances and (why := _unjudged(frames, classes, labels)):
        chances = None
        remarks.append(f"Probabilities are not judged: {why}.")
    few = _totals_only(seen)
    if few:
        chances = None
        remarks.append(f"The page has totals only: {few}.")
    if any(len(each) == 2 for each in seen):
        names = _numbered(seen, labels, classes)
        if names is None:
            remark = "Evidently cannot draw two pairs of classes that have none in common."
            return Health(*scores, None, [], [*remarks, remark])
        if names != ["0", "1"]:
            told = ", ".join(f"{place} is '{name}'" for place, name in enumerate(names[:10]))
            remarks.append(f"On the page {told}.")
        numbers = {name: place for place, name in enumerate(names)}
        frames = frames[0].map(numbers.__getitem__), frames[1].map(numbers.__getitem__)
    metrics = _totals() if few else [ClassificationPreset()]
    html, measured = page(metrics, *_definition(frames, chances, classes))
    return Health(*scores, html, measured, remarks)


def _totals_only(seen: tuple[set[str], ...]) -> str | None:
    """Why there is no line for each class; None where there is."""
    count, strange = len(seen[0] | seen[1]), sorted(seen[1] - seen[0])
    if count > _MOST_CLASSES:
        return f"there are {count} classes"
    return f"only one of the two has {_listed(strange)}" if strange else None


def _unjudged(frames: _Two, classes: Sequence[str], labels: Sequence[str]) -> str | None:
    """Why Evidently's tables by class would break with probabilities; None where they do not."""
    strange = sorted(set(labels) - set(classes))
    if strange:
        return f"the model knows no {_listed(strange)}"
    absent = sorted(set(classes) - (set(frames[0][_TRUE]) & set(frames[1][_TRUE])))
    return f"there is no row of {_listed(absent)} in one of the two" if absent else None


def _numbered(
    seen: tuple[set[str], ...], labels: Sequence[str], classes: Sequence[str]
) -> list[str] | None:
    """The labels by the number that stands for each; None where there is no such order.

    Of rows with two classes Evidently takes the one called 1 for the positive one, and breaks
    where none is.
    """
    if len(classes) == 2 and set(labels) <= set(classes):
        return list(classes)
    common = set.intersection(*(each for each in seen if len(each) == 2))
    if not common:
        return None
    first, *rest = [label for label in labels if label != max(common)]
    return [first, max(common), *rest]


def _totals() -> list[Any]:
    return [Accuracy(), Precision(), Recall(), F1Score()]


def _definition(
    frames: _Two, chances: _Two | None, classes: Sequence[str]
) -> tuple[DataDefinition, Any, Any]:
    """What the columns of the frames are, and the frames with the classes' probabilities."""
    task: Any = MulticlassClassification(target=_TRUE, prediction_labels=_SAID)
    if chances and len(classes) == 2:
        task = BinaryClassification(
            target=_TRUE, prediction_labels=_SAID, prediction_probas="probability", pos_label=1
        )
        frames = (
            frames[0].assign(probability=chances[0][:, 1]),
            frames[1].assign(probability=chances[1][:, 1]),
        )
    elif chances:
        task = MulticlassClassification(
            target=_TRUE, prediction_labels=_SAID, prediction_probas=list(classes)
        )
        frames = (
            frames[0].join(pd.DataFrame(chances[0], columns=list(classes))),
            frames[1].join(pd.DataFrame(chances[1], columns=list(classes))),
        )
    definition = DataDefinition(
        classification=[task],
        numerical_columns=[],
        categorical_columns=[_TRUE, _SAID],
        text_columns=[],
        datetime_columns=[],
    )
    return definition, frames[0], frames[1]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return shown + (", …" if len(names) > 5 else "")
