"""The tables of the durable record, their engine, and how rounds and trials map onto rows."""

import json
import sqlite3
import time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tunesmith.errors import ConfigError
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, Origin, Round, Step, Trial, TrialState

PATIENCE = 30.0
"""Seconds to wait for another process that writes to an SQLite record."""

metadata = MetaData()


class Words(TypeDecorator[str]):
    """Text from anywhere: what databases refuse, NUL and lone surrogates, is written as `\\x00`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        """The text as it is stored."""
        return value and value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("created", Float, nullable=False),
    # who runs the study now (see lease.py); null when nobody does
    Column("owner", String(300)),
    Column("heartbeat", Float),
)

space_versions = Table(
    "space_versions",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False),
    Column("space", Text, nullable=False),
    Column("parent", Integer),
    Column("author", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("created", Float, nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("space_version", Integer, nullable=False),
    Column("sampler", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("goals", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("budget", Text, nullable=False),
    Column("dataset", Text),
    Column("commit", Text),
    Column("started", Float, nullable=False),
    Column("finished", Float),
    Column("reason", Words),
    Column("final", Text, nullable=False),
    ForeignKeyConstraint(
        ["study", "space_version"], ["space_versions.study", "space_versions.number"]
    ),
)

trials = Table(
    "trials",
    metadata,
    Column("study", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("metrics", Text, nullable=False),
    Column("steps", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("error", Words),
    Column("origin", String(20), nullable=False),
    Column("started", Float),
    Column("finished", Float),
    # order in which trials finished; trackers keep a cursor into it
    Column("sequence", Integer),
    ForeignKeyConstraint(["study", "round"], ["rounds.study", "rounds.number"]),
    Index("trials_by_sequence", "study", "sequence"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("study", ForeignKey("studies.id"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("rounds", Text, nullable=False),
)


# how a running trial ends; built once, because that takes longer than running it
finish = (
    update(trials)
    .where(
        trials.c.study == bindparam("its_study"),
        trials.c.number == bindparam("its_number"),
        trials.c.state == TrialState.RUNNING.value,
    )
    .values(
        sequence=select(func.coalesce(func.max(trials.c.sequence), 0) + 1)
        .where(trials.c.study == bindparam("its_study"))
        .scalar_subquery()
    )
)


def open_engine(url: str) -> Engine:
    """An engine on the record, SQLite set up so that what was committed survives a crash.

    Raises ConfigError for a URL that is neither SQLite nor PostgreSQL, or that keeps nothing.
    """
    try:
        target = make_url(url)
        if target.get_backend_name() == "sqlite":
            if target.database in (None, "", ":memory:"):
                raise ConfigError(f"the store '{url}' would be gone with the process; name a file")
            engine = create_engine(target, connect_args={"timeout": PATIENCE})
            event.listen(engine, "connect", _set_pragmas)
            event.listen(engine, "begin", _wait_for_disk)
            return engine
        if target.get_backend_name() not in ("postgresql", "postgres"):
            raise ConfigError(f"the store '{shown(url)}' is neither SQLite nor PostgreSQL")
        return create_engine(_with_driver(target), pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"the store '{shown(url)}' is no database URL: {error}") from None
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the store '{shown(url)}' needs the package '{error.name}'; "
            "for PostgreSQL install 'tunesmith[postgresql]'"
        ) from None


def create_tables(engine: Engine) -> None:
    """Create the tables where they are missing, one process at a time and all or none."""
    if set(metadata.tables) <= set(inspect(engine).get_table_names()):
        return
    alone = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(7865)"}
    with engine.begin() as connection:
        connection.exec_driver_sql(alone[engine.name])
        metadata.create_all(connection)


def shown(url: str) -> str:
    """The URL without its password, for messages."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.split("@")[-1]


def _with_driver(target: URL) -> URL:
    # postgresql:// alone would mean psycopg2
    plain = target.drivername in ("postgresql", "postgres")
    return target.set(drivername="postgresql+psycopg") if plain else target


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            # of two processes that make the file, SQLite lets one fail here instead of wait
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _wait_for_disk(connection: Connection) -> None:
    lasting = connection.get_execution_options().get("lasting", True)
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA synchronous={'FULL' if lasting else 'NORMAL'}")


def read_round(row: Row[Any], space: SearchSpace) -> Round:
    """The round in a row of `rounds`, without its trials."""
    return Round(
        number=row.number,
        space_version=row.space_version,
        space=space,
        sampler=json.loads(row.sampler),
        objective=json.loads(row.objective),
        goals=tuple(
            Goal(metric, Direction(direction)) for metric, direction in json.loads(row.goals)
        ),
        seed=row.seed,
        budget=json.loads(row.budget),
        dataset=row.dataset,
        commit=row.commit,
        started=row.started,
        finished=row.finished,
        reason=row.reason,
        final=json.loads(row.final),
    )


def round_values(round: Round) -> dict[str, Any]:
    """A round as column values, but for its key."""
    plain = ("space_version", "seed", "dataset", "commit", "started", "finished", "reason")
    coded = ("sampler", "objective", "budget", "final")
    return (
        {field: getattr(round, field) for field in plain}
        | {field: json.dumps(getattr(round, field)) for field in coded}
        | {"goals": json.dumps([[goal.metric, goal.direction] for goal in round.goals])}
    )


def read_trial(row: Row[Any]) -> Trial:
    """The trial in a row of `trials`."""
    return Trial(
        number=row.number,
        round=row.round,
        params=json.loads(row.params),
        state=TrialState(row.state),
        metrics=json.loads(row.metrics),
        steps=tuple(Step(*step) for step in json.loads(row.steps)),
        seed=row.seed,
        error=row.error,
        origin=Origin(row.origin),
        started=row.started,
        finished=row.finished,
    )


def trial_values(trial: Trial) -> dict[str, Any]:
    """A trial as column values, but for its key."""
    return {
        "params": json.dumps(trial.params),
        "state": trial.state.value,
        "metrics": json.dumps(trial.metrics),
        "steps": json.dumps([[step.metric, step.step, step.value] for step in trial.steps]),
        "seed": trial.seed,
        "error": trial.error,
        "origin": trial.origin.value,
        "started": trial.started,
        "finished": trial.finished,
    }
