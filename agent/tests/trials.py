"""Histories whose right answer is known: a formula for the loss, and a sampler that may crowd."""

import math
from collections.abc import Callable, Iterable, Mapping
from random import Random

from tunesmith.expressions import Value
from tunesmith.history import History
from tunesmith.policy import check
from tunesmith.proposals import Draft, Edit
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, Origin, Round, Trial, TrialState
from tunesmith_agent.statistical import Statistical

Loss = Callable[[Mapping[str, Value]], float]
LOSS = (Goal("loss", Direction.MINIMIZE),)
MADE = 1_790_000_000.0


def never(params: Mapping[str, Value]) -> bool:
    return False


def crowded(space: SearchSpace, found: list[tuple[float, dict[str, float]]], random: Random):
    """Positions near those of a good trial, as a model-based sampler chooses them."""
    if len(found) < 10 or random.random() < 0.2:
        return {name: random.random() for name in space.parameters}
    best = sorted(found, key=lambda pair: pair[0])[: max(3, len(found) // 5)]
    near = random.choice(best)[1]
    return {
        name: min(max(random.gauss(near[name], 0.12), 0), 1)
        if random.random() < 0.85
        else random.random()
        for name in space.parameters
    }


def sampled(
    space: SearchSpace,
    loss: Loss,
    count: int,
    seed: int = 0,
    *,
    crowd: bool = True,
    fails: Callable[[Mapping[str, Value]], bool] = never,
) -> list[Trial]:
    """Trials of a formula: NaN is a missing metric, and where `fails` says so they fail."""
    random, found, trials = Random(seed), [], []
    while len(trials) < count:
        places = (
            crowded(space, found, random)
            if crowd
            else {name: random.random() for name in space.parameters}
        )
        params = space.at(places)
        if space.violation(params):
            continue
        number = len(trials)
        if fails(params):
            state, metrics = TrialState.FAILED, {}
        else:
            state, metrics = TrialState.COMPLETE, {"loss": float(loss(params))}
            if math.isfinite(metrics["loss"]):
                found.append((metrics["loss"], places))
        trials.append(Trial(number, 1, params, state, metrics, finished=MADE + number))
    return trials


def noisy(loss: Loss, sigma: float, seed: int = 0) -> Loss:
    """The formula with normal noise on top."""
    random = Random(seed)
    return lambda params: loss(params) + random.gauss(0, sigma)


def history(space: SearchSpace, trials: Iterable[Trial], goals=LOSS, **options) -> History:
    """One round of these trials."""
    round = Round(1, 1, space, {"use": "tpe"}, {}, goals, 0, {}, trials=list(trials))
    values = {"original": space, "rounds": [round]} | options
    return History("known", space, 1, goals=goals, **values)


def tuned(space: SearchSpace, loss: Loss, count: int = 60, seed: int = 0, **options) -> History:
    """One round of a formula."""
    return history(space, sampled(space, loss, count, seed, **options))


def advised(history: History) -> Draft:
    """The draft of the statistical advisor, after a look at what any draft must keep to."""
    draft = Statistical().advise(history)
    assert [str(each) for each in check(history, draft.edits, ids(draft))] == []
    numbers = [value for each in draft.evidence for value in each.numbers.values()]
    assert all(math.isfinite(value) for value in numbers)
    cited = [id for each in (*draft.edits, *draft.notes) for id in each.evidence]
    assert set(cited) <= set(ids(draft))
    return draft


def ids(draft: Draft) -> list[str]:
    return [each.id for each in draft.evidence]


def edits(draft: Draft, action: str, parameter: str | None = None) -> list[Edit]:
    """The edits of a kind, of one parameter or of all."""
    found = [edit for edit in draft.edits if edit.action == action]
    return [each for each in found if parameter in (None, getattr(each, "parameter", None))]


def said(draft: Draft) -> str:
    """All notes, a line each."""
    return "\n".join(f"{note.kind}: {note.sentence}" for note in draft.notes)


def explored(trial: Trial) -> Trial:
    """The trial as one of the exploration arm."""
    from dataclasses import replace

    return replace(trial, origin=Origin.EXPLORATION)
