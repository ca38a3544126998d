"""When a round ends: the budget of a study, asked through the hook `should_stop` like anyone's
rule.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tunesmith.hookspecs import hookimpl
from tunesmith.trial import TrialState, best_trial

if TYPE_CHECKING:
    from tunesmith.study import Study
    from tunesmith.trial import Round, Trial


class BudgetRule:
    """Answers `should_stop` from `study.budget`.

    Wall time and failures count from the start of this run.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._failures: list[Trial] = []
        self.failed = False

    @hookimpl
    def round_started(self, study: Study, round: Round) -> None:
        self._started = time.monotonic()

    @hookimpl
    def trial_finished(self, study: Study, trial: Trial) -> None:
        if trial.state is not TrialState.FAILED:
            self._failures.clear()
        elif trial.counts:
            self._failures.append(trial)

    @hookimpl
    def should_stop(self, study: Study, round: Round) -> str | None:
        budget = study.budget
        if len(self._failures) >= budget.max_failures:
            self.failed = True
            last = self._failures[-1]
            return (
                f"{len(self._failures)} trials in a row failed, the last one, {last.number}, "
                f"with: {last.error}"
            )
        counted = [trial for trial in round.trials if trial.counts]
        if budget.trials is not None and len(counted) >= budget.trials:
            return f"all {budget.trials} trials are done"
        if budget.seconds is not None and time.monotonic() - self._started >= budget.seconds:
            return f"the budget of {budget.seconds:g} s is used up"
        return _enough(study, round, counted)


def _enough(study: Study, round: Round, counted: list[Trial]) -> str | None:
    """Whether the results so far meet the target, or have not improved for too long."""
    budget, goal = study.budget, round.goals[0]
    if budget.target is None and budget.patience is None:
        return None
    best = best_trial(counted, round.goals[:1])
    if best is None:
        return None
    target = budget.target
    if target is not None and goal.loss(best.metrics) <= goal.loss({goal.metric: target}):
        return f"the target {goal.metric} = {target:g} is reached"
    since = len(counted) - 1 - counted.index(best)
    if budget.patience is not None and since >= budget.patience:
        return f"no better trial in the last {since}"
    return None
