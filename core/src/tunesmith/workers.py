"""A worker process: the pipe to it, its main loop, and how it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from tunesmith.errors import PluginError

_READY = "ready"


class WorkerDiedError(Exception):
    """A worker process ended in the middle of a function."""


class UnsentError(PluginError):
    """A function's arguments cannot be sent to another process."""


class WorkerLostError(Exception):
    """A cluster lost a worker or its machine in the middle of a function, which can run again."""


class Worker:
    """A process that runs one function after the other, and the pipe to it.

    With `idle` it ends itself after so many seconds without one.
    """

    def __init__(self, memory_mb: int | None, threads: int, idle: float | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        # inherited by the worker: Ctrl-C is the tuner's to handle; the tracker is started first
        # because starting it lifts the block
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, memory_mb, threads, idle), name="tunesmith-worker"
        )
        self.process.start()
        theirs.close()
        self._ready = False

    def wait_until_ready(self) -> None:
        """Wait for the worker's first word. Raises WorkerDiedError."""
        if not self._ready:
            self._receive()
            self._ready = True

    def answers(self) -> bool:
        """Whether an idle worker is still there; the system may have killed it for its memory."""
        try:
            self._pipe.send(None)
            return bool(wait([self._pipe], timeout=10)) and self._pipe.recv() == _READY
        except (EOFError, OSError):
            return False

    def call(
        self, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Any, BaseException | None]:
        """What the function returned, and what it raised.

        Raises WorkerDiedError, and UnsentError.
        """
        try:
            self._pipe.send((function, args))
        except ConnectionError:
            raise WorkerDiedError(self._death()) from None
        except Exception as error:  # whatever the arguments' own pickling raises
            raise UnsentError(
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


def _work(pipe: Connection, memory_mb: int | None, threads: int, idle: float | None) -> None:
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
    pipe.send(_READY)
    while pipe.poll(idle):
        try:
            task = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # arguments that cannot be unpickled here
            answer: Any = (None, error)
        else:
            answer = _READY if task is None else _perform(*task)
        try:
            pipe.send(answer)
        except BrokenPipeError:
            return
        except Exception as error:  # whatever the result's own pickling raises
            pipe.send((None, TypeError(f"the result cannot be sent back: {error}")))


def _perform(
    function: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Any, BaseException | None]:
    """What the function returned, and what it raised."""
    future: Future[Any] = Future()
    fulfil(future, function, args)
    failure = future.exception()
    if failure is None:
        return future.result(), None
    # a pickled exception loses its traceback, not its notes
    failure.add_note("".join(traceback.format_exception(failure)))
    return None, failure


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os.killpg(os.getpgid(0), signal.SIGKILL)


def fulfil(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Run the function, and set its result or whatever it raises on the future."""
    try:
        result = function(*args)
    except BaseException as error:  # all of it belongs to whoever waits for the future
        future.set_exception(error)
    else:
        future.set_result(result)
