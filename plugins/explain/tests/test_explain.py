"""What is said about models."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from tunesmith.errors import ConfigError
from tunesmith.finished import Finished, Fitted, Report, Table
from tunesmith.plugins import installed
from tunesmith.testing.rounds import make_round
from tunesmith.trial import Round
from tunesmith_explain import Explain
from tunesmith_explain._columns import encoded
from tunesmith_explain._model import Limits, explain_model
from tunesmith_explain._origins import origins
from tunesmith_explain._report import write_report

FEW = Limits(rows=40, local=1, predictions=20_000, seed=1)


def fit(model: object, x: object, y: object, held_out: int = 40) -> Fitted:
    model.fit(x[held_out:], y[held_out:])
    train, test = Table(x[held_out:], y[held_out:]), Table(x[:held_out], y[:held_out])
    return Fitted(model, "sklearn", x[:5], {}, train, test)


def shuffled(loader: object) -> tuple[pd.DataFrame, pd.Series]:
    x, y = loader(return_X_y=True, as_frame=True)
    order = np.random.default_rng(0).permutation(len(y))
    return x.iloc[order], y.iloc[order]


def made(count: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Only column 3 says which class it is."""
    x = np.random.default_rng(0).normal(size=(count, columns))
    return x, (x[:, 3] > 0).astype(int)


def mixed(count: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, count).astype(float),
            "town": random.choice(["Bern", "Genève"], count),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(count), unit="D"),
            "seven": random.normal(size=count),
            "size": pd.Categorical(random.choice(["s", "m"], count)),
        }
    )
    y = np.where((frame["town"] == "Bern") & (frame["age"] > 40), "stays", "leaves")
    frame.loc[random.random(count) < 0.2, "age"] = np.nan
    frame.loc[random.random(count) < 0.1, "town"] = None
    return frame, y


def cleaned(last: object) -> object:
    return make_pipeline(
        make_column_transformer(
            (SimpleImputer(add_indicator=True), ["age"]),
            (OneHotEncoder(handle_unknown="ignore"), ["town", "size"]),
        ),
        last,
    )


def report(folder: Path, fitted: Fitted | None = None, round: Round | None = None) -> Report:
    return write_report("demo", Finished(round or make_round(), fitted), folder, FEW)


