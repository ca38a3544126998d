"""Plays one sampler on one task: the regret after each trial."""

from collections import deque
from pathlib import Path

from advising.problems import Problem, problem

from tunesmith.components import Sampler
from tunesmith.plugins import installed
from tunesmith.trial import Direction, Goal, Trial, TrialState

Unit = tuple[Path, str, str, int, int, int]
LOSS = (Goal("loss", Direction.MINIMIZE),)


def played(unit: Unit) -> list[float]:
    """The best regret after each trial; `sampler` is a name or `genetic-opt`."""
    folder, name, sampler, seed, count, workers = unit
    task = problem(folder, name, "full")
    if sampler == "genetic-opt":
        from sampling.peer import searched

        losses = searched(task, seed, count)
    else:
        found = installed().build("sampler", {"use": sampler})
        assert isinstance(found, Sampler)
        losses = _asked(found, task, seed, count, workers)
    best, regrets = float("inf"), []
    for loss in losses:
        best = min(best, loss)
        regrets.append(task.regret(best) if best < float("inf") else 2.0)
    return regrets


def _asked(sampler: Sampler, task: Problem, seed: int, count: int, workers: int) -> list[float]:
    """As many trials are in flight as there are workers, each of the same length."""
    sampler.start(task.limits, LOSS, seed)
    flying: deque[Trial] = deque()
    losses = []
    for number in range(count):
        (params,) = sampler.ask([number]) or [{}]
        try:
            loss = task.objective(params)
            trial = Trial(number, 1, params, TrialState.COMPLETE, {"loss": loss})
        except ArithmeticError as error:
            loss = float("inf")
            trial = Trial(number, 1, params, TrialState.FAILED, error=str(error))
        losses.append(loss)
        flying.append(trial)
        if len(flying) >= workers:
            sampler.tell([flying.popleft()])
    return losses
