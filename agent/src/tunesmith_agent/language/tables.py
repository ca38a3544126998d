"""Tables that are computed from a history: what a language model reads, and may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.edits import apply, phrase
from tunesmith.errors import ConfigError, SpaceError, did_you_mean
from tunesmith.history import History
from tunesmith.parameters import Categorical, Parameter
from tunesmith.proposals import Edit, Evidence
from tunesmith.space import SearchSpace
from tunesmith.trial import Trial, TrialState
from tunesmith_agent.statistics.findings import Findings, shown
from tunesmith_agent.statistics.forecast import what_if
from tunesmith_agent.statistics.snapshot import Snapshot
from tunesmith_agent.statistics.surrogate import DEPENDS, Surrogate

Row = dict[str, Any]
PARTS = 5
"""Parts that a range is cut into, on its own scale."""


class Tables:
    """Answers from the trials of one history, never from anywhere else."""

    def __init__(self, history: History, evidence: Sequence[Evidence] = ()) -> None:
        self.history = history
        self.evidence = evidence
        self.snapshot = Snapshot.of(history)

    def best_trials(self, count: int = 5) -> list[Row]:
        """The best trials with params and scores, best first."""
        best = self.history.ranked[: max(1, min(count, 20))]
        return [{"trial": trial.number, **self._scores(trial), **trial.params} for trial in best]

    def marginal(self, parameter: str) -> list[Row]:
        """How the trials score along one parameter: in each fifth of its range, or by choice."""
        column = self._column(parameter)
        labels, cells = self._cells(column)
        return [
            {parameter: label, **self._summary(np.flatnonzero(cells == cell))}
            for cell, label in enumerate(labels)
        ]

    def interaction(self, first: str, second: str) -> list[Row]:
        """How the trials score over two parameters together; cells without trials left out."""
        columns = self._column(first), self._column(second)
        (rows, one), (across, other) = (self._cells(column) for column in columns)
        found = []
        for i, row in enumerate(rows):
            for j, label in enumerate(across):
                inside = np.flatnonzero((one == i) & (other == j))
                if len(inside):
                    found.append({first: row, second: label, **self._summary(inside)})
        return found

    def failures(self) -> Row:
        """How many trials failed, and where. What they said is left out: anybody may write it."""
        failed = [trial for trial in self.history.trials if trial.state is TrialState.FAILED]
        return {
            "failed": len(failed),
            "of": len(self.history.trials),
            "latest": [dict(trial.params) for trial in failed[-5:]],
        }

    def coverage(self, parameter: str) -> Row:
        """How many scored trials lie in each tenth of a range, from low to high."""
        return {
            "parameter": parameter,
            "trials": list(self.snapshot.coverage(self._column(parameter))),
        }

    def simulate(self, edits: Sequence[Edit]) -> Row:
        """Edits replayed against the trials: how many of the best stay, the size of the space."""
        findings = Findings(self.history.seed)
        rows = [row for row in self.evidence if row.kind == "dependence"]
        if any(row.numbers["p_value"] <= DEPENDS for row in rows):
            findings.depends, findings.surrogate = True, Surrogate.fit(self.snapshot)
        return what_if(self.snapshot, list(edits), findings).model_dump(mode="json")

    def earlier_decisions(self) -> list[Row]:
        """What was decided about edits before, latest last."""
        return [
            {
                "proposal": reviewed.proposal.number,
                "edit": phrase(_before(self.history.space, edit), edit),
                "verdict": str(decision.verdict),
                "by": decision.author,
                "reason": decision.reason,
            }
            for reviewed in self.history.proposals
            for decision in reviewed.decisions
            if (edit := reviewed.proposal.edit(decision.edit))
        ]

    def _column(self, parameter: str) -> int:
        if parameter not in self.snapshot.names:
            hint = did_you_mean(parameter, self.snapshot.names)
            raise ConfigError(f"there is no parameter '{parameter}'{hint}")
        return self.snapshot.names.index(parameter)

    def _cells(self, column: int) -> tuple[list[str], NDArray[np.intp]]:
        """The labels of a parameter's cells, and the cell of each trial; -1 where it is off."""
        parameter, positions = self.snapshot.parameter(column), self.snapshot.x[:, column]
        count = len(parameter.choices) if isinstance(parameter, Categorical) else PARTS
        cells = np.minimum(np.nan_to_num(positions, nan=0.0) * count, count - 1).astype(np.intp)
        return _labels(parameter, count), np.where(np.isnan(positions), -1, cells)

    def _summary(self, rows: NDArray[np.intp]) -> Row:
        good = int(np.isin(rows, self.snapshot.good).sum())
        found: Row = {"trials": len(rows), "good": good}
        if len(rows):
            best = rows[np.argmax(self.snapshot.z[rows])]
            found["best"] = self._scores(self.snapshot.trials[best])
        return found

    def _scores(self, trial: Trial) -> Row:
        scores = {
            goal.metric: float(f"{trial.metrics[goal.metric]:.5g}") for goal in self.history.goals
        }
        far = {"beyond limits": float(f"{trial.violation:.3g}")} if trial.violation else {}
        return scores | far


def _before(space: SearchSpace, edit: Edit) -> SearchSpace:
    """The space as an earlier edit found it, as far as the edit is concerned."""
    try:
        return apply(space, [edit.inverse]) if edit.inverse else space
    except SpaceError:  # it is like that now, or its parameter is gone
        return space


def _labels(parameter: Parameter, count: int) -> list[str]:
    if isinstance(parameter, Categorical):
        return [shown(choice) for choice in parameter.choices]
    edges = [shown(parameter.at(index / count)) for index in range(count + 1)]
    return [f"{low} to {high}" for low, high in pairwise(edges)]
