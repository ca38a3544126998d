"""What people see in MLflow: parent and child runs, states, limits, addresses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tunesmith.errors import TrackerError
from tunesmith.finished import Finished, Report
from tunesmith.reporting import report_folder
from tunesmith.space import SearchSpace
from tunesmith.testing._written import START, a_round, a_study, ended, some_trials
from tunesmith.testing.rounds import limited
from tunesmith.trial import Step, Trial, TrialState, best_trial
from tunesmith_mlflow import Mlflow
from tunesmith_mlflow._address import resolve, without_secrets


@pytest.fixture(params=[True, False], ids=["tables", "client"])
def tracker(
    request: pytest.FixtureRequest, database: Callable[[Path], str], tmp_path: Path
) -> Mlflow:
    return Mlflow(uri=database(tmp_path), bulk=request.param)


def runs_of(tracker: Mlflow, experiment: str = "a study") -> dict[str, Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracker.uri)
    found = client.get_experiment_by_name(experiment)
    assert found
    return {run.info.run_name: run for run in client.search_runs([found.experiment_id])}


def test_trials_are_children_of_their_rounds_run(tracker: Mlflow) -> None:
    trial = Trial(
        number=7,
        round=1,
        params={"lr": 0.1, "depth": 3, "kind": "gini", "flag": True, "none": None},
        state=TrialState.COMPLETE,
        metrics={"accuracy": 0.875},
        steps=(Step("accuracy", 0, 0.5), Step("accuracy", 3, 0.9)),
        seed=42,
        started=START,
        finished=START + 2.5,
    )
    tracker.write(a_study(), a_round(), [trial])
    runs = runs_of(tracker)
    assert set(runs) == {"round-1", "trial-7"}
    run = runs["trial-7"]
    tags = run.data.tags
    assert tags["mlflow.parentRunId"] == runs["round-1"].info.run_id
    assert (tags["tunesmith.trial"], tags["tunesmith.round"]) == ("7", "1")
    assert (tags["tunesmith.seed"], tags["tunesmith.origin"]) == ("42", "sampler")
    assert run.data.params == {
        "lr": "0.1",
        "depth": "3",
        "kind": "gini",
        "flag": "True",
        "none": "None",
    }
    assert run.data.metrics == {"accuracy": 0.875}
    assert run.info.start_time == int(START * 1000)
    assert run.info.end_time == int(START * 1000) + 2500
    assert run.info.status == "FINISHED"


def test_metric_history_shows_the_steps(tracker: Mlflow) -> None:
    from mlflow import MlflowClient

    steps = (Step("accuracy", 0, 0.5), Step("accuracy", 3, 0.9))
    trial = Trial(0, 1, {"x": 1}, TrialState.COMPLETE, {"accuracy": 0.875}, steps)
    tracker.write(a_study(), a_round(), [trial])
    run = runs_of(tracker)["trial-0"]
    history = MlflowClient(tracker.uri).get_metric_history(run.info.run_id, "accuracy")
    found = [(point.step, point.value) for point in sorted(history, key=lambda p: p.timestamp)]
    assert found == [(0, 0.5), (3, 0.9), (3, 0.875)]


def test_failed_and_pruned_trials_have_a_status_and_a_reason(tracker: Mlflow) -> None:
    trials = [
        Trial(0, 1, {"x": 1}, TrialState.FAILED, error="ValueError: no\nwhy"),
        Trial(1, 1, {"x": 2}, TrialState.PRUNED, error="worse than the median"),
    ]
    tracker.write(a_study(), a_round(), trials)
    runs = runs_of(tracker)
    assert runs["trial-0"].info.status == "FAILED"
    assert runs["trial-0"].data.tags["tunesmith.error"] == "ValueError: no\nwhy"
    assert runs["trial-1"].info.status == "KILLED"
    assert runs["trial-1"].data.tags["tunesmith.error"] == "worse than the median"
    assert runs["trial-1"].data.tags["tunesmith.state"] == "pruned"


def test_what_does_not_fit_is_cut_and_said(tracker: Mlflow) -> None:
    params: dict[str, str | int] = {"long": "v" * 7000, "n" * 300: 1, "fine": "w" * 6000}
    trial = Trial(0, 1, dict(params), TrialState.FAILED, {"a?b": 0.5}, error="e" * 9000)
    tracker.write(a_study(), a_round(), [trial])
    run = runs_of(tracker)["trial-0"]
    told = run.data.tags["tunesmith.fitted"]
    assert run.data.params["long"] == "v" * 6000
    assert run.data.params["fine"] == "w" * 6000
    assert len(run.data.params) == 3
    assert "'long' of 7000 characters is cut to 6000" in told
    assert "tunesmith.error of 9000 characters is cut to 8000" in told
    assert "'a?b' is 'a_b-" in told
    assert "tunesmith.record" in told


def test_the_rounds_run_tells_how_it_was_made(tracker: Mlflow, tmp_path: Path) -> None:
    from mlflow.artifacts import load_text

    round, trials = a_round(), some_trials(9)
    round.commit = "c0ffee"
    study = a_study().model_copy(update={"folder": tmp_path})
    report = report_folder(study, round) / "plots" / "history.png"
    report.parent.mkdir(parents=True)
    report.write_bytes(b"png")
    page = tmp_path / "elsewhere.html"
    page.write_text("<p>fine</p>")
    tracker.write(study, round, trials)
    tracker.finish(study, Finished(ended(round, trials), reports={"page": Report([report, page])}))
    run = runs_of(tracker)["round-1"]
    tags = run.data.tags
    assert tags["tunesmith.study"] == "a study"
    assert tags["tunesmith.space_version"] == "1"
    assert tags["tunesmith.space_fingerprint"] == round.space.fingerprint
    assert tags["tunesmith.sampler"] == "random"
    assert tags["tunesmith.seed"] == "7"
    assert tags["tunesmith.dataset"] == round.dataset
    assert tags["mlflow.source.git.commit"] == "c0ffee"
    assert tags["tunesmith.reason"] == "done"
    best = max((t for t in trials if t.metrics), key=lambda trial: trial.metrics["accuracy"])
    assert tags["tunesmith.best_trial"] == str(best.number)
    assert run.data.metrics["accuracy"] == best.metrics["accuracy"]
    assert run.data.metrics["test_accuracy"] == 0.9
    assert run.info.status == "FINISHED"
    uri = run.info.artifact_uri
    assert load_text(f"{uri}/reports/elsewhere.html") == "<p>fine</p>"
    assert load_text(f"{uri}/reports/plots/history.png") == "png"
    assert SearchSpace.from_dict(YAML().load(load_text(f"{uri}/space.yaml"))) == round.space
    assert YAML().load(load_text(f"{uri}/round.yaml"))["budget"] == {"trials": 0}


def test_the_version_of_the_data_is_in_tags_and_an_input_of_the_rounds_run(tracker: Mlflow) -> None:
    from mlflow import MlflowClient
    from mlflow.artifacts import load_text
    from mlflow.data import get_source

    round = a_round()
    round.dataset_version = {"path": "data/größe.csv", "md5": "0cc1" * 8, "revision": "f00-dirty"}
    for again in (tracker, Mlflow(uri=tracker.uri, bulk=tracker.bulk)):
        again.write(a_study(), round, some_trials(2))
    run = runs_of(tracker)["round-1"]
    assert run.data.tags["tunesmith.dataset"] == round.dataset
    for name, text in round.dataset_version.items():
        assert run.data.tags[f"tunesmith.dataset.{name}"] == text
    (logged,) = MlflowClient(tracker.uri).get_run(run.info.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("data/größe.csv", "0cc1" * 8)
    told = get_source(logged).to_dict()["tags"]
    assert told["tunesmith.dataset.revision"] == "f00-dirty"
    settings = YAML().load(load_text(f"{run.info.artifact_uri}/round.yaml"))
    assert settings["dataset_version"] == round.dataset_version


def test_searching_by_metric_finds_the_best(tracker: Mlflow) -> None:
    from mlflow import MlflowClient

    trials = some_trials(20)
    tracker.write(a_study(), a_round(), trials)
    best = max((t for t in trials if t.metrics), key=lambda trial: trial.metrics["accuracy"])
    client = MlflowClient(tracker.uri)
    experiment = client.get_experiment_by_name("a study")
    assert experiment
    (run,) = client.search_runs(
        [experiment.experiment_id], order_by=["metrics.accuracy DESC"], max_results=1
    )
    assert run.info.run_name == f"trial-{best.number}"


def test_experiment_can_be_named_and_shared(
    database: Callable[[Path], str], tmp_path: Path
) -> None:
    tracker = Mlflow(uri=database(tmp_path), experiment="team")
    tracker.write(a_study("one"), a_round(), some_trials(2))
    tracker.write(a_study("two"), a_round(), some_trials(3))
    assert len(tracker.history("one")) == 2
    assert len(tracker.history("two")) == 3
    assert "team" in tracker.destination(a_study("one"))
    assert runs_of(tracker, "team")


def test_deleted_experiment_is_an_error_with_a_way_out(tracker: Mlflow) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracker.uri)
    client.delete_experiment(client.create_experiment("a study"))
    with pytest.raises(TrackerError, match=r"'a study'.* is deleted; restore it"):
        tracker.write(a_study(), a_round(), some_trials(1))


def test_file_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match="maintenance mode"):
        Mlflow(uri=str(tmp_path / "mlruns")).write(a_study(), a_round(), some_trials(1))


def test_read_only_database_is_an_error_that_names_it(
    database: Callable[[Path], str], tmp_path: Path
) -> None:
    uri = database(tmp_path)
    with pytest.raises(TrackerError, match="readonly"):
        Mlflow(uri=f"{uri.replace('///', '///file:')}?mode=ro&uri=true").write(
            a_study(), a_round(), some_trials(1)
        )


def test_address_comes_from_option_then_environment_then_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve(None) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert resolve(None) == "http://tracking:5000"
    assert resolve("sqlite:///other.db") == f"sqlite:///{tmp_path}/other.db"
    assert resolve("sqlite:////srv/mlflow.db") == "sqlite:////srv/mlflow.db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pa55@host:5000/x", "https://host:5000/x"),
        (
            "postgresql://me:p%40ss@db/mlflow?sslpassword=x1",
            "postgresql://db/mlflow?sslpassword=***",
        ),
        (
            "failed at http://t0ken@host/api?api_key=abc&x=1",
            "failed at http://host/api?api_key=***&x=1",
        ),
        ("sqlite:////srv/mlflow.db", "sqlite:////srv/mlflow.db"),
    ],
)
def test_addresses_are_shown_without_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_leaves_mlflows_global_state_alone(tmp_path: Path, database: Callable[[Path], str]) -> None:
    script = f"""
