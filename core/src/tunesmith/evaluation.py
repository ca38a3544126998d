"""One trial, from params to outcome, in whatever process the executor has.

It raises nothing but KeyboardInterrupt.
"""

import math
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import SupportsFloat, cast

from tunesmith.components import Objective
from tunesmith.errors import Pruned, TunesmithError
from tunesmith.space import Params
from tunesmith.trial import Goal, Rule, Step, TrialState


@dataclass(slots=True)
class TrialContext:
    """What an objective may know of its trial, and where it reports what happens in the middle."""

    number: int
    """Number of the trial in its study."""
    seed: int
    """Seed for everything random in the trial; the same number has the same seed, whatever runs
    beside it.
    """
    metric: str
    """The metric that `report` writes when it is given no other."""
    steps: list[Step] = field(default_factory=list)
    rule: Rule | None = None
    """What the study's pruner judges this trial by; None without a pruner."""

    def report(self, step: int, value: float, metric: str | None = None) -> None:
        """Record a metric in the middle of the trial: `report(epoch, loss)`.

        Raises Pruned where the study's pruner finds the trial not worth finishing; let it through.
        """
        self.steps.append(Step(metric or self.metric, int(step), float(value)))
        reason = self.rule(self.steps) if self.rule else None
        if reason:
            raise Pruned(reason)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended. `started` and `finished` are Unix seconds."""

    state: TrialState
    metrics: dict[str, float] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    error: str | None = None
    started: float | None = None
    finished: float | None = None


def evaluate(
    objective: Objective,
    params: Params,
    number: int,
    seed: int,
    goals: Sequence[Goal],
    rule: Rule | None = None,
) -> Outcome:
    """Run one trial, under the rule of the study's pruner.

    Exceptions, missing metrics and values that are no finite number become failed trials.
    """
    context = TrialContext(number, seed, goals[0].metric, rule=rule)
    started = time.time()
    metrics: dict[str, float] = {}
    error = None
    try:
        metrics, error = read_metrics(objective.evaluate(dict(params), context), goals)
        state = TrialState.FAILED if error else TrialState.COMPLETE
    except Pruned as signal:
        state, error = TrialState.PRUNED, str(signal) or None
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # user code may raise anything; the trial says what
        state, error = TrialState.FAILED, _reason(failure)
    return Outcome(state, metrics, tuple(context.steps), error, started, time.time())


def read_metrics(result: object, goals: Sequence[Goal]) -> tuple[dict[str, float], str | None]:
    """The metrics in what an objective returned, and why they cannot be used.

    None where they can.
    """
    if result is None:
        return {}, f"the objective returned nothing; return '{goals[0].metric}'"
    if not isinstance(result, Mapping):
        if len(goals) > 1:
            return (
                {},
                f"the objective returned {_short(result)}; several goals need a dict of metrics",
            )
        result = {goals[0].metric: result}
    metrics: dict[str, float] = {}
    for name, value in result.items():
        try:
            if isinstance(value, str | bytes):
                raise TypeError
            metrics[str(name)] = float(cast(SupportsFloat, value))
        except (TypeError, ValueError, OverflowError):
            return (
                metrics,
                f"the objective returned {_short(value)} for '{name}', which is not a number",
            )
    for goal in goals:
        if goal.metric not in metrics:
            names = ", ".join(metrics) or "an empty dict"
            return metrics, f"the objective returned no '{goal.metric}', only {names}"
        if not math.isfinite(metrics[goal.metric]):
            return metrics, f"the objective returned {metrics[goal.metric]} for '{goal.metric}'"
    return metrics, None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _reason(failure: BaseException) -> str:
    """The exception in a line, and the line of code that raised it; our own say all themselves."""
    if isinstance(failure, TunesmithError):
        return str(failure)
    frames = traceback.extract_tb(failure.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(failure).__name__}: {failure}".removesuffix(": ") + place
