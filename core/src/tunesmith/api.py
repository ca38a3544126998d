"""Tuning from a script or a notebook, with the same record and trackers as a study file."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.evaluation import TrialContext
from tunesmith.loop import Result, run
from tunesmith.objectives import Function
from tunesmith.parameters import Parameter
from tunesmith.plugins import installed
from tunesmith.space import Params, SearchSpace
from tunesmith.study import Study, check_study
from tunesmith.tuner import Tuner

Space = SearchSpace | Mapping[str, Parameter]
Table = str | Mapping[str, Any]
Scores = float | Mapping[str, float]


def tune(
    objective: Callable[[Params], Scores] | Callable[[Params, TrialContext], Scores],
    space: Space,
    *,
    trials: int | None = 50,
    sampler: Table = "random",
    goals: Mapping[str, str] | None = None,
    name: str | None = None,
    **options: Any,
) -> Result:
    """Find params that make `objective(params)` or `objective(params, trial)` good.

    `goals` maps each metric to `minimize` or `maximize`; without it the objective returns a
    loss. A named study is kept
    and goes on when it is run again, an unnamed one is always new. `options` are those of a
    study file: `trackers`,
    `executor`, `limits`, `seed` … The trials run in this process, one at a time, unless
    `executor` says otherwise.

    Raises ConfigError for a mistake in the options, RoundFailedError when too many trials in a
    row fail.
    """
    label = getattr(objective, "__qualname__", type(objective).__name__)
    options.setdefault("executor", "inline")
    study = _study(name or _fresh_name(label), space, goals, sampler, trials, label, options)
    return run(study, Function(function=objective))


def open_study(
    name: str,
    space: Space,
    *,
    trials: int | None = 50,
    sampler: Table = "random",
    goals: Mapping[str, str] | None = None,
    **options: Any,
) -> Tuner:
    """A study for a loop of your own.

    `with open_study(…) as study:`, then `study.ask()` and `study.tell(trial, loss)`.

    The arguments are those of `tune`.
    """
    study = _study(name, space, goals, sampler, trials, "own loop", options)
    return Tuner(study, Function(function=_nothing_to_run))


def _nothing_to_run(params: Params) -> float:
    raise AssertionError("the caller runs the trials")


def _fresh_name(label: str) -> str:
    plain = "".join(letter if letter.isalnum() else " " for letter in label).strip() or "objective"
    return (
        f"{plain[:60]} {time.strftime('%Y-%m-%d %H.%M.%S')}.{time.time_ns() // 1_000_000 % 1000:03}"
    )


def _study(
    name: str,
    space: Space,
    goals: Mapping[str, str] | None,
    sampler: Table,
    trials: int | None,
    label: str,
    options: Mapping[str, Any],
) -> Study:
    data = {
        "name": name,
        "goals": dict(goals or {"loss": "minimize"}),
        "space": space if isinstance(space, SearchSpace) else SearchSpace(dict(space)),
        "sampler": sampler,
        "objective": {"use": "function", "function": label},
        **options,
        "budget": {"trials": trials, **options.get("budget", {})},
    }
    return check_study(data, Path.cwd(), installed(), given=("objective",))
