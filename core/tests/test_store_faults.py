"""A record that cannot be opened or written: told in words, and nothing is lost."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from recorded import a_round, complete, finish, running
from sqlalchemy import select
from tuning import play, study_of, tuner_of

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


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 400 KB, which root alone can have."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def wordy(number):
    """A result that takes 10 KB in the record."""
    return {"loss": 0.5} | {f"metric {number} {index} {'x' * 80}": 0.5 for index in range(100)}


def test_a_full_disk_is_told_and_with_space_again_the_study_goes_on(small_disk):
    study = study_of(small_disk, budget={"trials": 60})
    told = []
    full = "database or disk is full; what was recorded so far is safe"
    with pytest.raises(StoreError, match=full), tuner_of(study) as tuner:
        while trial := tuner.ask():
            told.append(tuner.tell(trial, wordy(trial.number)))
    assert 5 < len(told) < 60
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    tuner, rest = play(study)
    recorded = [trial for trial in tuner.round.trials if trial.counts]
    assert recorded == told + rest
    assert len(recorded) == 60


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from test_store_faults import wordy
from tuning import study_of, tuner_of
from tunesmith.errors import StoreError

study = study_of(Path(sys.argv[2]), budget={"trials": 60})
try:
    with tuner_of(study) as tuner:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        while trial := tuner.ask():
            tuner.tell(trial, wordy(trial.number))
            print(trial.number)
except StoreError as error:
    sys.exit(str(error))
"""


def test_a_file_that_may_not_grow_is_told_and_later_the_study_goes_on(tmp_path):
    here = os.path.dirname(__file__)
    words = [sys.executable, "-c", LIMITED, here, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    told = [int(line) for line in done.stdout.splitlines()]
    assert 5 < len(told) < 60
    assert "cannot use the record" in done.stderr
    assert "Traceback" not in done.stderr
    tuner, _ = play(study_of(tmp_path, budget={"trials": 60}))
    recorded = [trial.number for trial in tuner.round.trials if trial.counts]
    assert recorded[: len(told)] == told
    assert len(recorded) == len(set(recorded)) == 60


def test_a_folder_that_became_read_only_is_told(small_disk):
    study = study_of(small_disk)
    play(study_of(small_disk, budget={"trials": 2}))
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    with pytest.raises(
        StoreError, match=r"cannot (open|use) the record .*(readonly|unable to open)"
    ):
        tuner_of(study).__enter__()
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    _, trials = play(study)
    assert [trial.number for trial in trials] == [2, 3, 4]
