"""Optuna's pruners that the core has no like of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tunesmith.components import Pruner

if TYPE_CHECKING:
    from tunesmith.trial import Goal, Rule, Trial
    from tunesmith_optuna._judging import Curve


class _OptunaPruner(Pruner):
    """What both share: the metrics and curves of complete trials, which a rule takes along."""

    _class: ClassVar[str]

    def start(self, goal: Goal, seed: int) -> None:
        from tunesmith_optuna._judging import build

        build(self._class, self._arguments())
        self._goal = goal
        self._told: list[tuple[float, Curve]] = []

    def tell(self, trials: Sequence[Trial]) -> None:
        from tunesmith.trial import is_scored
        from tunesmith_optuna._judging import curve_of

        self._told += [
            (trial.metrics[self._goal.metric], curve_of(self._goal, trial.steps))
            for trial in trials
            if is_scored(trial, [self._goal])
        ]

    def rule(self, number: int) -> Rule:
        from tunesmith_optuna._judging import Judged

        return Judged(self._goal, self._class, self._arguments(), self._needed(), self._reason())

    def _arguments(self) -> dict[str, Any]:
        """The options by Optuna's names."""
        raise NotImplementedError

    def _needed(self) -> list[tuple[float, Curve]]:
        """What of all that was told a rule takes along."""
        return list(self._told)

    def _reason(self) -> str:
        """What is wrong with a trial that is ended."""
        raise NotImplementedError


class Percentile(_OptunaPruner):
    """Ends a trial whose best value so far is not among the best share of complete trials' values.

    As `median`, with a share of your choosing; and the others are complete trials only.
    """

    _class = "PercentilePruner"

    percentile: float = 25.0
    """Percentage of trials that go on."""
    startup_trials: int = 5
    """Trials that have to be complete before one is compared with them."""
    warmup: int = 0
    """Steps in which no trial is ended."""
    interval: int = 1
    """Steps from one comparison to the next."""

    def _arguments(self) -> dict[str, Any]:
        return {
            "percentile": self.percentile,
            "n_startup_trials": self.startup_trials,
            "n_warmup_steps": self.warmup,
            "interval_steps": self.interval,
        }

    def _reason(self) -> str:
        return f"not among the best {self.percentile:g} % of complete trials there"


class Wilcoxon(_OptunaPruner):
    """Ends a trial that is worse than the best one on the same tasks, by a signed-rank test.

    For a metric that is the mean over tasks of different difficulty: report each one's own value,
    with its number as the step. Values of a training that gets better are not for this test.
    """

    _class = "WilcoxonPruner"

    p_threshold: float = 0.1
    """Chance of such a difference between equals below which a trial is ended."""
    startup_steps: int = 2
    """Tasks that have to be reported before a trial is ended."""

    def _arguments(self) -> dict[str, Any]:
        return {"p_threshold": self.p_threshold, "n_startup_steps": self.startup_steps}

    def _needed(self) -> list[tuple[float, Curve]]:
        # the test is against the best trial alone, of those that can be compared with
        reported = [told for told in self._told if told[1]]
        metric = self._goal.metric
        return sorted(reported, key=lambda told: self._goal.loss({metric: told[0]}))[:1]

    def _reason(self) -> str:
        return f"worse than the best trial by Wilcoxon's test, p below {self.p_threshold:g}"
