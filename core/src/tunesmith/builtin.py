"""The components that come with the core, registered like anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.executors import Inline, Processes, Threads
from tunesmith.hookspecs import hookimpl
from tunesmith.objectives import Command, Python
from tunesmith.pruners import Asha, Hyperband, Median, Patient, Threshold
from tunesmith.samplers import Grid, Random

if TYPE_CHECKING:
    from tunesmith.components import Executor, Objective, Pruner, Sampler
    from tunesmith.hookspecs import Register


@hookimpl
def register_samplers(register: Register[Sampler]) -> None:
    register("random", Random)
    register("grid", Grid)


@hookimpl
def register_pruners(register: Register[Pruner]) -> None:
    register("asha", Asha)
    register("hyperband", Hyperband)
    register("median", Median)
    register("patient", Patient)
    register("threshold", Threshold)


@hookimpl
def register_executors(register: Register[Executor]) -> None:
    register("inline", Inline)
    register("threads", Threads)
    register("processes", Processes)


@hookimpl
def register_objectives(register: Register[Objective]) -> None:
    register("python", Python)
    register("command", Command)
