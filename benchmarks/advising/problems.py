"""Tuning problems made from recorded trainings, and ways to spoil their search spaces.

The data is a folder with a module `tasks` (`load`, `list_tasks`) and its files, named by --data.
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.space import Params, SearchSpace

VARIANTS = ("guess", "missed", "full")
CORRUPTIONS = ("over-wide", "wrong scale", "dead", "bad choices", "failing corner", "clean")
GRIDS = ("mlp", "fcnet")
"""Scenarios that are complete grids of real trainings; the others are surrogates of logged ones."""


@dataclass(frozen=True)
class Problem:
    """A space to tune and what its configurations are worth.

    `regret` is 0 for the best value known anywhere and 1 for the median random configuration.
    `limits` are the ranges that exist: a wider one means nothing.
    """

    name: str
    variant: str
    space: SearchSpace
    limits: SearchSpace
    objective: Callable[[Params], float]
    regret: Callable[[float], float]
    grid: bool


@cache
def tasks(folder: Path) -> ModuleType:
    """The module `tasks` of a data folder."""
    spec = importlib.util.spec_from_file_location("tasks", folder / "tasks.py")
    assert spec and spec.loader, f"there is no tasks.py in {folder}"
    module = importlib.util.module_from_spec(spec)
    sys.modules["tasks"] = module
    spec.loader.exec_module(module)
    return module


def problem(folder: Path, name: str, variant: str) -> Problem:
    """A task in one of its variants, or its guessed or full space spoiled in one way."""
    base = variant if variant in VARIANTS else "full" if variant == "over-wide" else "guess"
    task = tasks(folder).load(name, base)
    found = Problem(
        name,
        variant,
        _space(task.space, task.default),
        _space(task.full, {}),
        task.objective,
        lambda loss: float(max(task.regret(loss), 0.0)),
        name.split("/")[0] in GRIDS,
    )
    return found if variant in VARIANTS else _spoiled(found, task)


def _space(table: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any]) -> SearchSpace:
    parameters: dict[str, Parameter] = {}
    for name, entry in table.items():
        conditions = entry.get("if", {})
        when = {key: list(found) for key, found in conditions.items()} or None
        if when and not all(key in table for key in when):
            when = None
        parameter: Parameter
        if entry["type"] == "cat":
            parameter = Categorical(entry["choices"], when=when)
        else:
            kind = Float if entry["type"] == "float" else Int
            log = bool(entry.get("log"))
            parameter = kind(entry["low"], entry["high"], log=log, when=when)
        default = defaults.get(name)
        if default is not None and parameter.contains(default):
            parameter = replace(parameter, default=default)
        parameters[name] = parameter
    return SearchSpace(parameters)


def _spoiled(problem: Problem, task: Any) -> Problem:
    spoil = {
        "over-wide": _over_wide,
        "wrong scale": _wrong_scale,
        "dead": _dead,
        "bad choices": _bad_choices,
        "failing corner": _failing_corner,
        "clean": _clean,
    }[problem.variant]
    return spoil(problem, task)


def _over_wide(problem: Problem, task: Any) -> Problem:
    """Twice as wide as what exists: beyond it nothing changes."""
    wide = {}
    for name, each in problem.space.parameters.items():
        if isinstance(each, Categorical):
            wide[name] = each
        elif each.log:
            root = (each.high / each.low) ** 0.5
            low, high = each.low / root, each.high * root
            wide[name] = _ranged(each, max(low, 1) if each.type == "int" else low, high)
        else:
            half = (each.high - each.low) / 2
            wide[name] = _ranged(each, max(each.low - half, 0), each.high + half)
    space = SearchSpace(wide)
    return replace(problem, space=space, limits=space)


def _ranged(parameter: Float | Int, low: float, high: float) -> Float | Int:
    if isinstance(parameter, Int):
        return replace(parameter, low=int(low), high=int(high))
    return replace(parameter, low=low, high=high)


def _wrong_scale(problem: Problem, task: Any) -> Problem:
    """Every logarithmic scale linear."""
    flat = {
        name: each if isinstance(each, Categorical) else replace(each, log=False)
        for name, each in problem.space.parameters.items()
    }
    return replace(problem, space=SearchSpace(flat))


def _dead(problem: Problem, task: Any) -> Problem:
    """Four parameters more that do nothing."""
    more: dict[str, Parameter] = {f"idle_{index}": Float(0, 1) for index in range(3)}
    more["idle_choice"] = Categorical(["a", "b", "c"])
    space, limits = (
        SearchSpace({**each.parameters, **more}) for each in (problem.space, problem.limits)
    )
    return replace(problem, space=space, limits=limits)


def _bad_choices(problem: Problem, task: Any) -> Problem:
    """A choice of four of which two cost half of the way to a random configuration."""
    more: dict[str, Parameter] = {"kind": Categorical(["plain", "good", "bad", "worse"])}
    space, limits = (
        SearchSpace({**each.parameters, **more}) for each in (problem.space, problem.limits)
    )
    span = abs(task.ref - task.best_known)

    def objective(params: Params) -> float:
        return task.objective(params) + span * (0.5 if params["kind"] in ("bad", "worse") else 0)

    return replace(problem, space=space, limits=limits, objective=objective)


def _failing_corner(problem: Problem, task: Any) -> Problem:
    """Trials fail in the upper third of two parameters together."""
    names = [
        name
        for name, each in problem.space.parameters.items()
        if each.type != "categorical" and each.when is None
    ][:2]

    def objective(params: Params) -> float:
        places = [problem.space.parameters[name].position(params[name]) for name in names]
        if min(places) > 0.67:
            raise FloatingPointError("the loss is not finite")
        return float(task.objective(params))

    return replace(problem, objective=objective)


def _clean(problem: Problem, task: Any) -> Problem:
    """Half of the full width around the best point known: the right answer is no edit."""
    return replace(problem, space=around(problem.limits, task.best_config))


def around(limits: SearchSpace, best: Mapping[str, Any]) -> SearchSpace:
    """A box of half the width around a point."""
    box: dict[str, Parameter] = {}
    for name, each in limits.parameters.items():
        if isinstance(each, Categorical) or name not in best:
            box[name] = each
            continue
        value = min(max(best[name], each.low), each.high)
        place = min(max(each.position(value), 0.25), 0.75)
        low, high = each.at(place - 0.25), each.at(place + 0.25)
        box[name] = replace(each, low=min(low, value), high=max(high, value))
    return SearchSpace(box)
