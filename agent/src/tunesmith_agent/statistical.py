"""The statistical advisor: what the trials say about the space, tested before it is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.components import Advisor

if TYPE_CHECKING:
    from tunesmith.history import History
    from tunesmith.proposals import Draft, Evidence


class Statistical(Advisor):
    """Tests the range, scale and choices of every parameter against the trials there are.

    Needs no language model and no network. Thresholds were tuned once, on benchmark tasks.
    """

    exploration: float = 0.2
    """Share of the next round's trials that explore the old space and the new, quasi-randomly."""

    def advise(self, history: History) -> Draft:
        from tunesmith_agent.statistics.draft import draft

        return draft(history, self.exploration)

    def worth(self, history: History) -> Sequence[Evidence]:
        from tunesmith_agent.statistics.findings import Findings
        from tunesmith_agent.statistics.worth import worth

        findings = Findings(history.seed)
        worth(history, findings)
        return findings.evidence
