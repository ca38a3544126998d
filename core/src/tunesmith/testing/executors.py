"""What every executor promises, as tests: subclass the contract in a test file."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from tunesmith.components import Executor
from tunesmith.evaluation import evaluate
from tunesmith.space import Params
from tunesmith.testing._tasks import (
    GOAL,
    PATIENCE,
    Draws,
    fail,
    fork_and_exit,
    kill_yourself,
    meet,
    read_pids,
    start_child_and_exit,
    start_child_and_sleep,
    touch,
    until,
    until_gone,
    wait_for,
)
from tunesmith.trial import trial_seed

_TUNER = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
executor, function, arguments = pickle.load(sys.stdin.buffer)
executor.start()
executor.submit(function, *arguments).result()
"""


class ExecutorContract:
    """Tests that any executor passes; a subclass named `Test…` says which in `make`.

    Its workers run on this machine for the test. What an executor cannot do is skipped: what needs
    several workers where `workers` is 1, what ends a running function where `can_cancel` is not
    set, what ends a worker where functions run in the tuner's own process.
    """

    workers: ClassVar[int] = 2
    """How many functions to run at the same time."""

    def make(self, workers: int) -> Executor:
        """A new executor with so many workers, not yet started."""
        raise NotImplementedError("return the executor to test")

    @pytest.fixture(scope="class")
    @classmethod
    def executor(cls) -> Iterator[Executor]:
        """One that is running; the tests that stop it have their own."""
        with cls()._started() as executor:
            yield executor

    def test_stop_leaves_nothing_behind_and_it_can_be_started_again(self) -> None:
        executor = self.make(self.workers)
        executor.start()
        self._works(executor)
        executor.stop()
        executor.stop()
        before = set(threading.enumerate())  # libraries may keep threads from their first use on
        executor.start()
        futures = [executor.submit(os.getpid) for _ in range(2 * self.workers)]
        pids = {future.result(PATIENCE) for future in futures} - {os.getpid()}
        executor.stop()
        until_gone(pids)
        until(lambda: set(threading.enumerate()) <= before, "threads are left behind")

    def test_stop_ends_what_runs(self, tmp_path: Path) -> None:
        with self._started() as executor:
            self._can_cancel(executor)
            future = executor.submit(start_child_and_sleep, str(tmp_path / "pids"))
            pids = read_pids(tmp_path / "pids")
        assert future.cancelled() or future.exception(PATIENCE) is not None
        until_gone(pids)

    def test_hands_back_the_result_of_each_function(self, executor: Executor) -> None:
        futures = [executor.submit(pow, number, 2) for number in range(20)]
        assert [future.result(PATIENCE) for future in futures] == [n * n for n in range(20)]

    @pytest.mark.parametrize("error", [ValueError("no such luck"), SystemExit(3)], ids=str)
    def test_hands_back_what_a_function_raises_and_where(
        self, executor: Executor, error: BaseException
    ) -> None:
        found = executor.submit(fail, error).exception(PATIENCE)
        assert type(found) is type(error)
        assert str(found) == str(error)
        assert "in fail" in "".join(traceback.format_exception(found))
        self._works(executor)

    def test_a_trial_comes_out_as_it_does_in_the_tuner_itself(self, executor: Executor) -> None:
        for number in range(3):
            params: Params = {"x": 0.25}
            trial = (Draws(), params, number, trial_seed(7, number), [GOAL])
            here, there = evaluate(*trial), executor.submit(evaluate, *trial).result(PATIENCE)
            assert (there.state, there.metrics, there.steps) == (
                here.state,
                here.metrics,
                here.steps,
            )

    def test_runs_as_many_functions_at_a_time_as_it_has_workers(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        if self.workers == 1:
            pytest.skip("this executor has one worker")
        futures = [
            executor.submit(meet, str(tmp_path), number, self.workers)
            for number in range(self.workers)
        ]
        assert all(future.result(2 * PATIENCE) for future in futures)

    def test_a_function_that_was_cancelled_in_time_never_runs(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        if self.workers == 1:
            pytest.skip("this executor has one worker")
        busy = [executor.submit(wait_for, str(tmp_path / "go")) for _ in range(self.workers)]
        late = executor.submit(touch, str(tmp_path / "ran"))
        executor.cancel(late)
        time.sleep(0.5)  # word of it may have to travel to a machine of a cluster
        (tmp_path / "go").touch()
        for future in busy:
            future.result(PATIENCE)
        self._works(executor)
        assert late.cancelled()
        assert not (tmp_path / "ran").exists()

    def test_cancel_ends_a_running_function_and_what_it_started(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        self._can_cancel(executor)
        future = executor.submit(start_child_and_sleep, str(tmp_path / "pids"))
        pids = read_pids(tmp_path / "pids")
        until(future.running, "the future of a function that runs does not say `running`")
        executor.cancel(future)
        assert future.cancelled() or future.exception(PATIENCE) is not None
        until_gone(pids)
        self._works(executor)

    def test_a_worker_that_ends_itself_is_an_exception_and_is_replaced(
        self, executor: Executor
    ) -> None:
        self._is_elsewhere(executor)
        for _ in range(3):
            assert executor.submit(os._exit, 3).exception(PATIENCE) is not None
        self._works(executor)

    def test_a_worker_that_is_killed_is_an_exception_and_is_replaced(
        self, executor: Executor
    ) -> None:
        self._is_elsewhere(executor)
        assert executor.submit(kill_yourself).exception(PATIENCE) is not None
        self._works(executor)

    def test_a_worker_that_is_killed_between_functions_is_replaced(
        self, executor: Executor
    ) -> None:
        self._is_elsewhere(executor)
        pid = executor.submit(os.getpid).result(PATIENCE)
        os.kill(pid, signal.SIGKILL)
        until_gone([pid])
        self._works(executor)

    @pytest.mark.parametrize("forked", [False, True], ids=["started", "forked"])
    def test_children_of_a_worker_that_dies_hold_nothing_up(
        self, executor: Executor, tmp_path: Path, forked: bool
    ) -> None:
        self._is_elsewhere(executor)
        # a forked child has all files of its parent open, the connection to the tuner too
        start = fork_and_exit if forked else start_child_and_exit
        future = executor.submit(start, str(tmp_path / "pids"))
        assert future.exception(PATIENCE) is not None
        until_gone(read_pids(tmp_path / "pids"))
        self._works(executor)

    def test_what_cannot_be_pickled_is_an_error_and_no_hang(self, executor: Executor) -> None:
        self._is_elsewhere(executor)
        assert str(executor.submit(print, threading.Lock()).exception(PATIENCE))
        assert str(executor.submit(threading.Lock).exception(PATIENCE))
        self._works(executor)

    def test_workers_die_with_their_tuner(self, executor: Executor, tmp_path: Path) -> None:
        self._is_elsewhere(executor)
        task = (self.make(1), start_child_and_sleep, (str(tmp_path / "pids"),))
        tuner = subprocess.Popen(
            [sys.executable, "-c", _TUNER], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert tuner.stdin is not None
        tuner.stdin.write(pickle.dumps(sys.path) + pickle.dumps(task))
        tuner.stdin.close()
        pids = read_pids(tmp_path / "pids")
        tuner.kill()
        tuner.wait()
        until_gone(pids)

    @contextmanager
    def _started(self) -> Iterator[Executor]:
        executor = self.make(self.workers)
        executor.start()
        try:
            yield executor
        finally:
            executor.stop()

    def _can_cancel(self, executor: Executor) -> None:
        if not executor.can_cancel:
            pytest.skip("this executor cannot end a function that runs")

    def _is_elsewhere(self, executor: Executor) -> None:
        if executor.submit(os.getpid).result(PATIENCE) == os.getpid():
            pytest.skip("this executor runs functions in the tuner's own process")

    def _works(self, executor: Executor) -> None:
        futures = [executor.submit(pow, 2, number) for number in range(2 * self.workers)]
        assert [future.result(PATIENCE) for future in futures] == [
            2**n for n in range(len(futures))
        ]
