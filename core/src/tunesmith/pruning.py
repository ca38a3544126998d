"""A round's pruner, and the curves of trials that run in a loop of the caller's own."""

from collections.abc import Sequence

from tunesmith.components import Pruner
from tunesmith.errors import ConfigError, Pruned
from tunesmith.evaluation import Outcome, TrialContext, read_metrics
from tunesmith.trial import Goal, Rule, Trial, TrialState


class Pruning:
    """Judges a round's trials by what they report; without a pruner all of them go on."""

    def __init__(self, pruner: Pruner | None, goals: Sequence[Goal]) -> None:
        self._pruner, self._goals = pruner, goals
        self._reporting: dict[int, TrialContext] = {}

    def start(self, seed: int) -> None:
        """Begin a round. Raises ConfigError where a pruner has several goals."""
        if self._pruner is None:
            return
        if len(self._goals) > 1:
            raise ConfigError(f"a pruner has one goal, not {len(self._goals)}; leave 'pruner' out")
        self._pruner.start(self._goals[0], seed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from finished trials of the round."""
        if self._pruner:
            self._pruner.tell(trials)

    def rule(self, number: int) -> Rule | None:
        """What a trial is judged by that begins now; None without a pruner."""
        return self._pruner.rule(number) if self._pruner else None

    def report(self, trial: Trial, step: int, value: float, metric: str | None) -> str | None:
        """Keep a metric in the middle of a trial; why it is not worth finishing, or None."""
        number = trial.number
        if number not in self._reporting:
            given = (number, trial.seed, self._goals[0].metric)
            self._reporting[number] = TrialContext(*given, rule=self.rule(number))
        try:
            self._reporting[number].report(step, value, metric)
        except Pruned as signal:
            return str(signal)
        return None

    def outcome(
        self, trial: Trial, result: object, error: str | None, pruned: str | None
    ) -> Outcome:
        """How a trial ended that the caller ran, with all that was reported of it."""
        context = self._reporting.pop(trial.number, None)
        steps = tuple(context.steps) if context else ()
        if pruned is not None and not error:
            return Outcome(TrialState.PRUNED, steps=steps, error=pruned or None)
        metrics, wrong = ({}, error) if error else read_metrics(result, self._goals)
        state = TrialState.FAILED if wrong else TrialState.COMPLETE
        return Outcome(state, metrics, steps, wrong)