import os
os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "77"
from tunesmith.finished import Finished
from tunesmith.testing._written import *
from tunesmith_mlflow import Mlflow
tracker = Mlflow(uri="{database(tmp_path)}")
tracker.write(a_study("global state"), a_round(), some_trials(3))
tracker.finish(a_study("global state"), Finished(ended(a_round(), some_trials(3))))
import mlflow
from mlflow.telemetry.utils import is_telemetry_disabled
assert mlflow.active_run() is None
assert mlflow.get_tracking_uri().endswith("/mlflow.db"), mlflow.get_tracking_uri()
assert "tracking.db" not in mlflow.get_tracking_uri()
assert is_telemetry_disabled()
assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("uri", "look"),
    [
        (None, "mlflow ui"),
        ("sqlite:////tmp/team.db", "mlflow ui --backend-store-uri sqlite:////tmp/team.db"),
        ("http://me:secret@127.0.0.1:5000", "http://127.0.0.1:5000, experiment 'bowl'"),
    ],
)
def test_says_how_to_look_at_the_trials(
    uri: str | None, look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    study = a_study()
    assert Mlflow(uri=uri).look(study) == look.replace("bowl", study.name)


def test_limits_and_what_breaks_them_can_be_searched(tracker: Mlflow) -> None:
    from mlflow.artifacts import load_text

    round = limited("seconds <= 16", "loss <= 0.5")
    tracker.write(a_study(), round, round.trials)
    tracker.finish(a_study(), Finished(round))
    runs = runs_of(tracker)
    parent = runs.pop("round-1")
    assert parent.data.tags["tunesmith.limits"] == "seconds <= 16, loss <= 0.5"
    assert load_text(f"{parent.info.artifact_uri}/round.yaml").count("seconds <= 16") == 1
    for trial in round.trials:
        shown = runs[f"trial-{trial.number}"].data.tags.get("tunesmith.violation")
        assert shown == (str(trial.violation) if trial.violation else None)
    best = best_trial(round.trials, round.goals)
    assert best and parent.data.tags["tunesmith.best_trial"] == str(best.number)
    assert parent.data.metrics["seconds"] == best.metrics["seconds"] <= 16


def test_a_round_whose_limits_no_trial_keeps_has_no_best_trial(tracker: Mlflow) -> None:
    round = limited("seconds <= 0.5")
    tracker.write(a_study(), round, round.trials)
    tracker.finish(a_study(), Finished(round))
    parent = runs_of(tracker)["round-1"]
    assert "tunesmith.best_trial" not in parent.data.tags
    assert parent.data.metrics == {}
    assert parent.info.status == "FINISHED"
