"""The executor contract catches broken promises, and is short to use."""

import subprocess
import sys
import threading
from concurrent.futures import Future
from inspect import signature

import pytest

from tunesmith.executors import Inline, Processes, Threads
from tunesmith.testing import ExecutorContract


class Forgetful(Threads):
    """Hands back nothing but None."""

    def submit(self, function, /, *args):
        return super().submit(id, function) if args else super().submit(function)


class Forgiving(Inline):
    """Takes an exception for a result."""

    def submit(self, function, /, *args):
        future = super().submit(function, *args)
        if future.exception() is None:
            return future
        fine = Future()
        fine.set_result(None)
        return fine


class Serial(Threads):
    """Has one thread, whatever it is asked for."""

    def start(self):
        self.workers = 1
        super().start()


class Stubborn(Processes):
    """Does not end anything."""

    def cancel(self, future):
        pass


class Secretive(Threads):
    """Leaves its threads behind."""

    def start(self):
        super().start()
        self.lock = threading.Event()
        threading.Thread(target=self.lock.wait, args=(4,), daemon=True).start()


class Mortal(Threads):
    """Cannot be stopped twice."""

    def stop(self):
        super().stop()
        del self._tasks


BREACHES = [
    (Forgetful, "test_hands_back_the_result_of_each_function"),
    (Forgiving, "test_hands_back_what_a_function_raises_and_where"),
    (Serial, "test_runs_as_many_functions_at_a_time_as_it_has_workers"),
    (Stubborn, "test_a_function_that_was_cancelled_in_time_never_runs"),
    (Stubborn, "test_cancel_ends_a_running_function_and_what_it_started"),
    (Secretive, "test_stop_leaves_nothing_behind_and_it_can_be_started_again"),
    (Mortal, "test_stop_leaves_nothing_behind_and_it_can_be_started_again"),
]


@pytest.mark.parametrize(("kind", "promise"), BREACHES, ids=lambda value: str(value)[-40:])
def test_a_broken_promise_is_caught(kind, promise, tmp_path, monkeypatch):
    for module in "executors", "_tasks":
        patience = 3 if kind is Stubborn else 1
        monkeypatch.setattr(f"tunesmith.testing.{module}.PATIENCE", patience)

    class Contract(ExecutorContract):
        workers = 1 if issubclass(kind, Inline) else 2

        def make(self, workers):
            return kind(workers=workers)

    test = getattr(Contract(), promise)
    executor = Contract().make(Contract.workers)
    executor.start()
    arguments = {"tmp_path": tmp_path, "error": ValueError("no such luck"), "executor": executor}
    try:
        with pytest.raises((AssertionError, AttributeError, TimeoutError)):
            test(**{name: arguments[name] for name in signature(test).parameters})
    finally:
        executor.stop()


def test_a_third_party_needs_a_dozen_lines(tmp_path):
    (tmp_path / "test_theirs.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from tunesmith.components import Executor\n"
        "from tunesmith.testing import ExecutorContract\n\n\n"
        "class Theirs(Executor):\n"
        "    def start(self):\n        self.pool = ThreadPoolExecutor(self.workers)\n\n"
        "    def submit(self, function, /, *args):\n"
        "        return self.pool.submit(function, *args)\n\n"
        "    def stop(self):\n        self.pool.shutdown(cancel_futures=True)\n\n\n"
        "class TestTheirs(ExecutorContract):\n"
        "    def make(self, workers):\n        return Theirs(workers=workers)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "."],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "7 passed, 9 skipped" in done.stdout, done.stdout
