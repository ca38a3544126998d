"""What every executor promises, as tests: subclass the contract in a test file."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from tunesmith.components import Executor

PATIENCE = 60
"""Seconds after which something that should happen counts as hanging, also on a busy machine."""
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

    def test_hands_back_the_result_of_each_function(self) -> None:
        with self._started() as executor:
            futures = [executor.submit(pow, number, 2) for number in range(20)]
            assert [future.result(PATIENCE) for future in futures] == [n * n for n in range(20)]

    @pytest.mark.parametrize("error", [ValueError("no such luck"), SystemExit(3)], ids=str)
    def test_hands_back_what_a_function_raises(self, error: BaseException) -> None:
        with self._started() as executor:
            future = executor.submit(_raise, error)
            assert type(future.exception(PATIENCE)) is type(error)
            assert str(future.exception()) == str(error)
            self._works(executor)

    def test_runs_as_many_functions_at_a_time_as_it_has_workers(self, tmp_path: Path) -> None:
        if self.workers == 1:
            pytest.skip("this executor has one worker")
        with self._started() as executor:
            futures = [
                executor.submit(_meet, str(tmp_path), number, self.workers)
                for number in range(self.workers)
            ]
            assert all(future.result(2 * PATIENCE) for future in futures)

    def test_a_function_that_was_cancelled_in_time_never_runs(self, tmp_path: Path) -> None:
        if self.workers == 1:
            pytest.skip("this executor has one worker")
        with self._started(workers=1) as executor:
            first = executor.submit(_wait_for, str(tmp_path / "go"))
            second = executor.submit(_touch, str(tmp_path / "ran"))
            executor.cancel(second)
            (tmp_path / "go").touch()
            first.result(PATIENCE)
            self._works(executor)
            assert second.cancelled()
            assert not (tmp_path / "ran").exists()

    def test_cancel_ends_a_running_function_and_what_it_started(self, tmp_path: Path) -> None:
        with self._started(can_cancel=True) as executor:
            future = executor.submit(_start_child_and_sleep, str(tmp_path / "pids"))
            pids = _read_pids(tmp_path / "pids")
            _until(future.running, "the future of a function that runs does not say `running`")
            executor.cancel(future)
            assert future.cancelled() or future.exception(PATIENCE) is not None
            _until_gone(pids)
            self._works(executor)

    def test_a_worker_that_ends_itself_is_an_exception_and_is_replaced(self) -> None:
        with self._started(elsewhere=True) as executor:
            for _ in range(3):
                assert executor.submit(os._exit, 3).exception(PATIENCE) is not None
            self._works(executor)

    def test_a_worker_that_is_killed_is_an_exception_and_is_replaced(self) -> None:
        with self._started(elsewhere=True) as executor:
            assert executor.submit(_kill_yourself).exception(PATIENCE) is not None
            self._works(executor)

    def test_a_worker_that_is_killed_between_functions_is_replaced(self) -> None:
        with self._started(elsewhere=True, workers=1) as executor:
            pid = executor.submit(os.getpid).result(PATIENCE)
            os.kill(pid, signal.SIGKILL)
            _until_gone([pid])
            self._works(executor)

    @pytest.mark.parametrize("forked", [False, True], ids=["started", "forked"])
    def test_children_of_a_worker_that_dies_hold_nothing_up(
        self, tmp_path: Path, forked: bool
    ) -> None:
        with self._started(elsewhere=True) as executor:
            # a forked child has all files of its parent open, the connection to the tuner too
            start = _fork_and_exit if forked else _start_child_and_exit
            future = executor.submit(start, str(tmp_path / "pids"))
            assert future.exception(PATIENCE) is not None
            _until_gone(_read_pids(tmp_path / "pids"))
            self._works(executor)

    def test_what_cannot_be_pickled_is_an_error_and_no_hang(self) -> None:
        with self._started(elsewhere=True) as executor:
            future = executor.submit(_raise, lambda: None)
            assert str(future.exception(PATIENCE))
            future = executor.submit(_unpicklable)
            assert str(future.exception(PATIENCE))
            self._works(executor)

    def test_stop_leaves_no_process_and_no_thread_behind(self) -> None:
        before = threading.active_count()
        with self._started() as executor:
            futures = [executor.submit(os.getpid) for _ in range(2 * self.workers)]
            pids = {future.result(PATIENCE) for future in futures} - {os.getpid()}
        _until_gone(pids)
        _until(lambda: threading.active_count() <= before, "threads are left behind")

    def test_stop_ends_what_runs(self, tmp_path: Path) -> None:
        with self._started(can_cancel=True) as executor:
            future = executor.submit(_start_child_and_sleep, str(tmp_path / "pids"))
            pids = _read_pids(tmp_path / "pids")
        assert future.cancelled() or future.exception(PATIENCE) is not None
        _until_gone(pids)

    def test_can_be_stopped_twice_and_started_again(self) -> None:
        executor = self.make(self.workers)
        for _ in range(2):
            executor.start()
            self._works(executor)
            executor.stop()
            executor.stop()

    def test_workers_die_with_their_tuner(self, tmp_path: Path) -> None:
        with self._started(elsewhere=True):
            pass
        task = (self.make(1), _start_child_and_sleep, (str(tmp_path / "pids"),))
        tuner = subprocess.Popen(
            [sys.executable, "-c", _TUNER], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert tuner.stdin is not None
        tuner.stdin.write(pickle.dumps(sys.path) + pickle.dumps(task))
        tuner.stdin.close()
        pids = _read_pids(tmp_path / "pids")
        tuner.kill()
        tuner.wait()
        _until_gone(pids)

    @contextmanager
    def _started(
        self, workers: int | None = None, can_cancel: bool = False, elsewhere: bool = False
    ) -> Iterator[Executor]:
        """A running executor; skips the test where it cannot do what the test is about."""
        executor = self.make(workers or self.workers)
        if can_cancel and not executor.can_cancel:
            pytest.skip("this executor cannot end a function that runs")
        executor.start()
        try:
            if elsewhere and executor.submit(os.getpid).result(PATIENCE) == os.getpid():
                pytest.skip("this executor runs functions in the tuner's own process")
            yield executor
        finally:
            executor.stop()

    def _works(self, executor: Executor) -> None:
        futures = [executor.submit(pow, 2, number) for number in range(2 * self.workers)]
        assert [future.result(PATIENCE) for future in futures] == [
            2**n for n in range(len(futures))
        ]


def _raise(error: BaseException) -> object:
    raise error


def _unpicklable() -> Callable[[], None]:
    return lambda: None


def _kill_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _touch(path: str) -> None:
    Path(path).touch()


def _wait_for(path: str) -> None:
    _until(Path(path).exists, f"{path} does not come")


def _meet(folder: str, number: int, count: int) -> bool:
    """Wait until `count` functions are here at the same time."""
    Path(folder, str(number)).touch()
    _until(lambda: len(os.listdir(folder)) >= count, "the others do not come")
    return True


def _start_child(path: str) -> None:
    child = subprocess.Popen(["sleep", "600"])
    _write_pids(path, child.pid)


def _start_child_and_sleep(path: str) -> None:
    _start_child(path)
    time.sleep(600)


def _start_child_and_exit(path: str) -> None:
    _start_child(path)
    os._exit(3)


def _fork_and_exit(path: str) -> None:
    child = os.fork()
    if child == 0:
        time.sleep(600)
    _write_pids(path, child)
    os._exit(3)


def _write_pids(path: str, child: int) -> None:
    Path(f"{path}.new").write_text(f"{os.getpid()} {child}")
    os.rename(f"{path}.new", path)


def _read_pids(path: Path) -> list[int]:
    _until(path.exists, "the function does not run")
    return [int(pid) for pid in path.read_text().split()]


def _until_gone(pids: Iterable[int]) -> None:
    for pid in pids:
        _until(partial(_gone, pid), f"process {pid} is left behind")


def _gone(pid: int) -> bool:
    with suppress(FileNotFoundError):
        # dead, and waiting for a parent that takes note
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _until(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.01)
