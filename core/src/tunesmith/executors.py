"""Where trials run: inline in the tuner, on threads, or in worker processes that may crash."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, ClassVar, TypeVar

from tunesmith.components import Executor
from tunesmith.errors import PluginError

T = TypeVar("T")
Task = tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]


class WorkerDiedError(Exception):
    """A worker process ended in the middle of a function."""


class Inline(Executor):
    """Runs each trial in the tuner's own process, one after the other."""

    def start(self) -> None:
        if self.workers != 1:
            raise PluginError(
                f"executor 'inline' has one worker, not {self.workers}; use 'processes'"
            )

    def submit(self, function: Callable[..., T], /, *args: Any) -> Future[T]:
        future: Future[T] = Future()
        _fulfil(future, function, args)
        return future


class Threads(Executor):
    """Runs trials on threads of the tuner's process: for objectives that wait for something
    else.
    """

    workers: int = 2
    """How many trials run at the same time."""

    def start(self) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"tunesmith-worker-{number}", daemon=True)
            for number in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[..., T], /, *args: Any) -> Future[T]:
        future: Future[T] = Future()
        self._tasks.put((future, function, args))
        return future

    def stop(self) -> None:
        for _ in range(self.workers):
            self._tasks.put(None)

    def _serve(self) -> None:
        while task := self._tasks.get():
            future, function, args = task
            if future.set_running_or_notify_cancel():
                _fulfil(future, function, args)


class Processes(Threads):
    """Runs trials in worker processes: a trial that crashes, hangs or eats memory takes only
    its worker down.

    Functions and results travel by pickle between the tuner and its own workers.
    """

    workers: int = 1
    """How many trials run at the same time."""
    memory_mb: int | None = None
    """Address space of a worker, in MiB; a trial that wants more fails with MemoryError."""

    can_cancel: ClassVar[bool] = True

    def start(self) -> None:
        self._busy: dict[Future[Any], BaseProcess] = {}
        self._stopping = False
        self._lock = threading.Lock()
        super().start()

    def cancel(self, future: Future[Any]) -> None:
        if future.cancel():
            return
        with self._lock:
            worker = self._busy.get(future)
            if worker:
                _kill(worker)

    def stop(self) -> None:
        with self._lock:
            self._stopping = True
            for worker in self._busy.values():
                _kill(worker)
        super().stop()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        """A thread for each worker: hands it tasks, waits, and replaces it when it dies."""
        # inherited by the worker: Ctrl-C is the tuner's to handle
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        worker: _Worker | None = None
        while task := self._tasks.get():
            future, function, args = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                worker = worker or _Worker(self.memory_mb)
                with self._lock:
                    if self._stopping:
                        raise CancelledError
                    self._busy[future] = worker.process
                future.set_result(worker.call(function, args))
            except Exception as error:
                if isinstance(error, WorkerDiedError):
                    worker = None
                future.set_exception(error)
            finally:
                with self._lock:
                    self._busy.pop(future, None)
        if worker:
            worker.close()


class _Worker:
    """A process that runs one function after the other, and the pipe to it."""

    def __init__(self, memory_mb: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, memory_mb), name="tunesmith-worker"
        )
        self.process.start()
        theirs.close()

    def call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """The function's result. Raises what it raised, or WorkerDiedError."""
        try:
            self._pipe.send((function, args))
            wait([self._pipe, self.process.sentinel])
            if not self._pipe.poll():
                raise EOFError
            result, error = self._pipe.recv()
        except (EOFError, ConnectionError):
            raise WorkerDiedError(self._death()) from None
        if error is not None:
            raise error
        return result

    def _death(self) -> str:
        self.process.join()
        self._pipe.close()
        code = self.process.exitcode or 0
        if code >= 0:
            return f"its process ended itself with exit code {code}"
        hint = "; out of memory?" if -code == signal.SIGKILL else ""
        return f"its process was killed by {signal.Signals(-code).name}{hint}"

    def close(self) -> None:
        self._pipe.close()
        self.process.join(timeout=2)
        _kill(self.process)


def _kill(process: BaseProcess) -> None:
    """End a worker and whatever it started: it leads a process group of its own."""
    if process.pid is not None and process.is_alive():
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()  # it has not come so far as to lead a group


def _work(pipe: Connection, memory_mb: int | None) -> None:
    """The worker's main loop."""
    os.setpgid(0, 0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # stdout is for the tuner's results
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if memory_mb is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    while True:
        try:
            function, args = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # arguments that cannot be unpickled here
            pipe.send((None, error))
            continue
        future: Future[Any] = Future()
        _fulfil(future, function, args)
        failure = future.exception()
        pipe.send((None if failure else future.result(), failure))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os.killpg(os.getpgid(0), signal.SIGKILL)


def _fulfil(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        result = function(*args)
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
