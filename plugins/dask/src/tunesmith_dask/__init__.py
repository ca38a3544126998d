"""Dask for tunesmith: trials on a cluster, or on workers of this machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from tunesmith.components import Executor
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.hookspecs import Register

T = TypeVar("T")


class Dask(Executor):
    """Runs trials on a Dask cluster; without an address, on one of its own on this machine.

    Each trial has a process of its own beside Dask's worker, so one that crashes, hangs or eats
    memory takes nothing else down. A trial whose worker or machine is lost runs again.
    """

    workers: int = 2
    """How many trials run at the same time; of its own cluster, also how many workers."""
    address: str | None = None
    """Address of a scheduler, `tcp://host:8786`; null: a cluster of its own, for this run."""
    memory_mb: int | None = None
    """Address space of a trial, in MiB; one that wants more fails with MemoryError."""

    can_cancel: ClassVar[bool] = True

    def start(self) -> None:
        from tunesmith_dask._cluster import Cluster

        self._cluster = Cluster(self.workers, self.address, self.memory_mb)

    def submit(self, function: Callable[..., T], /, *args: Any) -> Future[T]:
        return self._cluster.submit(function, args)

    def cancel(self, future: Future[Any]) -> None:
        self._cluster.cancel(future)

    def stop(self) -> None:
        self._cluster.close()


@hookimpl
def register_executors(register: Register[Executor]) -> None:
    register("dask", Dask)
