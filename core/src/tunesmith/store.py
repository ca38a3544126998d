"""The durable record: every space version, round and trial, written before anyone is told."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tunesmith.database import create_tables, open_engine, shown
from tunesmith.errors import StoreError
from tunesmith.ledger import Ledger
from tunesmith.lineage import SpaceVersion as SpaceVersion
from tunesmith.tables import (
    deliveries,
    finish,
    read_round,
    read_trial,
    round_values,
    rounds,
    studies,
    trial_values,
    trials,
)
from tunesmith.trial import INTERRUPTED, Round, Trial, TrialState


class Store:
    """The database that holds the record of any number of studies."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy URL and create what is missing.

        Raises ConfigError for a bad URL, StoreError where the database cannot be opened or written.
        """
        self.url = shown(url)
        self._engine = open_engine(url)
        with self._guard("open"):
            create_tables(self._engine)

    @contextmanager
    def begin(self, lasting: bool = True) -> Iterator[Connection]:
        """A transaction: committed at the end, rolled back on any exception.

        One that is not `lasting` does not wait for the disk: it outlives this process, but a power
        cut only once a lasting one has followed.
        """
        engine = self._engine.execution_options(lasting=lasting)
        with self._guard("use"), engine.begin() as connection:
            yield connection

    @contextmanager
    def _guard(self, verb: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"cannot {verb} the record '{self.url}': {cause}; what was recorded so far is safe"
            ) from error

    def names(self) -> list[str]:
        """The studies in this store."""
        with self.begin() as connection:
            return list(connection.scalars(select(studies.c.name).order_by(studies.c.name)))

    def find(self, name: str) -> "Record | None":
        """The record of a study, or None where there is none yet."""
        with self.begin() as connection:
            found = connection.scalar(select(studies.c.id).where(studies.c.name == name))
        return None if found is None else Record(self, found, name)

    def record(self, name: str) -> "Record":
        """The record of a study, a new one where there is none yet."""
        try:
            with self.begin() as connection:
                known = connection.scalar(select(studies.c.id).where(studies.c.name == name))
                if known is None:
                    connection.execute(insert(studies).values(name=name, created=time.time()))
        except StoreError as error:
            if not isinstance(error.__cause__, IntegrityError):  # else: another process was faster
                raise
        found = self.find(name)
        assert found is not None
        return found

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def is_missing(url: str) -> bool:
    """Whether it is a SQLite file that is not there, and that a `Store` would make."""
    path = url.removeprefix("sqlite:///")
    return path != url and not Path(path).exists()


class Record(Ledger):
    """One study's part of the store."""

    def rounds(self) -> list[Round]:
        """All rounds, oldest first, without their trials."""
        spaces = {version.number: version.space for version in self.versions()}
        query = select(rounds).where(rounds.c.study == self.study).order_by(rounds.c.number)
        with self.store.begin() as connection:
            return [read_round(row, spaces[row.space_version]) for row in connection.execute(query)]

    def save_round(self, round: Round) -> None:
        """Write a round, new or changed; its trials are written one by one (`start_trial`)."""
        values = round_values(round)
        where = (rounds.c.study == self.study, rounds.c.number == round.number)
        with self.store.begin() as connection:
            changed = connection.execute(update(rounds).where(*where).values(values))
            if changed.rowcount == 0:
                key = {"study": self.study, "number": round.number}
                connection.execute(insert(rounds).values(key | values))

    def trials(self, round: int | None = None) -> list[Trial]:
        """All trials by number, or those of one round."""
        query = select(trials).where(trials.c.study == self.study).order_by(trials.c.number)
        if round is not None:
            query = query.where(trials.c.round == round)
        with self.store.begin() as connection:
            return [read_trial(row) for row in connection.execute(query)]

    def start_trials(self, started: Sequence[Trial]) -> None:
        """Write trials that are about to run, all or none.

        A power cut may lose them, as it loses their results.
        """
        rows = [
            trial_values(trial)
            | {"study": self.study, "number": trial.number, "round": trial.round}
            for trial in started
        ]
        with self.store.begin(lasting=False) as connection:
            connection.execute(insert(trials), rows)

    def finish_trial(self, trial: Trial) -> None:
        """Write how a running trial ended.

        Raises StoreError where it is not running: it counts once.
        """
        with self.store.begin() as connection:
            self._finish(connection, trial)

    def _finish(self, connection: Connection, trial: Trial) -> None:
        key = {"its_study": self.study, "its_number": trial.number}
        if connection.execute(finish, trial_values(trial) | key).rowcount != 1:
            raise StoreError(
                f"trial {trial.number} of study '{self.name}' is not running; it was told before"
            )

    def interrupt_running(self) -> list[Trial]:
        """Mark the trials that a dead process left running as failed.

        They run again within the budget.
        """
        query = select(trials).where(
            trials.c.study == self.study, trials.c.state == TrialState.RUNNING.value
        )
        with self.store.begin() as connection:
            found = [read_trial(row) for row in connection.execute(query.order_by(trials.c.number))]
            ended = [
                replace(trial, state=TrialState.FAILED, error=INTERRUPTED, finished=time.time())
                for trial in found
            ]
            for trial in ended:
                self._finish(connection, trial)
        return ended

    def undelivered(self, destination: str, limit: int) -> tuple[int, list[Trial]]:
        """The next finished trials that a tracker has not got.

        With the cursor to save once it has them.
        """
        with self.store.begin() as connection:
            cursor = connection.scalar(select(deliveries.c.sequence).where(*self._to(destination)))
            query = (
                select(trials)
                .where(trials.c.study == self.study, trials.c.sequence > (cursor or 0))
                .order_by(trials.c.sequence)
                .limit(limit)
            )
            rows = connection.execute(query).all()
        return rows[-1].sequence if rows else cursor or 0, [read_trial(row) for row in rows]

    def count_undelivered(self, destination: str) -> int:
        """How many finished trials a tracker has not got."""
        with self.store.begin() as connection:
            cursor = connection.scalar(select(deliveries.c.sequence).where(*self._to(destination)))
            query = select(func.count()).where(
                trials.c.study == self.study, trials.c.sequence > (cursor or 0)
            )
            return connection.scalar(query) or 0

    def finished_rounds_at(self, destination: str) -> dict[int, float]:
        """The rounds whose end a tracker has got, with the time of that end in Unix seconds."""
        with self.store.begin() as connection:
            text = connection.scalar(select(deliveries.c.rounds).where(*self._to(destination)))
        return {int(number): end for number, end in json.loads(text or "{}").items()}

    def proposals_at(self, destination: str) -> dict[int, int]:
        """The proposals that a tracker has got, each with how many of its decisions."""
        with self.store.begin() as connection:
            text = connection.scalar(select(deliveries.c.proposals).where(*self._to(destination)))
        return {int(number): count for number, count in json.loads(text or "{}").items()}

    def save_delivery(
        self,
        destination: str,
        sequence: int | None = None,
        rounds: dict[int, float] | None = None,
        proposals: dict[int, int] | None = None,
    ) -> None:
        """Remember how far a tracker has got."""
        values: dict[str, Any] = {} if sequence is None else {"sequence": sequence}
        if rounds is not None:
            values["rounds"] = json.dumps(rounds)
        if proposals is not None:
            values["proposals"] = json.dumps(proposals)
        with self.store.begin() as connection:
            changed = connection.execute(
                update(deliveries).where(*self._to(destination)).values(values)
            )
            if changed.rowcount == 0:
                key = {"study": self.study, "destination": destination}
                start = {"sequence": 0, "rounds": "{}"}
                connection.execute(insert(deliveries).values(key | start | values))

    def _to(self, destination: str) -> tuple[Any, Any]:
        return deliveries.c.study == self.study, deliveries.c.destination == destination
