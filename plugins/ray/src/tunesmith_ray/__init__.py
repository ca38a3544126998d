"""Ray for tunesmith: trials on a cluster, or on workers of this machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from tunesmith.components import Executor
from tunesmith.errors import PluginError
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.hookspecs import Register

T = TypeVar("T")


class Ray(Executor):
    """Runs trials on a Ray cluster; without an address, on one of its own on this machine.

    Each trial has a process of its own beside Ray's worker, so one that crashes, hangs or eats
    memory takes nothing else down. A trial whose worker or machine is lost runs again. Where Ray
    runs in this process already, as in a notebook, it is used as it is.
    """

    workers: int = 2
    """How many trials run at the same time."""
    address: str | None = None
    """Address of a cluster, `host:6379`; null: a cluster of its own, for this run."""
    cpus: float = 1.0
    """CPUs of the cluster that a trial takes."""
    gpus: float = 0.0
    """GPUs of the cluster that a trial takes; 0.5: two trials share one."""
    memory_mb: int | None = None
    """Address space of a trial, in MiB; one that wants more fails with MemoryError."""
    extra: dict[str, Any] = field(default_factory=dict)
    """More arguments for `ray.init`, such as `runtime_env`."""

    can_cancel: ClassVar[bool] = True

    def start(self) -> None:
        from tunesmith_ray._cluster import Cluster

        for name in ("cpus", "gpus"):
            if getattr(self, name) < 0:
                raise PluginError(f"{name} {getattr(self, name)} is less than none")
        self._cluster = Cluster(self)

    def submit(self, function: Callable[..., T], /, *args: Any) -> Future[T]:
        return self._cluster.submit(function, args)

    def cancel(self, future: Future[Any]) -> None:
        self._cluster.cancel(future)

    def stop(self) -> None:
        self._cluster.close()


@hookimpl
def register_executors(register: Register[Executor]) -> None:
    register("ray", Ray)
