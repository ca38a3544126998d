"""Deepchecks for tunesmith: its suites on data and the best model, as a report and for gates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.components import Reporter
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.finished import Finished, Report
    from tunesmith.hookspecs import Register
    from tunesmith.study import Study


class Deepchecks(Reporter):
    """Deepchecks' suites, on whether the split is sound and the best model good everywhere.

    They run in an environment of their own, which uv makes at the first use.
    """

    max_rows: int = 10_000
    """Rows looked at of the training data, and of the held-out rows; more are sampled by the
    study's seed.
    """
    max_columns: int = 100
    """Columns looked at, those that the model needs most."""

    def __post_init__(self) -> None:
        if self.max_rows < 10 or self.max_columns < 1:
            raise ValueError(
                "'max_rows' is 10 or more and 'max_columns' 1 or more, not "
                f"{self.max_rows} and {self.max_columns}"
            )

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        from tunesmith_deepchecks._report import write_report

        return write_report(self, study.seed, finished, folder)


@hookimpl
def register_reporters(register: Register[Reporter]) -> None:
    register("deepchecks", Deepchecks)
