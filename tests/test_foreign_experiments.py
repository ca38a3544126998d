"""Experiments made with Optuna, with scikit-learn's autolog and by hand, read as studies."""

import math
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tunesmith.errors import ConfigError
from tunesmith.finished import Finished
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.plugins import installed
from tunesmith.study import check_study
from tunesmith.trial import Direction, TrialState
from tunesmith_agent.foreign import Foreign, read, study_file
from tunesmith_mlflow import Mlflow
from tunesmith_mlflow._environment import prepare

pytestmark = pytest.mark.slow


@pytest.fixture
def tracker(
    empty_mlflow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mlflow]:
    """Reads a store that MLflow's fluent functions write, as in a notebook."""
    prepare()
    import mlflow

    monkeypatch.chdir(tmp_path)  # MLflow puts artifacts into the working directory
    shutil.copy(empty_mlflow, tmp_path / "theirs.db")
    uri, before = f"sqlite:///{tmp_path}/theirs.db", mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of their code and of their libraries
        yield Mlflow(uri=uri)
    mlflow.set_tracking_uri(before)


def told(foreign: Foreign) -> str:
    return "\n".join(foreign.assumptions)


def assert_ready(foreign: Foreign) -> None:
    """The study file is right, and the trials are of its space."""
    text = study_file(foreign, foreign.space)
    data = YAML(typ="safe", pure=True).load(text)
    study = check_study(data, Path(), installed())
    assert study.space.fingerprint == foreign.space.fingerprint
    assert foreign.history().incumbent
    assert all(study.space.contains(trial.params) for trial in foreign.round.trials)


def tune_with_optuna(tracker: Mlflow, name: str, objective: Callable[[Any], float]) -> Any:
    import optuna
    from optuna_integration import MLflowCallback

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name, sampler=optuna.samplers.TPESampler(seed=1), direction="maximize"
    )
    callback = MLflowCallback(tracking_uri=tracker.uri, metric_name="value")
    study.optimize(objective, n_trials=40, callbacks=[callback], catch=(ValueError,))
    return study


def test_an_experiment_of_optunas_has_exactly_its_space(tracker: Mlflow) -> None:
    import optuna

    def objective(trial: Any) -> float:
        lr = trial.suggest_float("lr", 1e-6, 1, log=True)
        layers = trial.suggest_int("layers", 1, 3)
        batch = trial.suggest_categorical("batch", [16, 32, 64])
        booster = trial.suggest_categorical("booster", ["gbtree", "dart", None])
        drop = trial.suggest_float("drop", 0, 0.5, step=0.1) if booster == "dart" else 0.0
        for layer in range(1, layers):
            trial.suggest_int(f"units_{layer}", 8, 512, log=True)
        if trial.number % 11 == 3:
            raise ValueError("diverged")
        if trial.number % 7 == 3:
            trial.report(0.5, 1)
            raise optuna.TrialPruned
        return float("nan") if trial.number == 5 else -abs(math.log(lr) + 5) - drop + batch / 100

    study = tune_with_optuna(tracker, "by optuna", objective)
    foreign = read(tracker, "by optuna", "value")
    assert foreign.space.parameters == {
        "batch": Categorical([16, 32, 64]),
        "booster": Categorical(["dart", "gbtree", None]),
        "drop": Float(0, 0.5, step=0.1, when="booster == 'dart'"),
        "layers": Int(1, 3),
        "lr": Float(1e-6, 1, log=True),
        "units_1": Int(8, 512, log=True, when="layers >= 2"),
        "units_2": Int(8, 512, log=True, when="layers >= 3"),
    }
    states = {TrialState.COMPLETE: "COMPLETE", TrialState.PRUNED: "PRUNED", "failed": "FAIL"}
    found = foreign.round.trials
    assert [states[trial.state] for trial in found] == [t.state.name for t in study.trials]
    assert [trial.params for trial in found] == [t.params for t in study.trials]
    assert foreign.goal.direction is Direction.MAXIMIZE
    assert "'value' is maximized: so says its tags by Optuna" in told(foreign)
    incumbent = foreign.history().incumbent
    assert incumbent
    assert incumbent.metrics["value"] == study.best_value
    assert_ready(foreign)


def search_with_autolog(experiment: str, max_tuning_runs: int | None) -> Any:
    import mlflow
    from scipy.stats import loguniform, randint
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import RandomizedSearchCV

    x, y = load_breast_cancer(return_X_y=True)
    mlflow.set_experiment(experiment)
    mlflow.sklearn.autolog(max_tuning_runs=max_tuning_runs, log_models=False, silent=True)
    try:
        search = RandomizedSearchCV(
            HistGradientBoostingClassifier(max_iter=5),
            {
                "learning_rate": loguniform(1e-3, 1),
                "max_leaf_nodes": randint(2, 31),
                "max_depth": [None, 2, 4, 8],
                "class_weight": [None, "balanced"],
            },
            n_iter=20,
            cv=2,
            random_state=3,
        )
        return search.fit(x[:200], y[:200])
    finally:
        mlflow.sklearn.autolog(disable=True)


