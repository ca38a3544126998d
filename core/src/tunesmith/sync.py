"""Brings trackers up to date with the record, outside of a run."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import cast

from tunesmith.components import Objective, Tracker
from tunesmith.delivery import Attach, deliver
from tunesmith.errors import ConfigError, TrackerError
from tunesmith.finished import Finished
from tunesmith.lease import Lease
from tunesmith.plugins import Registry, installed
from tunesmith.store import Record, Store
from tunesmith.study import Study, store_url
from tunesmith.trial import Round
from tunesmith.wrapup import prepared, recall


@dataclass(frozen=True, slots=True)
class Synced:
    """How many trials a tracker took, and what could not be made for it, and why."""

    destination: str
    count: int
    notes: list[str]


def sync(
    study: Study,
    objective: Objective | None = None,
    registry: Registry | None = None,
    again: bool = False,
) -> Iterator[Synced]:
    """Deliver to each of the study's trackers what it has not got; with `again`, everything.

    Raises TrackerError where a tracker does not take it, StudyBusyError while the study runs.
    """
    registry = registry or installed()
    trackers = cast(list[Tracker], study.build("tracker", registry))
    if not trackers:
        raise ConfigError(f"study '{study.name}' names no tracker; add one under 'trackers'")
    objective = prepared(study, registry, objective)
    with closing(Store(store_url(study))) as store:
        record = store.record(study.name)
        lease = Lease(record)
        try:
            attach = partial(recall, study, objective=objective, registry=registry)
            yield from _sync(study, record, trackers, attach, again)
        finally:
            lease.release()


def _sync(
    study: Study, record: Record, trackers: list[Tracker], recalled: Attach, again: bool
) -> Iterator[Synced]:
    failed: list[TrackerError] = []
    for tracker in trackers:
        ends: list[Finished] = []

        def attach(round: Round, ends: list[Finished] = ends) -> Finished:
            ends.append(recalled(round))
            return ends[-1]

        destination = tracker.destination(study)
        if again:
            record.save_delivery(destination, sequence=0, rounds={}, proposals={})
        try:
            count = deliver(study, record, tracker, attach)
        except TrackerError as error:  # the others get theirs
            failed.append(error)
        else:
            yield Synced(destination, count, [note for end in ends for note in end.notes])
        finally:
            tracker.close()
    if failed:
        raise TrackerError("; ".join(map(str, failed))) from failed[0]
