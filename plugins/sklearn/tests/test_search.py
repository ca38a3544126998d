"""The estimator objective: what it scores, what it refuses, and what it keeps for the end."""

import math
import pickle
import warnings

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.tree import DecisionTreeClassifier

import tunesmith_sklearn._rows as rows
from tunesmith.errors import Pruned
from tunesmith.evaluation import TrialContext, evaluate
from tunesmith.plugins import installed
from tunesmith.trial import TrialState
from tunesmith_sklearn import Bundled, Csv, Estimator, Step
from tunesmith_sklearn._costs import costs

TREE = "sklearn.tree.DecisionTreeClassifier"
IRIS = Bundled(loader="iris")
SCALED = (
    Step(name="scale", use="sklearn.preprocessing.StandardScaler"),
    Step(name="clf", use="sklearn.linear_model.LogisticRegression"),
)
DEPTH = {"type": "int", "low": 1, "high": 8}
C = {"type": "float", "low": 0.01, "high": 10, "log": True}


def trial(seed: int = 11) -> TrialContext:
    return TrialContext(0, seed, "accuracy")


def prepared(study, dataset=IRIS, **options) -> Estimator:
    objective = Estimator(**options)
    objective.prepare(study, dataset)
    return objective


class TestSearch:
    def test_scores_are_those_of_scikit_learn(self, a_study):
        objective = prepared(a_study(), estimator=TREE)
        found = objective.evaluate({"max_depth": 2}, trial())
        x, y = load_iris(return_X_y=True, as_frame=True)
        x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=3, stratify=y)
        tree = DecisionTreeClassifier(max_depth=2, random_state=11)
        folds = StratifiedKFold(5, shuffle=True, random_state=3)
        scores = cross_val_score(tree, x, y, cv=folds, scoring="accuracy")
        assert found["accuracy"] == pytest.approx(scores.mean(), abs=1e-12)
        assert found["accuracy_std"] == pytest.approx(scores.std(), abs=1e-12)
        final = objective.refit({"max_depth": 2}, 11).metrics["test_accuracy"]
        assert final == accuracy_score(y_test, tree.fit(x, y).predict(x_test))

    def test_under_a_pruner_each_fold_is_a_step_and_scores_stay_the_same(self, a_study):
        objective = prepared(a_study(), estimator=TREE)
        judged = TrialContext(0, 11, "accuracy", rule=lambda steps: None)
        found, plain = (objective.evaluate({"max_depth": 2}, each) for each in (judged, trial()))
        seconds = {"fit_seconds": 0.0}
        assert found | seconds == plain | seconds
        assert [step.step for step in judged.steps] == [1, 2, 3, 4, 5]
        assert judged.steps[-1].value == pytest.approx(found["accuracy"])

    def test_a_pruned_configuration_is_not_fitted_on_the_other_folds(self, a_study):
        objective = prepared(a_study(), estimator=TREE)
        judged = TrialContext(0, 11, "accuracy", rule=lambda steps: "too bad" * (len(steps) > 1))
        with pytest.raises(Pruned, match="too bad"):
            objective.evaluate({"max_depth": 2}, judged)
        assert len(judged.steps) == 2

    def test_names_of_a_trials_metrics(self, a_study):
        study = a_study({"accuracy": "maximize", "fit_seconds": "minimize"})
        objective = prepared(study, estimator=TREE, scoring=("accuracy", "neg_log_loss"))
        found = objective.evaluate({"max_depth": 2}, trial())
        assert set(found) == {
            *("accuracy", "accuracy_std", "neg_log_loss", "neg_log_loss_std"),
            *("fit_seconds", "warnings"),
        }
        assert found["neg_log_loss"] < 0 < found["fit_seconds"]

    def test_goals_are_the_scorers_where_none_is_named(self, a_study):
        goals = {"f1_macro": "maximize", "accuracy_std": "minimize", "fit_seconds": "minimize"}
        objective = prepared(a_study(goals), estimator=TREE)
        assert objective.evaluate({"max_depth": 2}, trial()).keys() >= goals.keys()

    def test_pipelines_take_dotted_names_also_nested_ones(self, a_study):
        nested = {"estimator": {"use": TREE, "params": {"criterion": "entropy"}}, "n_estimators": 3}
        steps = (
            Step(name="scale", use="sklearn.preprocessing.StandardScaler"),
            Step(name="clf", use="sklearn.ensemble.AdaBoostClassifier", params=nested),
        )
        space = {"clf.estimator.max_depth": DEPTH, "clf.learning_rate": C}
        objective = prepared(a_study(**space), pipeline=steps)
        params = {"clf.estimator.max_depth": 2, "clf.learning_rate": 0.5}
        model = objective.refit(params, 1).model
        assert model.get_params()["clf__estimator__max_depth"] == 2
        assert model.get_params()["clf__estimator__criterion"] == "entropy"

    def test_every_open_random_state_is_the_trials_seed(self, a_study):
        steps = (
            Step(name="reduce", use="sklearn.decomposition.PCA", params={"random_state": 7}),
            Step(name="clf", use=TREE),
        )
        study = a_study(**{"clf.max_depth": DEPTH})
        model = prepared(study, pipeline=steps).refit({"clf.max_depth": 2}, 99).model
        assert model.get_params()["reduce__random_state"] == 7
        assert model.get_params()["clf__random_state"] == 99

    def test_a_tuned_random_state_is_left_alone(self, a_study):
        objective = prepared(a_study(random_state=DEPTH), estimator=TREE)
        assert objective.refit({"random_state": 5}, 99).model.random_state == 5

    def test_other_studies_seeds_give_other_folds(self, a_study):
        found = set()
        for seed in (1, 2):
            study = a_study(seed=seed)
            objective = prepared(study, estimator=TREE, params={"random_state": 0})
            found.add(objective.evaluate({"max_depth": 3}, trial())["accuracy"])
        assert len(found) == 2

    def test_regressors_are_scored_on_plain_folds(self, a_study):
        study = a_study({"neg_mean_absolute_error": "maximize"}, alpha=C)
        objective = prepared(
            study, Bundled(loader="diabetes"), estimator="sklearn.linear_model.Ridge"
        )
        outcome = evaluate(objective, {"alpha": 0.1}, 0, 1, study.goal_list)
        assert outcome.state is TrialState.COMPLETE
        assert -100 < outcome.metrics["neg_mean_absolute_error"] < -10

    def test_warnings_are_counted_and_not_shown(self, a_study):
        steps = (Step(name="clf", use=SCALED[1].use, params={"max_iter": 1}),)
        objective = prepared(a_study(**{"clf.C": C}), pipeline=steps)
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            found = objective.evaluate({"clf.C": 1.0}, trial())
            objective.refit({"clf.C": 1.0}, 1)
        assert found["warnings"] == 5
        assert not shown

    def test_a_fold_that_fails_is_a_failed_trial_with_its_reason(self, a_study):
        space = {"max_depth": {"type": "int", "low": -1, "high": 3}}
        study = a_study(**space)
        outcome = evaluate(
            prepared(study, estimator=TREE), {"max_depth": -1}, 0, 1, study.goal_list
        )
        assert outcome.state is TrialState.FAILED
        assert "InvalidParameterError: The 'max_depth' parameter of" in outcome.error

    def test_text_columns_are_named_when_the_estimator_fails(self, a_study, people):
        study = a_study()
        objective = prepared(study, Csv(path="people.csv", target="label"), estimator=TREE)
        outcome = evaluate(objective, {"max_depth": 2}, 0, 1, study.goal_list)
        assert "could not convert string to float" in outcome.error
        assert "these columns are no numbers: 'colour'" in outcome.error

    def test_text_columns_can_be_encoded_in_the_pipeline(self, a_study, people):
        table = {
            "use": "sklearn",
            "pipeline": [
                {
                    "name": "columns",
                    "use": "sklearn.compose.ColumnTransformer",
                    "params": {
                        "transformers": [
                            ["text", {"use": "sklearn.preprocessing.OneHotEncoder"}, ["colour"]]
                        ],
                        "remainder": "passthrough",
                    },
                },
                {"name": "clf", "use": TREE},
            ],
        }
        objective = installed().build("objective", table)
        study = a_study(**{"clf.max_depth": DEPTH})
        objective.prepare(study, Csv(path="people.csv", target="label"))
        assert objective.evaluate({"clf.max_depth": 2}, trial())["accuracy"] == 1.0

    def test_estimators_of_the_studys_own_folder(self, a_study, people):
        (people / "my_estimators.py").write_text(
            "from sklearn.tree import DecisionTreeClassifier\n"
            "class Stump(DecisionTreeClassifier): pass\n"
        )
        study = a_study()
        data = Csv(path="people.csv", target="label", features=("height", "rank"))
        objective = prepared(study, data, estimator="my_estimators.Stump")
        assert type(objective.refit({"max_depth": 1}, 0).model).__name__ == "Stump"


