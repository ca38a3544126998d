"""From a round to a better space, as people go through it: the command line, and MLflow behind."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

STUDY = """\
name: story
goals: {loss: minimize}
space:
  parameters:
    # a guess from last year
    learning_rate: {type: float, low: 0.0001, high: 0.01, log: true}  # too low?
    width: {type: float, low: 8, high: 16}
    depth: {type: int, low: 2, high: 12}
objective: {use: python, function: "objective:loss"}
executor: inline
sampler: tpe
budget: {trials: 30}
"""
OBJECTIVE = """\
from math import log10


def loss(params):
    rate = log10(params["learning_rate"]) + 1
    return rate**2 + 0.02 * (params["width"] - 20) ** 2 + 0.02 * (params["depth"] - 7) ** 2
"""
QUESTION = r"e\d+: \[a\]pprove, .*\[q\]uit: "
SETTLE_NEVER = """\
import os, signal
from tunesmith import revision
from tunesmith.cli import main

revision.settle = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
main()
"""

Start = Callable[..., "Terminal"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "objective.py").write_text(OBJECTIVE)
    return tmp_path


def call(folder: Path, *arguments: str, code: int = 0, program: tuple[str, ...] = ()) -> str:
    """What a command prints where nobody can be asked; its lines on stderr come last."""
    done = subprocess.run(
        [sys.executable, *(program or ("-m", "tunesmith")), *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr * ("json" not in arguments)


def data(folder: Path, *arguments: str) -> Any:
    return json.loads(call(folder, *arguments, "-f", "json"))


def environment() -> dict[str, str]:
    known = {
        key: value for key, value in os.environ.items() if not key.startswith(("TUNE", "MLFLOW"))
    }
    return known | {"COLUMNS": "80", "LINES": "50"}


class Terminal:
    """A command that somebody sits in front of."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.keys, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tunesmith", *arguments],
            cwd=folder,
            env=environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def until(self, pattern: str) -> str:
        """What is shown up to there and was not asked for before; empty where it ends first."""
        deadline = time.monotonic() + 240
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < deadline, f"waited for {pattern!r} after {self.shown}"
            if select.select([self.keys], [], [], 1)[0] and not self._read():
                return ""
        text, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return text

    def type(self, *lines: str) -> None:
        for line in lines:
            os.write(self.keys, f"{line}\n".encode())

    def _read(self) -> bool:
        try:
            self.shown += os.read(self.keys, 65536).decode().replace("\r\n", "\n")
        except OSError:  # how Linux says that the other end is closed
            return False
        return True


@pytest.fixture
def sit_down(folder: Path) -> Iterator[Start]:
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        started.append(Terminal(folder, *arguments))
        return started[-1]

    yield start
    for terminal in started:
        if terminal.process.poll() is None:
            os.killpg(terminal.process.pid, signal.SIGKILL)
            terminal.process.wait()
        os.close(terminal.keys)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # SQLAlchemy to MLflow
def test_a_proposal_leads_beyond_a_bound_and_every_trial_says_who_approved_it(
    folder: Path, empty_mlflow: Path
) -> None:
    shutil.copy(empty_mlflow, folder)
    with (folder / "study.yaml").open("a") as file:
        file.write("trackers: [mlflow]\n")
    first = call(folder, "run", "--advise", code=9)
    assert re.search(r"e\d learning_rate: high 0\.01 -> ", first)
    command = re.search(r"decide with 'tunesmith (.*?)'", first)
    assert command
    call(folder, *command[1].split(), "--as", "ann", "--reason", "the chart says so too")

    written = (folder / "study.yaml").read_text()
    assert "    # a guess from last year\n" in written
    assert re.search(r"high: (1|0\.[1-9])[\d.]*, log: true\}  # too low\?", written)
    assert written.endswith("\ntrackers: [mlflow]\n")

    second = call(folder, "run")
    assert "story: round 2, space v2, " in second
    assert re.search(r"carried over .*\d+ kept", second)
    assert re.search(r"advisor record\n +proposal 1: best loss .* explored\n", second)
    rounds = {number: data(folder, "trials", "--round", number) for number in ("1", "2")}
    best = {number: min(t["metrics"]["loss"] for t in found) for number, found in rounds.items()}
    assert best["2"] < best["1"] / 2
    assert sum(trial["origin"] == "exploration" for trial in rounds["2"]) == 6

    version = data(folder, "space", "history")[1]
    assert (version["proposal"], version["author"]) == (1, "ann")
    assert {item["reason"] for item in version["approved by"]} == {"the chart says so too"}
    assert any("learning_rate" in sentence for sentence in version["evidence"].values())
    assert_in_mlflow(folder)


