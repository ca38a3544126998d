"""The database of a durable record, on SQLite or PostgreSQL: opened, its tables up to date."""

import sqlite3
import time

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.schema import CreateColumn

from tunesmith.errors import ConfigError
from tunesmith.tables import metadata

PATIENCE = 30.0
"""Seconds to wait for another process that writes to an SQLite record."""


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
    """Create tables and columns where they are missing, one process at a time and all or none."""
    if not _missing(engine):
        return
    alone = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(7865)"}
    with engine.begin() as connection:
        connection.exec_driver_sql(alone[engine.name])
        metadata.create_all(connection)
        for table, column in _missing(connection):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")


def _missing(database: Engine | Connection) -> list[tuple[str, str]]:
    """Columns that the record does not have yet, as (table, definition in SQL)."""
    known = {
        name: {column["name"] for column in columns}
        for (_, name), columns in inspect(database).get_multi_columns().items()
    }
    return [
        (table.name, str(CreateColumn(column).compile(database)))
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name not in known.get(table.name, ())
    ]


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
