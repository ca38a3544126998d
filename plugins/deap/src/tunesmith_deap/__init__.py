"""DEAP's evolution for tunesmith: genetic algorithm, DE, CMA-ES, NSGA-II and NSGA-III."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.components import Sampler
from tunesmith.errors import PluginError
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith.hookspecs import Register
    from tunesmith.space import Params, SearchSpace
    from tunesmith.trial import Goal, Trial
    from tunesmith_deap._evolution import Breed, Survivors


class _Steady(Sampler):
    """What those with a population share: it is in steady state, no trial waits for others."""

    population: int = 20
    """Members that are kept; so many trials are drawn at random before there are children."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        from tunesmith_deap._evolution import Evolution

        if self.population < 4:
            raise PluginError(f"population {self.population} is too small; take 4 or more")
        survivors = self._survivors(goals)
        self._evolution = Evolution(space, goals, seed, self.population, survivors, self._breed())

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self._evolution.ask(number) for number in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        self._evolution.tell(trials)

    def _survivors(self, goals: Sequence[Goal]) -> Survivors:
        """Who stays in the population. Raises PluginError for goals that it cannot have."""
        raise NotImplementedError

    def _breed(self) -> Breed:
        """How children come about."""
        raise NotImplementedError


class Ga(_Steady):
    """A genetic algorithm: children of good trials, mixed and mutated; for any mixed space.

    Parameters that do not apply are inherited unseen. Of trials that it never asked for, the best
    are its first population.
    """

    crossover: Literal["uniform", "one_point", "sbx"] = "uniform"
    """How two parents are mixed; `sbx` mixes numbers by simulated binary crossover."""
    crossover_probability: float = 0.7
    """Share of children with two parents; the others have one."""
    mutation: Literal["gaussian", "polynomial"] = "gaussian"
    """How numbers change, on each parameter's own scale; choices are drawn anew."""
    mutation_probability: float | None = None
    """Chance of each parameter to change; null: 1 / parameters."""
    tournament: int = 3
    """Members drawn to choose a parent from; more of them go for the best sooner."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        for name in ("crossover_probability", "mutation_probability"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise PluginError(f"{name} {share} is no share; take 0 to 1")
        if self.tournament < 1:
            raise PluginError(f"tournament {self.tournament} chooses nobody; take 1 or more")
        super().start(space, goals, seed)

    def _survivors(self, goals: Sequence[Goal]) -> Survivors:
        from tunesmith_deap._evolution import best

        _check_one(goals, "ga")
        return best

    def _breed(self) -> Breed:
        from tunesmith_deap._evolution import Genetics

        return Genetics(
            self.crossover,
            self.crossover_probability,
            self.mutation,
            self.mutation_probability,
            self.tournament,
        )


class DeapNsga2(Ga):
    """NSGA-II in steady state: `ga` for several goals, without waiting for a generation."""

    population: int = 40
    """Members that are kept; so many trials are drawn at random before there are children."""
    crossover: Literal["uniform", "one_point", "sbx"] = "sbx"
    """How two parents are mixed; `sbx` mixes numbers by simulated binary crossover."""
    crossover_probability: float = 0.9
    """Share of children with two parents; the others have one."""
    tournament: int = 2
    """Members drawn to choose a parent from; more of them go for the best sooner."""

    def _survivors(self, goals: Sequence[Goal]) -> Survivors:
        from tunesmith_deap._evolution import crowded

        return crowded


class Nsga3(DeapNsga2):
    """NSGA-III in steady state: for three goals and more, spread over reference points."""

    tournament: int = 1
    """Members drawn to choose a parent from; more of them go for the best sooner."""

    def _survivors(self, goals: Sequence[Goal]) -> Survivors:
        from deap import tools

        from tunesmith_deap._evolution import best, niched

        if len(goals) == 1:
            return best
        parts = 1
        while math.comb(len(goals) + parts, parts + 1) <= self.population:
            parts += 1
        points: Any = tools.uniform_reference_points(len(goals), parts)
        return niched(points)


class De(_Steady):
    """Differential evolution: children along the differences between members; for many numbers.

    Choices without an order are taken over from members. Of trials that it never asked for, the
    best are its first population.
    """

    weight: float = 0.5
    """Length of a step, as a share of the difference."""
    crossover_probability: float = 0.9
    """Chance of each parameter to take the step."""

    def _survivors(self, goals: Sequence[Goal]) -> Survivors:
        from tunesmith_deap._evolution import best

        _check_one(goals, "de")
        return best

    def _breed(self) -> Breed:
        from tunesmith_deap._evolution import Differences

        if not 0 <= self.crossover_probability <= 1:
            raise PluginError(
                f"crossover_probability {self.crossover_probability} is no share; take 0 to 1"
            )
        return Differences(self.weight, self.crossover_probability)


class Cma(Sampler):
    """DEAP's CMA-ES: moves and shapes a cloud of numbers; for many of them and many trials.

    It moves as soon as enough results are there, whichever trials they belong to. Choices without
    an order come from the best trials. The best trials that it never asked for are where it begins.
    """

    population: int | None = None
    """Results after which the cloud moves; null: 4 + 3 ln(numbers in the space)."""
    sigma: float = 0.3
    """Standard deviation to begin with, as a share of each parameter's scale."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        from tunesmith_deap._cloud import Cloud
        from tunesmith_deap._genome import Genome

        _check_one(goals, "cma")
        numbers = len(Genome(space).numbers)
        if not numbers:
            raise PluginError("sampler 'cma' needs a number in the space; use 'ga'")
        size = 4 + int(3 * math.log(numbers)) if self.population is None else self.population
        if size < 4:
            raise PluginError(f"population {self.population} is too small; take 4 or more")
        if not 0 < self.sigma <= 1:
            raise PluginError(f"sigma {self.sigma} is no share of a scale; take 0.1 to 0.5")
        self._cloud = Cloud(space, goals, seed, size, self.sigma)

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self._cloud.ask(number) for number in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        self._cloud.tell(trials)


def _check_one(goals: Sequence[Goal], name: str) -> None:
    if len(goals) > 1:
        raise PluginError(
            f"sampler '{name}' has one goal, not {len(goals)}; use 'deap_nsga2' or 'nsga3'"
        )


@hookimpl
def register_samplers(register: Register[Sampler]) -> None:
    register("ga", Ga)
    register("de", De)
    register("cma", Cma)
    register("deap_nsga2", DeapNsga2)
    register("nsga3", Nsga3)
