"""What a finished round leaves behind: its data, the model fitted for keeps, and the reports."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.trial import Round


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset in memory: `x` of shape (rows, features), `y` of shape (rows,).

    `y` is None for rows whose target is not known.
    """

    x: Any
    y: Any

    def sampled(self, most: int, seed: int) -> Table:
        """`most` rows chosen by the seed, in their order; all where there are no more."""
        rows = self.x.shape[0]
        if rows <= most:
            return self
        places = sorted(random.Random(seed).sample(range(rows), most))
        return Table(_taken(self.x, places), _taken(self.y, places))


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best configuration, fitted once more on all training data.

    `library` names what made the model (`sklearn`), `example` is a few rows of its input, and
    `metrics` are its scores on data that the search never saw. `train` are the rows that it was
    fitted on and `test` those that it never saw, where there are any. `costs` are what it takes to
    use the model, such as its size and how long it predicts.
    """

    model: Any
    library: str
    example: Any
    metrics: dict[str, float]
    train: Table | None = None
    test: Table | None = None
    costs: dict[str, float] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, float]:
        """Scores and costs together."""
        return self.metrics | self.costs


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better one model scores than another on the same rows, with a 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a reporter made of a round.

    `files` in the order in which people should see them, `summary` what they say in a few plain
    sentences, and `metrics` the numbers that gates may ask for, by name.
    """

    files: Sequence[Path] = ()
    summary: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Finished:
    """A round that is over, with what was made of it so far.

    `earlier` are the study's rounds before it, oldest first, without their trials. `reports` are
    there once all reporters are done, by their names; `notes` say what could not be made, and why.
    A tracker that registers the model promotes it where all gates hold, unless the reports are only
    made `again`; it says in `model` what became of it.
    """

    round: Round
    fitted: Fitted | None = None
    earlier: Sequence[Round] = ()
    reports: dict[str, Report] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    index: Path | None = None
    """The page that links and sums up the reports."""
    again: bool = False
    model: str | None = None

    @property
    def files(self) -> list[Path]:
        """All files, the page that links the others first."""
        pages = [self.index] if self.index else []
        return pages + [path for report in self.reports.values() for path in report.files]


def _taken(values: Any, places: Sequence[int]) -> Any:
    if values is None:
        return None
    if hasattr(values, "iloc"):
        return values.iloc[places]
    return values[places] if hasattr(values, "shape") else [values[place] for place in places]
