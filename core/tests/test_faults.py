"""Objectives that fail in every way there is, in worker processes: the round goes on."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tuning import registry_of, study_of

from tunesmith.errors import RoundFailedError
from tunesmith.loop import run
from tunesmith.objectives import Python
from tunesmith.trial import TrialState

REASONS = {
    "raises": "ValueError: shapes differ (",
    "returns_nan": "the objective returned nan for 'loss'",
    "returns_inf": "the objective returned inf for 'loss'",
    "returns_text": "the objective returned '0.93' for 'loss', which is not a number",
    "returns_nothing": "the objective returned nothing; return 'loss'",
    "returns_another_metric": "the objective returned no 'loss', only accuracy",
    "hangs": "it took longer than 2 s",
    "hangs_without_the_interpreter": "it took longer than 2 s",
    "leaves_by_sys_exit": "SystemExit: enough (",
    "ends_its_process": "its process ended itself with exit code 9",
    "is_killed": "its process was killed by SIGKILL; out of memory?",
    "crashes": "its process was killed by SIGSEGV",
    "eats_memory": "MemoryError (",
    "raises_what_no_one_catches": "GeneratorExit: odd (",
}
FINE = {"fine": 1.0, "prints_a_lot": 2.0}


def faulty_study(folder, faults, **budget):
    return study_of(
        folder,
        space={"parameters": {"fault": {"type": "categorical", "choices": faults}}},
        sampler="grid",
        executor={"use": "processes", "workers": 2, "memory_mb": 1_000},
        budget={"trials": len(faults), "trial_seconds": 2, "max_failures": 20, **budget},
    )


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """A round with a trial of every fault, by the name of the fault."""
    study = faulty_study(tmp_path_factory.mktemp("faults"), [*REASONS, *FINE])
    result = run(study, Python(function="faulty:of_every_kind"), registry_of())
    assert result.reason == f"all {len(REASONS) + len(FINE)} trials are done"
    return {trial.params["fault"]: trial for trial in result.trials}


@pytest.mark.parametrize("fault", REASONS)
def test_a_fault_is_a_failed_trial_with_its_reason(trials, fault):
    assert trials[fault].state is TrialState.FAILED
    assert REASONS[fault] in trials[fault].error


@pytest.mark.parametrize("fault", FINE)
def test_the_round_goes_on_beside_faults(trials, fault):
    assert trials[fault].metrics == {"loss": FINE[fault]}


def test_a_traceback_points_to_the_line_that_raised(trials):
    line = Path(__file__).with_name("faulty.py").read_text().splitlines()
    number = line.index('    raise ValueError("shapes differ")') + 1
    assert trials["raises"].error.endswith(f"faulty.py:{number})")


def test_a_trial_that_hangs_is_ended_soon(trials):
    assert 2 <= trials["hangs"].seconds < 60


def test_nothing_but_failures_ends_the_round(tmp_path):
    study = faulty_study(tmp_path, list(REASONS)[:6], max_failures=3)
    with pytest.raises(RoundFailedError, match="3 trials in a row failed, the last one") as caught:
        run(study, Python(function="faulty:of_every_kind"), registry_of())
    assert caught.value.exit_code == 7
    assert "what was recorded is kept" in str(caught.value)


def test_a_worker_with_next_to_no_memory_is_a_failure_and_no_hang(tmp_path):
    study = faulty_study(tmp_path, list(FINE), max_failures=1)
    executor = study.executor.model_copy(update={"memory_mb": 1})
    study = study.model_copy(update={"executor": executor})
    with pytest.raises(RoundFailedError, match="with: MemoryError"):
        run(study, Python(function="faulty:of_every_kind"), registry_of())


COMMAND = """
name: faulty
goals: {loss: minimize}
space:
  parameters: {x: {type: float, low: 0, high: 1}}
objective: {use: python, function: "objective:loss"}
budget: {trials: 20, max_failures: 4}
"""


def test_the_command_ends_with_code_7_and_no_traceback(tmp_path):
    (tmp_path / "study.yaml").write_text(COMMAND)
    (tmp_path / "objective.py").write_text("def loss(params): return 1 / 0")
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert done.returncode == 7, done.stderr
    assert "4 trials in a row failed" in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 60