class TestData:
    def test_is_read_once_a_process(self, a_study, people, monkeypatch):
        study, data = a_study(), Csv(path="people.csv", target="label", drop=("colour",))
        objective = prepared(study, data, estimator=TREE)
        monkeypatch.setattr(Csv, "load", None)
        objective.evaluate({"max_depth": 2}, trial())

    def test_is_read_anew_for_another_round(self, a_study, people):
        study, data = a_study(), Csv(path="people.csv", target="label", drop=("colour",))
        before = prepared(study, data, estimator=TREE).evaluate({"max_depth": 8}, trial())
        lines = (people / "people.csv").read_text().splitlines()
        flipped = [line[:-1] + str(i % 3 // 2) for i, line in enumerate(lines[1:])]
        (people / "people.csv").write_text("\n".join([lines[0], *flipped]))
        after = prepared(study, data, estimator=TREE).evaluate({"max_depth": 8}, trial())
        assert after["accuracy"] != before["accuracy"]

    def test_only_the_last_studys_data_is_kept(self, a_study):
        for seed in (1, 2, 3):
            prepared(a_study(seed=seed), estimator=TREE)
        assert len(rows._cache) == 1

    def test_held_out_rows_are_never_seen_by_the_search(self, a_study):
        objective = prepared(a_study(), estimator=TREE, test_share=0.4)
        split = objective._search.rows.split()
        assert len(split.x) == 90 and len(split.x_test) == 60
        assert not set(split.x.index) & set(split.x_test.index)
        assert np.bincount(split.y_test).tolist() == [20, 20, 20]

    def test_nothing_is_held_out_where_the_share_is_zero(self, a_study):
        fitted = prepared(a_study(), estimator=TREE, test_share=0).refit({"max_depth": 2}, 1)
        assert fitted.metrics == {}
        assert fitted.model.tree_.n_node_samples[0] == 150
        assert len(fitted.example) == 5


class TestFinalFit:
    def test_a_model_that_cannot_be_pickled_has_no_size(self):
        model = DecisionTreeClassifier().fit(np.zeros((3, 1)), [1, 2, 3])
        model.unpicklable = lambda: 0
        assert list(costs(model, np.zeros((3, 1)))) == ["predict_ms"]

    def test_a_model_that_predicts_nothing_has_a_size_alone(self):
        assert list(costs(DBSCAN().fit(np.zeros((3, 1))), np.zeros((3, 1)))) == ["model_mb"]

    def test_a_busy_machine_makes_no_model_slow(self, monkeypatch):
        took = [0.004] * 14 + [0.002]
        clock = iter([now for number, each in enumerate(took) for now in (number, number + each)])
        monkeypatch.setattr("tunesmith_sklearn._costs.perf_counter", clock.__next__)
        model = DecisionTreeClassifier().fit(np.zeros((20, 1)), range(20))
        assert costs(model, np.zeros((20, 1)))["predict_ms"] == pytest.approx(2)

    def test_comes_with_scores_an_example_and_its_library(self, a_study):
        study = a_study({"roc_auc": "maximize"}, **{"clf.C": C})
        objective = prepared(
            study, Bundled(loader="breast_cancer"), pipeline=SCALED, scoring=("roc_auc", "accuracy")
        )
        fitted = objective.refit({"clf.C": 1.0}, 1)
        assert set(fitted.metrics) == {"test_roc_auc", "test_accuracy"}
        assert all(0.9 < value <= 1 for value in fitted.metrics.values())
        assert fitted.library == "sklearn"
        assert fitted.costs["model_mb"] == len(pickle.dumps(fitted.model, 5)) / 1e6
        assert 0 < fitted.costs["predict_ms"] < 1000
        assert fitted.example.shape == (5, 30)
        assert fitted.model.predict(fitted.example).shape == (5,)
        assert set(fitted.example.index) <= set(load_breast_cancer(as_frame=True).data.index)

    def test_can_be_switched_off(self, a_study):
        objective = prepared(a_study(), estimator=TREE, final_fit=False)
        assert objective.refit({"max_depth": 2}, 1) is None


def test_a_trial_that_scores_nan_is_failed(a_study):
    study = a_study({"r2": "maximize"}, C=C)
    objective = prepared(
        study, Bundled(loader="diabetes"), estimator="sklearn.svm.SVR", cv=353, test_share=0.2
    )
    outcome = evaluate(objective, {"C": 1.0}, 0, 1, study.goal_list)
    assert outcome.state is TrialState.FAILED and "nan" in outcome.error
    assert math.isnan(outcome.metrics["r2"])