def words(found: Report) -> str:
    return " ".join(found.summary)


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (RandomForestClassifier(20, random_state=0), "tree explainer"),
        (HistGradientBoostingClassifier(max_iter=20), "tree explainer"),
        (make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0)), "tree"),
        (SVC(), "permutation explainer"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "permutation explainer"),
        (make_pipeline(PCA(random_state=0), RandomForestClassifier(20, random_state=0)), "perm"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_column_that_decides_comes_first(model: object, method: str) -> None:
    found = explain_model(fit(model, *made(300, 6)), FEW)
    assert found.effects.names[found.effects.top(1)[0]] == "column 3"
    assert found.effects.method.startswith(method)
    assert not found.notes


@pytest.mark.parametrize("last", [RandomForestClassifier(20, random_state=0), LogisticRegression()])
def test_a_mixed_frame_is_explained_in_the_columns_that_came_in(last: object) -> None:
    found = explain_model(fit(cleaned(last), *mixed()), FEW)
    effects = found.effects
    assert effects.names == ["age", "town", "since", "seven", "size"]
    assert {effects.names[column] for column in effects.top(2)} == {"age", "town"}
    assert effects.shares[3] == 0
    assert not found.notes
    assert any(re.match("age|town", reason.words) for reason in found.local[0].lime.weights[:2])


def test_several_classes_have_an_output_each() -> None:
    for model in (HistGradientBoostingClassifier(max_iter=10), SVC()):
        found = explain_model(fit(model, *shuffled(load_iris)), FEW)
        assert found.effects.outputs == ("0", "1", "2")
        assert found.effects.values.shape == (40, 4, 3)


def test_effects_add_up_to_the_answer() -> None:
    fitted = fit(GradientBoostingRegressor(n_estimators=20), *shuffled(load_diabetes))
    sums = explain_model(fitted, FEW).effects.values.sum(axis=(1, 2))
    drawn = np.random.default_rng(FEW.seed).permutation(40)
    said = fitted.model.predict(fitted.test.x.iloc[drawn])
    assert np.ptp(said - sums) < 1e-6


def test_an_answer_without_numbers_is_explained_as_a_vote() -> None:
    vote = VotingClassifier([("one", LogisticRegression())], voting="hard")
    found = explain_model(fit(vote, *made(200, 5)), FEW)
    assert found.what == "vote of 1"


def test_rows_of_numbers_are_the_largest_error_and_a_typical_one() -> None:
    limits = Limits(40, 2, 20_000, 1)
    found = explain_model(fit(LinearRegression(), *shuffled(load_diabetes)), limits)
    assert [one.row.why for one in found.local] == ["the largest error", "a typical row"]


def test_rows_of_classes_are_certain_wrong_and_uncertain_ones() -> None:
    x, y = shuffled(load_breast_cancer)
    model = HistGradientBoostingClassifier(max_iter=2, max_depth=1)
    found = explain_model(fit(model, x.iloc[:, :5], y, 100), Limits(100, 3, 20_000, 1))
    whys = ["the most certain right answer", "the most certain wrong answer"]
    assert [one.row.why for one in found.local] == [*whys, "the least certain answer"]
    assert "which is right" in found.local[0].row.said
    assert ", true is " in found.local[1].row.said


def test_a_reason_for_the_answer_is_positive_whichever_class_it_is() -> None:
    x, y = made(300, 5)
    for seed, kept in enumerate((y == 0, y == 1)):
        fitted = fit(SVC(), x, y)
        test = Table(x[kept][:40], y[kept][:40])
        found = explain_model(replace(fitted, test=test), replace(FEW, seed=seed))
        one = found.local[0]
        assert one.row.about == str(seed)
        assert one.row.why == "the most certain right answer"
        for reason in (one.shap[0], one.lime.weights[0]):
            assert reason.name == "column 3"
            assert reason.weight > 0


def test_one_class_only_is_said(tmp_path: Path) -> None:
    x, _ = made(60, 4)
    found = report(tmp_path, fit(DummyClassifier(), x, np.zeros(60)))
    assert "knows one class only (0)" in words(found)


def test_a_model_that_says_always_the_same_is_said(tmp_path: Path) -> None:
    found = report(tmp_path, fit(DummyClassifier(), *made(60, 4)))
    assert "no column matters" in words(found)


def test_a_missing_model_is_said_and_the_tuning_explained(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert "The model is not explained: the objective keeps no model" in words(found)
    assert "made most by learning_rate" in words(found)
    assert [file.name for file in found.files] == ["index.html", "tuning.png", "explain.json"]


def test_a_model_that_raises_costs_its_part_only(tmp_path: Path) -> None:
    class Broken:
        def fit(self, x: object, y: object) -> None: ...

        def predict(self, x: object) -> None:
            raise KeyError("<b>column</b>")

    found = report(tmp_path, fit(Broken(), *made(60, 3 + 1)))
    assert "not explained: KeyError: '<b>column</b>'" in words(found)
    assert "made most by learning_rate" in words(found)
    assert "<b>column" not in (tmp_path / "index.html").read_text("utf-8")


def test_500_columns_are_explained_by_their_first_twenty(tmp_path: Path) -> None:
    found = report(tmp_path, fit(LogisticRegression(C=0.01), *made(300, 500)))
    assert "goes most by column 3 (" in words(found)
    assert re.search(
        r"looked at \d+ of 40 held-out rows, drawn with the study's seed", words(found)
    )
    page = (tmp_path / "index.html").read_text("utf-8").partition("What made the score")[0]
    assert page.count("<tr><td") == 20
    assert len(json.loads((tmp_path / "explain.json").read_text())["model"]["importance"]) == 500


def test_rows_beyond_the_limit_are_drawn_and_that_is_said(tmp_path: Path) -> None:
    x, y = made(200_000, 4)
    found = report(tmp_path, fit(RandomForestClassifier(5, max_samples=500), x, y, 50_000))
    assert "looked at 40 of 50,000 held-out rows, drawn with the study's seed" in words(found)


def test_equal_input_gives_equal_files(tmp_path: Path) -> None:
    fitted = fit(SVC(), *shuffled(load_wine))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        np.random.seed(len(name) * ord(name[0]))  # whatever state the global generator is in
        report(tmp_path / name, fitted)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


def test_every_picture_is_on_the_page_and_nothing_is_loaded(tmp_path: Path) -> None:
    found = report(tmp_path, fit(SVC(), *made(100, 4)))
    sources = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list) -> None:
            sources.extend(value for name, value in attrs if name in ("src", "href"))

    Parser().feed((tmp_path / "index.html").read_text("utf-8"))
    pictures = [file for file in found.files if file.suffix == ".png"]
    assert len(sources) == len(pictures) == 3
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert found.files[1].suffix == ".png"


def test_numbers_are_for_gates_too(tmp_path: Path) -> None:
    metrics = report(tmp_path, fit(SVC(), *made(100, 4))).metrics
    assert metrics["explain_top_share"] > 0.5
    assert metrics["explain_tuning_rho"] > 0.5


def test_columns_survive_the_way_to_codes_and_back() -> None:
    frame, _ = mixed(50)
    frame["whole"] = pd.array([1, None] * 25, dtype="Int64")
    frame["zone"] = pd.date_range("2024", periods=50, tz="Europe/Zurich")
    columns = encoded(frame)
    pd.testing.assert_frame_equal(columns.decode(columns.codes), frame)
    text = np.array([["a", 1.5], ["b", None]], dtype=object)
    again = encoded(text)
    assert again.decode(again.codes).tolist() == text.tolist()


def test_what_a_pipeline_makes_is_traced_to_its_input() -> None:
    frame, y = mixed(100)
    model = cleaned(LogisticRegression()).fit(frame, y)
    assert origins(model[:-1].transform, encoded(frame)).tolist() == [0, 0, 1, 1, 1, 4, 4]
    x, _ = made(50, 5)
    assert origins(PCA().fit(x).transform, encoded(x)) is None


@pytest.mark.parametrize("options", [{"rows": 5}, {"local": 11}, {"predictions": 100}])
def test_options_out_of_range_are_told(options: dict[str, int]) -> None:
    name, value = next(iter(options.items()))
    with pytest.raises(ConfigError, match=f"{name} {value} is not"):
        installed().build("reporter", {"use": "explain", **options})


def test_the_seed_of_the_study_draws_the_rows(tmp_path: Path) -> None:
    fitted = fit(RandomForestClassifier(10, random_state=0), *made(500, 4), 200)
    Explain(rows=20, local=1).report(type("Study", (), {"name": "demo"}), one(7, fitted), tmp_path)
    first = json.loads((tmp_path / "explain.json").read_text())["model"]["importance"]
    Explain(rows=20, local=1).report(type("Study", (), {"name": "demo"}), one(8, fitted), tmp_path)
    assert json.loads((tmp_path / "explain.json").read_text())["model"]["importance"] != first


def one(seed: int, fitted: Fitted) -> Finished:
    round = make_round()
    round.seed = seed
    return Finished(round, fitted)
