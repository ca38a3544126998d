"""Pictures of a finished round: what it found, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tunesmith.components import Reporter
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.finished import Finished, Report
    from tunesmith.hookspecs import Register
    from tunesmith.study import Study


class Plots(Reporter):
    """Draws what a round found, what mattered and who worked when, and a page that shows it."""

    format: Literal["png", "svg"] = "png"
    """File format of the pictures."""
    dpi: int = 120
    """Resolution of PNG pictures, 50 to 300 dots an inch."""

    def __post_init__(self) -> None:
        if not 50 <= self.dpi <= 300:
            raise ValueError(f"dpi {self.dpi} is not between 50 and 300")

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        from tunesmith_plots._report import write_report

        return write_report(study.name, finished, folder, self.format, self.dpi)


@hookimpl
def register_reporters(register: Register[Reporter]) -> None:
    register("plots", Plots)
