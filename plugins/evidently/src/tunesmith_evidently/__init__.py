"""Evidently for tunesmith: reports on drift and on the health of the best model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.components import Reporter
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

    from tunesmith.finished import Finished, Report
    from tunesmith.hookspecs import Register
    from tunesmith.study import Study

DRIFTED = 12
"""Exit code of `tunesmith monitor` where data drifted or the model's quality degraded."""


class Evidently(Reporter):
    """Drift between training and held-out rows, and the best model's health on both."""

    max_rows: int = 20_000
    """Rows looked at of the training data, and of the held-out rows; more are sampled by the
    study's seed.
    """
    max_columns: int = 50
    """Columns on the page about drift, those that moved most; all are compared."""

    def __post_init__(self) -> None:
        if self.max_rows < 10 or self.max_columns < 1:
            raise ValueError(
                "'max_rows' is 10 or more and 'max_columns' 1 or more, not "
                f"{self.max_rows} and {self.max_columns}"
            )

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        from tunesmith_evidently._report import write_report

        return write_report(self, study.seed, finished, folder)


@hookimpl
def register_reporters(register: Register[Reporter]) -> None:
    register("evidently", Evidently)


@hookimpl
def register_commands(cli: click.Group) -> None:
    from tunesmith_evidently.command import command

    cli.add_command(command)
