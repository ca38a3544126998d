"""Reading what anybody logged: every run as it was, whoever made it."""

import math
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import TrackerError
from tunesmith.testing._written import a_round, a_study, some_trials
from tunesmith.trial import LoggedRun, TrialState
from tunesmith_mlflow import Mlflow


@pytest.fixture(params=[True, False], ids=["tables", "client"])
def tracker(
    request: pytest.FixtureRequest, database: Callable[[Path], str], tmp_path: Path
) -> Mlflow:
    return Mlflow(uri=database(tmp_path), bulk=request.param)


class Hand:
    """Logs runs into an experiment, as a person's script does."""

    def __init__(self, tracker: Mlflow, experiment: str = "theirs") -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(tracker.uri)
        self.experiment = self.client.create_experiment(experiment)

    def log(self, status: str | None = "FINISHED", **what: Any) -> str:
        created = self.client.create_run(
            self.experiment, start_time=what.get("start"), tags=what.get("tags")
        )
        run = created.info.run_id
        for name, value in what.get("params", {}).items():
            self.client.log_param(run, name, value)
        for name, value in what.get("metrics", {}).items():
            self.client.log_metric(run, name, value)
        for digest in what.get("digests", ()):
            self.use(run, digest)
        if status:
            self.client.set_terminated(run, status, what.get("end"))
        return run

    def use(self, run: str, digest: str) -> None:
        from mlflow.entities import Dataset, DatasetInput

        data = Dataset(f"data {digest}", digest, "local", "{}")
        self.client.log_inputs(run, [DatasetInput(data)])


def by_id(runs: list[LoggedRun]) -> dict[str, LoggedRun]:
    return {run.id: run for run in runs}


def test_a_run_is_read_with_all_that_was_logged(tracker: Mlflow) -> None:
    hand = Hand(tracker)
    parent = hand.log(params={"n_iter": 2})
    child = hand.log(
        params={"lr": 0.1, "depth": "None", "note": "näïve 🙂"},
        metrics={"loss": 0.25, "auc": math.nan, "worst": math.inf, "best": -math.inf},
        tags={"mlflow.parentRunId": parent, "lr_distribution": "FloatDistribution()"},
        digests=["b2", "a1"],
        start=1_790_000_000_000,
        end=1_790_000_001_500,
    )
    runs = by_id(tracker.logged("theirs"))
    assert set(runs) == {parent, child}
    found = runs[child]
    assert found.params == {"lr": "0.1", "depth": "None", "note": "näïve 🙂"}
    assert math.isnan(found.metrics.pop("auc"))
    assert found.metrics == {"loss": 0.25, "worst": math.inf, "best": -math.inf}
    assert (found.state, found.error) == (TrialState.COMPLETE, None)
    assert (found.started, found.finished) == (1_790_000_000.0, 1_790_000_001.5)
    assert found.dataset == "a1+b2"
    assert found.parent == parent
    assert found.tags == {"lr_distribution": "FloatDistribution()"}
    assert (runs[parent].parent, runs[parent].dataset) == (None, None)


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        ("FINISHED", TrialState.COMPLETE, None),
        ("FAILED", TrialState.FAILED, "its status in MLflow is FAILED"),
        ("KILLED", TrialState.FAILED, "its status in MLflow is KILLED"),
        (None, TrialState.RUNNING, None),
    ],
)
def test_the_status_of_a_run_is_a_state(
    tracker: Mlflow, status: str | None, state: TrialState, error: str | None
) -> None:
    Hand(tracker).log(status)
    (run,) = tracker.logged("theirs")
    assert (run.state, run.error) == (state, error)


def test_of_a_metric_that_was_logged_again_and_again_the_latest_value_counts(
    tracker: Mlflow,
) -> None:
    hand = Hand(tracker)
    run = hand.log(None)
    for step, value in ((0, 0.9), (2, 0.3), (1, 0.5)):
        hand.client.log_metric(run, "loss", value, timestamp=1, step=step)
    assert tracker.logged("theirs")[0].metrics == {"loss": 0.3}


def test_deleted_runs_and_those_of_other_experiments_are_not_read(tracker: Mlflow) -> None:
    hand = Hand(tracker)
    kept, gone = hand.log(), hand.log()
    hand.client.delete_run(gone)
    Hand(tracker, "others").log()
    assert [run.id for run in tracker.logged("theirs")] == [kept]


def test_both_ways_read_the_same_of_what_tunesmith_wrote(
    database: Callable[[Path], str], tmp_path: Path
) -> None:
    uri = database(tmp_path)
    Mlflow(uri=uri).write(a_study(), a_round(), some_trials(20))
    found = [by_id(Mlflow(uri=uri, bulk=bulk).logged("a study")) for bulk in (True, False)]
    assert found[0] == found[1]
    states = {run.state for run in found[0].values() if run.parent}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED}


def test_an_experiment_without_runs_gives_none(tracker: Mlflow) -> None:
    Hand(tracker)
    assert tracker.logged("theirs") == []


def test_an_unknown_experiment_is_an_error_that_knows_the_others(tracker: Mlflow) -> None:
    Hand(tracker, "churn model")
    with pytest.raises(TrackerError, match=r"no experiment 'chrun model'.*mean 'churn model'"):
        tracker.logged("chrun model")
    with pytest.raises(TrackerError, match=r"no experiment 'zzz'.*\(known: Default, churn model\)"):
        tracker.logged("zzz")


def test_a_deleted_experiment_is_an_error_with_a_way_out(tracker: Mlflow) -> None:
    hand = Hand(tracker)
    hand.client.delete_experiment(hand.experiment)
    with pytest.raises(TrackerError, match=r"'theirs'.* is deleted; restore it in MLflow"):
        tracker.logged("theirs")


def test_a_missing_database_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match=r"no MLflow database 'sqlite:///.*missing\.db'"):
        Mlflow(uri=f"sqlite:///{tmp_path}/missing.db").logged("theirs")
    assert list(tmp_path.iterdir()) == []


def test_reading_changes_nothing(tracker: Mlflow, tmp_path: Path) -> None:
    Hand(tracker).log(params={"lr": 1})
    connection = sqlite3.connect(tmp_path / "tracking.db")
    before = list(connection.iterdump())
    tracker.logged("theirs")
    assert list(connection.iterdump()) == before
    connection.close()


def test_a_server_that_does_not_answer_is_an_error_with_a_way_out() -> None:
    with pytest.raises(TrackerError, match=r"failed: .*check the tracking URI"):
        Mlflow(uri="http://127.0.0.1:9").logged("theirs")


@pytest.mark.slow
@pytest.mark.xdist_group("mlflow server")
def test_a_server_gives_more_runs_than_fit_on_a_page(
    mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tunesmith_mlflow._runs as pages

    monkeypatch.setattr(pages, "_PAGE", 3)
    tracker = Mlflow(uri=mlflow_server)
    hand = Hand(tracker, "many")
    made = {hand.log(params={"index": index}) for index in range(8)}
    assert set(by_id(tracker.logged("many"))) == made
