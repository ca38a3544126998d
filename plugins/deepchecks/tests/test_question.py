"""What Deepchecks is asked, and what is said where it cannot be."""

import json
import os
import stat

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge

from tunesmith.errors import PluginError
from tunesmith.finished import Finished, Fitted, Table
from tunesmith.testing.rounds import make_round
from tunesmith_deepchecks import Deepchecks, _environment
from tunesmith_deepchecks._question import asked_of
from tunesmith_deepchecks._report import write_report


def fitted(model, x, y):
    """On the first two thirds of the rows; the last third is held out."""
    cut = x.shape[0] * 2 // 3
    return Fitted(
        model.fit(x[:cut], y[:cut]),
        "sklearn",
        x[:5],
        {},
        Table(x[:cut], y[:cut]),
        Table(x[cut:], y[cut:]),
    )


def numbers(rows, columns):
    """The target goes by the last column."""
    x = np.random.default_rng(0).normal(size=(rows, columns))
    return x, x[:, -1] * 2


def test_much_data_is_sampled_and_that_is_said():
    x, y = numbers(300_000, 3)
    asked = asked_of(Deepchecks(), fitted(Ridge(), x, y), seed=1)
    assert (
        len(asked.question["train"]["target"]) == len(asked.question["test"]["predicted"]) == 10_000
    )
    assert asked.left_out == [
        "Of 200,000 training rows 10,000 were looked at, chosen by the seed.",
        "Of 100,000 held-out rows 10,000 were looked at, chosen by the seed.",
    ]


def test_of_many_columns_those_that_the_model_needs_are_looked_at():
    x, y = numbers(600, 500)
    asked = asked_of(Deepchecks(max_columns=5), fitted(Ridge(alpha=1e-6), x, y), seed=1)
    columns = list(asked.question["train"]["columns"])
    assert len(columns) == 5 and columns[0] == "499"
    assert asked.left_out[-1].startswith("Of 500 columns the 5 were looked at")
    assert sum(asked.question["importance"].values()) == pytest.approx(1)


def test_classes_are_in_alphabetical_order_with_their_probabilities():
    x = np.arange(60.0)[:, None] % 12
    y = np.where(x[:, 0] < 4, 9, np.where(x[:, 0] < 8, 10, 11))
    given = fitted(LogisticRegression(), x, y)
    asked = asked_of(Deepchecks(), given, seed=1).question
    assert asked["classes"] == ["10", "11", "9"] and asked["task"] == "multiclass"
    of_nine = [row[2] for row in asked["test"]["probabilities"]]
    assert of_nine == given.model.predict_proba(given.test.x)[:, 0].tolist()


def test_a_class_that_the_model_never_saw_has_no_probability():
    x, y = np.arange(30.0)[:, None], np.array(["a", "b"] * 10 + ["a", "b"] * 4 + ["c"] * 2)
    asked = asked_of(Deepchecks(), fitted(LogisticRegression(), x, y), seed=1).question
    assert asked["classes"] == ["a", "b", "c"]
    assert {row[2] for row in asked["test"]["probabilities"]} == {0.0}


def test_every_question_is_json_without_numbers_that_are_none():
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 5)), columns=["y", "y", 0, "d", "t"])
    y = pd.Series(x.iloc[:, 0] * 2, name="y")
    given = fitted(Ridge(), x.iloc[:, :2].set_axis([0, 1], axis=1), y)
    x.iloc[3, 2] = np.inf
    x["d"] = pd.Series(pd.date_range("2026-01-01", periods=30, tz="UTC"))
    x["t"] = x["t"].astype("str").where(x.index > 2)
    table = Table(x, y)
    asked = asked_of(
        Deepchecks(), Fitted(_First(given.model), "x", x[:5], {}, table, table), seed=1
    )
    columns = asked.question["train"]["columns"]
    assert (
        set(columns) == {"y", "y (1)", "0", "d", "t"} and asked.question["target"] == "y (target)"
    )
    assert columns["0"][3] is None and columns["d"][:2] == [20454.0, 20455.0]
    assert columns["t"][:3] == [None] * 3 and asked.question["categories"] == asked.question[
        "texts"
    ] == ["t"]
    assert asked.question["importance"] is None
    json.dumps(asked.question, allow_nan=False)


class _First:
    """A model that is not scikit-learn's, and looks at two columns only."""

    def __init__(self, model):
        self.model = model

    def predict(self, x):
        return self.model.predict(x.iloc[:, :2].set_axis([0, 1], axis=1))


def test_sparse_rows_are_a_table_too():
    x, y = numbers(30, 4)
    asked = asked_of(Deepchecks(), fitted(Ridge(), csr_array(x), y), seed=1)
    assert asked.question["train"]["columns"]["3"] == x[:20, 3].tolist()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "there is no fitted model to check"),
        (Fitted(Ridge(), "sklearn", None, {}), "without training rows"),
        (Fitted(Ridge(), "x", None, {}, Table(np.zeros((2, 2)), [1, 2])), "without held-out rows"),
        (
            fitted(DummyClassifier(), np.zeros((9, 1)), np.array(["yes"] * 9)),
            "all rows are of the class 'yes'",
        ),
        (
            Fitted("text", "x", None, {}, *[Table(np.zeros((2, 2)), [1, 2])] * 2),
            "type 'str' has no method 'predict'",
        ),
        (fitted(Ridge(), np.zeros((9, 1)), np.zeros((9, 2))), "more than one column"),
        (Fitted(Ridge(), "x", None, {}, *[Table(["a text"], [1])] * 2), "is no table"),
    ],
)
def test_says_what_cannot_be_checked(given, words, tmp_path):
    with pytest.raises(PluginError, match=words):
        write_report(Deepchecks(), 1, Finished(make_round(), given), tmp_path)
    assert not list(tmp_path.iterdir())


def test_says_that_uv_is_not_there(monkeypatch):
    def missing():
        raise FileNotFoundError("/nowhere/uv")

    monkeypatch.setattr(_environment, "find_uv_bin", missing)
    with pytest.raises(PluginError, match="'uv' is not there: /nowhere/uv; 'pip install uv'"):
        _environment.answered({})


def test_says_why_the_environment_cannot_be_made(monkeypatch, tmp_path):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    with pytest.raises(PluginError, match=r"could not be made.*: .*; uv needs Python 3\.11 or"):
        _environment.answered({})


def test_the_question_is_for_nobody_else_and_gone_afterwards(monkeypatch, tmp_path):
    script = tmp_path / "uv"
    script.write_text(
        '#!/bin/sh\nstat -c %a "$(dirname "$5")" >seen; env >>seen; mv seen "$SEEN"; '
        """echo '{"results": []}' >"$6"\n"""
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(_environment, "find_uv_bin", lambda: script)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(_environment.tempfile, "tempdir", None)
    assert _environment.answered({}) == []
    rights, *variables = (tmp_path / "seen").read_text().splitlines()
    assert rights == "700"
    assert "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY=True" in variables
    assert not any(line.startswith("PYTHONPATH=") for line in variables)
    assert sorted(os.listdir(tmp_path)) == ["seen", "uv"]
