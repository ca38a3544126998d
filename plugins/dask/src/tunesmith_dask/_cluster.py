"""A connection to a Dask cluster: hands it functions, hears when they begin and how they end."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import cloudpickle
import distributed
from distributed import Client, LocalCluster
from distributed.scheduler import KilledWorker

from tunesmith.errors import ExecutorError, PluginError
from tunesmith.remote import end, perform
from tunesmith.workers import WorkerDiedError, WorkerLostError

_PATIENCE = 10
"""Seconds in which a scheduler has to answer."""
_NOTHING = cloudpickle.dumps((int, ()))


_Done = tuple[str, "distributed.Future[Any]"]


@dataclass(slots=True)
class _Task:
    """A function that Dask has, and the worker on which it has begun."""

    future: Future[Any]
    remote: distributed.Future[Any]
    worker: str | None = None


class Cluster:
    """A client of the scheduler at an address, or of a cluster of its own."""

    def __init__(self, workers: int, address: str | None, memory_mb: int | None) -> None:
        self._memory_mb = memory_mb
        self._lock = threading.RLock()
        self._tasks: dict[str, _Task] = {}
        self._topic = f"tunesmith-{uuid4().hex}"
        with ExitStack() as open_now:
            open_now.enter_context(_silence())
            if address is None:
                own = open_now.enter_context(_own_cluster(workers))
                address = str(own.scheduler_address)
            self._address = address
            self._client: Client = open_now.enter_context(_connected(address))
            self._check_workers()
            self._left = open_now.pop_all()
        if self._client.scheduler_comm:
            # each trial waits for an answer: 10 ms of gathering are for tasks by the thousand
            self._client.scheduler_comm.interval = 0.001
        self._client.subscribe_topic(self._topic, self._began)
        self._done: SimpleQueue[_Done | None] = SimpleQueue()
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def submit(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Future[Any]:
        """The function's future; what cannot be pickled is told by it."""
        future: Future[Any] = Future()
        try:
            task = cloudpickle.dumps((function, args))
        except Exception as error:  # whatever the arguments' own pickling raises
            future.set_exception(PluginError(f"this cannot be sent to a worker: {error}"))
            return future
        token = f"tunesmith-{uuid4().hex}"
        with self._lock:
            remote = self._client.submit(
                _perform, self._topic, token, task, self._memory_mb, key=token, pure=False
            )
            self._tasks[token] = _Task(future, remote)
        remote.add_done_callback(lambda done: self._done.put((token, done)))
        return future

    def cancel(self, future: Future[Any]) -> None:
        """End a function, on its worker too where it has begun."""
        with self._lock:
            future.cancel()
            found = [token for token, task in self._tasks.items() if task.future is future]
        for token in found:
            self._end(token, WorkerDiedError("it was ended"))

    def close(self) -> None:
        """End what still runs, and leave the cluster; take one of its own down."""
        with self._lock:
            left = list(self._tasks.values())
        for task in left:
            self.cancel(task.future)
        self._done.put(None)
        self._collector.join()
        self._left.close()

    def _began(self, event: tuple[float, tuple[str, str]]) -> None:
        """Hear from a worker that it is at a function."""
        token, worker = event[1]
        with self._lock:
            task = self._tasks.get(token)
            if task is None or task.future.cancelled():
                return
            if task.worker is None:
                task.future.set_running_or_notify_cancel()
            else:
                # Dask lost the worker and begins again; whoever waits decides that anew, and counts
                # its time from then. Ended by a thread: this one is the client's own loop
                lost = WorkerLostError(f"its worker {task.worker} was lost")
                threading.Thread(target=self._end, args=(token, lost), daemon=True).start()
            task.worker = worker

    def _collect(self) -> None:
        """Pass on what is done, all results that are there at once: each fetch is a round trip."""
        while first := self._done.get():
            batch, more = [first], True
            while more and not self._done.empty():
                another = self._done.get()
                more = another is not None
                batch += [another] if another else []
            self._pass_on(batch)
            if not more:
                return

    def _pass_on(self, batch: list[_Done]) -> None:
        try:
            results = self._client.gather([remote for _, remote in batch])
        except Exception:  # of one of them, which tells it by itself
            for token, remote in batch:
                self._finished(token, remote)
        else:
            for (token, _), (result, failure) in zip(batch, results, strict=True):
                self._settle(token, result, failure)

    def _finished(self, token: str, remote: distributed.Future[Any]) -> None:
        """Pass on how a function ended, as Dask says."""
        result, failure = None, None
        try:
            result, failure = remote.result()
        except KilledWorker as error:
            failure = WorkerLostError(f"its worker {error.last_worker.address} was lost")
        except CancelledError:
            failure = ExecutorError(f"the Dask scheduler at '{self._address}' is gone")
        except Exception as error:  # whatever keeps the worker from running our functions
            failure = self._unfit(error)
        self._settle(token, result, failure)

    def _end(self, token: str, why: Exception) -> None:
        task = self._tasks.get(token)
        if task:
            # one that has not been heard of may be on any worker
            there = [task.worker] if task.worker else None
            with suppress(OSError, RuntimeError):  # who is gone has ended it already
                self._client.run(end, token, workers=there, on_error="ignore")
            self._settle(token, None, why)
            task.remote.cancel()

    def _settle(self, token: str, result: Any, failure: BaseException | None) -> None:
        with self._lock:
            task = self._tasks.pop(token, None)
            if task is None:
                return
            future = task.future
            if not future.running() and not future.set_running_or_notify_cancel():
                return
        if failure:
            future.set_exception(failure)
        else:
            future.set_result(result)

    def _check_workers(self) -> None:
        """Raise ExecutorError where a worker cannot run trials; others may come only later."""
        if self._client.scheduler_info()["workers"]:
            try:
                self._client.submit(perform, "", _NOTHING, None, pure=False).result(_PATIENCE)
            except Exception as error:  # whatever keeps the worker from it
                raise self._unfit(error) from None

    def _unfit(self, error: Exception) -> ExecutorError:
        return ExecutorError(
            f"a worker of the Dask cluster at '{self._address}' cannot run trials: "
            f"{type(error).__name__}: {error}; give it the packages that are installed here"
        )


def _perform(topic: str, token: str, task: bytes, memory_mb: int | None) -> Any:
    worker = distributed.get_worker()
    return perform(token, task, memory_mb, lambda: worker.log_event(topic, (token, worker.address)))


@contextmanager
def _own_cluster(workers: int) -> Iterator[LocalCluster]:
    """A scheduler in this process, and workers whose Ctrl-C is the tuner's to handle."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=None,  # it is limited where a trial runs, beside the worker
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        )
    except (OSError, RuntimeError) as error:
        raise ExecutorError(
            f"Dask cannot start its workers here: {error}; in a script, what runs the study "
            "belongs below 'if __name__ == \"__main__\":'"
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield cluster
    finally:
        cluster.close(timeout=_PATIENCE)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutorError(
            f"no Dask scheduler answers at '{address}': {error}; start one with 'dask scheduler', "
            "or leave 'address' out for a cluster on this machine"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=_PATIENCE)


@contextmanager
def _silence() -> Iterator[None]:
    """Without Dask's log: what goes wrong is told by exceptions."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
