"""DEAP's CMA-ES over the numbers of a space, told as results come in."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from deap import cma

from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Goal, Trial, is_scored
from tunesmith_deap._evolution import folded
from tunesmith_deap._genome import Fitness, Genome, Individual, seeded

_ATTEMPTS = 30
_NARROW = 1e-4
"""Of a cloud that has nothing left to find: a new one begins."""
_WIDE = 0.5
_INHERITED = 0.8
"""Chance of a choice to be that of one of the best trials."""


class Point(np.ndarray):
    """Numbers with a fitness, as DEAP's strategy wants them."""

    fitness: Fitness


class Cloud:
    """One round's distribution: each ask draws from it, and it moves after `size` results."""

    def __init__(
        self, space: SearchSpace, goals: Sequence[Goal], seed: int, size: int, sigma: float
    ) -> None:
        self._genome, self._goals, self._seed = Genome(space), goals, seed
        self._size, self._sigma = size, sigma
        self._asked: dict[int, np.ndarray] = {}
        self._results: list[Point] = []
        self._best: list[Individual] = []
        self._strategy: cma.Strategy | None = None

    def ask(self, number: int) -> Params:
        """Params drawn from the cloud."""
        with seeded(f"{self._seed}/{number}"):
            if self._strategy is None:
                self._strategy = self._begun()
            for _ in range(_ATTEMPTS):
                place = self._drawn(self._strategy)
                params = self._genome.allowed(self._genes(place))
                if params is not None:
                    self._asked[number] = place
                    return params
            return self._genome.space.sample(random.Random(random.random()))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Trials that it asked for move the cloud; others say where it begins."""
        for trial in trials:
            place = self._asked.pop(trial.number, None)
            if self._genome.space.why_not(trial.params) or not is_scored(trial, self._goals):
                continue
            with seeded(f"{self._seed}/told {trial.number}"):
                found = self._genome.individual(trial, self._goals)
            self._best = sorted([*self._best, found], key=_loss)[: 2 * self._size]
            if place is not None:
                point = place.view(Point)
                point.fitness = Fitness(_loss(found))
                self._results.append(point)
        while self._strategy and len(self._results) >= self._size:
            batch, self._results = self._results[: self._size], self._results[self._size :]
            self._strategy.update(batch)
            self._strategy.sigma = min(self._strategy.sigma, _WIDE)
            if not self._is_alive(self._strategy):
                self._strategy, self._best, self._results = None, [], []

    def _begun(self) -> cma.Strategy:
        """Around the best trials told, as narrow as they lie; else around the middle."""
        numbers = self._genome.numbers
        centre, sigma = np.full(len(numbers), 0.5), self._sigma
        good = self._best[: max(self._size // 2, 2)]
        if len(self._best) >= self._size:
            places = np.array([[member[index] for index in numbers] for member in good])
            centre = places.mean(axis=0)
            sigma = float(np.clip(places.std(axis=0).mean(), 0.05, self._sigma))
        return cma.Strategy(centroid=centre, sigma=sigma, lambda_=self._size)

    def _drawn(self, strategy: cma.Strategy) -> np.ndarray:
        drawn = np.random.standard_normal(strategy.dim)
        place = strategy.centroid + strategy.sigma * strategy.BD @ drawn
        return np.array([folded(value) for value in place])

    def _genes(self, place: np.ndarray) -> list[float]:
        genes = self._genome.drawn()
        if self._best and random.random() < _INHERITED:
            member = random.choice(self._best[: max(len(self._best) // 4, 2)])
            genes = list(member)
        for index, value in zip(self._genome.numbers, place.tolist(), strict=True):
            genes[index] = value
        return genes

    def _is_alive(self, strategy: cma.Strategy) -> bool:
        finite = np.isfinite(strategy.BD).all() and np.isfinite(strategy.centroid).all()
        return bool(finite and strategy.sigma * strategy.diagD.max() > _NARROW)


def _loss(member: Individual) -> tuple[float, ...]:
    """Compared from the left: members that break limits come last, by how much (Deb 2000)."""
    return member.violation, *member.fitness.values