def test_a_randomized_search_with_all_its_runs_is_read_whole(tracker: Mlflow) -> None:
    search = search_with_autolog("all of them", max_tuning_runs=None)
    foreign = read(tracker, "all of them", "mean_test_score")
    assert foreign.goal.direction is Direction.MAXIMIZE
    space = foreign.space.parameters
    assert set(space) == {"class_weight", "learning_rate", "max_depth", "max_leaf_nodes"}
    assert space["class_weight"] == Categorical(["balanced", None])
    assert space["max_depth"] == Categorical([2, 4, 8, None])
    rates = search.cv_results_["param_learning_rate"]
    found = space["learning_rate"]
    assert isinstance(found, Float) and found.log
    assert 0 <= min(rates) / found.low - 1 < 0.01
    assert 0 <= found.high / max(rates) - 1 < 0.01
    assert isinstance(space["max_leaf_nodes"], Int)
    assert len(foreign.round.trials) == 20
    incumbent = foreign.history().incumbent
    assert incumbent
    assert incumbent.metrics["mean_test_score"] == search.best_score_
    assert any(trial.params == search.best_params_ for trial in foreign.history().ranked[:5])
    assert "left out, constant: " in told(foreign)
    assert "left aside: 1 run" in told(foreign)  # the search itself
    assert "one-sided" not in told(foreign)
    assert foreign.round.dataset
    assert_ready(foreign)


def test_a_randomized_search_that_kept_its_best_only_is_read_with_a_warning(
    tracker: Mlflow,
) -> None:
    search_with_autolog("five of them", max_tuning_runs=5)
    foreign = read(tracker, "five of them", "mean_test_score")
    assert len(foreign.round.trials) == 5
    assert "of 20 settings that searches tried only 5 were logged" in told(foreign)
    assert_ready(foreign)


def log_by_hand(params: dict[str, Any], metrics: dict[str, float], data: Any = None) -> None:
    import mlflow

    with mlflow.start_run():
        if data is not None:
            mlflow.log_input(data, context="training")
        mlflow.log_params(params)
        mlflow.log_metrics(metrics)


def test_runs_logged_by_hand_are_read_with_all_their_holes(tracker: Mlflow) -> None:
    import mlflow

    mlflow.set_experiment("by hand")
    for index in range(24):
        params = {
            "lr": 10 ** -(1 + index % 4),
            "batch-size": 16 * 2 ** (index % 3),
            "optimizer": "adam" if index % 2 else "sgd",
            "checkpoint": f"out/{index}.pt",
            "epochs": 10,
            "seed": index,
        }
        if index % 2 == 0:
            params["momentum"] = 0.5 + index / 60
        value = {3: math.nan, 4: math.inf, 5: -math.inf}.get(index, 1 / (1 + index))
        log_by_hand(params, {"val_loss": value, "epoch": 9})
    log_by_hand({"lr": 0.1, "optimizer": "adam", "batch-size": 16}, {"other": 1.0})
    log_by_hand({"lr": "see notes", "optimizer": "adam"}, {"val_loss": 9.0})
    log_by_hand({}, {"val_loss": 9.0})
    with pytest.raises(ValueError, match="broke"), mlflow.start_run():
        mlflow.log_params({"lr": 0.01, "optimizer": "adam", "batch-size": 64})
        raise ValueError("broke")
    foreign = read(tracker, "by hand", "val_loss")
    space = foreign.space.parameters
    assert set(space) == {"lr", "batch_size", "optimizer", "momentum"}
    assert space["lr"] == Float(1e-4, 0.1, log=True)
    assert space["batch_size"] == Int(16, 64, log=True)
    assert space["optimizer"] == Categorical(["adam", "sgd"])
    assert space["momentum"].when == "optimizer == 'sgd'"
    failed = [trial for trial in foreign.round.trials if trial.state is TrialState.FAILED]
    assert len(failed) == 4
    assert len(foreign.history().scored) == 21
    for line in (
        "'batch-size' is called batch_size",
        "left out: checkpoint is different in every run",
        "left out: seed is a seed",
        "left out, constant: epochs = 10",
        "left aside: 1 run without the metric 'val_loss'",
        "left aside: 1 run without params",
        "'see notes' among its numbers is taken as no value",
        "left aside: 1 run without a value for every param",
    ):
        assert line in told(foreign)
    assert_ready(foreign)


def test_runs_on_different_data_are_not_pooled(tracker: Mlflow) -> None:
    import mlflow
    import numpy as np

    mlflow.set_experiment("mixed")
    data = [mlflow.data.from_numpy(np.arange(size)) for size in (10, 20)]
    for index in range(15):
        log_by_hand({"depth": index}, {"acc": index / 20}, data[index % 3 == 0])
    foreign = read(tracker, "mixed", "acc")
    assert foreign.round.dataset == data[0].digest
    assert len(foreign.round.trials) == 10
    assert "left aside: 5 runs on other data" in told(foreign)
    assert_ready(foreign)


@pytest.mark.parametrize("bulk", [True, False], ids=["tables", "client"])
def test_a_study_of_tunesmiths_own_is_read_too(tracker: Mlflow, bulk: bool) -> None:
    from tunesmith.testing._written import a_round, a_study, ended, some_trials

    trials = some_trials(30)
    tracker.write(a_study(), a_round(), trials)
    tracker.finish(a_study(), Finished(ended(a_round(), trials)))
    tracker.close()
    foreign = read(Mlflow(uri=tracker.uri, bulk=bulk), "a study", "accuracy")
    assert {name: type(p) for name, p in foreign.space.parameters.items()} == {
        "criterion": Categorical,
        "learning_rate": Float,
        "max_depth": Int,
    }
    states = [trial.state for trial in foreign.round.trials]
    assert sorted(states) == sorted(trial.state for trial in trials)
    assert_ready(foreign)


def test_an_experiment_without_runs_is_an_error_in_plain_words(tracker: Mlflow) -> None:
    import mlflow

    mlflow.set_experiment("new")
    with pytest.raises(ConfigError, match="experiment 'new' has no runs"):
        read(tracker, "new", "loss")
