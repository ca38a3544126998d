"""Optuna's pruners as rules: plain data on the way, an Optuna study where trials are judged."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.trial import TrialState as OptunaState
from optuna.trial import create_trial

from tunesmith.errors import PluginError
from tunesmith.trial import Goal, Step
from tunesmith_optuna._study import quiet

Curve = Mapping[int, float]


def build(kind: str, options: Mapping[str, Any]) -> BasePruner:
    """A pruner of Optuna by its class. Raises PluginError for its options."""
    try:
        with quiet():
            pruner: BasePruner = getattr(optuna.pruners, kind)(**options)
    except ValueError as error:
        raise PluginError(f"Optuna's {kind} refuses its options: {error}") from None
    return pruner


@dataclass(frozen=True)
class Judged:
    """Prunes a trial that Optuna's pruner would, had it seen these trials finish.

    `told` has the metric and the curve of each; `reason` says what is wrong with a trial.
    """

    goal: Goal
    kind: str
    options: Mapping[str, Any]
    told: Sequence[tuple[float, Curve]]
    reason: str

    def __call__(self, steps: Sequence[Step]) -> str | None:
        curve = curve_of(self.goal, steps)
        if not curve or not self.told:
            return None
        trial = create_trial(state=OptunaState.RUNNING, intermediate_values=curve)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of curves that are no numbers, or do not overlap
            if not self._pruner.prune(self._study, trial):
                return None
        step = max(curve)
        return f"{self.goal.metric} {curve[step]:.6g} at step {step}; {self.reason}"

    def __getstate__(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in self.__dataclass_fields__}

    @cached_property
    def _pruner(self) -> BasePruner:
        return build(self.kind, self.options)

    @cached_property
    def _study(self) -> optuna.Study:
        with quiet():
            study = optuna.create_study(direction=self.goal.direction.value)
        study.add_trials(
            create_trial(value=metric, intermediate_values=dict(curve))
            for metric, curve in self.told
        )
        return study


def curve_of(goal: Goal, steps: Sequence[Step]) -> dict[int, float]:
    """The goal's values by step; of a step that is reported twice the first, as Optuna has it."""
    own = [step for step in steps if step.metric == goal.metric and 0 <= step.step < 1 << 31]
    return {step.step: step.value for step in reversed(own)}
