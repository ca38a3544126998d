"""The executors of the core pass the contract, and the processes one does a little more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.errors import PluginError
from tunesmith.executors import Inline, Processes, Threads
from tunesmith.testing import ExecutorContract


class TestInline(ExecutorContract):
    workers = 1

    def make(self, workers):
        return Inline(workers=workers)


class TestThreads(ExecutorContract):
    def make(self, workers):
        return Threads(workers=workers)


class TestProcesses(ExecutorContract):
    def make(self, workers):
        return Processes(workers=workers)


@pytest.fixture
def processes():
    executor = Processes(workers=1)
    executor.start()
    yield executor
    executor.stop()


def test_inline_refuses_more_than_one_worker():
    with pytest.raises(PluginError, match="one worker, not 2; use 'processes'"):
        Inline(workers=2).start()


def test_a_death_says_how(processes):
    assert "ended itself with exit code 3" in str(processes.submit(os._exit, 3).exception(60))
    future = processes.submit(signal.raise_signal, signal.SIGKILL)
    assert "killed by SIGKILL; out of memory?" in str(future.exception(60))


def test_what_cannot_be_sent_says_the_way_out(processes):
    error = processes.submit(pow, lambda: 1).exception(60)
    assert isinstance(error, PluginError)
    assert "at the top level of a module" in str(error)


def test_what_cannot_be_sent_back_says_so(processes):
    error = processes.submit(compile, "1", "text", "eval").exception(60)
    assert "the result cannot be sent back" in str(error)


def test_a_worker_has_no_more_memory_than_it_is_given():
    executor = Processes(memory_mb=500)
    executor.start()
    try:
        assert isinstance(executor.submit(bytes, 800 << 20).exception(60), MemoryError)
        assert len(executor.submit(bytes, 10 << 20).result(60)) == 10 << 20
    finally:
        executor.stop()


def test_the_output_of_a_worker_stays_out_of_the_results():
    code = (
        "from tunesmith.executors import Processes\n"
        "executor = Processes(); executor.start()\n"
        "executor.submit(print, 'noise').result(60); executor.stop(); print('result')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "result\n"
    assert "noise" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_ctrl_c_is_the_tuners_to_handle_from_a_workers_first_moment(processes):
    status = Path("/proc/self/status")
    blocked = processes.submit(Path.read_text, status).result(60).partition("SigBlk:")[2]
    assert int(blocked.split()[0], 16) & 1 << (signal.SIGINT - 1)


def test_cancelling_a_function_that_is_done_spares_the_next_one(processes):
    for _ in range(50):
        done = processes.submit(os.getpid)
        done.result(60)
        processes.cancel(done)
        assert processes.submit(pow, 2, 2).result(60) == 4


def test_a_crash_costs_no_more_than_a_new_worker(processes):
    assert processes.submit(os.getpid).result(60) == processes.submit(os.getpid).result(60)
    started = time.monotonic()
    processes.submit(os._exit, 1).exception(60)
    assert time.monotonic() - started < 5


def test_workers_share_the_cores_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    executor = Processes(workers=2)
    executor.start()
    try:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result(60) == str(
            max(1, (os.cpu_count() or 1) // 2)
        )
        assert executor.submit(os.getenv, "OPENBLAS_NUM_THREADS").result(60) == "7"
    finally:
        executor.stop()
