"""Every way in which a plugin can take part.

A plugin is a module named in the entry-point group `tunesmith`. Hooks named `register_*` contribute
components; the
others are for components that a study names: they are called on those, and on no one else.
Installing a plugin changes
nothing until a study names something of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import pluggy

if TYPE_CHECKING:
    import click

    from tunesmith.components import (
        Advisor,
        Dataset,
        Executor,
        Objective,
        Pruner,
        Reporter,
        Sampler,
        Tracker,
    )
    from tunesmith.study import Study
    from tunesmith.trial import Round, Trial

    C = TypeVar("C")
    Register = Callable[[str, type[C]], None]

hookspec = pluggy.HookspecMarker("tunesmith")
hookimpl = pluggy.HookimplMarker("tunesmith")


class Contributions:
    """Called once, when plugins are loaded.

    `register(name, class)` offers a component under a name.
    """

    @hookspec
    def register_samplers(self, register: Register[Sampler]) -> None:
        """Offer samplers, used as `sampler: NAME`."""

    @hookspec
    def register_pruners(self, register: Register[Pruner]) -> None:
        """Offer pruners, used as `pruner: NAME`."""

    @hookspec
    def register_executors(self, register: Register[Executor]) -> None:
        """Offer executors, used as `executor: NAME`."""

    @hookspec
    def register_trackers(self, register: Register[Tracker]) -> None:
        """Offer trackers, used as `trackers: [NAME]`."""

    @hookspec
    def register_reporters(self, register: Register[Reporter]) -> None:
        """Offer reporters, used as `reporters: [NAME]`."""

    @hookspec
    def register_objectives(self, register: Register[Objective]) -> None:
        """Offer objectives, used as `objective: {use: NAME}`."""

    @hookspec
    def register_datasets(self, register: Register[Dataset]) -> None:
        """Offer datasets, used as `dataset: {use: NAME}`."""

    @hookspec
    def register_advisors(self, register: Register[Advisor]) -> None:
        """Offer advisors, used as `advisor: NAME`."""

    @hookspec
    def register_commands(self, cli: click.Group) -> None:
        """Add commands to `tunesmith`.

        Called for `--help` and for a command that is not built in.
        """


class Events:
    """Called while a round runs, in the tuner's process.

    What they return is ignored, but for `should_stop`.
    """

    @hookspec
    def round_started(self, study: Study, round: Round) -> None:
        """A round begins, or goes on after an interruption.

        `round.trials` are those finished before.
        """

    @hookspec
    def trial_finished(self, study: Study, trial: Trial) -> None:
        """A trial is complete, pruned or failed, and is in the record."""

    @hookspec
    def report_made(self, study: Study, name: str, wrong: str | None) -> None:
        """A reporter is done after a round's last trial; `wrong` says why, where it failed."""

    @hookspec
    def round_finished(self, study: Study, round: Round) -> None:
        """A round is over; `round.reason` says why."""

    @hookspec(firstresult=True)
    def should_stop(self, study: Study, round: Round) -> str | None:
        """Why the round should end now, or None to go on; the first reason wins.

        Asked before every new trial.
        """
