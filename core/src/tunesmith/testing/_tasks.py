"""What the contract for executors has them run, and how it waits for what becomes of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tunesmith.components import Objective
from tunesmith.evaluation import TrialContext
from tunesmith.space import Params
from tunesmith.trial import Direction, Goal

PATIENCE = 60
"""Seconds after which something that should happen counts as hanging, also on a busy machine."""
GOAL = Goal("loss", Direction.MINIMIZE)


def fail(error: BaseException) -> object:
    raise error


class Draws(Objective):
    """Its metric depends on the params and the seed."""

    def evaluate(self, params: Params, trial: TrialContext) -> float:
        trial.report(1, 0.5)
        return float(str(params["x"])) + random.Random(trial.seed).random()


def kill_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def touch(path: str) -> None:
    Path(path).touch()


def wait_for(path: str) -> None:
    until(Path(path).exists, f"{path} does not come")


def meet(folder: str, number: int, count: int) -> bool:
    """Wait until `count` functions are here at the same time."""
    Path(folder, str(number)).touch()
    until(lambda: len(os.listdir(folder)) >= count, "the others do not come")
    return True


def start_child(path: str) -> None:
    child = subprocess.Popen(["sleep", "600"])
    write_pids(path, child.pid)


def start_child_and_sleep(path: str) -> None:
    start_child(path)
    time.sleep(600)


def start_child_and_exit(path: str) -> None:
    start_child(path)
    os._exit(3)


def fork_and_exit(path: str) -> None:
    child = os.fork()
    if child == 0:
        time.sleep(600)
    write_pids(path, child)
    os._exit(3)


def write_pids(path: str, child: int) -> None:
    Path(f"{path}.new").write_text(f"{os.getpid()} {child}")
    os.rename(f"{path}.new", path)


def read_pids(path: Path) -> list[int]:
    until(path.exists, "the function does not run")
    return [int(pid) for pid in path.read_text().split()]


def until_gone(pids: Iterable[int]) -> None:
    for pid in pids:
        until(partial(gone, pid), f"process {pid} is left behind")


def gone(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):  # the latter while it goes
        # dead, and waiting for a parent that takes note
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def until(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.01)
