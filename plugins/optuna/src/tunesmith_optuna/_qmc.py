"""The points of a quasi-random sequence that lie in a space, by their number."""

from random import Random
from typing import Any

from scipy.stats import qmc

from tunesmith.space import Params, SearchSpace

_BATCH = 64
_MISSES = 100


class Points:
    """Point n is the nth of the sequence that keeps the constraints, whenever it is asked for.

    Where 100 points in a row break one, the next is drawn uniformly. Raises TypeError or
    ValueError for options that the sequence does not know.
    """

    def __init__(self, space: SearchSpace, seed: int, sequence: str, **options: Any) -> None:
        kind = qmc.Sobol if sequence == "sobol" else qmc.Halton
        self._engine = kind(d=len(space.conditions), rng=seed, **options)
        self._space, self._seed = space, seed
        self._found: list[Params | None] = []
        self._misses = 0

    def at(self, number: int) -> Params:
        """The params of a trial."""
        while len(self._found) <= number:
            for point in self._engine.random(_BATCH).tolist():
                self._take(point)
        return self._found[number] or self._space.sample(Random(f"{self._seed}/{number}"))

    def _take(self, point: list[float]) -> None:
        params = self._space.at(dict(zip(self._space.conditions, point, strict=True)))
        if self._space.violation(params) is None:
            self._found.append(params)
            self._misses = 0
            return
        self._misses += 1
        if self._misses % _MISSES == 0:
            self._found.append(None)
