"""The best model: logged once, loads back, registered, champion only where all gates hold."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tunesmith.errors import TrackerError
from tunesmith.finished import Finished, Fitted
from tunesmith.study import Study
from tunesmith.testing._written import a_round, a_study, ended, some_trials
from tunesmith.trial import Round
from tunesmith_mlflow import Mlflow, _models


@pytest.fixture
def uri(database: Callable[[Path], str], tmp_path: Path) -> str:
    return database(tmp_path)


@pytest.fixture
def global_uri(uri: str) -> Any:
    """What somebody sets who loads a model by its name."""
    import mlflow

    mlflow.set_tracking_uri(uri)
    yield uri
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


def fitted(model: Any = None, x: Any = None) -> Fitted:
    data, y = load_iris(return_X_y=True, as_frame=True)
    x = data if x is None else x
    model = LogisticRegression(max_iter=500) if model is None else model
    return Fitted(model.fit(x, y), "sklearn", x[:5], {"test_accuracy": 0.9})


def with_gates(*gates: str) -> Study:
    return a_study().model_copy(update={"gates": gates})


def finish(tracker: Mlflow, study: Study, best: Fitted | None, round: Round | None = None) -> Any:
    trials = some_trials(6)
    round = round or a_round()
    tracker.write(study, round, trials)
    tracker.finish(study, Finished(ended(round, trials), best))
    return parent_of(tracker, round)


def parent_of(tracker: Mlflow, round: Round) -> Any:
    client = MlflowClient(tracker.uri)
    experiment = client.get_experiment_by_name("a study")
    assert experiment
    name = f"attributes.run_name = 'round-{round.number}'"
    (run,) = client.search_runs([experiment.experiment_id], name)
    return run


MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "forest": lambda: (RandomForestClassifier(5, random_state=0), None),
    "boosting": lambda: (HistGradientBoostingClassifier(max_iter=5), None),
    "pipeline": lambda: (make_pipeline(StandardScaler(), LogisticRegression()), None),
    "array": lambda: (LogisticRegression(max_iter=500), load_iris(return_X_y=True)[0]),
    "integers and text": lambda: (
        make_pipeline(
            ColumnTransformer([("kind", OneHotEncoder(), ["kind"])], remainder="passthrough"),
            DecisionTreeClassifier(random_state=0),
        ),
        pd.DataFrame({"kind": ["a", "b", "c"] * 50, "count": range(150)}),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_model_loads_back_and_predicts_the_same(global_uri: str, name: str) -> None:
    best = fitted(*MODELS[name]())
    run = finish(Mlflow(uri=global_uri), a_study(), best)
    import mlflow.pyfunc  # warns when it is imported, unless the plugin does that
    import mlflow.sklearn

    location = run.data.tags["tunesmith.model"]
    expected = best.model.predict(best.example)
    loaded = mlflow.sklearn.load_model(location)
    assert isinstance(loaded, BaseEstimator)
    np.testing.assert_array_equal(loaded.predict(best.example), expected)
    generic = mlflow.pyfunc.load_model(location)
    np.testing.assert_array_equal(generic.predict(best.example), expected)
    info = mlflow.models.get_model_info(location)
    assert info.signature is not None
    assert info.signature.inputs is not None
    assert info.saved_input_example_info is not None
    assert info.run_id == run.info.run_id


def test_a_model_that_cannot_be_saved_costs_the_round_nothing_else(uri: str) -> None:
    best, trials = fitted(), some_trials(6)
    best.model.lock = threading.Lock()
    finished, tracker = Finished(ended(a_round(), trials), best), Mlflow(uri=uri, register="iris")
    tracker.write(a_study(), finished.round, trials)
    tracker.finish(a_study(), finished)
    run = parent_of(tracker, finished.round)
    assert run.info.status == "FINISHED"
    why = (
        "not kept: MlflowException: The sklearn model could not be serialized in the skops "
        "serialization format"
    )
    assert run.data.tags["tunesmith.model"] == why
    assert finished.notes == [f"the model is {why}"]
    assert MlflowClient(uri).search_registered_models() == []


def test_a_full_disk_leaves_the_round_to_the_next_try(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_models, "_save", fail)
        with pytest.raises(TrackerError, match="No space left on device"):
            finish(Mlflow(uri=uri), a_study(), fitted())
    assert parent_of(Mlflow(uri=uri), a_round()).info.status == "RUNNING"
    run = finish(Mlflow(uri=uri), a_study(), fitted())
    assert run.info.status == "FINISHED"
    assert run.data.tags["tunesmith.model"].startswith("models:/")


def test_model_is_an_output_of_the_rounds_run_once(uri: str) -> None:
    tracker, best = Mlflow(uri=uri), fitted()
    for _ in range(2):
        run = finish(tracker, a_study(), best)
    run = finish(Mlflow(uri=uri), a_study(), best)
    client = MlflowClient(uri)
    models = client.search_logged_models([run.info.experiment_id])
    assert [model.source_run_id for model in models] == [run.info.run_id]
    outputs = client.get_run(run.info.run_id).outputs
    assert outputs
    assert [output.model_id for output in outputs.model_outputs] == [models[0].model_id]
    requirements = Path(models[0].artifact_location.removeprefix("file://"), "requirements.txt")
    assert "scikit-learn==" in requirements.read_text()


def test_broken_upload_is_completed(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith.errors import TrackerError

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    tracker, best = Mlflow(uri=uri), fitted()
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_model_artifacts", fail)
        with pytest.raises(TrackerError, match="no space left"):
            finish(tracker, a_study(), best)
    run = finish(tracker, a_study(), best)
    (model,) = MlflowClient(uri).search_logged_models([run.info.experiment_id])
    assert model.status.value == "READY"


def test_a_round_that_went_on_gets_another_model(uri: str) -> None:
    tracker, trials = Mlflow(uri=uri, register="iris"), some_trials(6)
    for seconds in (100, 900):
        tracker.finish(a_study(), Finished(ended(a_round(), trials, seconds), fitted()))
    client = MlflowClient(uri)
    assert len(client.search_model_versions("name = 'iris'")) == 2


def test_champion_is_set_when_all_gates_hold(global_uri: str) -> None:
    import mlflow.sklearn

    tracker = Mlflow(uri=global_uri, register="iris")
    run = finish(tracker, with_gates("test_accuracy >= 0.9", "accuracy > 0"), fitted())
    version = MlflowClient(global_uri).get_model_version_by_alias("iris", "champion")
    assert version.run_id == run.info.run_id
    assert run.data.tags["tunesmith.gate.0"] == "test_accuracy >= 0.9: passed"
    assert run.data.tags["tunesmith.gate.1"] == "accuracy > 0: passed"
    assert mlflow.sklearn.load_model("models:/iris@champion").predict(fitted().example).size == 5


@pytest.mark.parametrize(
    ("gates", "reason"),
    [
        (["test_accuracy >= 0.95"], "it does not hold with test_accuracy = 0.9"),
        (["tset_loss < 1", "test_accuracy >= 0.9"], "there is no metric 'tset_loss'"),
        (["test_loss < 1"], "it does not hold with test_loss = nan"),
        (["test_accuracy > 'high'"], "does not work on"),
    ],
)
def test_champion_is_not_set_when_a_gate_does_not_hold(
    uri: str, gates: list[str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tunesmith.mlflow"):
        run = finish(Mlflow(uri=uri, register="iris"), with_gates(*gates), fitted())
    client = MlflowClient(uri)
    assert client.get_registered_model("iris").aliases == {}
    assert len(client.search_model_versions("name = 'iris'")) == 1
    assert reason in run.data.tags["tunesmith.gate.0"]
    assert reason in caplog.text


def test_champion_is_not_set_without_gates(uri: str) -> None:
    finish(Mlflow(uri=uri, register="iris"), a_study(), fitted())
    assert MlflowClient(uri).get_registered_model("iris").aliases == {}


def test_finishing_an_old_round_again_leaves_the_champion_alone(uri: str) -> None:
    tracker, study = Mlflow(uri=uri, register="iris"), with_gates("test_accuracy >= 0.9")
    first, second = a_round(1), a_round(2, started=1.8e9)
    for round in (first, second, first):
        finish(tracker, study, fitted(), round)
    versions = MlflowClient(uri).search_model_versions("name = 'iris'")
    champion = MlflowClient(uri).get_model_version_by_alias("iris", "champion")
    assert len(versions) == 2
    assert champion.run_id == parent_of(tracker, second).info.run_id


def test_nothing_is_registered_without_a_name(uri: str) -> None:
    finish(Mlflow(uri=uri), with_gates("test_accuracy >= 0.9"), fitted())
    assert not MlflowClient(uri).search_registered_models()


def test_model_of_another_library_is_not_kept_and_that_is_said(uri: str) -> None:
    run = finish(Mlflow(uri=uri), a_study(), Fitted(object(), "prophet", None, {}))
    assert "'prophet'" in run.data.tags["tunesmith.model"]
