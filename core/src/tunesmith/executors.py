"""Where trials run: inline in the tuner, on threads, or in worker processes that may crash."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
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
        future.set_running_or_notify_cancel()
        _fulfil(future, function, args)
        failure = future.exception()
        if isinstance(failure, KeyboardInterrupt):
            raise failure  # it is the tuner's own Ctrl-C
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
        """Drop what waits and let the threads go; one that runs a function goes after it."""
        with suppress(queue.Empty):
            while True:
                task = self._tasks.get_nowait()
                if task:
                    _drop(task[0])
        for _ in self._threads:
            self._tasks.put(None)

    def _serve(self) -> None:
        while task := self._tasks.get():
            future, function, args = task
            if future.set_running_or_notify_cancel():
                _fulfil(future, function, args)


class Processes(Threads):
    """Runs trials in worker processes: a trial that crashes, hangs or eats memory takes only
    its worker down.

    Functions and results travel by pickle between the tuner and its own workers. The workers share
    the cores: each has as many OpenMP and BLAS threads as there are cores for it, unless
    `OMP_NUM_THREADS` and the like say otherwise.
    """

    workers: int = 1
    """How many trials run at the same time."""
    memory_mb: int | None = None
    """Address space of a worker, in MiB; a trial that wants more fails with MemoryError."""

    can_cancel: ClassVar[bool] = True

    def start(self) -> None:
        self._busy: dict[Future[Any], _Worker] = {}
        self._stopping = False
        self._lock = threading.Lock()
        super().start()

    def cancel(self, future: Future[Any]) -> None:
        if future.cancel():
            return
        with self._lock:
            worker = self._busy.pop(future, None)
            if worker:
                worker.kill()

    def stop(self) -> None:
        with self._lock:
            self._stopping = True
            for worker in self._busy.values():
                worker.kill()
        super().stop()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        """A thread for each worker: hands it tasks, waits, and replaces it when it dies."""
        worker: _Worker | None = None
        while task := self._tasks.get():
            try:
                if worker is None or not worker.process.is_alive():
                    worker = _Worker(self.memory_mb, max(1, (os.cpu_count() or 1) // self.workers))
            except OSError as error:  # no more processes or files
                if task[0].set_running_or_notify_cancel():
                    task[0].set_exception(error)
            else:
                worker = self._perform(worker, *task)
        if worker:
            worker.close()

    def _perform(
        self,
        worker: _Worker,
        future: Future[Any],
        function: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> _Worker | None:
        """Have the worker run one function; returns the worker if it can run another one."""
        with self._lock:
            if self._stopping:
                _drop(future)
                return worker
            self._busy[future] = worker
        result, failure = None, None
        try:
            worker.wait_until_ready()
            if future.set_running_or_notify_cancel():
                result, failure = worker.call(function, args)
        except Exception as error:
            failure = error
        with self._lock:
            # whoever takes the future out has the say: if `cancel` did, the worker is being killed
            kept = self._busy.pop(future, None) and not isinstance(failure, WorkerDiedError)
        if not kept:
            worker.close()
        if failure is None and future.running():
            future.set_result(result)
        elif failure and (future.running() or future.set_running_or_notify_cancel()):
            future.set_exception(failure)
        return worker if kept else None


class _Worker:
    """A process that runs one function after the other, and the pipe to it."""

    def __init__(self, memory_mb: int | None, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        # inherited by the worker: Ctrl-C is the tuner's to handle; the tracker is started first
        # because starting it lifts the block
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, memory_mb, threads), name="tunesmith-worker"
        )
        self.process.start()
        theirs.close()
        self._ready = False

    def wait_until_ready(self) -> None:
        """Wait for the worker's first word. Raises WorkerDiedError."""
        if not self._ready:
            self._receive()
            self._ready = True

    def call(
        self, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Any, BaseException | None]:
        """What the function returned, and what it raised.

        Raises WorkerDiedError, and PluginError for what cannot be sent.
        """
        try:
            self._pipe.send((function, args))
        except ConnectionError:
            raise WorkerDiedError(self._death()) from None
        except Exception as error:  # whatever the arguments' own pickling raises
            raise PluginError(
                f"this cannot be sent to a worker process: {error}; define it at the top level of "
                "a module, or use executor 'inline' or 'threads'"
            ) from error
        found: tuple[Any, BaseException | None] = self._receive()
        return found

    def _receive(self) -> Any:
        # asks for the process too: its sentinel stays silent while a child of it lives
        while not wait([self._pipe, self.process.sentinel], timeout=1):
            if not self.process.is_alive():
                break
        try:
            if self._pipe.poll():
                return self._pipe.recv()
        except (EOFError, ConnectionError):
            pass
        raise WorkerDiedError(self._death())

    def _death(self) -> str:
        self.kill()
        self.process.join()
        code = self.process.exitcode or 0
        if code >= 0:
            return f"its process ended itself with exit code {code}"
        hint = "; out of memory?" if -code == signal.SIGKILL else ""
        return f"its process was killed by {signal.Signals(-code).name}{hint}"

    def kill(self) -> None:
        """End the process and whatever it started: it leads a process group of its own."""
        assert self.process.pid is not None
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()  # it has not come so far as to lead a group

    def close(self) -> None:
        """Let the process end, and see to it that it does."""
        self._pipe.close()
        self.process.join(timeout=2)
        self.kill()
        self.process.join()


def _work(pipe: Connection, memory_mb: int | None, threads: int) -> None:
    """The worker's main loop."""
    os.setpgid(0, 0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # stdout is for the tuner's results
    for library in ("OMP", "OPENBLAS", "MKL"):
        # workers that use all cores each wait for one another: measured twenty times slower
        os.environ.setdefault(f"{library}_NUM_THREADS", str(threads))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if memory_mb is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    pipe.send("ready")
    while True:
        future: Future[Any] = Future()
        try:
            function, args = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # arguments that cannot be unpickled here
            future.set_exception(error)
        else:
            _fulfil(future, function, args)
        failure = future.exception()
        try:
            pipe.send((None if failure else future.result(), failure))
        except BrokenPipeError:
            return
        except Exception as error:  # whatever the result's own pickling raises
            pipe.send((None, TypeError(f"the result cannot be sent back: {error}")))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os.killpg(os.getpgid(0), signal.SIGKILL)


def _drop(future: Future[Any]) -> None:
    future.cancel()
    future.set_running_or_notify_cancel()


def _fulfil(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        result = function(*args)
    except BaseException as error:  # all of it belongs to whoever waits for the future
        future.set_exception(error)
    else:
        future.set_result(result)
