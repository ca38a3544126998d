"""A real `tunesmith run` that is killed, interrupted and run twice; then run to its end."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from files_tracker import facts, install

from tunesmith.choosing import ATTEMPTS
from tunesmith.store import Store
from tunesmith.testing._tasks import until, until_gone
from tunesmith.trial import INTERRUPTED, Origin, TrialState

pytestmark = pytest.mark.slow

SEED = 20262
STUDY = """
name: killed
goals: {loss: minimize}
space:
  parameters: {x: {type: float, low: -2, high: 2, default: 0.5}}
objective: {use: python, function: "objective:NAME"}
executor: {use: processes, workers: 2}
"""
OBJECTIVE = """
import os, time
from pathlib import Path

def present():
    Path("pids", str(os.getpid())).touch()

def quick(params):
    present()
    time.sleep(0.01)
    return params["x"] ** 2

def steady(params):
    present()
    time.sleep(0.05)
    return params["x"] ** 2

def slow(params):
    present()
    time.sleep(1)
    return params["x"] ** 2

def hangs(params):
    present()
    if params["x"] != 0.5:
        time.sleep(600)
    return params["x"] ** 2
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "objective.py").write_text(OBJECTIVE)
    (tmp_path / "pids").mkdir()
    install(tmp_path / "plugin")
    return tmp_path


def write_study(folder, name, extra=""):
    (folder / "study.yaml").write_text(STUDY.replace("NAME", name) + extra)


@contextmanager
def running(folder, *options):
    """A `tunesmith run` in a process group of its own, as a shell starts it."""
    command = [sys.executable, "-m", "tunesmith", "run", *options]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(folder / "plugin")},
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def run_to_the_end(folder, *options):
    with running(folder, *options) as process:
        assert process.wait(120) == 0, (folder / "log").read_text()


def record(folder):
    if not (folder / "tunesmith.db").exists():
        return []
    store = Store(f"sqlite:///{folder / 'tunesmith.db'}")
    try:
        found = store.find("killed")
        return found.trials() if found else []
    finally:
        store.close()


def finished(folder):
    return {trial.number: trial for trial in record(folder) if trial.finished is not None}


def query(database, text):
    connection = sqlite3.connect(database, timeout=30)
    try:
        return connection.execute(text).fetchall()
    except sqlite3.OperationalError:  # no tables yet
        return [(0,)]
    finally:
        connection.close()


def count_finished(folder):
    database = folder / "tunesmith.db"
    text = "SELECT count(*) FROM trials WHERE finished IS NOT NULL"
    return query(database, text)[0][0] if database.exists() else 0


def until_a_trial_finishes(folder):
    before = count_finished(folder)
    until(lambda: count_finished(folder) > before, "no trial finishes")


def until_workers_are_gone(folder):
    until_gone(int(path.name) for path in (folder / "pids").iterdir())


def kill_at_random(folder, kills, moment, seed=SEED):
    """Kill runs at random moments; after each, what was finished before is as it was."""
    random = Random(seed)
    for number in range(kills):
        with running(folder, "--trials", "100000") as process:
            moment(random, number, process)
            seen = finished(folder)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        left = finished(folder)
        assert {number: left.get(number) for number in seen} == seen
        until_workers_are_gone(folder)


def check_the_end(folder, kills):
    """Run a few more trials to the end, and check the record; returns it."""
    done = sum(trial.counts for trial in finished(folder).values())
    run_to_the_end(folder, "--trials", str(done + 20))
    trials = record(folder)
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert sum(trial.counts for trial in trials) == done + 20
    assert {trial.state for trial in trials if trial.counts} == {TrialState.COMPLETE}
    assert all(
        trial.metrics == {"loss": trial.params["x"] ** 2} for trial in trials if trial.counts
    )
    interrupted = [trial for trial in trials if not trial.counts]
    assert {trial.error for trial in interrupted} == {INTERRUPTED}
    assert 0 < len(interrupted) <= 2 * kills
    lost = Counter(trial.params["x"] for trial in interrupted)
    retried = Counter(trial.params["x"] for trial in trials if trial.origin is Origin.RETRY)
    assert retried == {x: min(times, ATTEMPTS - 1) for x, times in lost.items()}
    return trials


