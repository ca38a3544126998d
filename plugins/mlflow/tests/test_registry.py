"""Which version of a registered model is the champion, and the way back."""

import cProfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tunesmith.errors import ConfigError, TrackerError
from tunesmith.finished import Finished, Fitted
from tunesmith.testing._written import a_round, a_study, ended, some_trials
from tunesmith.trial import Round
from tunesmith_mlflow import Mlflow, _models


@pytest.fixture
def tracker(database: Any, tmp_path: Path) -> Mlflow:
    return Mlflow(uri=database(tmp_path), register="iris")


def a_finished(number: int = 1) -> Finished:
    x, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(C=number, max_iter=500).fit(x, y)
    trials = some_trials(3)
    round: Round = ended(a_round(number, started=1.7e9 + number), trials)
    return Finished(round, Fitted(model, "sklearn", x[:5], {"test_accuracy": 0.9}))


def aliases(tracker: Mlflow) -> dict[str, str]:
    found = MlflowClient(tracker.uri).get_registered_model("iris").aliases
    return {name: str(version) for name, version in found.items()}


def test_a_promotion_keeps_the_former_champion_as_the_previous_one(tracker: Mlflow) -> None:
    first = tracker.promote(a_study(), a_finished(1))
    assert first == "version 1 of 'iris' is the champion"
    second = tracker.promote(a_study(), a_finished(2))
    assert second == "version 2 of 'iris' is the champion; version 1 was it before"
    assert aliases(tracker) == {"champion": "2", "previous": "1"}


def test_a_promotion_that_is_repeated_changes_nothing(tracker: Mlflow) -> None:
    for number in (1, 2, 2):
        said = tracker.promote(a_study(), a_finished(number))
    assert said == "version 2 of 'iris' is the champion"
    assert aliases(tracker) == {"champion": "2", "previous": "1"}
    assert len(MlflowClient(tracker.uri).search_model_versions("name = 'iris'")) == 2


