"""Plays a problem through the product: its record, its tuner, its sampler and its proposals."""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from advising.problems import Problem
from tunesmith.components import Advisor
from tunesmith.history import History
from tunesmith.objectives import Function
from tunesmith.parameters import Categorical
from tunesmith.plugins import installed
from tunesmith.proposals import Decision, Edit, Verdict, Widen
from tunesmith.revision import decide, gather, submit
from tunesmith.space import SearchSpace
from tunesmith.store import Record, Store
from tunesmith.study import Study, check_study, store_url
from tunesmith.trial import TrialState
from tunesmith.tuner import Tuner

TRIALS = 100

ByHand = Callable[[History], SearchSpace]
"""A rival: the space for the next round, told every trial inside."""


@dataclass
class Played:
    """What an arm came to: the regret of the best so far after each trial, and its proposals."""

    regrets: list[float]
    edits: list[int] = field(default_factory=list)
    """Edits of each proposal."""
    seconds: float = 0.0
    """Spent on proposals."""
    kept: list[float] = field(default_factory=list)
    """For each space with destructive edits: share of the top points before that stay inside."""


def play(
    task: Problem,
    reviser: Advisor | ByHand | None,
    rounds: int,
    seed: int,
    space: SearchSpace | None = None,
    trials: int = TRIALS,
) -> Played:
    """Tune in so many rounds; between two of them a proposal is approved, or a hand edits."""
    played = Played([])
    losses: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        study = _study(Path(folder), space or task.space, seed, trials // rounds)
        for number in range(rounds):
            _run(study, task, losses, new=number > 0)
            if reviser and number < rounds - 1:
                study = _revised(study, task, reviser, played)
    best = np.minimum.accumulate(losses)
    played.regrets = [task.regret(loss) if np.isfinite(loss) else 2.0 for loss in best]
    return played


def _study(folder: Path, space: SearchSpace, seed: int, trials: int) -> Study:
    data: dict[str, Any] = {
        "name": "bench",
        "goals": {"loss": "minimize"},
        "space": space,
        "objective": {"use": "function", "function": "task"},
        "sampler": "tpe",
        "executor": "inline",
        "seed": seed,
        "budget": {"trials": trials, "max_failures": 1000},
    }
    return check_study(data, folder, installed(), given=("objective",))


def _run(study: Study, task: Problem, losses: list[float], new: bool) -> None:
    with Tuner(study, Function(function=task.objective), new_round=new) as tuner:
        while trial := tuner.ask():
            try:
                told = tuner.tell(trial, {"loss": task.objective(trial.params)})
            except ArithmeticError as error:
                told = tuner.tell(trial, None, str(error))
            complete = told.state is TrialState.COMPLETE
            losses.append(told.metrics["loss"] if complete else np.inf)


def _revised(study: Study, task: Problem, reviser: Advisor | ByHand, played: Played) -> Study:
    with closing(Store(store_url(study))) as store:
        record = store.record(study.name)
        history = gather(study, record)
        if isinstance(reviser, Advisor):
            new = _advised(study, record, history, task, reviser, played)
            _measure_kept(task, history.space, new, played)
        else:
            new = reviser(history)
    return study.model_copy(update={"space": new})


def _advised(
    study: Study,
    record: Record,
    history: History,
    task: Problem,
    advisor: Advisor,
    played: Played,
) -> SearchSpace:
    start = time.perf_counter()
    draft = advisor.advise(history)
    played.seconds += time.perf_counter() - start
    reviewed = submit(record, history, draft, "bench", "0")
    # what a person who knows the limits would do: nothing beyond them
    decisions = [_decided(task, history.space, edit) for edit in reviewed.proposal.edits]
    played.edits.append(sum(each.verdict is not Verdict.REJECT for each in decisions))
    if decisions:
        decide(study, record, reviewed.proposal.number, decisions)
    return record.versions()[-1].space


def _decided(task: Problem, space: SearchSpace, edit: Edit) -> Decision:
    verdict, changed = Verdict.APPROVE, None
    if isinstance(edit, Widen):
        clipped = _clipped(task, space, edit)
        if clipped is None:
            verdict = Verdict.REJECT
        elif clipped != edit:
            verdict, changed = Verdict.EDIT, clipped
    return Decision(edit=edit.id, verdict=verdict, author="bench", changed=changed, at=time.time())


def _clipped(task: Problem, space: SearchSpace, edit: Widen) -> Widen | None:
    """The edit inside the limits; None where nothing is left of it."""
    limit, now = task.limits.parameters[edit.parameter], space.parameters[edit.parameter]
    assert not isinstance(limit, Categorical) and not isinstance(now, Categorical)
    low = None if edit.low is None else max(edit.low, limit.low)
    high = None if edit.high is None else min(edit.high, limit.high)
    low = None if low is None or low >= now.low else low
    high = None if high is None or high <= now.high else high
    if low is None and high is None:
        return None
    if (low, high) == (edit.low, edit.high):
        return edit
    return edit.model_copy(update={"low": low, "high": high})


def _measure_kept(task: Problem, old: SearchSpace, new: SearchSpace, played: Played) -> None:
    """Whether the best thousandth of what was inside is still there after destructive edits."""
    random = Random(0)
    if old.fingerprint == new.fingerprint or all(
        new.contains(old.sample(random)) for _ in range(100)
    ):
        return
    sample = [old.sample(random) for _ in range(5000)]
    losses = []
    for params in sample:
        try:
            losses.append(task.objective(params))
        except ArithmeticError:
            losses.append(np.inf)
    top = np.argsort(losses)[:5]
    played.kept.append(float(any(new.contains(sample[index]) for index in top)))


def permuted_edits(task: Problem, seed: int, trials: int) -> int:
    """Edits proposed after a round whose results were dealt out to its trials at random."""
    from tunesmith_agent.statistical import Statistical

    with tempfile.TemporaryDirectory() as folder:
        study = _study(Path(folder), task.space, seed, trials)
        _run(study, task, [], new=False)
        with closing(Store(store_url(study))) as store:
            history = gather(study, store.record(study.name))
    found = [trial for round in history.rounds for trial in round.trials]
    results = [(trial.state, trial.metrics, trial.error) for trial in found]
    Random(f"{task.name}/{task.variant}/{seed}").shuffle(results)
    dealt = [
        replace(trial, state=state, metrics=metrics, error=error)
        for trial, (state, metrics, error) in zip(found, results, strict=True)
    ]
    only = replace(history.rounds[0], trials=dealt)
    return len(Statistical().advise(replace(history, rounds=[only])).edits)
