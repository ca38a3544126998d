"""The budget of a study, asked through the hook `should_stop` like anyone's rule."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tunesmith.hookspecs import hookimpl
from tunesmith.trial import TrialState, ranking

if TYPE_CHECKING:
    from tunesmith.study import Budget, Study
    from tunesmith.trial import Goal, Round, Trial


class BudgetRule:
    """Answers `should_stop` from `study.budget`.

    Wall time and failures count from the start of this run. `counted` is the number of the round's
    trials that use up budget.
    """

    def __init__(self) -> None:
        self.failed = False
        self.counted = 0
        self._started = time.monotonic()
        self._failures = 0
        self._last: Trial | None = None
        self._best: Trial | None = None
        self._since_best = 0

    @hookimpl
    def round_started(self, study: Study, round: Round) -> None:
        self._started = time.monotonic()
        for trial in round.trials:
            self._count(trial, round.goals[0])

    @hookimpl
    def trial_finished(self, study: Study, trial: Trial) -> None:
        self._count(trial, study.goal_list[0])
        if trial.state is not TrialState.FAILED:
            self._failures = 0
        elif trial.counts:
            self._failures, self._last = self._failures + 1, trial

    def _count(self, trial: Trial, goal: Goal) -> None:
        # kept up to date trial by trial: a look at all of them before each new one is slow
        if not trial.counts:
            return
        self.counted += 1
        known = [self._best, trial] if self._best else [trial]
        # before any keeps the limits, the nearest to them is the best
        best = next(iter(ranking(known, [goal])), None)
        self._since_best = 0 if best is trial else self._since_best + 1
        self._best = best

    @hookimpl
    def should_stop(self, study: Study, round: Round) -> str | None:
        budget = study.budget
        if self._last and self._failures >= budget.max_failures:
            self.failed = True
            return (
                f"{self._failures} trials in a row failed, the last one, {self._last.number}, "
                f"with: {self._last.error}"
            )
        if budget.trials is not None and self.counted >= budget.trials:
            return f"all {budget.trials} trials are done"
        if budget.seconds is not None and time.monotonic() - self._started >= budget.seconds:
            return f"the budget of {budget.seconds:g} s is used up"
        return self._enough(budget, round.goals[0])

    def _enough(self, budget: Budget, goal: Goal) -> str | None:
        """Whether the results so far meet the target, or have not improved for too long."""
        if self._best is None:
            return None
        target, best = budget.target, goal.loss(self._best.metrics)
        kept = not self._best.violation
        if target is not None and kept and best <= goal.loss({goal.metric: target}):
            return f"the target {goal.metric} = {target:g} is reached"
        if budget.patience is not None and self._since_best >= budget.patience:
            return f"no better trial in the last {self._since_best}"
        return None
