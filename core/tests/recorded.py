"""Rounds and trials for the tests of the record, with letters and numbers that get lost easily."""

from dataclasses import replace

from tunesmith.parameters import Categorical, Float
from tunesmith.space import SearchSpace
from tunesmith.store import Record
from tunesmith.trial import Direction, Goal, Round, Trial, TrialState

SPACE = SearchSpace({"x": Float(0, 1), "größe": Categorical(["klein", "groß 🐘"])})
PARAMS = {"x": 0.25, "größe": "groß 🐘"}


def a_round(record: Record, number: int = 1) -> Round:
    """A round that is in the record."""
    version = record.version_of(SPACE, "ada")
    round = Round(
        number=number,
        space_version=version.number,
        space=version.space,
        sampler={"use": "tpe", "extra": {"deep": [1, 2.5, None]}},
        objective={"use": "python", "function": "straße:mañana"},
        goals=(Goal("loss", Direction.MINIMIZE), Goal("größe %", Direction.MAXIMIZE)),
        seed=2**32 - 1,
        budget={"trials": 5},
        dataset="sha256:abc",
        dataset_version={"path": "größe.csv", "md5": "0cc1"},
        commit="f00",
        started=1_790_000_000.123456,
    )
    record.save_round(round)
    return round


def running(number: int, round: int = 1) -> Trial:
    return Trial(number, round, PARAMS, TrialState.RUNNING, seed=2**31 - 1, started=1.5)


def complete(number: int, round: int = 1, loss: float = 0.5) -> Trial:
    ended = {"state": TrialState.COMPLETE, "metrics": {"loss": loss}, "finished": 2.5}
    return replace(running(number, round), **ended)


def finish(record: Record, *numbers: int) -> None:
    record.start_trials([running(number) for number in numbers])
    for number in numbers:
        record.finish_trial(complete(number))
