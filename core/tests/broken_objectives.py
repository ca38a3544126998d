"""An objective that keeps every promise, and for each promise one that breaks it."""

import itertools
import math
import random

from tunesmith.components import Objective
from tunesmith.errors import ConfigError
from tunesmith.finished import Fitted


class Sound(Objective):
    """A parabola with noise that depends on the seed."""

    def prepare(self, study, dataset):
        for name in study.space.parameters:
            if name not in ("x", "y"):
                raise ConfigError(f"'{name}' is no parameter of the parabola")

    def evaluate(self, params, trial):
        noise = random.Random(trial.seed).random()
        return {"loss": (params["x"] - 1) ** 2 + 0.01 * noise, "half_seconds": random.random()}

    def refit(self, params, seed):
        return Fitted(params, "parabola", [params], {"test_loss": float(params["x"])})


class Infinite(Sound):
    def evaluate(self, params, trial):
        return math.inf


class Silent(Sound):
    def evaluate(self, params, trial):
        return None


class Unseeded(Sound):
    def evaluate(self, params, trial):
        return random.random()


class Remembering(Sound):
    _calls = 0

    def evaluate(self, params, trial):
        self._calls += 1
        return self._calls


class HomeBody(Sound):
    """Works in the process that prepared it alone."""

    def prepare(self, study, dataset):
        super().prepare(study, dataset)
        global _prepared
        _prepared = True

    def evaluate(self, params, trial):
        return float(_prepared)


_prepared = False


class Unpicklable(Sound):
    def prepare(self, study, dataset):
        super().prepare(study, dataset)
        self._helper = lambda: 1


class Greedy(Sound):
    """Takes values out of the params that it was given."""

    def evaluate(self, params, trial):
        return params.pop("x")


class Credulous(Sound):
    def prepare(self, study, dataset):
        pass


class Laconic(Sound):
    def prepare(self, study, dataset):
        if len(study.space.parameters) > 2:
            raise ConfigError("wrong space")


class Heavy(Sound):
    """Carries its data along."""

    def prepare(self, study, dataset):
        super().prepare(study, dataset)
        self._data = bytes(200_000)


class Fickle(Sound):
    """Its model is another one each time."""

    _counter = itertools.count()

    def refit(self, params, seed):
        return Fitted(params, "parabola", [params], {"test_loss": float(next(self._counter))})


class Mixed(Sound):
    """Names the final metrics like those of the search."""

    def refit(self, params, seed):
        return Fitted(params, "parabola", [params], {"loss": 1.0})


class Unscored(Sound):
    def refit(self, params, seed):
        return Fitted(params, "parabola", [params], {"test_loss": math.nan})
