"""A short round with made-up results, here or in another process.

Run as a script it plays the round that stands on its input as JSON, so that it can be compared.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from tunesmith.components import Sampler
from tunesmith.space import Params, SearchSpace
from tunesmith.trial import Direction, Goal, Step, Trial, TrialState

LOSS = (Goal("loss", Direction.MINIMIZE),)


def bowl(space: SearchSpace, params: Params, bottom: float = 0.85) -> float:
    """A loss whose only minimum lies where every parameter of the space is at `bottom`."""
    places = [space.parameters[name].position(value) for name, value in params.items()]
    return sum((place - bottom) ** 2 for place in places) / max(len(places), 1)


def result(number: int, params: Params, loss: float, kind: str = "complete") -> Trial:
    """A finished trial.

    One of `complete`, `pruned`, `failed`, `interrupted`, `broken` for one that breaks a limit, or
    `nan` for a metric that is no number.
    """
    steps = (Step("loss", 0, 2 * loss), Step("loss", 1, math.nan), Step("loss", 2, loss))
    match kind:
        case "pruned":
            return Trial(number, 1, params, TrialState.PRUNED, steps=steps)
        case "failed" | "interrupted":
            return Trial(number, 1, params, TrialState.FAILED, {"loss": loss}, error=kind)
        case "nan":
            metrics = {"loss": math.nan, "size": math.nan}
            return Trial(number, 1, params, TrialState.COMPLETE, metrics)
    metrics = {"loss": loss, "size": 1 - loss}
    violation = 0.5 + loss if kind == "broken" else 0.0
    return Trial(number, 1, params, TrialState.COMPLETE, metrics, steps, violation=violation)


KINDS = (
    *("complete", "failed", "complete", "pruned", "complete", "broken", "complete"),
    *("nan", "interrupted"),
)


def assert_inside(space: SearchSpace, asked: Sequence[Params]) -> None:
    """AssertionError for the first params that are no configuration of the space."""
    for params in asked:
        reason = space.why_not(params)
        assert reason is None, f"{params} is not in the space: {reason}"


def rehearse(
    sampler: Sampler, space: SearchSpace, seed: int, count: int, kinds: Sequence[str] = KINDS
) -> list[Params]:
    """The params of a round in which two trials run at a time and end in every way there is."""
    sampler.start(space, LOSS, seed)
    seen: list[Params] = []
    while len(seen) < count:
        asked = sampler.ask([len(seen), len(seen) + 1])
        if asked is None:
            break
        assert asked, "it waits for results, but no trial is running"
        assert_inside(space, asked)
        trials = [
            result(number, params, bowl(space, params), kinds[number % len(kinds)])
            for number, params in enumerate(asked, len(seen))
        ]
        seen += asked
        sampler.tell(trials[::-1])
    return seen


def rehearse_elsewhere(sampler: Sampler, space: SearchSpace, seed: int, count: int) -> list[Params]:
    """The same in a new interpreter whose strings have other hashes.

    The class is imported there by its module's name or else from its file; its options go as JSON.
    """
    kind = type(sampler)
    script = {
        "path": sys.path,
        "module": kind.__module__,
        "file": sys.modules[kind.__module__].__file__,
        "class": kind.__qualname__,
        "options": asdict(sampler),
        "space": space.to_dict(),
        "seed": seed,
        "count": count,
    }
    done = subprocess.run(
        [sys.executable, "-P", __file__],
        input=json.dumps(script),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[Params] = json.loads(done.stdout.splitlines()[-1])
    return found


def imported(name: str, file: str, qualname: str) -> Any:
    """A class from the module of this name, or else from its file."""
    try:
        module = import_module(name)
    except ImportError:
        spec = spec_from_file_location(name, file)
        assert spec and spec.loader
        module = module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return getattr(module, qualname)


def _play(script: dict[str, Any]) -> list[Params]:
    kind = imported(script["module"], script["file"], script["class"])
    sampler = kind(**script["options"])
    space = SearchSpace.from_dict(script["space"])
    return rehearse(sampler, space, script["seed"], script["count"])


if __name__ == "__main__":
    script = json.load(sys.stdin)
    sys.path[:] = script["path"]
    print(json.dumps(_play(script)))