def test_kill_at_any_moment_loses_nothing_and_counts_nothing_twice(folder):
    write_study(folder, "quick", "trackers: [{use: files, folder: tracked}]\n")

    def moment(random, number, process):
        if number % 2:  # from the first import to the first trials
            time.sleep(random.uniform(0, 1.5))
        else:
            until_a_trial_finishes(folder)
            time.sleep(random.uniform(0, 0.3))

    kill_at_random(folder, 20, moment)
    trials = check_the_end(folder, 20)
    tracked = {int(path.stem): path for path in (folder / "tracked").glob("*.json")}
    assert {n: json.loads(path.read_text()) for n, path in tracked.items()} == {
        trial.number: facts(trial) for trial in trials
    }
    assert (folder / "tracked" / "reason").exists()


@pytest.mark.parametrize(("bulk", "seed"), [(True, 1), (False, 2)], ids=["bulk", "client"])
def test_three_kills_at_any_moment_leave_mlflow_complete(folder, empty_mlflow, bulk, seed):
    database = folder / "mlflow.db"
    shutil.copy(empty_mlflow, database)
    options = f"uri: 'sqlite:///{database}', bulk: {str(bulk).lower()}"
    write_study(folder, "steady", f"trackers: [{{use: mlflow, {options}}}]\n")

    def moment(random, number, process):
        size = count_runs(database)
        until(lambda: count_runs(database) > size, "MLflow gets no trial")
        time.sleep(random.uniform(0, 0.2))

    kill_at_random(folder, 3, moment, seed)
    trials = check_the_end(folder, 3)
    runs = mlflow_runs(database)
    assert sorted(runs) == sorted((str(trial.number), outcome(trial)) for trial in trials)


def outcome(trial):
    return "FINISHED" if trial.state is TrialState.COMPLETE else "FAILED"


def count_runs(database):
    return query(database, "SELECT count(*) FROM runs")[0][0]


def mlflow_runs(database):
    return query(
        database,
        "SELECT tags.value, runs.status FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid"
        " AND tags.key = 'tunesmith.trial'",
    )


def test_one_ctrl_c_lets_running_trials_finish_and_the_round_goes_on_later(folder):
    write_study(folder, "slow", "budget: {trials: 7}\n")
    with running(folder) as process:
        until_a_trial_finishes(folder)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
    trials = record(folder)
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    log = (folder / "log").read_text()
    assert "waiting for what runs; Ctrl-C again ends it" in log
    assert "interrupted; go on with 'tunesmith run study.yaml'" in log
    assert "Traceback" not in log
    until_workers_are_gone(folder)
    run_to_the_end(folder)
    assert record(folder)[: len(trials)] == trials
    assert sum(trial.counts for trial in record(folder)) == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["two Ctrl-C", "SIGTERM"])
def test_an_impatient_end_interrupts_running_trials(folder, number):
    write_study(folder, "hangs", "budget: {trials: 4}\n")
    with running(folder) as process:
        until(lambda: len(record(folder)) == 3 and len(finished(folder)) == 1, "nothing hangs")
        if number == signal.SIGINT:
            os.killpg(process.pid, signal.SIGINT)
            until(lambda: "again ends it" in (folder / "log").read_text(), "it does not say so")
            assert process.poll() is None
        started = time.monotonic()
        os.killpg(process.pid, number)
        assert process.wait(60) == 130
        assert time.monotonic() - started < 10
    assert [trial.error for trial in record(folder)] == [None, INTERRUPTED, INTERRUPTED]
    assert "Traceback" not in (folder / "log").read_text()
    until_workers_are_gone(folder)
    (folder / "objective.py").write_text(OBJECTIVE.replace("sleep(600)", "sleep(0)"))
    run_to_the_end(folder)
    trials = record(folder)
    assert [trial.origin for trial in trials[3:]] == [Origin.RETRY, Origin.RETRY, Origin.SAMPLER]


def test_a_second_process_is_told_who_runs_the_study(folder):
    write_study(folder, "hangs")
    with running(folder) as process:
        until(lambda: len(finished(folder)) == 1, "nothing runs")
        command = [sys.executable, "-m", "tunesmith", "run"]
        second = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert second.returncode == 6
        assert f"is being run by process {process.pid} on" in second.stderr
        assert process.poll() is None
    assert Path(folder, "tunesmith.db").exists()
