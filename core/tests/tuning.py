"""What the tests of the tuner share: a study of a parabola, and how to play it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunesmith import builtin
from tunesmith.components import KINDS, Component, Objective, Sampler
from tunesmith.evaluation import TrialContext
from tunesmith.objectives import Function
from tunesmith.plugins import Registry
from tunesmith.space import Params, SearchSpace
from tunesmith.study import Study, check_study
from tunesmith.trial import Goal, Trial
from tunesmith.tuner import Tuner

X = {"type": "float", "low": -2, "high": 2}
SPACE = {"parameters": {"x": X}}


def registry_of(*components: type[Component]) -> Registry:
    """The core's own components, and these under their names in lower case."""
    registry = Registry()
    for kind in ("sampler", "pruner", "executor", "objective"):
        getattr(builtin, f"register_{kind}s")(
            lambda name, component, kind=kind: registry.add(kind, "builtin", name, component)
        )
    for component in components:
        kind = next(kind for kind, base in KINDS.items() if issubclass(component, base))
        registry.add(kind, "test", component.__name__.lower(), component)
    return registry


def study_of(folder: Path, registry: Registry | None = None, **options: Any) -> Study:
    """A study of five inline trials in `folder`; `options` are those of a study file."""
    data = {
        "name": "parabola",
        "goals": {"loss": "minimize"},
        "space": SPACE,
        "objective": {"use": "function", "function": "parabola"},
        "executor": "inline",
        "budget": {"trials": 5},
    }
    return check_study({**data, **options}, folder, registry or registry_of(), given=("objective",))


def parabola(params: dict[str, Any]) -> float:
    return float(params["x"]) ** 2


def slow_parabola(params: dict[str, Any]) -> float:
    """Takes longer for smaller x, so that trials finish in another order than they began in."""
    time.sleep(0.02 - 0.005 * params["x"])
    return parabola(params)


def learning(params: dict[str, Any], trial: TrialContext) -> float:
    """A curve that ends at |x|, slower with a bad x."""
    for epoch in range(1, 28):
        trial.report(epoch, abs(float(params["x"])) + 1 / epoch)
    return abs(float(params["x"]))


def tuner_of(study: Study, *components: type[Component], **options: Any) -> Tuner:
    objective: Objective = Function(function=parabola)
    return Tuner(study, objective, registry_of(*components), **options)


def play(
    study: Study,
    *components: type[Component],
    score: Callable[[dict[str, Any]], Any] = parabola,
    **options: Any,
) -> tuple[Tuner, list[Trial]]:
    """Ask and tell until the round is over; returns the tuner and the trials of this time."""
    with tuner_of(study, *components, **options) as tuner:
        trials = []
        while trial := tuner.ask():
            trials.append(tuner.tell(trial, score(trial.params)))
    return tuner, trials


class Listening(Sampler):
    """Asks for the same params all the time, and remembers what it was told."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        self.space = space
        self.told: list[Trial] = []

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self.space.at(dict.fromkeys(self.space.conditions, 0.25)) for _ in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials
