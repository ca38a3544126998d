"""What the reporter finds and says about real models and awkward data."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from tunesmith.errors import PluginError
from tunesmith.finished import Finished, Fitted, Table
from tunesmith.study import Study
from tunesmith.testing.rounds import make_round, small_space
from tunesmith_evidently import Evidently


@pytest.fixture
def study(tmp_path):
    return Study(
        name="demo",
        goals={"accuracy": "maximize"},
        space=small_space(),
        objective="python",
        folder=tmp_path,
        seed=3,
    )


@pytest.fixture
def report(study, tmp_path):
    """The report on a model, fitted on `train` and held to `test`; its JSON files by name."""

    def make(model, train, test, **options):
        fitted = Fitted(model, "sklearn", train.x[:5], {}, train, test)
        found = Evidently(**options).report(study, Finished(make_round(1), fitted), tmp_path)
        data = {
            path.stem: json.loads(path.read_text())
            for path in found.files
            if path.suffix == ".json"
        }
        return found, data

    return make


def halves(x, y):
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.5, random_state=0)
    return Table(x, y), Table(x_test, y_test)


def binary(rows=400, columns=3):
    random = np.random.default_rng(1)
    x = pd.DataFrame(random.normal(size=(rows, columns))).add_prefix("c")
    return x, pd.Series((x["c0"] + random.normal(size=rows) > 0).astype(int), name="y")


def test_finds_no_drift_between_rows_that_were_split_by_chance(report):
    train, test = halves(*load_wine(return_X_y=True, as_frame=True))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train.x, train.y)
    found, data = report(model, train, test)
    assert [path.name for path in found.files] == [
        "drift.html",
        "drift.json",
        "health.html",
        "health.json",
    ]
    assert found.metrics["drift_share"] == found.metrics["drifted_columns"] == 0
    assert found.metrics["health_accuracy"] == data["health"]["current"]["accuracy"] > 0.9
    assert found.summary[0] == (
        "None of 13 columns has drifted between training rows and held-out rows."
    )


def test_finds_the_column_that_moved_and_no_other(report):
    train, test = halves(*binary())
    test = Table(test.x.assign(c1=test.x["c1"] + 1), test.y)
    found, data = report(LogisticRegression().fit(train.x, train.y), train, test)
    assert found.metrics["drift_share"] == pytest.approx(1 / 3)
    assert [each["column"] for each in data["drift"]["columns"] if each["drifted"]] == ["c1"]
    assert "1 of 3 columns has drifted" in found.summary[0]
    assert "'c1'" in found.summary[0]


def test_columns_may_have_numbers_for_names(report):
    x, y = binary()
    train, test = halves(x.set_axis([3, 5, 7], axis=1), y)
    _, data = report(LogisticRegression().fit(train.x, train.y), train, test)
    assert {each["column"] for each in data["drift"]["columns"]} == {"3", "5", "7"}


def test_judges_a_regression_by_its_errors(report):
    train, test = halves(*load_diabetes(return_X_y=True))  # arrays: no column names
    found, data = report(Ridge(alpha=0.1).fit(train.x, train.y), train, test)
    assert {each["column"] for each in data["drift"]["columns"]} == {str(n) for n in range(10)}
    assert 0.3 < found.metrics["health_r2"] < 0.6 and found.metrics["health_mae"] > 30
    assert found.metrics["health_gap"] == pytest.approx(
        data["health"]["reference"]["r2"] - data["health"]["current"]["r2"]
    )


def test_tells_why_a_regression_of_zeros_has_no_page(report):
    train, test = halves(*load_diabetes(return_X_y=True))
    found, _ = report(Ridge().fit(train.x, train.y), train, Table(test.x, 0 * test.y))
    assert "health.html" not in {path.name for path in found.files}
    assert any("whose true values are all 0" in sentence for sentence in found.summary)


def test_tells_why_a_single_class_has_no_page(report):
    train, test = (Table(table.x, table.y * 0) for table in halves(*binary()))
    found, _ = report(HistGradientBoostingClassifier(max_iter=2).fit(train.x, train.y), train, test)
    assert "All rows and answers are of the class '0': there is nothing to draw." in found.summary
    assert found.metrics["health_accuracy"] == 1


def test_a_model_without_probabilities_is_judged_by_its_answers(report):
    train, test = halves(*binary())
    names = Table(train.x, train.y.map({0: "stays", 1: "leaves"}))
    held_out = Table(test.x, test.y.map({0: "stays", 1: "leaves"}))
    found, _ = report(LinearSVC().fit(names.x, names.y), names, held_out)
    assert 0.6 < found.metrics["health_accuracy"] < 0.9
    assert "On the page 0 is 'leaves', 1 is 'stays'." in found.summary


class Fixed:
    """Answers what it was told, whatever it is asked."""

    def __init__(self, *answers):
        self.answers = iter(answers)

    def predict(self, x):
        return next(self.answers)


@pytest.mark.parametrize(
    "train, test",
    [("ab", "ab"), ("abc", "ab"), ("ab", "bc"), ("ab", "c"), ("a", "b"), ("ab", "cd"), ("ab", "a")],
)
def test_any_classes_may_be_missing_from_either_set(report, train, test):
    y = [np.array(list(letters * 12)[:24]) for letters in (train, test)]
    x = [np.arange(24.0)[:, None] for _ in y]
    found, _ = report(Fixed(y[0], y[1][::-1]), Table(x[0], y[0]), Table(x[1], y[1]))
    drawn = "health.html" in {path.name for path in found.files}
    assert drawn or "none in common" in found.summary[-1]
    assert drawn == ((train, test) != ("ab", "cd"))


@pytest.mark.parametrize("kept", [0, 1])
def test_one_class_among_the_held_out_rows_is_no_obstacle(report, kept):
    train, test = halves(*binary())
    held_out = Table(test.x[test.y == kept], test.y[test.y == kept])
    found, _ = report(LogisticRegression().fit(train.x, train.y), train, held_out)
    assert found.metrics["health_accuracy"] > 0.5
    assert f"there is no row of '{1 - kept}'" in " ".join(found.summary)
    assert "health.html" in {path.name for path in found.files}


def test_a_class_that_the_model_never_saw_is_named(report):
    train, test = halves(*binary())
    held_out = Table(test.x, test.y.where(test.x["c1"] < 1, 2))
    found, _ = report(LogisticRegression().fit(train.x, train.y), train, held_out)
    assert "Probabilities are not judged: the model knows no '2'." in found.summary


def test_many_classes_get_totals(report):
    random = np.random.default_rng(0)
    y = np.tile(np.arange(60), 20)
    x = y[:, None] + random.normal(scale=0.1, size=(1200, 1))
    train, test = halves(x, y)
    model = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=3).fit(train.x, train.y)
    found, _ = report(model, train, test)
    assert "The page has totals only: there are 60 classes." in found.summary


def mixed(rows, seed, **changes):
    random = np.random.default_rng(seed)
    words = ["blue", "calm", "dark", "early", "fast", "green", "high", "ill", "just", "kind"]
    frame = {
        "size": random.normal(size=rows),
        "city": random.choice(["Rome", "Oslo", "Lima"], rows),
        "flag": random.random(rows) < 0.3,
        "kind": pd.Categorical(random.choice(["a", "b"], rows)),
        "note": [" ".join(random.choice(words, 6)) for _ in range(rows)],
        "seen": pd.date_range("2026-01-01", periods=rows),
        "gap": np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows)),
        "void": np.full(rows, np.nan),
    }
    return pd.DataFrame(frame | changes)


def encoded():
    return make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city", "kind"])),
        LogisticRegression(),
    )


def drifted(data):
    return {each["column"] for each in data["drift"]["columns"] if each["drifted"]}


def test_mixed_and_missing_columns_are_compared_each_in_its_way(report):
    x, other = mixed(300, 0), mixed(200, 1)
    train, test = Table(x, x["flag"].map(str)), Table(other, other["flag"].map(str))
    found, data = report(encoded().fit(train.x, train.y), train, test)
    kinds = {each["column"]: each["kind"] for each in data["drift"]["columns"]}
    assert kinds == {
        "size": "number",
        "city": "category",
        "flag": "category",
        "kind": "category",
        "note": "text",
        "gap": "number",
        "gap: missing or there": "category",
        "void: missing or there": "category",
    }
    assert data["drift"]["left_out"] == {"seen": "dates move on with time"}
    assert not drifted(data)
    assert "Not compared, because dates move on with time: 'seen'." in found.summary


def test_drift_of_text_categories_and_gaps_is_found(report):
    x = mixed(300, 0)
    other = mixed(
        200,
        1,
        city=["Lima"] * 150 + ["Bonn"] * 50,
        note=[f"cheap offer number {n} today" for n in range(200)],
        gap=np.nan,
    )
    train, test = Table(x, x["flag"].map(str)), Table(other, other["flag"].map(str))
    found, data = report(encoded().fit(train.x, train.y), train, test)
    assert drifted(data) == {"city", "note", "gap: missing or there"}
    # a column counts once, whether by its values or by what is missing
    assert found.metrics["drifted_columns"] == 3
    assert data["drift"]["compared_columns"] == 7


def test_five_hundred_columns_are_compared_and_the_worst_shown(report):
    train, test = halves(*binary(columns=500))
    test = Table(test.x.assign(c499=test.x["c499"] + 2), test.y)
    model = LogisticRegression(max_iter=50).fit(train.x, train.y)
    _, data = report(model, train, test, max_columns=3)
    assert len(data["drift"]["columns"]) == 500
    assert drifted(data) == {"c499"}
    assert sum("ValueDrift" in each["measured"] for each in data["drift"]["evidently"]) == 3


def test_many_rows_are_sampled_by_the_seed_and_that_is_said(report):
    train, test = halves(*binary(rows=200_000))
    model = LogisticRegression().fit(train.x, train.y)
    found, data = report(model, train, test, max_rows=1000)
    assert data["drift"]["rows"] == {"reference": 1000, "current": 1000}
    assert "Of 100,000 training rows, 1,000 were sampled." in found.summary
    again, _ = report(model, train, test, max_rows=1000)
    assert again == found


def test_a_model_that_predicts_nothing_leaves_the_report_on_drift(report):
    train, test = halves(*binary())
    found, _ = report(object(), train, test)
    assert [path.name for path in found.files] == ["drift.html", "drift.json"]
    assert "'object' has no method 'predict'" in found.summary[-1]


def test_pages_load_nothing_from_elsewhere(report):
    train, test = halves(*binary())
    found, _ = report(LogisticRegression().fit(train.x, train.y), train, test)
    for path in found.files:
        text = path.read_text(encoding="utf-8")
        assert "<script src=" not in text and "<link" not in text


def test_telemetry_stays_off_and_the_choice_of_the_user_stays(report, monkeypatch):
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    train, test = halves(*binary())
    report(LogisticRegression().fit(train.x, train.y), train, test)
    assert "DO_NOT_TRACK" not in os.environ


def test_without_a_model_or_its_rows_it_says_what_to_do(study, tmp_path):
    train, _ = halves(*binary())
    half = Fitted(LogisticRegression(), "sklearn", None, {}, train)
    for fitted, wrong in ((None, "no fitted model.*final_fit"), (half, "held-out.*test_share")):
        with pytest.raises(PluginError, match=wrong):
            Evidently().report(study, Finished(make_round(1), fitted), tmp_path)


def test_rows_that_are_no_table_are_an_error(study, tmp_path):
    cube = Table(np.zeros((4, 2, 2)), np.zeros(4))
    fitted = Fitted(LogisticRegression(), "sklearn", None, {}, cube, cube)
    with pytest.raises(PluginError, match=r"no table .* shape \(4, 2, 2\)"):
        Evidently().report(study, Finished(make_round(1), fitted), tmp_path)
