"""Collects evidence and notes while the tests run; everything they share on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tunesmith.expressions import Value
from tunesmith.proposals import Evidence, Note
from tunesmith_agent.statistics.surrogate import Surrogate

DRAWS = 200
"""Resampled histories that a stability rests on."""


@dataclass
class Findings:
    """Evidence so far. `depends` says whether scores depend on the parameters at all."""

    seed: int
    depends: bool = False
    surrogate: Surrogate | None = None
    evidence: list[Evidence] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator of its own for each purpose: equal seeds, equal findings."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def add(
        self,
        kind: str,
        sentence: str,
        trials: int,
        parameters: Iterable[str] = (),
        coverage: tuple[int, ...] = (),
        **numbers: float,
    ) -> str:
        """Take down a piece of evidence; returns its id."""
        id = f"E{len(self.evidence) + 1:03}"
        self.evidence.append(
            Evidence(
                id=id,
                kind=kind,
                parameters=tuple(parameters),
                numbers={name: float(f"{value:.6g}") for name, value in numbers.items()},
                trials=trials,
                coverage=coverage,
                sentence=sentence,
            )
        )
        return id

    def note(
        self,
        kind: Literal["not enough evidence", "tune jointly", "left alone", "left out"],
        sentence: str,
        *evidence: str,
        trials: int | None = None,
    ) -> None:
        """Say something that no edit follows from."""
        self.notes.append(Note(kind=kind, sentence=sentence, evidence=evidence, trials=trials))


def shown(value: Value) -> str:
    """A value as people write it: numbers in four digits, text in quotes."""
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "null"
    return f"{value:.4g}" if isinstance(value, int | float) else f"'{value}'"


def holm(p_values: dict[str, float], level: float = 0.05) -> set[str]:
    """The hypotheses that fall at a family-wise error of `level` (Holm 1979, Scand. J. Stat. 6)."""
    rejected: set[str] = set()
    for index, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        if p > level / (len(p_values) - index):
            break
        rejected.add(name)
    return rejected
