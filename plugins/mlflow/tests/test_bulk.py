"""Writing and reading in MLflow's tables gives what its client gives, row by row."""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.errors import TrackerError
from tunesmith.finished import Finished
from tunesmith.testing._written import (
    LOOKALIKES,
    NUMBERS,
    a_round,
    a_study,
    assert_same,
    ended,
    some_trials,
)
from tunesmith.trial import Step, Trial, TrialState
from tunesmith_mlflow import Mlflow

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")


def awkward_trials() -> list[Trial]:
    steps = tuple(Step("accuracy", index % 5, value) for index, value in enumerate(NUMBERS * 3))
    return [
        *some_trials(9),
        Trial(
            9,
            1,
            {f"p{index}": value for index, value in enumerate(LOOKALIKES)},
            TrialState.COMPLETE,
            {f"m{index}": value for index, value in enumerate(NUMBERS)} | {"accuracy": 0.5},
            steps,
            started=1.79e9,
            finished=1.79e9 + 0.004,
        ),
        Trial(10, 1, {"x" * 300: "y" * 9000}, TrialState.FAILED, {"a?b": 1.0}, error="e\n" * 9000),
        Trial(11, 1, {}, TrialState.PRUNED, steps=(Step("loss", 2**70, 1.0), *steps * 50)),
        Trial(12, 1, {f"p{index}": index for index in range(250)}, TrialState.COMPLETE),
        Trial(13, 1, {"odd": "\ud800 \0"}, TrialState.FAILED, error="file '\udcff' is missing"),
    ]


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row that belongs to a trial, with the trial's number for the run's random id."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    names = dict(connection.execute("SELECT run_uuid, name FROM runs").fetchall())
    found = {}
    for table in TABLES:
        found[table] = sorted(
            (
                tuple(_neutral(names, key, row[key]) for key in sorted(row.keys()))
                for row in connection.execute(f"SELECT * FROM {table}")
                if names[row["run_uuid"]].startswith("trial-")
            ),
            key=repr,
        )
    connection.close()
    return found


def _neutral(names: dict[str, str], key: str, value: object) -> object:
    if key == "artifact_uri":
        parts = str(value).split("/")
        return names[parts[-2]], parts[-1]
    return names.get(str(value), value)


def test_both_ways_leave_the_same_rows(database: Callable[[Path], str], tmp_path: Path) -> None:
    trials, found = awkward_trials(), []
    for bulk in (True, False):
        folder = tmp_path / str(bulk)
        folder.mkdir()
        tracker = Mlflow(uri=database(folder), bulk=bulk)
        tracker.write(a_study(), a_round(), trials)
        tracker.finish(a_study(), Finished(ended(a_round(), trials)))
        tracker.close()
        found.append(rows(folder / "tracking.db"))
    for table in TABLES:
        assert found[0][table] == found[1][table], table
        assert found[0][table]


@pytest.mark.parametrize("written_in_bulk", [True, False])
def test_both_ways_read_the_same(
    database: Callable[[Path], str], tmp_path: Path, written_in_bulk: bool
) -> None:
    uri, trials = database(tmp_path), awkward_trials()
    Mlflow(uri=uri, bulk=written_in_bulk).write(a_study(), a_round(), trials)
    assert_same(Mlflow(uri=uri, bulk=True).history("a study"), trials)
    assert_same(Mlflow(uri=uri, bulk=False).history("a study"), trials)


@pytest.mark.parametrize("first", [True, False])
def test_one_way_goes_on_where_the_other_stopped(
    database: Callable[[Path], str], tmp_path: Path, first: bool
) -> None:
    uri, trials = database(tmp_path), awkward_trials()
    Mlflow(uri=uri, bulk=first).write(a_study(), a_round(), trials[:8])
    Mlflow(uri=uri, bulk=not first).write(a_study(), a_round(), trials[4:])
    assert_same(Mlflow(uri=uri).history("a study"), trials)
    assert len(rows(tmp_path / "tracking.db")["runs"]) == len(trials)


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize("call", ["log_batch", "set_terminated"])
def test_a_run_left_half_written_is_completed(
    database: Callable[[Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bulk: bool,
    call: str,
) -> None:
    """The process died between two calls of MLflow's client."""
    from mlflow import MlflowClient

    uri, trials = database(tmp_path), some_trials(4)

    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, die)
        with pytest.raises(KeyboardInterrupt):
            Mlflow(uri=uri, bulk=False).write(a_study(), a_round(), trials)
    tracker = Mlflow(uri=uri, bulk=bulk)
    assert tracker.history("a study") == []
    tracker.write(a_study(), a_round(), trials)
    assert_same(tracker.history("a study"), trials)
    assert len(rows(tmp_path / "tracking.db")["runs"]) == len(trials)


def test_trials_deleted_in_mlflow_are_not_read(
    database: Callable[[Path], str], tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    uri, trials = database(tmp_path), some_trials(4)
    Mlflow(uri=uri).write(a_study(), a_round(), trials)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("a study")
    assert experiment
    (run,) = client.search_runs([experiment.experiment_id], "attributes.run_name = 'trial-2'")
    client.delete_run(run.info.run_id)
    for bulk in (True, False):
        numbers = [trial.number for trial in Mlflow(uri=uri, bulk=bulk).history("a study")]
        assert numbers == [0, 1, 3]


def test_unknown_schema_is_written_through_the_client_and_said(
    database: Callable[[Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import tunesmith_mlflow._experiment as experiment

    uri, trials = database(tmp_path), some_trials(4)
    monkeypatch.setattr(experiment, "KNOWN_REVISIONS", frozenset({"another"}))
    with caplog.at_level(logging.WARNING, "tunesmith.mlflow"):
        tracker = Mlflow(uri=uri)
        tracker.write(a_study(), a_round(), trials)
    assert "schema revision" in caplog.text
    assert_same(tracker.history("a study"), trials)


def test_a_broken_batch_leaves_nothing(database: Callable[[Path], str], tmp_path: Path) -> None:
    uri, trials = database(tmp_path), some_trials(6)
    tracker = Mlflow(uri=uri)
    tracker.write(a_study(), a_round(), trials[:1])
    shutil.copy(tmp_path / "tracking.db", tmp_path / "before.db")
    connection = sqlite3.connect(tmp_path / "tracking.db")
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON params WHEN NEW.key = 'max_depth' "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(TrackerError, match="disk full"):
        tracker.write(a_study(), a_round(), trials)
    assert rows(tmp_path / "tracking.db") == rows(tmp_path / "before.db")
    connection.execute("DROP TRIGGER full")
    connection.close()
    tracker.write(a_study(), a_round(), trials)
    assert_same(tracker.history("a study"), trials)


def test_waits_for_another_writer(database: Callable[[Path], str], tmp_path: Path) -> None:
    import threading
    import time

    uri, trials = database(tmp_path), some_trials(6)
    tracker = Mlflow(uri=uri)
    tracker.write(a_study(), a_round(), trials[:1])
    held = threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(tmp_path / "tracking.db", isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        held.set()
        time.sleep(0.5)
        connection.execute("COMMIT")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    tracker.write(a_study(), a_round(), trials)
    thread.join()
    assert_same(tracker.history("a study"), trials)
