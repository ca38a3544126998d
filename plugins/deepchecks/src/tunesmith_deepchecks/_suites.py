# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["deepchecks==0.19.1", "numpy<2", "pandas<3", "scikit-learn<1.4", "setuptools<82"]
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
# ///
"""A script that runs Deepchecks' suites, in an environment of its own that uv makes.

It reads a question, a JSON file that `_question.py` writes, and writes the answer, a JSON file too:
what each check found, or under `error` why there is nothing.
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

POINTLESS = ("BoostingOverfit", "ModelInferenceTime")
"""Checks that ask the model itself, which stays where it was fitted: here are only its answers."""
SEGMENTED = {"n_samples": 2_000, "n_top_features": 5}
"""Where weak segments are searched, which takes time with the square of both: among so many rows,
and pairs of the columns that the model needs most.
"""


def main(question: Path, answer: Path) -> None:
    """Run the suites, and write the answer whole or not at all."""
    found: dict[str, Any]
    try:
        found = {"results": run(json.loads(question.read_text("utf-8")))}
    except Exception as error:  # told to the reporter
        found = {"error": f"{type(error).__name__}: {error}"}
    part = answer.with_suffix(".part")
    part.write_text(json.dumps(found, default=str), encoding="utf-8")
    os.replace(part, answer)


def run(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What each check of both suites found, those that could not run too."""
    from deepchecks.tabular.suites import model_evaluation, train_test_validation

    given = _given(asked)
    found = []
    for suite in (train_test_validation, model_evaluation):
        made = suite(n_samples=asked["max_rows"], random_state=asked["seed"])
        for place, check in list(made.checks.items()):
            if type(check).__name__ in POINTLESS:
                made.remove(place)
            elif type(check).__name__ == "WeakSegmentsPerformance":
                for name, most in SEGMENTED.items():
                    setattr(check, name, most)
        results = made.run(**given, with_display=False).results
        found += [_told(made.name, result) for result in results]
    return found


def _given(asked: dict[str, Any]) -> dict[str, Any]:
    """What a suite is run with."""
    from deepchecks.tabular import Dataset

    given: dict[str, Any] = {"model_classes": asked["classes"]}
    if asked["importance"]:
        given["feature_importance"] = pd.Series(asked["importance"])
    for side in ("train", "test"):
        rows = asked[side]
        given[f"{side}_dataset"] = Dataset(
            _frame(rows["columns"], asked["texts"]),
            label=pd.Series(rows["target"], name=asked["target"]),
            cat_features=asked["categories"],
            label_type=asked["task"],
        )
        given[f"y_pred_{side}"] = np.asarray(rows["predicted"])
        if rows["probabilities"] is not None:
            given[f"y_proba_{side}"] = np.asarray(rows["probabilities"])
    return given


def _frame(columns: dict[str, list[Any]], texts: list[str]) -> Any:
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=object if name in texts else float)
            for name, values in columns.items()
        }
    )


def _told(suite: str, result: Any) -> dict[str, Any]:
    told = {
        "suite": suite,
        "check": result.get_header(),
        "about": result.check.metadata()["summary"],
        "conditions": [],
        "obstacle": None,
        "value": None,
    }
    failure = getattr(result, "exception", None)
    if failure is not None:
        told["obstacle"] = str(failure) or type(failure).__name__
        told["broken"] = not type(failure).__module__.startswith("deepchecks.")
        return told
    told["conditions"] = [
        {"verdict": each.category.value, "condition": each.name, "found": each.details}
        for each in result.conditions_results
    ]
    told["value"] = json.loads(result.to_json(with_display=False)).get("value")
    return told


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of libraries of its time, about one another
    logging.disable(logging.WARNING)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
