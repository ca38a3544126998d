"""A connection to a Ray cluster: hands it functions, hears when they begin and how they end."""

from __future__ import annotations

import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import cloudpickle

# before Ray is imported, which reads them then; what the user says goes first
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# else a process that `uv run` started has its whole environment built anew for the workers
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")

import ray
from ray.exceptions import (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)

from tunesmith.errors import ConfigError, ExecutorError, PluginError
from tunesmith.remote import perform
from tunesmith.workers import WorkerDiedError, WorkerLostError

if TYPE_CHECKING:
    from tunesmith_ray import Ray

_PATIENCE = 10
"""Seconds in which a worker has to end what it is told to."""
_ABSENCE = 10
"""Seconds without a sign of the cluster after which it is gone; Ray waits for 60."""
_LOST = (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    WorkerCrashedError,
)


class Cluster:
    """Ray in this process: as it is, or begun here and ended by `close`."""

    def __init__(self, options: Ray) -> None:
        self._memory_mb = options.memory_mb
        self._lock = threading.RLock()
        self._tasks: dict[Future[Any], ray.ObjectRefGenerator] = {}
        self._threads: set[threading.Thread] = set()
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            with _own_signals():
                _begin(options)
        # a function that is lost is told to the tuner, who decides whether it runs again
        self._remote = ray.remote(
            num_cpus=options.cpus,
            num_gpus=options.gpus,
            max_retries=0,
            num_returns="streaming",
        )(_perform)
        self._closing = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Future[Any]:
        """The function's future; what cannot be pickled is told by it."""
        future: Future[Any] = Future()
        try:
            task = cloudpickle.dumps((function, args))
        except Exception as error:  # whatever the arguments' own pickling raises
            future.set_exception(PluginError(f"this cannot be sent to a worker: {error}"))
            return future
        running = self._remote.remote(task, self._memory_mb)
        thread = threading.Thread(target=self._follow, args=(future, running), daemon=True)
        with self._lock:
            self._tasks[future] = running
            self._threads.add(thread)
        thread.start()
        return future

    def cancel(self, future: Future[Any]) -> None:
        """End a function, and what it started."""
        with self._lock:
            future.cancel()
            task = self._tasks.get(future)
        if task:
            ray.cancel(task)
            self._settle(future, None, WorkerDiedError("it was ended"))

    def close(self) -> None:
        """End what still runs, and leave the cluster; take one of its own down."""
        with self._lock:
            left = list(self._tasks)
        for future in left:
            self.cancel(future)
        for thread in list(self._threads):
            thread.join(_PATIENCE)  # until the workers have ended it
        self._closing.set()
        if self._is_ours:
            ray.shutdown()

    def _follow(self, future: Future[Any], task: ray.ObjectRefGenerator) -> None:
        """Wait for what a function has to tell: that it began, then how it ended."""
        result, failure = None, None
        try:
            ray.get(next(task))
            with self._lock:
                if not future.done():
                    future.set_running_or_notify_cancel()
            result, failure = ray.get(next(task))
        except _LOST as error:
            failure = WorkerLostError(f"its worker was lost: {_first_line(error)}")
        except TaskCancelledError:
            failure = WorkerDiedError("it was ended")
        except RayTaskError as error:
            failure = ExecutorError(
                f"a worker of the Ray cluster cannot run trials: {_first_line(error.cause)}; "
                "give it the packages that are installed here"
            )
        except Exception as error:  # RayError and whatever a dying connection raises
            failure = ExecutorError(f"the Ray cluster is gone: {_first_line(error)}")
        self._settle(future, result, failure)
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _watch(self) -> None:
        """Look whether the cluster is there: Ray itself does not tell, but ends this process."""
        context = ray.get_runtime_context()
        place = _host_and_port(context.gcs_address)
        node, seen = context.get_node_id(), time.monotonic()
        while not self._closing.wait(2):
            with suppress(OSError):
                socket.create_connection(place, timeout=_PATIENCE).close()
                if any(each["Alive"] for each in ray.nodes() if each["NodeID"] == node):
                    seen = time.monotonic()
            if time.monotonic() - seen > _ABSENCE:
                self._give_up(f"the Ray cluster at '{context.gcs_address}' is gone")
                return

    def _give_up(self, reason: str) -> None:
        with self._lock:
            left, self._threads = list(self._tasks), set()
        for future in left:
            self._settle(future, None, ExecutorError(reason))

    def _settle(self, future: Future[Any], result: Any, failure: BaseException | None) -> None:
        with self._lock:
            if self._tasks.pop(future, None) is None:
                return
            if not future.running() and not future.set_running_or_notify_cancel():
                return
        if failure:
            future.set_exception(failure)
        else:
            future.set_result(result)


def _perform(task: bytes, memory_mb: int | None) -> Iterator[Any]:
    yield None  # it has begun
    yield perform("", task, memory_mb)


def _begin(options: Ray) -> None:
    """Connect to the cluster, or bring up one of our own, which only this machine can reach."""
    if options.address:
        _check_answers(options.address)
        given: dict[str, Any] = {"address": options.address}
    else:
        slots = math.ceil(options.workers * options.cpus)
        given = {"address": "local", "num_cpus": slots, "_node_ip_address": "127.0.0.1"}
        given |= {"include_dashboard": False}
    given |= {"logging_level": "error", "log_to_driver": False}
    try:
        ray.init(**{**given, **options.extra})
    except Exception as error:  # whatever keeps Ray from it
        where = f"the cluster at '{options.address}'" if options.address else "this machine"
        raise ExecutorError(f"Ray cannot be used on {where}: {_first_line(error)}") from error
    there = ray.cluster_resources().get("GPU", 0)
    if not options.address and there < options.gpus:
        ray.shutdown()
        raise ExecutorError(
            f"a trial takes {options.gpus:g} GPUs, and Ray finds {there:g} here; lower 'gpus'"
        )


def _check_answers(address: str) -> None:
    """Raise ExecutorError where nobody is: Ray itself would try for minutes, or without end."""
    try:
        socket.create_connection(_host_and_port(address), timeout=_PATIENCE).close()
    except OSError as error:
        raise ExecutorError(
            f"no Ray cluster answers at '{address}': {error}; start one with 'ray start --head', "
            "or leave 'address' out for a cluster on this machine"
        ) from None


def _host_and_port(address: str) -> tuple[str, int]:
    """Raises ConfigError where the address is not `host:port`."""
    host, _, port = address.rpartition(":")
    if "/" in host or not host or not port.isdecimal():
        raise ConfigError(
            f"'{address}' is not the address of a Ray cluster; write 'host:6379', as "
            "'ray start --head' says it, on a machine of the cluster"
        )
    return host, int(port)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM, which is the tuner's to handle."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
