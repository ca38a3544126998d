"""sklearn-genetic-opt's search on a task: an estimator whose score is what the task says."""

import contextlib
import io
import random
import warnings
from typing import Any

import numpy as np
from advising.problems import Problem
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn_genetic import GASearchCV
from sklearn_genetic.space import Categorical as Choices
from sklearn_genetic.space import Continuous, Integer

from tunesmith.parameters import Categorical, Int

POPULATION = 20


def searched(task: Problem, seed: int, count: int) -> list[float]:
    """The losses in the order of evaluation; parameters that do not apply are left out."""
    losses: list[float] = []

    class Recorded(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def __init__(self, **params: Any) -> None:
            self.params = params

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return dict.fromkeys(task.limits.parameters) | self.params

        def set_params(self, **params: Any) -> "Recorded":
            self.params = self.params | params
            return self

        def fit(self, x: Any, y: Any = None) -> "Recorded":
            return self

        def score(self, x: Any, y: Any = None) -> float:
            params = task.limits.at(
                {
                    name: parameter.position(self.params[name])
                    for name, parameter in task.limits.parameters.items()
                }
            )
            try:
                losses.append(float(task.objective(params)))
            except ArithmeticError:
                losses.append(float("inf"))
            return -min(losses[-1], 1e9)

    random.seed(seed)
    np.random.seed(seed)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        GASearchCV(
            Recorded(),
            param_grid={name: _form(each) for name, each in task.limits.parameters.items()},
            cv=[([0], [0])],
            population_size=POPULATION,
            generations=count // POPULATION,
            error_score="raise",
            refit=False,
            verbose=False,
        ).fit(np.zeros((2, 1)), np.zeros(2))
    return (losses + losses[-1:] * count)[:count]


def _form(parameter: Any) -> Any:
    if isinstance(parameter, Categorical):
        return Choices(list(parameter.choices))
    if isinstance(parameter, Int) and not parameter.log:
        return Integer(parameter.low, parameter.high)
    # its integers know no log scale; they are rounded when they are tried
    scale = "log-uniform" if parameter.log else "uniform"
    return Continuous(parameter.low, parameter.high, distribution=scale)