def assert_in_mlflow(folder: Path) -> None:
    """From a run of the second round alone: which space, who approved it, on what evidence."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("story")
    assert experiment
    runs = client.search_runs([experiment.experiment_id])
    trial = next(run for run in runs if run.data.tags.get("tunesmith.trial") == "45")
    assert trial.data.tags["tunesmith.space_version"] == "2"
    number = trial.data.tags["tunesmith.proposal"]
    tag = f"tunesmith.proposal.{number}"
    [made] = client.search_runs([experiment.experiment_id], f"tags.`{tag}` LIKE '%'")
    assert made.data.tags[f"{tag}.approved_by"] == "ann"
    assert "learning_rate" in made.data.tags[f"{tag}.evidence"]
    path = client.download_artifacts(made.info.run_id, f"proposals/proposal-{number}.json")
    kept = json.loads(Path(path).read_text())
    assert kept["proposal"]["edits"]
    assert {decision["author"] for decision in kept["decisions"]} == {"ann"}


@pytest.mark.slow
def test_somebody_asks_why_changes_one_edit_and_rejects_another(
    folder: Path, sit_down: Start
) -> None:
    terminal = sit_down("run", "--advise")
    seen: list[str] = []
    while shown := terminal.until(QUESTION):
        seen += re.findall(r"^ +e\d+ (\w+: \w+)", shown, re.MULTILINE)
        if seen[-1] == "learning_rate: high":
            terminal.type("w")
            assert re.search(r"edge, from 30 trials\n.*rising ", terminal.until(QUESTION))
            terminal.type("a")
        elif seen[-1] == "width: high":
            terminal.type("e")
            terminal.until("new high.*: ")
            terminal.type("24")
            terminal.until("new low.*: ")
            terminal.type("")
        else:
            terminal.type("r")
            terminal.until("reason.*: ")
            terminal.type("deep ones are slow")
    assert terminal.process.wait(60) == 0, terminal.shown
    assert "space v2 is written to study.yaml" in terminal.shown
    assert {"learning_rate: high", "width: high"} < set(seen)
    assert "high: 24" in (folder / "study.yaml").read_text()
    decisions = data(folder, "proposals", "show")["decisions"]
    verdicts = [decision["verdict"] for decision in decisions]
    assert (verdicts.count("approve"), verdicts.count("edit")) == (1, 1)
    assert verdicts.count("reject") == len(seen) - 2


@pytest.mark.slow
def test_three_rounds_go_by_with_a_look_at_each_proposal(folder: Path, sit_down: Start) -> None:
    terminal = sit_down("run", "--advise", "--rounds", "3", "--trials", "24")
    while terminal.until(QUESTION):
        terminal.type("a")
    assert terminal.process.wait(60) == 0, terminal.shown
    rounds = data(folder, "status")
    assert [round["complete"] for round in rounds] == [24, 24, 24]
    assert rounds[-1]["best"] < rounds[0]["best"] / 4
    versions = data(folder, "space", "history")
    assert len(versions) > 1
    assert all(version["approved by"] for version in versions[1:])
    assert data(folder, "space", "diff") == []


@pytest.mark.slow
def test_what_is_rejected_comes_again_only_with_new_evidence(folder: Path) -> None:
    call(folder, "run")
    edits = {edit["parameter"] for edit in data(folder, "advise")["edits"]}
    assert "learning_rate" in edits
    call(folder, "proposals", "reject", "--as", "ann", "--reason", "we pay by the hour")
    assert (folder / "study.yaml").read_text() == STUDY
    call(folder, "run", "--trials", "33")
    again = data(folder, "advise")
    assert not edits & {edit["parameter"] for edit in again["edits"]}
    notes = [note["sentence"] for note in again["notes"] if note["kind"] == "left out"]
    assert any("ann rejected it in proposal 1: we pay by the hour" in note for note in notes)
    call(folder, "run", "--trials", "45")
    assert "learning_rate" in {edit["parameter"] for edit in data(folder, "advise")["edits"]}


@pytest.mark.slow
def test_a_decision_outlives_a_kill_before_the_study_file_is_written(folder: Path) -> None:
    call(folder, "run", "--advise", code=9)
    call(folder, "proposals", "approve", code=-signal.SIGKILL, program=("-c", SETTLE_NEVER))
    assert (folder / "study.yaml").read_text() == STUDY
    assert "story: round 2, space v2, 30 trials" in call(folder, "run")
    assert (folder / "study.yaml").read_text() != STUDY
    assert [version["proposal"] for version in data(folder, "space", "history")] == [None, 1]
