"""What an executor of a cluster promises besides: nothing is lost, whatever fails under a study."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tunesmith.testing._tasks import until

_STUDY = """
name: remote
goals: {loss: minimize}
space:
  parameters: {x: {type: float, low: 0, high: 1}}
objective: {use: python, function: "objective:slow"}
budget: {trials: 8}
"""
_FAULTS = """
name: faults
goals: {loss: minimize}
space:
  parameters:
    does: {type: categorical, choices: [nothing, crash, leave, hang, eat, diverge]}
objective: {use: python, function: "objective:fails"}
sampler: grid
pruner: {use: threshold, high: 10}
budget: {trials: 6, trial_seconds: 8}
"""
_OBJECTIVE = """
import os, signal, time
from pathlib import Path

def slow(params, trial):
    with open(Path(__file__).with_name("begun.txt"), "a") as file:
        file.write(f"{trial.number}\\n")
    time.sleep(1.5)
    return params["x"]

def fails(params, trial):
    if params["does"] == "crash":
        signal.raise_signal(signal.SIGSEGV)
    if params["does"] == "leave":
        os._exit(3)
    if params["does"] == "hang":
        time.sleep(600)
    if params["does"] == "eat":
        bytearray(8 << 30)
    if params["does"] == "diverge":
        for step in range(1, 100):
            trial.report(step, 3.0**step)
    return 1.0
"""


class Cluster(ABC):
    """A real cluster of two machines with a worker each, played by processes of this one."""

    @abstractmethod
    def start(self) -> None:
        """Bring it up and wait until both workers are there; also again, after `kill`."""

    @abstractmethod
    def executor(self) -> dict[str, Any]:
        """The executor of a study that runs on it: `{"use": "dask", "address": ...}`."""

    @abstractmethod
    def kill_machine(self) -> None:
        """End one machine with SIGKILL, and everything on it; not the one that has the head."""

    @abstractmethod
    def kill(self) -> None:
        """End everything with SIGKILL."""


class ClusterContract:
    """Tests that any executor passes that has an address; `make` says which cluster it runs on.

    Each test is a real `tunesmith run` on a real cluster. The executor has an option `memory_mb`.
    """

    @classmethod
    def make(cls, folder: Path) -> Cluster:
        """A cluster that is not started; its files may be in the folder."""
        raise NotImplementedError("return the cluster to test on")

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
        """One that is running."""
        cluster = cls.make(tmp_path_factory.mktemp("cluster"))
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.kill()

    def test_what_befalls_one_trial_costs_that_trial(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        _write(tmp_path, _FAULTS, cluster.executor() | {"workers": 2, "memory_mb": 2000})
        assert _run(tmp_path).returncode == 0
        trials = {trial["params"]["does"]: trial for trial in _trials(tmp_path)}
        errors = {does: trial["error"] for does, trial in trials.items()}
        assert errors["nothing"] is None
        assert "SIGSEGV" in errors["crash"]
        assert "exit code 3" in errors["leave"]
        assert "longer than 8 s" in errors["hang"]
        assert "MemoryError" in errors["eat"]
        assert trials["diverge"]["state"] == "pruned"

    def test_a_machine_that_is_lost_costs_its_trials_which_run_again(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        _write(tmp_path, _STUDY, cluster.executor() | {"workers": 2})
        with _running(tmp_path) as run:
            _until_begun(tmp_path, 4)  # the first two are done, the others run
            cluster.kill_machine()
        assert run.returncode == 0
        _assert_whole(tmp_path)
        assert max(Counter(_begun(tmp_path)).values()) == 2

    def test_a_tuner_that_is_killed_goes_on_where_it_was(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        _write(tmp_path, _STUDY, cluster.executor() | {"workers": 2})
        with _running(tmp_path) as run:
            _until_begun(tmp_path, 3)
            run.kill()
        assert _run(tmp_path).returncode == 0
        _assert_whole(tmp_path)

    def test_a_cluster_that_is_lost_is_told_and_the_study_goes_on_once_it_is_back(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        _write(tmp_path, _STUDY, cluster.executor() | {"workers": 2})
        with _running(tmp_path) as run:
            _until_begun(tmp_path, 3)
            cluster.kill()
        assert run.returncode == 10
        assert "run again" in _last_line(tmp_path)
        assert _run(tmp_path).returncode == 10  # it is not there from the start
        assert str(cluster.executor()["address"]) in _last_line(tmp_path)
        cluster.start()
        _write(tmp_path, _STUDY, cluster.executor() | {"workers": 2})
        assert _run(tmp_path).returncode == 0
        _assert_whole(tmp_path)


def _write(folder: Path, study: str, executor: dict[str, Any]) -> None:
    (folder / "objective.py").write_text(_OBJECTIVE)
    (folder / "study.yaml").write_text(f"{study}executor: {json.dumps(executor)}\n")


@contextmanager
def _running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `tunesmith run` that has 120 s to end once the block is left."""
    with open(folder / "errors.txt", "wb") as errors:
        run = subprocess.Popen(
            [sys.executable, "-m", "tunesmith", "run"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            yield run
            run.wait(120)
        finally:
            run.send_signal(signal.SIGKILL)
            run.wait()


def _run(folder: Path) -> subprocess.Popen[bytes]:
    with _running(folder) as run:
        pass
    return run


def _last_line(folder: Path) -> str:
    """Where the errors of the last run end: in a sentence of ours."""
    text = (folder / "errors.txt").read_text()
    assert "Traceback" not in text, text
    assert "\nerror: " in f"\n{text}", text
    return text.splitlines()[-1]


def _trials(folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", "trials", "--format", "json"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _begun(folder: Path) -> list[str]:
    """The number of each trial that began, as often as it began."""
    path = folder / "begun.txt"
    return path.read_text().split() if path.exists() else []


def _until_begun(folder: Path, count: int) -> None:
    until(lambda: len(_begun(folder)) >= count, f"no {count} trials begin")


def _assert_whole(folder: Path) -> None:
    """Eight trials are complete, each with params of its own; others were only interrupted."""
    trials = _trials(folder)
    assert len({trial["trial"] for trial in trials}) == len(trials)
    states = Counter(
        "interrupted" if trial["error"] == "interrupted" else trial["state"] for trial in trials
    )
    assert states["complete"] == 8
    assert set(states) <= {"complete", "interrupted"}, trials
    done = [trial["params"]["x"] for trial in trials if trial["state"] == "complete"]
    assert len(set(done)) == 8
