"""What can be done with a finished round outside of a run: report, promote, roll back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import cast

from tunesmith.components import Objective, Tracker
from tunesmith.errors import ConfigError, GatesError, TrackerError, TunesmithError
from tunesmith.finished import Finished
from tunesmith.gates import BEATS_CHAMPION, COMPARISON, failing, gates_of
from tunesmith.lease import Lease
from tunesmith.plugins import Registry, installed
from tunesmith.reporting import write_reports
from tunesmith.store import Record, Store, is_missing
from tunesmith.study import Study, store_url
from tunesmith.trial import Round
from tunesmith.wrapup import HOW_TO_REGISTER, compare, keeper, prepared, recall

_NO_MODEL = "the round has no model; use an objective that keeps one, such as 'sklearn'"


def report(
    study: Study,
    number: int | None = None,
    objective: Objective | None = None,
    registry: Registry | None = None,
    told: Callable[..., object] = lambda **_: None,
) -> Finished:
    """Have the study's reporters write about a round once more, and its trackers keep that.

    Without a number it is the latest round that is over. `told` is called as the hook `report_made`
    is. A reporter that fails and a tracker that does not answer are told in the notes. Raises
    ConfigError where there is no such round, or no reporter, StudyBusyError while the study runs.
    """
    registry = registry or installed()
    if not study.reporters:
        raise ConfigError(f"study '{study.name}' names no reporter; add one under 'reporters'")
    objective = prepared(study, registry, objective)
    with opened(study, number, objective, registry) as (record, finished):
        finished.again = True
        _forget_reports(finished)
        write_reports(study, finished, registry, told)
        record.save_round(finished.round)
        finished.notes += keep(study, finished, registry)
    return finished


def _forget_reports(finished: Finished) -> None:
    """Leave of the final metrics what is the model's own: reporters give theirs anew."""
    finished.reports.clear()
    if finished.notes:  # a model that cannot be had keeps its numbers, and with them all
        return
    final = finished.round.final
    compared = {name: final[name] for name in COMPARISON if name in final}
    finished.round.final = compared | (finished.fitted.numbers if finished.fitted else {})


def promote(
    study: Study,
    number: int | None = None,
    objective: Objective | None = None,
    registry: Registry | None = None,
) -> str:
    """Make a round's model the champion, if its gates hold now; returns what it is then.

    Without a number it is the latest round that is over. Safe to repeat: what an earlier call left
    half done is finished. Raises GatesError where a gate does not hold, ConfigError where the study
    has no gates or keeps no models, TrackerError where the tracker does not answer.
    """
    registry = registry or installed()
    if not study.gates:
        raise ConfigError(f"study '{study.name}' has no gates; add what must hold under 'gates'")
    tracker = _keeper(study, registry)
    objective = prepared(study, registry, objective)
    try:
        with opened(study, number, objective, registry) as (record, finished):
            if tracker.is_champion(study, finished.round):
                return f"the model of round {finished.round.number} is the champion"
            if finished.fitted is None and BEATS_CHAMPION in study.gates:
                raise ConfigError("; ".join(finished.notes) or _NO_MODEL)
            try:
                compare(study, finished, objective, registry)
            except TunesmithError:
                raise
            except Exception as error:  # an old model may raise anything on rows of today
                raise GatesError(
                    f"the champion cannot judge this round's rows: {error!r}; leave "
                    "'beats: champion' out of the gates to promote without a comparison"
                ) from error
            record.save_round(finished.round)
            wrong = failing(gates_of(study, finished.round))
            if wrong:
                raise GatesError(f"round {finished.round.number} is not promoted: {wrong}")
            return tracker.promote(study, finished)
    finally:
        tracker.close()


def rollback(study: Study, registry: Registry | None = None) -> str:
    """Make the model that was the champion before the present one champion again; returns which.

    Raises ConfigError where the study keeps no models, or there was none before, TrackerError where
    the tracker does not answer.
    """
    tracker = _keeper(study, registry or installed())
    try:
        return tracker.rollback(study)
    finally:
        tracker.close()


def _keeper(study: Study, registry: Registry) -> Tracker:
    """The tracker that has the study's champions. Raises ConfigError."""
    tracker = keeper(study, registry)
    if tracker is None:
        raise ConfigError(f"study '{study.name}' registers no model; name one: {HOW_TO_REGISTER}")
    return tracker


@contextmanager
def opened(
    study: Study, number: int | None, objective: Objective, registry: Registry
) -> Iterator[tuple[Record, Finished]]:
    """The study's record, and a round that is over as `recall` gives it, with the rounds before it.

    Without a number it is the latest. The study is not run meanwhile. Raises ConfigError where
    there is no such round, StudyBusyError while the study runs.
    """
    if is_missing(store_url(study)):
        raise _no_round(study)
    with closing(Store(store_url(study))) as store:
        record = store.find(study.name)
        if record is None:
            raise _no_round(study)
        lease = Lease(record)
        try:
            rounds = record.rounds()
            round = _chosen(study, rounds, number)
            round.trials = record.trials(round.number)
            finished = recall(study, round, objective, registry)
            finished.earlier = [each for each in rounds if each.number < round.number]
            yield record, finished
        finally:
            lease.release()


def keep(study: Study, finished: Finished, registry: Registry) -> list[str]:
    """Have the study's trackers keep the round's files; returns what one did not take, and why."""
    notes = []
    for tracker in cast(list[Tracker], study.build("tracker", registry)):
        try:
            tracker.finish(study, finished)
        except TrackerError as error:
            notes.append(f"not kept at {tracker.destination(study)}: {error}")
        finally:
            tracker.close()
    return notes


def _chosen(study: Study, rounds: Sequence[Round], number: int | None) -> Round:
    over = {round.number: round for round in rounds if round.finished is not None}
    if not over:
        raise _no_round(study)
    if number is not None and number not in over:
        known = ", ".join(map(str, over))
        raise ConfigError(
            f"study '{study.name}' has no round {number} that is over; there are {known}"
        )
    return over[max(over) if number is None else number]


def _no_round(study: Study) -> ConfigError:
    return ConfigError(
        f"study '{study.name}' has no round that is over; end one with 'tunesmith run'"
    )
