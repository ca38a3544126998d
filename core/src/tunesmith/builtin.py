"""The components that come with the core, registered like anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.hookspecs import hookimpl
from tunesmith.samplers import Grid, Random

if TYPE_CHECKING:
    from tunesmith.components import Sampler
    from tunesmith.hookspecs import Register


@hookimpl
def register_samplers(register: Register[Sampler]) -> None:
    register("random", Random)
    register("grid", Grid)