@pytest.mark.parametrize(
    ("broken", "at"), [("log_model_artifacts", 1), ("create_model_version", 2)]
)
def test_a_promotion_that_broke_off_promotes_nothing_and_can_be_repeated(
    tracker: Mlflow, monkeypatch: pytest.MonkeyPatch, broken: str, at: int
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("connection lost")

    for number in range(1, at):
        tracker.promote(a_study(), a_finished(number))
    with monkeypatch.context() as patch:
        patch.setattr(_models.MlflowClient, broken, fail)
        with pytest.raises(TrackerError, match="connection lost"):
            tracker.promote(a_study(), a_finished(at))
    if at == 2:
        assert aliases(tracker) == {"champion": "1"}
    tracker.promote(a_study(), a_finished(at))
    assert aliases(tracker)["champion"] == str(at)


def test_the_champion_comes_back_as_a_model(tracker: Mlflow) -> None:
    given = a_finished()
    assert given.fitted
    assert tracker.champion(a_study(), given.fitted) is None
    tracker.promote(a_study(), given)
    found = tracker.champion(a_study(), given.fitted)
    assert found
    version, model = found
    assert version == 1
    assert isinstance(model, BaseEstimator)
    x = given.fitted.example
    assert (model.predict(x) == given.fitted.model.predict(x)).all()


def test_a_champion_that_was_pickled_is_not_loaded(tracker: Mlflow, tmp_path: Path) -> None:
    import mlflow

    given = a_finished().fitted
    assert given
    mlflow.set_tracking_uri(tracker.uri)
    try:
        with warnings.catch_warnings(), mlflow.start_run(experiment_id="0"):
            warnings.simplefilter("ignore")
            mlflow.sklearn.log_model(
                given.model,
                name="theirs",
                serialization_format="cloudpickle",
                registered_model_name="iris",
                pip_requirements=["scikit-learn"],
            )
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    MlflowClient(tracker.uri).set_registered_model_alias("iris", "champion", "1")
    with pytest.raises(TrackerError, match="version 1 of 'iris' was not saved with skops"):
        tracker.champion(a_study(), given)


def test_rollback_makes_the_previous_champion_the_champion_once(tracker: Mlflow) -> None:
    for number in (1, 2):
        tracker.promote(a_study(), a_finished(number))
    assert tracker.rollback(a_study()) == "version 1 of 'iris' is the champion again"
    assert aliases(tracker) == {"champion": "1"}
    with pytest.raises(ConfigError, match="no previous champion of 'iris' is known"):
        tracker.rollback(a_study())
    assert aliases(tracker) == {"champion": "1"}


def test_the_champion_is_known_by_its_round(tracker: Mlflow) -> None:
    first, second = a_finished(1), a_finished(2)
    assert not tracker.is_champion(a_study(), first.round)
    for given in (first, second):
        tracker.promote(a_study(), given)
        assert tracker.is_champion(a_study(), given.round)
    assert not tracker.is_champion(a_study(), first.round)


def test_a_round_that_is_delivered_again_does_not_undo_a_rollback(tracker: Mlflow) -> None:
    study = a_study().model_copy(update={"gates": ("test_accuracy > 0",)})
    for number in (1, 2):
        given = a_finished(number)
        given.round.final = {"test_accuracy": 0.9}
        tracker.finish(study, given)
    assert aliases(tracker) == {"champion": "2", "previous": "1"}
    tracker.rollback(study)
    tracker.finish(study, given)
    assert aliases(tracker) == {"champion": "1"}


def test_a_round_that_is_delivered_late_does_not_overtake_a_champion_it_never_met(
    tracker: Mlflow,
) -> None:
    study = a_study().model_copy(update={"gates": ("beats: champion",)})
    tracker.promote(study, a_finished(2))
    late = a_finished(1)
    late.round.final = {"champion_version": 0.0}  # there was none when it ended
    tracker.finish(study, late)
    assert aliases(tracker) == {"champion": "1"}
    client = MlflowClient(tracker.uri)
    run = client.get_run(client.get_model_version("iris", "2").run_id)
    why = (
        "it was compared with version 0, and 1 is the champion now; "
        "'tunesmith promote --round 1' compares with that"
    )
    assert run.data.tags["tunesmith.promotion"] == why
    assert late.notes == [f"the model is not promoted: {why}"]
    gain = {"champion_gain": 0.1, "champion_gain_low": 0.05, "champion_gain_high": 0.2}
    late.round.final = {"champion_version": 1.0, **gain}
    tracker.finish(study, late)
    assert aliases(tracker) == {"champion": "2", "previous": "1"}


def test_an_earlier_round_that_comes_late_does_not_take_the_place_of_a_later_one(
    tracker: Mlflow,
) -> None:
    study = a_study().model_copy(update={"gates": ("test_accuracy > 0",)})
    later, earlier = a_finished(2), a_finished(1)
    for given in (later, earlier):
        given.round.final = {"test_accuracy": 0.9}
        tracker.finish(study, given)
    assert aliases(tracker) == {"champion": "1"}
    assert (later.model, earlier.model) == (
        "version 1 of 'iris' is the champion",
        "version 2 of 'iris'",
    )
    assert "version 1 of round 2, a later one, is the champion" in earlier.notes[0]
    tracker.promote(study, earlier)
    assert aliases(tracker) == {"champion": "2", "previous": "1"}


def test_reports_that_are_made_again_promote_nothing(tracker: Mlflow) -> None:
    study, given = a_study().model_copy(update={"gates": ("test_accuracy > 0",)}), a_finished()
    given.round.final, given.again = {"test_accuracy": 0.9}, True
    tracker.finish(study, given)
    assert aliases(tracker) == {}


def test_a_model_that_is_kept_is_promoted_without_fitting_it_again(tracker: Mlflow) -> None:
    given = a_finished()
    tracker.finish(a_study(), given)
    assert tracker.promote(a_study(), Finished(given.round)) == (
        "version 1 of 'iris' is the champion"
    )


def test_a_promotion_leaves_what_it_rests_on_in_the_rounds_run(tracker: Mlflow) -> None:
    study, given = a_study().model_copy(update={"gates": ("test_accuracy > 0.95",)}), a_finished()
    given.round.final = {"test_accuracy": 0.9}
    tracker.finish(study, given)
    given.round.final = {"test_accuracy": 0.99}
    tracker.promote(study, given)
    client = MlflowClient(tracker.uri)
    run = client.get_run(client.get_model_version("iris", "1").run_id).data
    assert run.metrics["test_accuracy"] == 0.99
    assert run.tags["tunesmith.gate.0"] == "test_accuracy > 0.95: passed"
    assert run.tags["tunesmith.promotion"] == "version 1 of 'iris' is the champion"


def test_a_champion_that_could_run_anything_is_not_loaded(tracker: Mlflow) -> None:
    given, foreign = a_finished(1), a_finished(2)
    assert given.fitted and foreign.fitted
    foreign.fitted.model.trap = partial(cProfile.run, "print('gone off')")
    tracker.promote(a_study(), foreign)
    held = r"version 1 of 'iris' holds '(cProfile.run|functools.partial)', which the round's own"
    with pytest.raises(TrackerError, match=held):
        tracker.champion(a_study(), given.fitted)
    assert tracker.champion(a_study(), foreign.fitted)  # whose own types they are


def test_a_round_without_a_model_is_not_promoted(tracker: Mlflow) -> None:
    with pytest.raises(ConfigError, match="round 1 has no scikit-learn model to promote"):
        tracker.promote(a_study(), Finished(ended(a_round(), some_trials(3))))
