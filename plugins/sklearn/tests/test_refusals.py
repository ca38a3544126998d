"""What the estimator objective refuses before the first trial, and how it says so."""

import pytest

from tunesmith.errors import ConfigError
from tunesmith.plugins import installed
from tunesmith_sklearn import Bundled, Csv, Estimator, Step

TREE = "sklearn.tree.DecisionTreeClassifier"
IRIS = Bundled(loader="iris")
SCALED = (
    Step(name="scale", use="sklearn.preprocessing.StandardScaler"),
    Step(name="clf", use="sklearn.linear_model.LogisticRegression"),
)
C = {"type": "float", "low": 0.01, "high": 10, "log": True}


def refusal(study, dataset=IRIS, **options) -> str:
    with pytest.raises(ConfigError) as caught:
        Estimator(**options).prepare(study, dataset)
    return str(caught.value)


REFUSED = [
    ({}, "the objective needs an estimator or a pipeline; neither is given"),
    ({"estimator": TREE, "pipeline": SCALED}, "both are given"),
    ({"pipeline": SCALED, "params": {"C": 1}}, "'params' belong to an estimator"),
    (
        {"estimator": "sklearn.linear_model.DecisionTreeClassifier"},
        "'sklearn.linear_model' has no 'DecisionTreeClassifier'; did you mean '" + TREE + "'?",
    ),
    (
        {"estimator": "sklearn.treee.DecisionTreeClasifier"},
        "did you mean '" + TREE + "'?",
    ),
    ({"estimator": "DecisionTreeClassifier"}, f"no import path; did you mean '{TREE}'?"),
    ({"estimator": "no_such_library.Model"}, "there is no module 'no_such_library'"),
    ({"estimator": "sklearn.metrics.f1_score"}, "'sklearn.metrics.f1_score' is no class of"),
    ({"estimator": "pathlib.Path"}, "'pathlib.Path' is no class of estimators"),
    ({"estimator": "sklearn.preprocessing.StandardScaler"}, "does not predict; end with"),
    (
        {"estimator": TREE, "params": {"max_feature": 2}},
        f"'{TREE}' has no parameter 'max_feature'; did you mean 'max_features'?",
    ),
    ({"estimator": "sklearn.ensemble.VotingClassifier"}, "cannot make a 'sklearn.ensemble.Voting"),
    ({"estimator": TREE, "params": {"max_depth": 3}}, "is a fixed parameter too"),
    ({"pipeline": (Step(name="a.b", use=TREE),)}, "'a.b' cannot name a step"),
    ({"pipeline": (SCALED[0], SCALED[0])}, "'scale' cannot name a step"),
    ({"estimator": TREE, "scoring": "acuracy"}, "no scorer 'acuracy'; did you mean 'accuracy'?"),
    ({"estimator": TREE, "scoring": "f1_macro"}, "the goal 'accuracy' is not among the metrics"),
    ({"estimator": TREE, "cv": 1}, "'cv' is 2 or more"),
    ({"estimator": TREE, "test_share": 1.0}, "'test_share' from 0 to below 1, not 5 and 1.0"),
    ({"estimator": TREE, "cv": 50}, "has 40 rows for the search, fewer than 'cv: 50'; lower it"),
    ({"estimator": TREE, "test_share": 0.001}, "cannot hold out 'test_share: 0.001' of the rows"),
]


@pytest.mark.parametrize(("options", "says"), REFUSED)
def test_refuses_options_that_cannot_work(a_study, options, says):
    assert says in refusal(a_study(), **options)


FOREST = "sklearn.ensemble.RandomForestClassifier"
FIDELITIES = [
    (FOREST, "n_estimator", "has no parameter 'n_estimator' as a fidelity; did you mean 'n_estim"),
    (FOREST, "sample", "has no parameter 'sample' as a fidelity; did you mean 'samples'?"),
    (FOREST, "rounds", "has no parameter 'rounds' as a fidelity (known: min_samples_leaf, "),
    (FOREST, "max_depth", "'max_depth' is the fidelity and in the space"),
    (FOREST, "max_leaf_nodes", "the fidelity 'max_leaf_nodes' is None; give it in 'params' as a"),
    (FOREST, "min_samples_split", "the fidelity 'min_samples_split' is 2; give it in 'params'"),
    (FOREST, "bootstrap", "the fidelity 'bootstrap' is True; give it in 'params' as a whole"),
]


