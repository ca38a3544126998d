"""SHAP and LIME for tunesmith: why the model says what it says, and what made the score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.components import Reporter
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.finished import Finished, Report
    from tunesmith.hookspecs import Register
    from tunesmith.study import Study


class Explain(Reporter):
    """Tells which columns the best model goes by, and which hyperparameters made the score."""

    rows: int = 200
    """Rows that SHAP explains, 10 to 5000, drawn with the study's seed from those that the model
    never saw, or else from those that it was fitted on.
    """
    local: int = 3
    """Rows that are explained one by one, with SHAP and with LIME, 0 to 10."""
    predictions: int = 300_000
    """Most predictions that are asked of a model whose trees SHAP cannot read, at least 10,000.
    LIME may take a fifth; where the rest does not suffice, SHAP explains fewer rows.
    """

    def __post_init__(self) -> None:
        if not 10 <= self.rows <= 5000:
            raise ValueError(f"rows {self.rows} is not between 10 and 5000")
        if not 0 <= self.local <= 10:
            raise ValueError(f"local {self.local} is not between 0 and 10")
        if self.predictions < 10_000:
            raise ValueError(f"predictions {self.predictions} is not at least 10000")

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        from tunesmith_explain._report import Limits, write_report

        limits = Limits(self.rows, self.local, self.predictions, finished.round.seed)
        return write_report(study.name, finished, folder, limits)


@hookimpl
def register_reporters(register: Register[Reporter]) -> None:
    register("explain", Explain)
