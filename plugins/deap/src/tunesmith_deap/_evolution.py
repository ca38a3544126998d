"""A population in steady state: every result may replace a member, every ask breeds one child.

No trial waits for a generation, so that workers of any number are kept busy.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from statistics import pstdev
from typing import Any

from deap import tools

from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Goal, Trial, is_scored
from tunesmith_deap._genome import Genome, Individual, key, seeded

_ATTEMPTS = 30
_LEAST = 0.02
"""Standard deviation of the Gaussian mutation where the members agree, on the unit scale."""
_MIXED, _MUTATED = 15.0, 20.0
"""Distribution indices of SBX and of the polynomial mutation (as in Deb et al. 2002)."""

Survivors = Callable[[list[Individual], int], list[Individual]]
"""The members to keep out of these, the best first."""
Breed = Callable[[list[Individual], Genome], list[float]]
"""The genes of a child."""


class Evolution:
    """One round's population."""

    def __init__(
        self,
        space: SearchSpace,
        goals: Sequence[Goal],
        seed: int,
        size: int,
        survivors: Survivors,
        breed: Breed,
    ) -> None:
        self._genome, self._goals, self._seed = Genome(space), goals, seed
        self._size, self._survivors, self._breed = size, survivors, breed
        self._members: list[Individual] = []
        self._known: set[str] = set()

    def ask(self, number: int) -> Params:
        """A child's params; while the population is not full, drawn ones."""
        with seeded(f"{self._seed}/{number}"):
            params = self._new()
        self._known.add(key(params))
        return params

    def _new(self) -> Params:
        full = len(self._members) >= self._size
        for _ in range(_ATTEMPTS):
            genes = self._breed(self._members, self._genome) if full else self._genome.drawn()
            params = self._genome.allowed(genes)
            if params is not None and key(params) not in self._known:
                return params
        return self._genome.space.sample(random.Random(random.random()))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Let the scored trials that lie in the space into the population, in their order."""
        space = self._genome.space
        inside = [trial for trial in trials if space.why_not(trial.params) is None]
        self._known.update(key(trial.params) for trial in inside)
        scored = [trial for trial in inside if is_scored(trial, self._goals)]
        for start in range(0, len(scored), self._size):
            batch = scored[start : start + self._size]
            with seeded(f"{self._seed}/told {batch[0].number}"):
                found = [self._genome.individual(trial, self._goals) for trial in batch]
                self._members = fittest(self._survivors, [*self._members, *found], self._size)


def fittest(survivors: Survivors, members: list[Individual], count: int) -> list[Individual]:
    """The members to keep, the best first: those that break limits come last, by how much.

    So say the rules of Deb (2000), An efficient constraint handling method for genetic algorithms.
    """
    kept = [member for member in members if not member.violation]
    broken = sorted(
        (member for member in members if member.violation), key=lambda member: member.violation
    )
    return [*(survivors(kept, count) if kept else []), *broken][:count]


def best(members: list[Individual], count: int) -> list[Individual]:
    """The best by their only goal."""
    found: list[Individual] = tools.selBest(members, count)
    return found


def crowded(members: list[Individual], count: int) -> list[Individual]:
    """The best fronts; of equals those that stand alone (NSGA-II, Deb et al. 2002)."""
    found: list[Individual] = []
    for front in tools.sortNondominated(members, count):
        tools.emo.assignCrowdingDist(front)
        found += sorted(front, key=lambda member: -member.fitness.crowding_dist)
    return found[:count]


def niched(points: Any) -> Survivors:
    """The best fronts; of equals those near lonely reference points (NSGA-III, Deb, Jain 2014)."""

    def survivors(members: list[Individual], count: int) -> list[Individual]:
        if len(members) <= count:
            return members
        found: list[Individual] = tools.selNSGA3(members, count, points)
        return found

    return survivors


class Genetics:
    """Breeds by tournament, crossover and mutation."""

    def __init__(
        self,
        crossover: str,
        crossover_probability: float,
        mutation: str,
        mutation_probability: float | None,
        tournament: int,
    ) -> None:
        self._crossover, self._mates = crossover, crossover_probability
        self._mutation, self._mutates = mutation, mutation_probability
        self._tournament = tournament

    def __call__(self, members: list[Individual], genome: Genome) -> list[float]:
        child = list(self._parent(members))
        if random.random() < self._mates:
            self._mix(child, list(self._parent(members)), genome)
        self._mutate(child, members, genome)
        return child

    def _parent(self, members: list[Individual]) -> Individual:
        places = [random.randrange(len(members)) for _ in range(self._tournament)]
        return members[min(places)]

    def _mix(self, child: list[float], other: list[float], genome: Genome) -> None:
        if self._crossover == "uniform":
            tools.cxUniform(child, other, 0.5)
        elif self._crossover == "one_point":
            if len(child) > 1:
                tools.cxOnePoint(child, other)
        else:
            numbers = [child[index] for index in genome.numbers]
            others = [other[index] for index in genome.numbers]
            tools.cxSimulatedBinaryBounded(numbers, others, _MIXED, 0.0, 1.0)
            _put(child, genome.numbers, numbers)
            for index in genome.choices:
                child[index] = random.choice([child[index], other[index]])

    def _mutate(self, child: list[float], members: list[Individual], genome: Genome) -> None:
        varied = len(genome.numbers) + len(genome.choices)
        chance = 1 / max(varied, 1) if self._mutates is None else self._mutates
        numbers = [child[index] for index in genome.numbers]
        if self._mutation == "gaussian":
            # as far as the members lie apart: coarse at first, fine in the end
            spread = [
                max(pstdev(member[index] for member in members), _LEAST) for index in genome.numbers
            ]
            tools.mutGaussian(numbers, 0.0, spread, chance)
        else:
            tools.mutPolynomialBounded(numbers, _MUTATED, 0.0, 1.0, chance)
        _put(child, genome.numbers, [folded(gene) for gene in numbers])
        for index in genome.choices:
            if random.random() < chance:
                child[index] = random.random()


class Differences:
    """Breeds by differential evolution (Storn and Price 1997), DE/rand-to-best/1/bin.

    A choice is taken over from one of the members, or now and then drawn anew.
    """

    def __init__(self, weight: float, crossover_probability: float) -> None:
        self._weight, self._mates = weight, crossover_probability

    def __call__(self, members: list[Individual], genome: Genome) -> list[float]:
        target, one, other, donor = random.sample(members, 4)
        child = list(target)
        sure = random.randrange(len(child))
        for index in genome.numbers:
            if index == sure or random.random() < self._mates:
                to_best = members[0][index] - target[index]
                step = self._weight * (to_best + one[index] - other[index])
                child[index] = folded(target[index] + step)
        for index in genome.choices:
            if random.random() < 1 / len(child):
                child[index] = random.random()
            elif random.random() < self._mates:
                child[index] = donor[index]
        return child


def folded(gene: float) -> float:
    """A gene that left [0, 1] on either side, reflected back into it."""
    return 1 - abs(1 - gene % 2)


def _put(genes: list[float], places: Sequence[int], values: Sequence[float]) -> None:
    for place, value in zip(places, values, strict=True):
        genes[place] = value
