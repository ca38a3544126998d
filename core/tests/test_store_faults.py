"""A record that cannot be opened or written: told in words, and nothing is lost."""

import sqlite3
from contextlib import closing

import pytest
from recorded import a_round, complete, finish, running
from sqlalchemy import select

from tunesmith.errors import ConfigError, StoreError
from tunesmith.store import Store
from tunesmith.tables import trials as trial_table


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("record.db", "the store 'record.db' is no database URL"),
        ("sqlight:///record.db", "'sqlight:///record.db' is neither SQLite nor PostgreSQL"),
        ("mysql://ada:s3cret@db/record", r"'mysql://ada:\*\*\*@db/record' is neither SQLite nor"),
        ("sqlite://", "the store 'sqlite://' would be gone with the process"),
        ("sqlite:///:memory:", "the store 'sqlite:///:memory:' would be gone with the process"),
    ],
)
def test_a_url_that_cannot_hold_a_record_is_told(url, message):
    with pytest.raises(ConfigError, match=message):
        Store(url)


def test_a_server_that_is_away_is_told_without_the_password():
    with pytest.raises(StoreError, match="cannot open the record") as caught:
        Store("postgresql://ada:s3cret@127.0.0.1:1/record?connect_timeout=5")
    assert "s3cret" not in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StoreError, match="unable to open database file"):
        Store(f"sqlite:///{tmp_path}/nowhere/record.db")


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "record.db").write_text("these are notes, and not a database\n" * 50)
    with pytest.raises(StoreError, match="file is not a database"):
        Store(f"sqlite:///{tmp_path}/record.db")


def test_a_read_only_store_can_be_read_and_says_so_when_written(tmp_path):
    path = tmp_path / "record.db"
    with closing(Store(f"sqlite:///{path}")) as store:
        record = store.record("iris")
        a_round(record)
        finish(record, 0)
    with closing(Store(f"sqlite:///file:{path}?mode=ro&uri=true")) as store:
        record = store.find("iris")
        assert record.trials() == [complete(0)]
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            record.start_trials([running(1)])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(str(select(trial_table.c.number))).fetchall() == [(0,)]
