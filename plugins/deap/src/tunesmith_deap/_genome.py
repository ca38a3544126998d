"""Configurations as genes, and DEAP's draws made repeatable."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from deap import base

from tunesmith.parameters import Categorical
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Goal, Trial


class Fitness(base.Fitness):  # type: ignore[misc]
    """Losses, all to be minimised; as many as there are goals."""

    crowding_dist: float

    def __init__(self, losses: Sequence[float]) -> None:
        self.weights = (-1.0,) * len(losses)
        super().__init__(losses)


class Individual(list[float]):
    """Genes: for each parameter its position in [0, 1] on its own scale.

    `violation` is by how much the trial breaks limits.
    """

    def __init__(
        self, genes: Sequence[float], losses: Sequence[float], violation: float = 0.0
    ) -> None:
        super().__init__(genes)
        self.fitness = Fitness(losses)
        self.violation = violation


class Genome:
    """The genes of a space, in the order in which conditions are looked at.

    `choices` are the genes without an order, `numbers` the others that can vary.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.names = list(space.conditions)
        kinds = [space.parameters[name] for name in self.names]
        free = [isinstance(kind, Categorical) and not kind.ordered for kind in kinds]
        self.choices = [index for index, is_free in enumerate(free) if is_free]
        self.numbers = [
            index for index, is_free in enumerate(free) if not is_free and kinds[index].levels != 1
        ]

    def drawn(self) -> list[float]:
        """Genes drawn uniformly."""
        return [random.random() for _ in self.names]

    def individual(self, trial: Trial, goals: Sequence[Goal]) -> Individual:
        """A scored trial; parameters that do not apply get random genes, to be inherited unseen."""
        genes = [
            self.space.parameters[name].position(trial.params[name])
            if name in trial.params
            else random.random()
            for name in self.names
        ]
        losses = [goal.loss(trial.metrics) for goal in goals]
        return Individual(genes, losses, trial.violation)

    def params(self, genes: Sequence[float]) -> Params:
        """The configuration that the genes stand for; it may break constraints."""
        return self.space.at(dict(zip(self.names, genes, strict=True)))

    def allowed(self, genes: Sequence[float]) -> Params | None:
        """The same; None where it breaks a constraint."""
        params = self.params(genes)
        return params if self.space.violation(params) is None else None


def key(params: Params) -> str:
    """Equal for equal configurations: 1 and true are two."""
    return repr(sorted(params.items()))


@contextmanager
def seeded(seed: str) -> Iterator[None]:
    """Repeatable draws inside the block.

    DEAP draws from the global generators of `random` and numpy, which are put back afterwards.
    """
    before, numpys = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(random.getrandbits(32))
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpys)
