"""The samplers that need no library: random and grid."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from random import Random as Generator
from typing import TYPE_CHECKING

from tunesmith.components import Sampler
from tunesmith.errors import PluginError

if TYPE_CHECKING:
    from tunesmith.space import Params, SearchSpace
    from tunesmith.trial import Goal, Trial


class Random(Sampler):
    """Uniform on each parameter's scale.

    A trial's params depend on the seed and its number alone.
    """

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        self._space, self._seed = space, seed

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        return [self._space.sample(Generator(f"{self._seed}/{number}")) for number in numbers]

    def tell(self, trials: Sequence[Trial]) -> None:
        pass


class Grid(Sampler):
    """Every combination of evenly spread values, in order.

    Configurations told before are not tried again.
    """

    points: int = 5
    """Values of each float or integer parameter, spread over its scale; choices are all taken."""

    def start(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        if self.points < 1:
            raise PluginError(f"points {self.points} gives no grid; take 2 or more")
        self._space = space
        self._told: set[Hashable] = set()
        self._remaining = self._combinations()

    def ask(self, numbers: Sequence[int]) -> list[Params] | None:
        fresh = (params for params in self._remaining if _key(params) not in self._told)
        return list(itertools.islice(fresh, len(numbers))) or None

    def tell(self, trials: Sequence[Trial]) -> None:
        self._told.update(_key(trial.params) for trial in trials)

    def _combinations(self) -> Iterator[Params]:
        names = list(self._space.conditions)
        return (
            params for params in self._extend({}, names) if self._space.violation(params) is None
        )

    def _extend(self, params: Params, names: Sequence[str]) -> Iterator[Params]:
        if not names:
            yield params
            return
        name, rest = names[0], names[1:]
        if not self._space.is_active(name, params):
            yield from self._extend(params, rest)
            return
        parameter = self._space.parameters[name]
        count = parameter.levels if parameter.type == "categorical" else self.points
        for value in parameter.grid(count):
            yield from self._extend({**params, name: value}, rest)


def _key(params: Params) -> Hashable:
    # 1 and 1.0 are one value, as they come from a file or a tracker; 1 and true are two
    return frozenset((name, isinstance(value, bool), value) for name, value in params.items())
