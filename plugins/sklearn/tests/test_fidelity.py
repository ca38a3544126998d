"""Under a pruner a configuration is tried at a part of its size first."""

import json

import numpy as np
import pytest

from tunesmith.errors import Pruned
from tunesmith.evaluation import TrialContext
from tunesmith.loop import run
from tunesmith.plugins import installed
from tunesmith.study import check_study
from tunesmith.trial import TrialState
from tunesmith_sklearn import Bundled, Estimator, Step
from tunesmith_sklearn._rows import Rows

FOREST = "sklearn.ensemble.ExtraTreesClassifier"
IRIS = Bundled(loader="iris")
COUNTED = """
from sklearn.ensemble import ExtraTreesClassifier

class Counted(ExtraTreesClassifier):
    def fit(self, x, y):
        with open("fits", "a") as file:
            print(self.n_estimators, len(y), file=file)
        return super().fit(x, y)
"""


def judged(rule=lambda steps: None) -> TrialContext:
    return TrialContext(0, 11, "accuracy", rule=rule)


def prepared(study, **options) -> Estimator:
    objective = Estimator(estimator=options.pop("estimator", FOREST), **options)
    objective.prepare(study, IRIS)
    return objective


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Says how many trees and rows each fit had since it was asked last."""
    (tmp_path / "counting.py").write_text(COUNTED)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "fits"

    def fits():
        found = [tuple(map(int, line.split())) for line in file.read_text().splitlines()]
        file.unlink()
        return found

    return fits


@pytest.mark.parametrize(
    ("fidelity", "steps"), [("n_estimators", [3, 10, 30]), ("samples", [11, 33, 100])]
)
def test_each_look_is_a_step_and_the_last_one_is_the_metric(a_study, fidelity, steps):
    params = {"n_estimators": 30}
    objective = prepared(a_study(), params=params, fidelity=fidelity)
    plain = prepared(a_study(), params=params).evaluate({"max_depth": 2}, judged(None))
    trial = judged()
    found = objective.evaluate({"max_depth": 2}, trial)
    assert [step.step for step in trial.steps] == steps
    assert trial.steps[-1].value == pytest.approx(found["accuracy"])
    seconds = {"fit_seconds": 0.0}
    assert found | seconds == plain | seconds


@pytest.mark.parametrize("fidelity", ["n_estimators", "samples"])
def test_without_a_pruner_only_the_whole_is_fitted(a_study, counted, fidelity):
    options = {"estimator": "counting.Counted", "params": {"n_estimators": 30}, "cv": 3}
    prepared(a_study(), **options, fidelity=fidelity).evaluate({"max_depth": 2}, judged(None))
    assert counted() == [(30, 80)] * 3


def test_a_pruned_trial_is_not_fitted_at_more(a_study, counted):
    options = {"estimator": "counting.Counted", "params": {"n_estimators": 30}, "cv": 3}
    objective = prepared(a_study(), **options, fidelity="n_estimators")
    with pytest.raises(Pruned, match="too bad"):
        objective.evaluate({"max_depth": 2}, judged(lambda steps: "too bad" * (len(steps) > 1)))
    assert counted() == [(3, 80)] * 3 + [(10, 80)] * 3


def test_parameters_of_a_pipelines_step_have_dots(a_study):
    steps = (
        Step(name="scale", use="sklearn.preprocessing.StandardScaler"),
        Step(name="clf", use="sklearn.linear_model.LogisticRegression", params={"max_iter": 90}),
    )
    c = {"type": "float", "low": 0.01, "high": 10, "log": True}
    objective = Estimator(pipeline=steps, fidelity="clf.max_iter")
    objective.prepare(a_study(**{"clf.C": c}), IRIS)
    trial = judged()
    objective.evaluate({"clf.C": 1.0}, trial)
    assert [step.step for step in trial.steps] == [10, 30, 90]


def test_warnings_of_cheap_looks_do_not_count(a_study):
    c = {"type": "float", "low": 0.01, "high": 10, "log": True}
    scaled = Step(name="scale", use="sklearn.preprocessing.StandardScaler")
    model = Step(
        name="clf", use="sklearn.linear_model.LogisticRegression", params={"max_iter": 180}
    )
    objective = Estimator(pipeline=(scaled, model), fidelity="clf.max_iter")
    objective.prepare(a_study(**{"clf.C": c}), IRIS)
    cut_short = Estimator(
        pipeline=(scaled, Step(name="clf", use=model.use, params={"max_iter": 20}))
    )
    cut_short.prepare(a_study(**{"clf.C": c}), IRIS)
    assert cut_short.evaluate({"clf.C": 10.0}, judged(None))["warnings"] > 0
    assert objective.evaluate({"clf.C": 10.0}, judged())["warnings"] == 0


@pytest.mark.parametrize("stratified", [True, False])
def test_smaller_shares_of_rows_are_inside_larger_ones_and_have_every_class(tmp_path, stratified):
    rows = Rows(dataset=IRIS, folder=tmp_path, seed=3, test_share=0, cv=5, stratified=stratified)
    y = np.array([0] * 90 + [1] * 20 + [2] * 2)
    train = np.arange(0, 112)
    ninth, third, whole = (set(rows.share_of(train, y, share)) for share in (9, 3, 1))
    assert ninth < third < whole == set(train)
    assert len(ninth) == pytest.approx(112 / 9, abs=2)
    assert list(rows.share_of(train, y, 9)) == list(rows.share_of(train, y, 9))
    if stratified:
        assert {y[row] for row in ninth} == {0, 1, 2}


PRUNERS = [
    "asha",
    {"use": "hyperband", "max_step": 100},
    {"use": "median", "startup_trials": 3},
    {"use": "patient", "patience": 1},
    {"use": "threshold", "low": 0.9},
]


def study(folder, fidelity, **options):
    depth = {"type": "int", "low": 1, "high": 8}
    share = {"type": "float", "low": 0.001, "high": 0.5, "log": True}
    data = {
        "name": "cheaper",
        "goals": {"accuracy": "maximize"},
        "dataset": {"use": "sklearn", "loader": "digits"},
        "objective": {
            "use": "sklearn",
            "estimator": "counting.Counted",
            "params": {"n_estimators": 27},
            "cv": 3,
            "final_fit": False,
            "fidelity": fidelity,
        },
        "space": {"parameters": {"max_depth": depth, "min_samples_leaf": share}},
        "executor": "inline",
        "budget": {"trials": 12},
    }
    return check_study({**data, **options}, folder, installed())


@pytest.mark.parametrize("pruner", PRUNERS, ids=str)
def test_works_with_every_pruner(tmp_path, counted, pruner):
    found = run(study(tmp_path, "samples", pruner=pruner))
    states = [trial.state for trial in found.trials]
    assert states.count(TrialState.COMPLETE) + states.count(TrialState.PRUNED) == 12
    steps = [[step.step for step in trial.steps] for trial in found.trials]
    assert all(each == [11, 33, 100][: len(each)] for each in steps)
    assert {trees for trees, _ in counted()} == {27}


@pytest.mark.parametrize("fidelity", ["n_estimators", "samples"])
def test_asha_finds_as_good_a_model_with_less_than_half_of_the_work(tmp_path, counted, fidelity):
    work, best = {}, {}
    for pruner in (None, "asha"):
        options = {"pruner": pruner} if pruner else {}
        made = study(tmp_path, fidelity, name=f"with {pruner}", budget={"trials": 40}, **options)
        best[pruner] = run(made).best.metrics["accuracy"]
        work[pruner] = sum(trees * rows for trees, rows in counted())
    print(json.dumps({fidelity: work["asha"] / work[None]}))
    assert work["asha"] < 0.5 * work[None]
    assert best["asha"] > best[None] - 0.01