@pytest.mark.parametrize(("estimator", "fidelity", "says"), FIDELITIES)
def test_refuses_a_fidelity_that_does_not_grow(a_study, estimator, fidelity, says):
    assert says in refusal(a_study(), estimator=estimator, fidelity=fidelity)


def test_refuses_a_pruner_on_a_goal_that_is_known_at_the_end_only(a_study):
    study = a_study({"accuracy_std": "minimize"}).model_copy(update={"pruner": "asha"})
    message = refusal(study, estimator=TREE)
    assert message == (
        "the goal 'accuracy_std' is known only at the end of a trial; leave 'pruner' out"
    )


def test_refuses_a_study_without_data(a_study):
    assert "needs data" in refusal(a_study(), None, estimator=TREE)


def test_refuses_all_unknown_parameters_at_once(a_study):
    space = {"clf.c": C, "clf__C": C, "clf.C": C, "shrink": C}
    message = refusal(a_study(**space), pipeline=SCALED)
    lines = message.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "space.parameters.clf.c",
        "space.parameters.clf__C",
        "space.parameters.shrink",
    ]
    assert "no parameter 'clf__C'; did you mean 'clf.C'?" in lines[1]


def test_refuses_unknown_options_inside_a_nested_estimator(a_study):
    params = {"estimator": {"use": TREE, "parms": {}}}
    message = refusal(a_study(), estimator="sklearn.ensemble.BaggingClassifier", params=params)
    assert message == f"'parms' is no option beside 'use' and 'params' of '{TREE}'"


def test_refuses_a_scorer_as_a_goal_to_minimize(a_study):
    study = a_study({"neg_log_loss": "minimize"})
    assert "scorers are all better when greater" in refusal(study, estimator=TREE)


def test_refuses_a_goal_that_is_no_scorer(a_study):
    study = a_study({"roc_auk": "maximize"})
    assert "no scorer 'roc_auk'; did you mean 'roc_auc'?" in refusal(study, estimator=TREE)


def test_refuses_goals_that_name_no_scorer_at_all(a_study):
    study = a_study({"fit_seconds": "minimize"})
    assert "no scorer is named" in refusal(study, estimator=TREE)


def test_refuses_a_classifier_on_a_continuous_target(a_study, tmp_path):
    (tmp_path / "prices.csv").write_text("size,price\n1,0.5\n2,1.25\n3,0.75\n")
    message = refusal(a_study(), Csv(path="prices.csv", target="price"), estimator=TREE)
    assert "continuous number, but the estimator is a classifier; use a regressor" in message


def test_refuses_a_classifier_on_a_target_of_many_values(a_study):
    message = refusal(a_study(), Bundled(loader="diabetes"), estimator=TREE)
    assert "of 214 classes have a single row; merge small classes, or use a regressor" in message


def test_refuses_a_regressor_on_a_text_target(a_study, people):
    data = Csv(path="people.csv", target="colour")
    message = refusal(
        a_study({"r2": "maximize"}),
        data,
        estimator="sklearn.tree.DecisionTreeRegressor",
    )
    assert "not a number, but the estimator is no classifier" in message


def test_shows_an_estimators_own_import_error(a_study, tmp_path):
    (tmp_path / "my_broken.py").write_text("import math\nmath.no_such\n")
    message = refusal(a_study(), estimator="my_broken.SVC")
    assert "cannot import 'my_broken': AttributeError" in message
    assert "my_broken.py:2)" in message


def test_refuses_a_misspelt_option_of_a_step():
    step = {"name": "clf", "use": TREE, "parms": {}}
    with pytest.raises(ConfigError, match=r"objective\.pipeline\.0\.parms"):
        installed().build("objective", {"use": "sklearn", "pipeline": [step]})


@pytest.mark.parametrize(
    ("metric", "share", "says"),
    [
        ("accuracy", 0, "on rows that are held out; raise 'test_share' above 0"),
        ("fit_seconds", 0.2, "by the first goal, and 'fit_seconds' is no scorer of scikit-learn's"),
    ],
)
def test_refuses_a_champion_to_beat_that_no_model_could(a_study, metric, share, says):
    gates = {"gates": ("beats: champion",)}
    study = a_study({metric: "maximize", "accuracy": "maximize"}).model_copy(update=gates)
    assert says in refusal(study, estimator=TREE, test_share=share)
