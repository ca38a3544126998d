"""Functions on the machines of a cluster, each in a process of its own beside the cluster's worker.

A function that crashes, hangs or eats memory then takes down what it started and nothing else: the
cluster's worker lives on and says what happened, as executor `processes` does. So a cluster has one
reason left to lose a function, that it lost a worker or a machine, and then it can run again.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import cache
from multiprocessing.util import Finalize
from typing import Any, ClassVar

from tunesmith.executors import Processes

_WATCH = """
import contextlib, os, signal, sys, time
leader = int(sys.argv[1])
while os.getppid() == leader:
    time.sleep(0.5)
with contextlib.suppress(ProcessLookupError):
    os.killpg(leader, signal.SIGKILL)
"""


class _Own(Processes):
    """The process of one thread of a cluster's worker. It goes when its tuner has no more work."""

    idle_seconds: ClassVar[float | None] = 60.0


_here = threading.local()
_running: dict[str, tuple[_Own, Future[Any]]] = {}


def perform(
    token: str,
    task: bytes,
    memory_mb: int | None,
    lasting: Callable[[], object] = lambda: None,
) -> tuple[Any, BaseException | None]:
    """What the function in `task` returned, and what it raised; called on the cluster's worker.

    `task` is the function with its arguments, pickled by the tuner; cloudpickle takes what a script
    or a notebook defines, too. `token` names it for `end`. `memory_mb` is the address space that it
    may use, in MiB. `lasting` is called once it has run for 0.1 s: to tell of each of many short
    ones would cost more than they do.
    """
    executor = _executor(memory_mb)
    future = executor.submit(_call, task)
    _running[token] = executor, future
    try:
        if wait([future], timeout=0.1).not_done:
            lasting()
        while wait([future], timeout=0.5).not_done:
            pass  # Ray's interruption does not reach a longer wait
        failure = future.exception()
        return None if failure else future.result(), failure
    except BaseException:  # Ray interrupts what it is told to cancel
        executor.cancel(future)
        raise
    finally:
        del _running[token]


def end(token: str) -> None:
    """End the function of that name, and what it started, if this worker runs it."""
    if token in _running:
        executor, future = _running[token]
        executor.cancel(future)


def _executor(memory_mb: int | None) -> _Own:
    found: _Own | None = getattr(_here, "executor", None)
    if found is None or found.memory_mb != memory_mb:
        if found:
            found.stop()
        multiprocessing.current_process().daemon = False  # Dask's are, and may have no children
        found = _here.executor = _Own(workers=1, memory_mb=memory_mb)
        found.start()
        Finalize(found, found.stop, exitpriority=1)  # else this process waits for its child
    return found


def _call(task: bytes) -> Any:
    _keep_watch()
    function, args = pickle.loads(task)  # noqa: S301 - from the tuner that this worker serves
    return function(*args)


@cache
def _keep_watch() -> subprocess.Popen[bytes]:
    """See to it that what this process starts ends with it.

    A cluster that gives up a worker kills the worker's children, not the children of those.
    """
    return subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _WATCH, str(os.getpid())], start_new_session=True
    )
