"""Where trials run: inline in the tuner, on threads, or in worker processes that may crash."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from tunesmith.components import Executor
from tunesmith.errors import PluginError
from tunesmith.workers import Worker, WorkerDiedError, fulfil

T = TypeVar("T")
Task = tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]


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
        fulfil(future, function, args)
        failure = future.exception()
        if isinstance(failure, KeyboardInterrupt):
            raise failure  # it is the tuner's own Ctrl-C
        return future


class Threads(Executor):
    """Runs trials on threads of the tuner's process: for objectives that wait for others."""

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
                fulfil(future, function, args)


class Processes(Threads):
    """Runs trials in worker processes.

    A trial that crashes, hangs or eats memory takes only its worker down.

    Functions and results travel by pickle between the tuner and its own workers. The workers share
    the cores: each has as many OpenMP and BLAS threads as there are cores for it, unless
    `OMP_NUM_THREADS` and the like say otherwise.
    """

    workers: int = 1
    """How many trials run at the same time."""
    memory_mb: int | None = None
    """Address space of a worker, in MiB; a trial that wants more fails with MemoryError."""

    can_cancel: ClassVar[bool] = True
    idle_seconds: ClassVar[float | None] = None
    """Seconds without a function after which a worker process ends itself; None: never."""

    def start(self) -> None:
        self._busy: dict[Future[Any], Worker] = {}
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
        worker: Worker | None = None
        while task := self._tasks.get():
            try:
                if worker and not worker.answers():
                    worker.close()
                    worker = None
                if worker is None:
                    threads = max(1, (os.cpu_count() or 1) // self.workers)
                    worker = Worker(self.memory_mb, threads, self.idle_seconds)
            except Exception as error:  # no more processes or files, or a script without a guard
                if task[0].set_running_or_notify_cancel():
                    task[0].set_exception(error)
            else:
                worker = self._perform(worker, *task)
        if worker:
            worker.close()

    def _perform(
        self,
        worker: Worker,
        future: Future[Any],
        function: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> Worker | None:
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


def _drop(future: Future[Any]) -> None:
    future.cancel()
    future.set_running_or_notify_cancel()
