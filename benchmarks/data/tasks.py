"""Tuning tasks on grids of real trainings: `load(name, variant)`, `list_tasks()`."""

import itertools
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent / "public"


@cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads((FOLDER / "tasks.json").read_text())
    return tables


def list_tasks() -> list[str]:
    """The names of the tasks."""
    return list(_tables()["tasks"])


class Task:
    """A task: `space` to search, `full` the widest that exists, `default` for what is left out.

    A range is `{"type": "float" | "int", "low": …, "high": …, "log": …}`. Values are to minimise.
    """

    def __init__(self, name: str, variant: str) -> None:
        scenario, instance = name.split("/")
        shared, own = _tables()["scenarios"][scenario], _tables()["tasks"][name]
        self.full, self.default = shared["full"], shared["default"]
        self.space = {
            "full": shared["full"],
            "guess": shared["guess"],
            "missed": shared["guess"] | own["missed"],
        }[variant]
        self.best_known, self.ref, self.best_config = own["best"], own["ref"], own["best_config"]
        self._axes = shared["axes"]
        self._values = np.load(FOLDER / f"{scenario}_{instance}.npz")["y"]

    def objective(self, config: dict[str, Any]) -> float:
        """The validation error, linear between grid points; values outside are clipped."""
        corners = [self._corners(name, {**self.default, **config}[name]) for name in self._axes]
        return sum(
            math.prod(weight for _, weight in corner)
            * float(self._values[tuple(index for index, _ in corner)])
            for corner in itertools.product(*corners)
        )

    def _corners(self, name: str, value: float) -> list[tuple[int, float]]:
        scale = math.log if self.full[name]["log"] else float
        levels = [scale(level) for level in self._axes[name]]
        place = min(max(scale(value), levels[0]), levels[-1])
        index = min(max(int(np.searchsorted(levels, place)) - 1, 0), len(levels) - 2)
        share = (place - levels[index]) / (levels[index + 1] - levels[index])
        return [(index, 1 - share), (index + 1, share)]

    def regret(self, value: float) -> float:
        """0 for the best value known, 1 for the median random configuration of the full range."""
        return float((value - self.best_known) / (self.ref - self.best_known))


def load(name: str, variant: str = "guess") -> Task:
    """The task of that name with one of its search spaces."""
    return Task(name, variant)
