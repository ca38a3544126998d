"""From the store to trackers: finished trials in batches, with retries.

Each tracker has a cursor in the store, and a thread of its own, so that one that is slow or down
delays nothing and loses nothing.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from tunesmith.components import Tracker
from tunesmith.errors import told_of
from tunesmith.finished import Finished
from tunesmith.history import Reviewed
from tunesmith.plugins import Registry, installed
from tunesmith.store import Record
from tunesmith.study import Study
from tunesmith.trial import Round

BATCH = 500
"""Trials handed to a tracker at once, at most."""
PAUSE = 1.0
"""Seconds between batches, so that quick trials travel together."""
RETRIES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to wait after each failure in a row; the last one repeats."""


Attach = Callable[[Round], Finished]


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a tracker puts trials, how to look at them, how many it has not got, and why."""

    destination: str
    look: str
    missing: int
    error: str | None


def deliver(study: Study, record: Record, tracker: Tracker, attach: Attach | None = None) -> int:
    """Hand a tracker everything that it has not got; returns the number of trials.

    Finished rounds are closed and proposals written where `attach` is given. Raises TrackerError
    where the tracker does not take something; what it took before is remembered.
    """
    destination = tracker.destination(study)
    rounds = {round.number: round for round in record.rounds()}
    count = 0
    while True:
        cursor, trials = record.undelivered(destination, BATCH)
        if not trials:
            break
        for number, batch in groupby(trials, key=lambda trial: trial.round):
            tracker.write(study, rounds[number], list(batch))
        record.save_delivery(destination, sequence=cursor)
        count += len(trials)
    if attach:
        _close_rounds(study, record, tracker, attach)
        _write_proposals(study, record, tracker)
    return count


def _close_rounds(study: Study, record: Record, tracker: Tracker, attach: Attach) -> None:
    destination = tracker.destination(study)
    closed = record.finished_rounds_at(destination)
    for round in record.rounds():
        # a round that went on after its end has another end, and is closed again
        if round.finished is not None and closed.get(round.number) != round.finished:
            round.trials = record.trials(round.number)
            tracker.finish(study, attach(round))
            closed[round.number] = round.finished
            record.save_delivery(destination, rounds=closed)


def _write_proposals(study: Study, record: Record, tracker: Tracker) -> None:
    destination = tracker.destination(study)
    got = record.proposals_at(destination)
    rounds = {round.number: round for round in record.rounds()}
    for reviewed in record.proposals():
        number = reviewed.proposal.number
        if _is_missing(reviewed, got):
            tracker.write_proposal(study, rounds.get(reviewed.round or 0), reviewed)
            got[number] = len(reviewed.decisions)
            record.save_delivery(destination, proposals=got)


def deliver_proposals(
    study: Study, record: Record, registry: Registry | None = None
) -> list[Delivered]:
    """Hand each tracker the proposals, and what was decided on them, that it has not got.

    Raises nothing because of a tracker: `error` says what one did not take, `missing` how many
    proposals; the next run or sync delivers them.
    """
    found = []
    for tracker in cast(list[Tracker], study.build("tracker", registry or installed())):
        error: Exception | None = None
        try:
            _write_proposals(study, record, tracker)
        except Exception as raised:  # a tracker may raise anything; the caller tells what
            error = raised
        destination, look = tracker.destination(study), tracker.look(study)
        tracker.close()
        got = record.proposals_at(destination)
        left = [item for item in record.proposals() if _is_missing(item, got)]
        found.append(Delivered(destination, look, len(left), told_of(error) if error else None))
    return found


def _is_missing(reviewed: Reviewed, got: Mapping[int, int]) -> bool:
    return got.get(reviewed.proposal.number) != len(reviewed.decisions)


class Delivery:
    """Delivers to one tracker in the background while a round runs."""

    def __init__(self, study: Study, record: Record, tracker: Tracker) -> None:
        self._study, self._record, self._tracker = study, record, tracker
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._failures = 0
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="tunesmith-delivery", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """There is something new to deliver."""
        self._wake.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            self._attempt(None)
            if self.error:
                self._wake.set()
            self._ended.wait(
                RETRIES[min(self._failures, len(RETRIES)) - 1] if self.error else PAUSE
            )

    def _attempt(self, attach: Attach | None) -> None:
        try:
            deliver(self._study, self._record, self._tracker, attach)
            self.error, self._failures = None, 0
        except Exception as error:  # a tracker may raise anything; the end of the run tells what
            self.error, self._failures = error, self._failures + 1

    def finish(self, attach: Attach | None) -> Delivered:
        """End the thread, try once more, and say what is left to deliver."""
        self.stop()
        self._attempt(attach)
        destination = self._tracker.destination(self._study)
        self._tracker.close()
        left = self._record.count_undelivered(destination)
        look = self._tracker.look(self._study)
        return Delivered(destination, look, left, told_of(self.error) if self.error else None)

    def stop(self) -> None:
        """End the thread once it has handed over what it is at. Safe to call twice."""
        self._ended.set()
        self._wake.set()
        self._thread.join()
