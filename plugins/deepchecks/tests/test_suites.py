"""Deepchecks' own suites, run on models of today."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from tunesmith.finished import Finished, Fitted, Table
from tunesmith.study import Study
from tunesmith.testing.rounds import make_round
from tunesmith_deepchecks import Deepchecks

pytestmark = pytest.mark.slow


def report(model, x, y, folder, order=None, **options):
    """Of a model fitted on the first two thirds of the rows, checked on the last third."""
    order = np.arange(len(x)) if order is None else order
    x, y = x.iloc[order], y.iloc[order]
    cut = len(x) * 2 // 3
    train, test = Table(x[:cut], y[:cut]), Table(x[cut:], y[cut:])
    fitted = Fitted(model.fit(train.x, train.y), "sklearn", x[:5], {}, train, test)
    study = Study.model_validate(
        {
            "name": "demo",
            "goals": {"score": "maximize"},
            "space": {"parameters": {"a": {"type": "float", "low": 0, "high": 1}}},
            "objective": {"use": "python", "function": "f:f"},
        }
    )
    return Deepchecks(**options).report(study, Finished(make_round(), fitted), folder)


def mixed():
    """Numbers, texts, gaps, dates and truths, and three classes that go by two of them."""
    random, rows = np.random.default_rng(1), 300
    x = pd.DataFrame(
        {
            "size": random.normal(size=rows),
            "kind": random.choice(["ash", "birch", "cedar"], rows),
            "note": [f"note {number}" for number in range(rows)],
            "seen": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 90, rows), "D"),
            "wet": random.random(rows) > 0.5,
            "empty": np.nan,
        }
    )
    y = pd.Series(np.where(x["size"] > 0, "big", x["kind"]), name="kind")
    x.loc[::7, "note"] = None
    x.loc[::11, "kind"] = None
    return x, y


def test_a_regression_on_sorted_rows_fails(tmp_path):
    x, y = load_diabetes(return_X_y=True, as_frame=True)  # examples/05_reports splits it fairly
    found = report(Ridge(), x, y, tmp_path, np.argsort(y.to_numpy()))
    assert not [words for words in found.summary if words.startswith("Broke")]
    assert found.metrics["deepchecks_failed"] > 0
    assert any(words.startswith("Label Drift failed: Label's drift") for words in found.summary)
    page = (tmp_path / "deepchecks.html").read_text()
    assert "What failed" in page and "Label Drift" in page and "http" not in page.split("<body>")[1]
    checks = {each["check"] for each in json.loads((tmp_path / "deepchecks.json").read_text())}
    assert {"Label Drift", "Regression Error Distribution - Test Dataset"} <= checks


def test_mixed_columns_and_a_model_without_probabilities_are_checked(tmp_path):
    x, y = mixed()
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), ("passthrough", ["size"])
    )
    found = report(make_pipeline(columns, LinearSVC()), x, y, tmp_path)
    assert found.metrics["deepchecks_failed"] == 0, found.summary
    assert found.metrics["deepchecks_passed"] >= 12
    assert not [words for words in found.summary if words.startswith("Broke")]
    page = (tmp_path / "deepchecks.html").read_text()
    assert "What did not run" in page and "Roc Report" in page
