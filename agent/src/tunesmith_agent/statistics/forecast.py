"""What an edit would do: replayed against the trials there are, and what the sampler is told."""

from __future__ import annotations

from random import Random

import numpy as np
from scipy import stats

from tunesmith.edits import apply
from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import Edit, Tier, Told, WhatIf
from tunesmith.space import SearchSpace
from tunesmith_agent.statistics.findings import Findings
from tunesmith_agent.statistics.snapshot import Snapshot
from tunesmith_agent.statistics.surrogate import Surrogate

BEST_FIFTH, LARGE = 0.2, 1.5
"""Share of the trials that is told after the space has grown by more than this factor."""
_POINTS = 100


def what_if(snapshot: Snapshot, edits: list[Edit], findings: Findings) -> WhatIf:
    """The edits replayed: which of the best trials stay, what volume goes, what to hope for."""
    after = apply(snapshot.space, edits)
    best = [snapshot.trials[index] for index in snapshot.good]
    kept = sum(after.contains({**trial.params, **_fixed(after)}) for trial in best)
    model = findings.surrogate
    inside = before = None
    if model is not None and findings.depends:
        inside, before = (
            _better(snapshot, model, space, findings) for space in (after, snapshot.space)
        )
    return WhatIf(
        best_kept=kept,
        best_of=len(best),
        volume=float(f"{volume(snapshot.space, after):.3g}"),
        better_inside=inside,
        better_before=before,
    )


def _fixed(space: SearchSpace) -> dict[str, Value]:
    return {
        name: parameter.at(0.5)
        for name, parameter in space.parameters.items()
        if parameter.levels == 1 and parameter.when is None
    }


def volume(old: SearchSpace, new: SearchSpace) -> float:
    """Size of the new space in old ones, on the old scales; parameters that are fixed left out."""
    share = 1.0
    for name, before in old.parameters.items():
        after = new.parameters[name]
        if before.levels == 1 or after.levels == 1:
            continue
        if isinstance(before, Categorical) or isinstance(after, Categorical):
            share *= (after.levels or 1) / (before.levels or 1)
        else:
            share *= _width(before, after) / _width(before, before)
    return share


def _width(scale: Float | Int, parameter: Float | Int) -> float:
    low = 0.0 if scale.log and parameter.low <= 0 else scale.position(parameter.low)
    return max(scale.position(parameter.high) - low, 1e-9)


def _better(snapshot: Snapshot, model: Surrogate, space: SearchSpace, findings: Findings) -> float:
    """Mean probability that a point of the space is better than the best trial, by the model."""
    random = Random(findings.seed)
    sampled = [space.sample(random) for _ in range(_POINTS)]
    points = np.full((_POINTS, len(snapshot.names)), np.nan)
    for row, params in enumerate(sampled):
        for column, name in enumerate(snapshot.names):
            if name in params:
                points[row, column] = snapshot.space.parameters[name].position(params[name])
    mean, covariance = model.posterior(points)
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-9))
    return round(float(np.mean(stats.norm.sf((snapshot.z.max() - mean) / spread))), 4)


def told(snapshot: Snapshot, edits: list[Edit]) -> Told:
    """What the next round's sampler is told: measured in the benchmark's README, and by ours."""
    recommended = [edit for edit in edits if edit.tier is Tier.RECOMMENDED]
    if not recommended:
        return Told(why="the space stays as it is, so every trial inside still tells something")
    growth = volume(snapshot.space, apply(snapshot.space, recommended))
    if growth > LARGE:
        return Told(
            share=BEST_FIFTH,
            why=f"the space grows to {growth:.3g} times its size: all old trials would keep the "
            "sampler in the old one",
        )
    return Told(why="the space hardly grows, so every trial inside still tells something")
